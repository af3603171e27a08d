//! Which operation of a document a request runs, and what every transport
//! asks of it before the schema does.

use std::collections::HashSet;

use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, OperationDefinition, OperationType, Selection, SelectionSet,
};
use async_graphql::{Name, Pos, Positioned, Request, ServerError};

/// The kind of the operation that a request runs.
///
/// # Errors
/// When the document can't be parsed, when it holds no such operation, and
/// when a subscription asks for more or less than [one field][rule]: the
/// library would run all of them and mix their messages.
///
/// [rule]: https://spec.graphql.org/September2025/#sec-Single-Root-Field
pub fn kind(request: &mut Request) -> Result<OperationType, ServerError> {
    let name = request.operation_name.clone();
    let document = request.parsed_query()?;
    let operation = chosen(document, name.as_deref())?;
    if operation.node.ty == OperationType::Subscription {
        one_root_field(document, operation)?;
    }
    Ok(operation.node.ty)
}

fn chosen<'a>(
    document: &'a ExecutableDocument,
    name: Option<&str>,
) -> Result<&'a Positioned<OperationDefinition>, ServerError> {
    match (&document.operations, name) {
        (DocumentOperations::Single(operation), None | Some("")) => Ok(operation),
        (DocumentOperations::Multiple(operations), None | Some("")) => match operations.values().next() {
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

fn one_root_field(
    document: &ExecutableDocument,
    operation: &Positioned<OperationDefinition>,
) -> Result<(), ServerError> {
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

fn refused(message: &str, at: Option<Pos>) -> ServerError {
    let mut error = ServerError::new(message, at);
    error.extensions.get_or_insert_default().set("code", "INVALID");
    error
}
