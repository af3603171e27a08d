//! Optional variables that a client left out.
//!
//! The GraphQL specification says that an argument whose variable is absent is
//! itself absent, so that its default counts. The library takes such a variable
//! for null where the argument has a default; so the rule is applied here,
//! before it gets the document. Not as an extension of the library: with one,
//! every field takes a longer way.

use std::collections::HashSet;

use async_graphql::parser::types::{ExecutableDocument, OperationDefinition, Selection, SelectionSet};
use async_graphql::{Name, Variables};
use async_graphql_value::Value;

/// The document without arguments whose variables are absent, when it has some.
pub fn without_absent(document: &ExecutableDocument, variables: &Variables) -> Option<ExecutableDocument> {
    let absent: HashSet<Name> = document
        .operations
        .iter()
        .flat_map(|(_, operation)| &operation.node.variable_definitions)
        .map(|definition| &definition.node)
        .filter(|definition| {
            definition.var_type.node.nullable
                && definition.default_value.is_none()
                && !variables.contains_key(&definition.name.node)
        })
        .map(|definition| definition.name.node.clone())
        .collect();
    if absent.is_empty() {
        return None;
    }
    let mut document = document.clone();
    take_out(&mut document, &absent);
    Some(document)
}

fn take_out(document: &mut ExecutableDocument, absent: &HashSet<Name>) {
    let mut left = HashSet::new();
    for fragment in document.fragments.values_mut() {
        walk(&mut fragment.node.selection_set.node, absent, &mut left);
    }
    let operations = match &mut document.operations {
        async_graphql::parser::types::DocumentOperations::Single(operation) => vec![operation],
        async_graphql::parser::types::DocumentOperations::Multiple(operations) => operations.values_mut().collect(),
    };
    for operation in operations {
        let operation: &mut OperationDefinition = &mut operation.node;
        walk(&mut operation.selection_set.node, absent, &mut left);
        // What nothing refers to any more must not be declared either.
        operation.variable_definitions.retain(|definition| {
            !absent.contains(&definition.node.name.node) || left.contains(&definition.node.name.node)
        });
    }
}

/// Takes arguments out and notes the absent variables that are still named
/// within larger values.
fn walk(set: &mut SelectionSet, absent: &HashSet<Name>, left: &mut HashSet<Name>) {
    for selection in &mut set.items {
        let (directives, inner) = match &mut selection.node {
            Selection::Field(field) => {
                let field = &mut field.node;
                field
                    .arguments
                    .retain(|(_, value)| !matches!(&value.node, Value::Variable(name) if absent.contains(name)));
                field.arguments.iter().for_each(|(_, value)| note(&value.node, left));
                (&field.directives, Some(&mut field.selection_set.node))
            }
            Selection::FragmentSpread(spread) => (&spread.node.directives, None),
            Selection::InlineFragment(inline) => {
                let inline = &mut inline.node;
                (&inline.directives, Some(&mut inline.selection_set.node))
            }
        };
        for directive in directives {
            directive.node.arguments.iter().for_each(|(_, value)| note(&value.node, left));
        }
        if let Some(inner) = inner {
            walk(inner, absent, left);
        }
    }
}

fn note(value: &Value, left: &mut HashSet<Name>) {
    match value {
        Value::Variable(name) => {
            left.insert(name.clone());
        }
        Value::List(values) => values.iter().for_each(|value| note(value, left)),
        Value::Object(fields) => fields.values().for_each(|value| note(value, left)),
        _ => {}
    }
}
