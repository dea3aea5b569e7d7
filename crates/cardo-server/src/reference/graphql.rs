use cardo_http::BaseUrl;
use serde_json::{Value, json};

/// A question that every twin can answer.
const QUESTION: &str = "{ entities(first: 3) { totalCount nodes { id type } } }";

/// GraphQL over HTTP in the form of the other documents; its fields are described by its schema.
pub(super) fn document(base: &BaseUrl) -> Value {
    let query = json!({ "type": "string", "description": "The document: a query or a mutation." });
    let operation_name =
        json!({ "type": "string", "description": "Which operation of it is meant." });
    let answers = json!({
        "200": { "description": "What was asked for in data, and in errors what went wrong.",
                 "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Answer" } } } },
        "400": { "description": "The document is wrong, too deep or too dear; errors says where and why." },
        "401": { "description": "A token is needed, or the one given is not known." },
        "403": { "description": "The token does not allow this." },
    });
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Cardo: GraphQL",
            "description": "A schema made from the types that live in the twin: fields with their types, \
                            filters, order, relationships, paging, mutations. GraphiQL shows all of it and \
                            asks as you type. Subscriptions run over WebSocket at the same address \
                            (graphql-transport-ws).",
        },
        "servers": [{ "url": base.as_str() }],
        "tags": [{ "name": "Questions and changes", "description": "One address for all of them." }],
        "paths": { "/graphql": {
            "post": {
                "operationId": "graphql", "tags": ["Questions and changes"],
                "summary": "Ask or change",
                "description": "Runs a query or a mutation.",
                "requestBody": { "required": true, "content": { "application/json": {
                    "schema": { "$ref": "#/components/schemas/Question" },
                    "example": { "query": QUESTION },
                } } },
                "responses": answers,
            },
            "get": {
                "operationId": "graphql-get", "tags": ["Questions and changes"],
                "summary": "Ask by address",
                "description": "Runs a query. A browser is shown GraphiQL where the query is left out.",
                "parameters": [
                    { "name": "query", "in": "query", "required": true, "description": "The document.", "schema": { "type": "string" } },
                    { "name": "operationName", "in": "query", "description": "Which operation of it is meant.", "schema": { "type": "string" } },
                    { "name": "variables", "in": "query", "description": "Values of its variables, a JSON object.", "schema": { "type": "string" } },
                ],
                "x-example": { "query": { "query": QUESTION } },
                "responses": answers,
            },
        } },
        "components": { "schemas": {
            "Question": { "type": "object", "required": ["query"], "properties": {
                "query": query, "operationName": operation_name,
                "variables": { "type": "object", "description": "Values of its variables." },
            } },
            "Answer": { "type": "object", "properties": {
                "data": { "description": "What was asked for, in its shape." },
                "errors": { "type": "array", "items": { "type": "object" }, "description": "Each with message, path and a code in extensions." },
                "extensions": { "type": "object", "description": "The revision of the twin that the answer shows." },
            } },
        } },
    })
}
