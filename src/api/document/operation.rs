//! Which operation of a document a request runs.

use std::collections::HashSet;

use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, OperationDefinition, Selection, SelectionSet,
};
use async_graphql::{Name, Pos, Positioned, ServerError, Value, Variables};

/// The operation of this name; the only one when none is named.
///
/// # Errors
/// When the document holds none of that name, or several and none is named.
pub fn chosen<'a>(
    document: &'a ExecutableDocument,
    name: Option<&str>,
) -> Result<&'a Positioned<OperationDefinition>, Vec<ServerError>> {
    match (&document.operations, name) {
        (DocumentOperations::Single(operation), None) => Ok(operation),
        (DocumentOperations::Multiple(operations), None) => match operations.values().next() {
            Some(only) if operations.len() == 1 => Ok(only),
            _ => Err(refused("The document holds several operations: name one by `operationName`.", None)),
        },
        (DocumentOperations::Multiple(operations), Some(name)) => {
            operations.get(name).ok_or_else(|| refused(&format!("The document holds no operation {name:?}."), None))
        }
        (DocumentOperations::Single(operation), Some(name)) => {
            Err(refused(&format!("The document holds no operation {name:?}."), Some(operation.pos)))
        }
    }
}

/// Holds a subscription to [one field][rule]: the library would run all of
/// them and mix their messages.
///
/// # Errors
/// When it selects another field, or one of the schema's own.
///
/// [rule]: https://spec.graphql.org/September2025/#sec-Single-Root-Field
pub fn one_root_field(
    document: &ExecutableDocument,
    operation: &Positioned<OperationDefinition>,
) -> Result<(), Vec<ServerError>> {
    let mut keys = HashSet::new();
    let mut spread = HashSet::new();
    let mut waiting: Vec<&SelectionSet> = vec![&operation.node.selection_set.node];
    while let Some(set) = waiting.pop() {
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) if field.node.name.node.starts_with("__") => {
                    return Err(refused("A subscription selects no introspection field at its root.", Some(field.pos)));
                }
                Selection::Field(field) => {
                    keys.insert(&field.node.response_key().node);
                    if keys.len() > 1 {
                        return Err(refused("A subscription selects exactly one field.", Some(field.pos)));
                    }
                }
                Selection::InlineFragment(fragment) => waiting.push(&fragment.node.selection_set.node),
                Selection::FragmentSpread(fragment) => {
                    let name: &Name = &fragment.node.fragment_name.node;
                    // Each fragment counts once however often it is spread, so the work is linear.
                    if spread.insert(name)
                        && let Some(fragment) = document.fragments.get(name)
                    {
                        waiting.push(&fragment.node.selection_set.node);
                    }
                }
            }
        }
    }
    Ok(())
}

/// Holds a request to the variables that its operation needs.
///
/// # Errors
/// One for each that may not be null and is.
pub fn needed_variables(
    operation: &Positioned<OperationDefinition>,
    variables: &Variables,
) -> Result<(), Vec<ServerError>> {
    let missing = operation.node.variable_definitions.iter().filter(|definition| {
        let (name, default) = (&definition.node.name.node, &definition.node.default_value);
        let null = variables.get(name).map_or(default.is_none(), |value| *value == Value::Null);
        null && !definition.node.var_type.node.nullable
    });
    let errors: Vec<ServerError> = missing
        .flat_map(|definition| {
            let (name, of) = (&definition.node.name.node, &definition.node.var_type.node);
            refused(&format!("The variable `${name}` is {of}: it needs a value."), Some(definition.pos))
        })
        .collect();
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

fn refused(message: &str, at: Option<Pos>) -> Vec<ServerError> {
    vec![super::coded(ServerError::new(message, at), "INVALID")]
}
