//! The library's document as the rules of the domain weigh it.

use std::collections::HashMap;

use async_graphql::parser::types::{Directive, ExecutableDocument, OperationDefinition, Selection, SelectionSet};
use async_graphql::{Name, Positioned, Value as Constant, Variables};
use async_graphql_value::{Number, Value};
use domain::document::{Breach, Document, Field, Limits, Measure, Node, Operation, within};

use super::public::is_public;
use super::table::{self, Roots, Times};

/// A document that can be weighed.
pub struct Lowered {
    /// What it weighs is in it.
    pub document: Document,
    /// Whether the operation, or a fragment, asks for the schema.
    pub introspects: bool,
    /// Whether everybody is answered alike.
    pub public: bool,
}

/// Takes a document down to what its weight depends on.
///
/// # Errors
/// When a list in it has too many entries.
pub fn document(
    document: &ExecutableDocument,
    chosen: &Positioned<OperationDefinition>,
    variables: &Variables,
    roots: Roots,
    limits: &Limits,
) -> Result<Lowered, Breach> {
    let fragments: HashMap<&Name, usize> = document.fragments.keys().zip(0..).collect();
    let mut lowering =
        Lowering { fragments, chosen: &chosen.node, variables, roots, limits, introspects: false, public: true };
    let mut lowered = Document::default();
    for (name, fragment) in &document.fragments {
        let of = roots.type_name(&fragment.node.type_condition.node.on.node);
        lowering.directives(&fragment.node.directives)?;
        lowered.fragments.push((name.to_string(), lowering.set(Some(of), &fragment.node.selection_set.node)?));
    }
    for (place, (_, operation)) in document.operations.iter().enumerate() {
        if std::ptr::eq(operation, chosen) {
            lowered.chosen = place;
        }
        lowered.operations.push(lowering.operation(&operation.node)?);
    }
    Ok(Lowered { document: lowered, introspects: lowering.introspects, public: lowering.public })
}

/// Goes over the variables of a request.
///
/// # Errors
/// When a list has too many entries, or a text holds U+0000.
pub fn variables(variables: &Variables, limits: &Limits) -> Result<(), Breach> {
    variables.iter().try_for_each(|(_, value)| constant(value, limits))
}

/// How deep this recurses is bounded: JSON is read to 128 levels, and a
/// document nests less.
fn constant(value: &Constant, limits: &Limits) -> Result<(), Breach> {
    let text = |text: &str| if text.contains('\0') { Err(Breach::Nul) } else { Ok(()) };
    match value {
        Constant::String(content) => text(content),
        Constant::List(values) => {
            within(Measure::ListSize, values.len() as u64, limits.list_size)?;
            values.iter().try_for_each(|value| constant(value, limits))
        }
        Constant::Object(fields) => fields.iter().try_for_each(|(name, value)| {
            text(name)?;
            constant(value, limits)
        }),
        _ => Ok(()),
    }
}

struct Lowering<'a> {
    fragments: HashMap<&'a Name, usize>,
    chosen: &'a OperationDefinition,
    variables: &'a Variables,
    roots: Roots,
    limits: &'a Limits,
    introspects: bool,
    public: bool,
}

impl Lowering<'_> {
    fn operation(&mut self, operation: &OperationDefinition) -> Result<Operation, Breach> {
        use async_graphql::parser::types::OperationType::{Mutation, Query, Subscription};
        let mut directives = self.directives(&operation.directives)?;
        for variable in &operation.variable_definitions {
            directives += self.directives(&variable.node.directives)?;
            if let Some(value) = &variable.node.default_value {
                constant(&value.node, self.limits)?;
            }
        }
        let of = match operation.ty {
            Query => self.roots.type_name("Query"),
            Mutation => self.roots.type_name("Mutation"),
            Subscription => "Subscription",
        };
        Ok(Operation { directives, nodes: self.set(Some(of), &operation.selection_set.node)? })
    }

    /// What is selected of a type; of an unknown one when the document names
    /// what isn't there, which the library tells.
    fn set(&mut self, of: Option<&str>, set: &SelectionSet) -> Result<Vec<Node>, Breach> {
        set.items.iter().map(|selection| self.node(of, &selection.node)).collect()
    }

    fn node(&mut self, of: Option<&str>, selection: &Selection) -> Result<Node, Breach> {
        match selection {
            Selection::Field(field) => {
                let field = &field.node;
                let name = field.name.node.as_str();
                self.introspects |= matches!(name, "__schema" | "__type");
                self.public &= is_public(of, name);
                for (_, value) in &field.arguments {
                    self.literal(&value.node)?;
                }
                let rule = of.and_then(table::fields).and_then(|fields| fields.get(name));
                let nodes = self.set(rule.map(|rule| rule.answers.as_str()), &field.selection_set.node)?;
                Ok(Node::Field(Field {
                    own: rule.map_or(1, |rule| rule.own),
                    times: rule.map_or(1, |rule| self.times(rule.times, &field.arguments)),
                    aliased: field.alias.is_some(),
                    directives: self.directives(&field.directives)?,
                    namespace: rule.is_some_and(|rule| rule.namespace),
                    authenticates: rule.is_some_and(|rule| rule.authenticates),
                    nodes,
                }))
            }
            Selection::InlineFragment(fragment) => {
                let condition = fragment.node.type_condition.as_ref();
                let of = condition.map(|condition| self.roots.type_name(&condition.node.on.node)).or(of);
                let directives = self.directives(&fragment.node.directives)?;
                Ok(Node::Inline(directives, self.set(of, &fragment.node.selection_set.node)?))
            }
            Selection::FragmentSpread(spread) => {
                let directives = self.directives(&spread.node.directives)?;
                let place = self.fragments.get(&spread.node.fragment_name.node);
                Ok(Node::Spread(directives, place.copied().unwrap_or(usize::MAX)))
            }
        }
    }

    fn directives(&self, directives: &[Positioned<Directive>]) -> Result<u64, Breach> {
        for (_, value) in directives.iter().flat_map(|directive| &directive.node.arguments) {
            self.literal(&value.node)?;
        }
        Ok(directives.len() as u64)
    }

    fn literal(&self, value: &Value) -> Result<(), Breach> {
        match value {
            Value::List(values) => {
                within(Measure::ListSize, values.len() as u64, self.limits.list_size)?;
                values.iter().try_for_each(|value| self.literal(value))
            }
            Value::Object(fields) => fields.values().try_for_each(|value| self.literal(value)),
            _ => Ok(()),
        }
    }

    fn times(&self, times: Times, arguments: &[(Positioned<Name>, Positioned<Value>)]) -> u64 {
        let said = |name: &str| arguments.iter().find(|(known, _)| known.node == name).map(|(_, value)| &value.node);
        match times {
            Times::Fixed(times) => times,
            Times::Page(usual) => {
                let number = |name: &str| said(name).and_then(|value| self.number(value));
                number("first").or_else(|| number("last")).unwrap_or(usual)
            }
            Times::Ids => said("ids").and_then(|ids| self.length(ids)).unwrap_or(1),
        }
    }

    /// What a variable of the chosen operation holds.
    fn variable(&self, name: &Name) -> Option<&Constant> {
        let declared = || {
            let mut all = self.chosen.variable_definitions.iter();
            let found = all.find(|variable| variable.node.name.node == *name)?;
            found.node.default_value.as_ref().map(|value| &value.node)
        };
        self.variables.get(name).or_else(declared)
    }

    fn number(&self, value: &Value) -> Option<u64> {
        let whole = |number: &Number| match number.as_i64() {
            Some(number) => u64::try_from(number).unwrap_or(0),
            // Too large for an integer, and refused later: the cast stops at the largest.
            None => number.as_f64().map_or(u64::MAX, |number| number as u64),
        };
        match value {
            Value::Number(number) => Some(whole(number)),
            Value::Variable(name) => match self.variable(name)? {
                Constant::Number(number) => Some(whole(number)),
                _ => None,
            },
            _ => None,
        }
    }

    fn length(&self, value: &Value) -> Option<u64> {
        match value {
            Value::List(values) => Some(values.len() as u64),
            Value::Variable(name) => match self.variable(name)? {
                Constant::List(values) => Some(values.len() as u64),
                _ => None,
            },
            _ => None,
        }
    }
}
