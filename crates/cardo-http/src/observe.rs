use std::time::Duration;

use axum::http::StatusCode;

/// Is told of every answered request, for metrics; called on the request's own task.
pub trait Observer: Send + Sync {
    /// An operation, such as `retrieve-entity`, was answered.
    fn answered(&self, operation: &'static str, status: StatusCode, took: Duration);
}
