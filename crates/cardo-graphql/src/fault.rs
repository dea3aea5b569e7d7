//! Which error has which code and status, decided here and nowhere below.

use async_graphql::{ErrorExtensionValues, Pos, ServerError, Value};
use axum::http::StatusCode;
use cardo_engine::{
    LayerError, LayerQuestionError, LogError, OperationError, QueryError, StoreError, WriteError,
};
use cardo_http::{BodyError, Denied};
use cardo_model::{InvalidGeometry, InvalidIri, InvalidJson, InvalidScope, InvalidTimestamp};
use cardo_query::InvalidPattern;

/// The `extensions.code` of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    AlreadyExists,
    BadRequest,
    BadUserInput,
    BadCursor,
    BadGateway,
    Conflict,
    DocumentTooLarge,
    Forbidden,
    FragmentCycle,
    Gone,
    Internal,
    NotAcceptable,
    NotFound,
    NotSupported,
    OperationNotAllowed,
    ParseFailed,
    SchemaChanged,
    StorageFull,
    Timeout,
    TooComplex,
    TooDeep,
    TooLarge,
    TooSlow,
    Unauthenticated,
    Unavailable,
    UnknownTenant,
    UnsupportedCoding,
    UnsupportedMediaType,
    ValidationFailed,
}

impl Code {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::AlreadyExists => "ALREADY_EXISTS",
            Self::BadRequest => "BAD_REQUEST",
            Self::BadUserInput => "BAD_USER_INPUT",
            Self::BadCursor => "BAD_CURSOR",
            Self::BadGateway => "BAD_GATEWAY",
            Self::Conflict => "CONFLICT",
            Self::DocumentTooLarge => "DOCUMENT_TOO_LARGE",
            Self::Forbidden => "FORBIDDEN",
            Self::FragmentCycle => "FRAGMENT_CYCLE",
            Self::Gone => "GONE",
            Self::Internal => "INTERNAL_SERVER_ERROR",
            Self::NotAcceptable => "NOT_ACCEPTABLE",
            Self::NotFound => "NOT_FOUND",
            Self::NotSupported => "NOT_SUPPORTED",
            Self::OperationNotAllowed => "OPERATION_NOT_ALLOWED",
            Self::ParseFailed => "GRAPHQL_PARSE_FAILED",
            Self::SchemaChanged => "SCHEMA_CHANGED",
            Self::StorageFull => "STORAGE_FULL",
            Self::Timeout => "TIMEOUT",
            Self::TooComplex => "TOO_COMPLEX",
            Self::TooDeep => "TOO_DEEP",
            Self::TooLarge => "TOO_LARGE",
            Self::TooSlow => "TOO_SLOW",
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::Unavailable => "UNAVAILABLE",
            Self::UnknownTenant => "UNKNOWN_TENANT",
            Self::UnsupportedCoding => "UNSUPPORTED_CONTENT_CODING",
            Self::UnsupportedMediaType => "UNSUPPORTED_MEDIA_TYPE",
            Self::ValidationFailed => "GRAPHQL_VALIDATION_FAILED",
        }
    }

    /// The status of a request that was refused before it ran.
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Self::AlreadyExists | Self::Conflict => StatusCode::CONFLICT,
            Self::BadRequest
            | Self::BadUserInput
            | Self::BadCursor
            | Self::FragmentCycle
            | Self::ParseFailed
            | Self::SchemaChanged
            | Self::TooComplex
            | Self::TooDeep
            | Self::TooSlow
            | Self::ValidationFailed => StatusCode::BAD_REQUEST,
            Self::BadGateway => StatusCode::BAD_GATEWAY,
            Self::DocumentTooLarge | Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::Gone => StatusCode::GONE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
            Self::NotFound | Self::UnknownTenant => StatusCode::NOT_FOUND,
            Self::NotSupported => StatusCode::UNPROCESSABLE_ENTITY,
            Self::OperationNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::StorageFull => StatusCode::INSUFFICIENT_STORAGE,
            Self::Timeout | Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::UnsupportedCoding | Self::UnsupportedMediaType => {
                StatusCode::UNSUPPORTED_MEDIA_TYPE
            }
        }
    }
}

/// Why something was not answered. Not `Display`, so that nothing turns it into an error without
/// its code.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    pub(crate) code: Code,
    pub(crate) message: String,
    /// Figures beside the code: what was asked, what is allowed.
    figures: Vec<(&'static str, Value)>,
}

impl Fault {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), figures: Vec::new() }
    }

    pub(crate) fn input(message: impl Into<String>) -> Self {
        Self::new(Code::BadUserInput, message)
    }

    pub(crate) fn with(mut self, name: &'static str, figure: impl Into<Value>) -> Self {
        self.figures.push((name, figure.into()));
        self
    }

    pub(crate) fn to_error(&self, position: Option<Pos>) -> ServerError {
        let mut error = ServerError::new(self.message.clone(), position);
        let mut values = ErrorExtensionValues::default();
        values.set("code", self.code.as_str());
        for (name, figure) in &self.figures {
            values.set(name, figure.clone());
        }
        error.extensions = Some(values);
        error
    }
}

impl From<Fault> for async_graphql::Error {
    fn from(fault: Fault) -> Self {
        let error = fault.to_error(None);
        Self { message: error.message, source: None, extensions: error.extensions }
    }
}

/// Tells operators what clients need not know.
pub(crate) fn internal(what: &dyn std::fmt::Display) -> Fault {
    tracing::error!(error = %what, "an operation failed");
    Fault::new(Code::Internal, "the server could not do this; its log says why")
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Full(_) => {
                tracing::error!(error = %error, "no room is left to store data");
                Self::new(Code::StorageFull, "the disk is full; nothing was written")
            }
            StoreError::Closed => Self::new(Code::Unavailable, error.to_string()),
            StoreError::Damaged(_) | StoreError::InUse(_) | StoreError::Failed(_) => {
                internal(&error)
            }
        }
    }
}

impl From<QueryError> for Fault {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::UnknownTenant(_) => Self::new(Code::UnknownTenant, error.to_string()),
            QueryError::UnknownBranch(_) => Self::new(Code::NotFound, error.to_string()),
            QueryError::NotOver(_) => Self::new(Code::BadRequest, error.to_string()),
            QueryError::Forgotten { .. } => Self::new(Code::Gone, error.to_string()),
            QueryError::NotOfThePast(_) => Self::new(Code::NotSupported, error.to_string()),
            QueryError::Busy | QueryError::NotYet(_) | QueryError::BeingMade(_) => {
                Self::new(Code::Unavailable, error.to_string())
            }
            QueryError::TooManyLinked(_)
            | QueryError::TooManySources(..)
            | QueryError::TooManyMapped(_) => Self::new(Code::TooComplex, error.to_string()),
            QueryError::TookTooLong(_) | QueryError::TooMuchHistory(_) => {
                Self::new(Code::Timeout, error.to_string())
            }
            QueryError::Store(error) => error.into(),
        }
    }
}

impl From<LayerError> for Fault {
    fn from(error: LayerError) -> Self {
        internal(&error)
    }
}

impl From<LayerQuestionError> for Fault {
    fn from(error: LayerQuestionError) -> Self {
        match error {
            LayerQuestionError::Unreadable(error) => error.into(),
            LayerQuestionError::TooMuch { .. } => Self::new(Code::TooComplex, error.to_string()),
        }
    }
}

impl From<LogError> for Fault {
    fn from(error: LogError) -> Self {
        match error {
            LogError::Gone { .. } => Self::new(Code::TooSlow, error.to_string()),
            LogError::Store(error) => error.into(),
        }
    }
}

impl From<WriteError> for Fault {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::RevisionConflict(_) | WriteError::EntityConflict(_) => {
                Self::new(Code::Conflict, error.to_string())
            }
            WriteError::BatchTooLarge(..) => Self::new(Code::TooLarge, error.to_string()),
            WriteError::TooManyNames(_) => Self::input(error.to_string()),
            WriteError::UnknownBranch(_) => Self::new(Code::NotFound, error.to_string()),
            WriteError::Past(_) => Self::new(Code::NotSupported, error.to_string()),
            WriteError::Busy | WriteError::ShuttingDown => {
                Self::new(Code::Unavailable, error.to_string())
            }
            WriteError::Store(error) => error.into(),
        }
    }
}

impl From<OperationError> for Fault {
    fn from(error: OperationError) -> Self {
        let code = match &error {
            OperationError::AlreadyExists(_) => Code::AlreadyExists,
            OperationError::NotFound(_) | OperationError::AttributeNotFound { .. } => {
                Code::NotFound
            }
            OperationError::NoType(_)
            | OperationError::OtherKind { .. }
            | OperationError::Incomplete(_) => Code::BadUserInput,
            OperationError::TooLarge(_) => Code::TooLarge,
            OperationError::OfSource { .. } => Code::BadGateway,
        };
        Self::new(code, error.to_string())
    }
}

impl From<Denied> for Fault {
    fn from(error: Denied) -> Self {
        let code = match error {
            Denied::Forbidden => Code::Forbidden,
            _ => Code::Unauthenticated,
        };
        Self::new(code, error.to_string())
    }
}

impl From<BodyError> for Fault {
    fn from(error: BodyError) -> Self {
        let code = match error {
            BodyError::TooLarge { .. } => Code::TooLarge,
            BodyError::Coding(_) => Code::UnsupportedCoding,
            _ => Code::BadRequest,
        };
        Self::new(code, error.to_string())
    }
}

macro_rules! input {
    ($($error:ty),*) => {$(
        impl From<$error> for Fault {
            fn from(error: $error) -> Self {
                Self::input(error.to_string())
            }
        }
    )*};
}

input!(InvalidGeometry, InvalidIri, InvalidJson, InvalidPattern, InvalidScope, InvalidTimestamp);
