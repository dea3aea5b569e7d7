//! What a document may ask for, decided before it is validated or run.

mod cost;
mod tokens;

use async_graphql::Variables;
use async_graphql::parser::parse_query;
use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, OperationDefinition, OperationType,
};
use async_graphql::registry::Registry;

use crate::fault::{Code, Fault};
use crate::model::Model;
use crate::options::GraphqlLimits;

/// Reads a document whose size and nesting are within the limits.
pub(crate) fn read(query: &str, limits: &GraphqlLimits) -> Result<ExecutableDocument, Fault> {
    if query.len() > limits.document_bytes {
        return Err(Fault::new(
            Code::DocumentTooLarge,
            format!(
                "the document has {} bytes, and {} are accepted",
                query.len(),
                limits.document_bytes
            ),
        )
        .with("bytes", query.len())
        .with("limit", limits.document_bytes));
    }
    tokens::check(query, limits.tokens)?;
    parse_query(query).map_err(|error| Fault::new(Code::ParseFailed, error.to_string()))
}

/// The operation that is to run.
pub(crate) fn operation<'a>(
    document: &'a ExecutableDocument,
    name: Option<&str>,
) -> Result<&'a OperationDefinition, Fault> {
    let bad = |message: String| Fault::new(Code::BadRequest, message);
    match (&document.operations, name) {
        (DocumentOperations::Single(operation), None) => Ok(&operation.node),
        (DocumentOperations::Multiple(all), Some(name)) => {
            let found = all.iter().find(|(other, _)| other.as_str() == name);
            found
                .map(|(_, operation)| &operation.node)
                .ok_or_else(|| bad(format!("the document has no operation {:?}", shortened(name))))
        }
        (DocumentOperations::Multiple(all), None) if all.len() == 1 => {
            Ok(all.values().next().map(|operation| &operation.node).expect("there is one"))
        }
        (DocumentOperations::Single(_), Some(name)) => {
            Err(bad(format!("the document has no operation {:?}", shortened(name))))
        }
        (DocumentOperations::Multiple(_), None) => {
            Err(bad("operationName has to say which operation of the document is meant".to_owned()))
        }
    }
}

/// Judges what an operation would cost.
pub(crate) fn check(
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    variables: &Variables,
    (registry, model): (&Registry, &Model),
    limits: &GraphqlLimits,
) -> Result<(), Fault> {
    let mut survey = cost::Survey::new(document, variables, (registry, model), limits);
    let root = match operation.ty {
        OperationType::Query => Some(registry.query_type.as_str()),
        OperationType::Mutation => registry.mutation_type.as_deref(),
        OperationType::Subscription => registry.subscription_type.as_deref(),
    };
    survey.operation(&operation.selection_set.node, root)
}

fn shortened(text: &str) -> String {
    text.chars().take(60).collect()
}
