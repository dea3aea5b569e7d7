//! Which error is which status (clauses 5.5.2 and 6.3.2), decided here and nowhere below.

use axum::body::Body;
use axum::http::header::{ACCEPT_ENCODING, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use axum::response::IntoResponse;
use cardo_engine::{
    BranchError, InvalidRegistration, LogError, OperationError, QueryError, StoreError, WriteError,
};
use cardo_http::{BodyError, Denied, ErrorKind, InvalidTenant, ParamError, Problem};
use cardo_model::{InvalidIri, Revision};
use cardo_query::{GeoError, InvalidName, InvalidPattern, QError, TemporalError};

use crate::contexts::ContextFault;
use crate::parse::InvalidInput;

/// The errors that NGSI-LD names, and those of HTTP that it does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NgsildError {
    AlreadyExists,
    BadRequestData,
    InternalError,
    InvalidRequest,
    LdContextNotAvailable,
    NonexistentTenant,
    ResourceNotFound,
    TooComplexQuery,
    TooManyResults,
    NotImplemented,
    NotSupported,
    TooLarge,
    UnsupportedCoding,
    Conflict,
    Unauthorized,
    Forbidden,
    Unavailable,
    StorageFull,
    Gone,
    BadGateway,
    GatewayTimeout,
    LoopDetected,
    Partly,
}

macro_rules! uri {
    ($name:literal) => {
        concat!("https://uri.etsi.org/ngsi-ld/errors/", $name)
    };
}

impl ErrorKind for NgsildError {
    fn status(self) -> StatusCode {
        match self {
            Self::AlreadyExists | Self::Conflict => StatusCode::CONFLICT,
            Self::BadRequestData | Self::InvalidRequest => StatusCode::BAD_REQUEST,
            Self::InternalError => StatusCode::INTERNAL_SERVER_ERROR,
            Self::LdContextNotAvailable | Self::GatewayTimeout => StatusCode::GATEWAY_TIMEOUT,
            Self::NonexistentTenant | Self::ResourceNotFound => StatusCode::NOT_FOUND,
            Self::TooComplexQuery | Self::TooManyResults | Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotImplemented => StatusCode::NOT_IMPLEMENTED,
            Self::NotSupported => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedCoding => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::StorageFull => StatusCode::INSUFFICIENT_STORAGE,
            Self::Gone => StatusCode::GONE,
            Self::BadGateway => StatusCode::BAD_GATEWAY,
            Self::LoopDetected => StatusCode::LOOP_DETECTED,
            Self::Partly => StatusCode::MULTI_STATUS,
        }
    }

    fn type_uri(self) -> &'static str {
        match self {
            Self::AlreadyExists => uri!("AlreadyExists"),
            Self::BadRequestData => uri!("BadRequestData"),
            Self::Conflict => uri!("Conflict"),
            Self::InternalError | Self::StorageFull => uri!("InternalError"),
            Self::InvalidRequest | Self::TooLarge | Self::UnsupportedCoding => {
                uri!("InvalidRequest")
            }
            Self::LdContextNotAvailable => uri!("LdContextNotAvailable"),
            Self::NonexistentTenant => uri!("NonexistentTenant"),
            Self::NotImplemented | Self::NotSupported => uri!("OperationNotSupported"),
            Self::ResourceNotFound => uri!("ResourceNotFound"),
            Self::TooComplexQuery => uri!("TooComplexQuery"),
            Self::TooManyResults => uri!("TooManyResults"),
            // RFC 7807, section 4.2: nothing beyond what the status says.
            Self::Unauthorized
            | Self::Forbidden
            | Self::Unavailable
            | Self::Gone
            | Self::BadGateway
            | Self::GatewayTimeout
            | Self::LoopDetected
            | Self::Partly => "about:blank",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::AlreadyExists => "The element exists already.",
            Self::BadRequestData => "The data do not meet the requirements of the operation.",
            Self::Conflict => "The operation conflicts with the current state.",
            Self::InternalError => "The operation failed.",
            Self::InvalidRequest => "The request is invalid.",
            Self::LdContextNotAvailable => "The @context is not available.",
            Self::NonexistentTenant => "The tenant does not exist.",
            Self::ResourceNotFound => "The resource was not found.",
            Self::TooComplexQuery => "The query is too complex.",
            Self::TooManyResults => "Too many results.",
            Self::NotImplemented => "This is not implemented.",
            Self::NotSupported => "The operation is not supported for this.",
            Self::TooLarge => "The request is too large.",
            Self::UnsupportedCoding => "The coding of the body is not supported.",
            Self::Unauthorized => "Unauthorized",
            Self::Forbidden => "Forbidden",
            Self::Unavailable => "Service Unavailable",
            Self::StorageFull => "No room is left to store data.",
            Self::Gone => "Gone",
            Self::BadGateway => "Bad Gateway",
            Self::GatewayTimeout => "Gateway Timeout",
            Self::LoopDetected => "Loop Detected",
            Self::Partly => "Multi-Status",
        }
    }
}

/// Why an operation was not done.
#[derive(Debug)]
pub(crate) enum Fault {
    /// Told as a problem document.
    Problem(Box<Problem>),
    /// A status without a body (clause 6.3.4).
    Bare(StatusCode),
    /// No acceptable representation; names those that there are (clause 6.3.4).
    NotAcceptable(&'static [&'static str]),
}

impl Fault {
    pub(crate) fn new(kind: NgsildError, detail: impl Into<String>) -> Self {
        Self::Problem(Box::new(Problem::new(kind, detail).as_media_type("application/json")))
    }

    pub(crate) fn bad_data(detail: impl Into<String>) -> Self {
        Self::new(NgsildError::BadRequestData, detail)
    }

    pub(crate) fn invalid(detail: impl Into<String>) -> Self {
        Self::new(NgsildError::InvalidRequest, detail)
    }

    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(NgsildError::ResourceNotFound, detail)
    }

    pub(crate) fn not_implemented(detail: impl Into<String>) -> Self {
        Self::new(NgsildError::NotImplemented, detail)
    }

    /// A position in the log that lies before its beginning.
    pub(crate) fn gone(position: Revision, oldest: Revision) -> Self {
        let from = oldest.0.saturating_sub(1);
        let detail = format!(
            "the log no longer holds what came behind revision {}: its oldest is {}, so the oldest \
             cursor is {from}; ask for the entities as they are, then go on from Cardo-Revision",
            position.0, oldest.0
        );
        Self::new(NgsildError::Gone, detail)
    }

    /// The problem as JSON, for the `errors` of a batch (clause 5.2.17).
    pub(crate) fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Problem(problem) => problem.to_json(),
            Self::Bare(status) => serde_json::json!({ "status": status.as_u16() }),
            Self::NotAcceptable(_) => serde_json::json!({ "status": 406 }),
        }
    }

    /// The status.
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Problem(problem) => problem.status(),
            Self::Bare(status) => *status,
            Self::NotAcceptable(_) => StatusCode::NOT_ACCEPTABLE,
        }
    }

    /// The same with one header more.
    pub(crate) fn with_header(self, name: HeaderName, value: HeaderValue) -> Self {
        match self {
            Self::Problem(problem) => Self::Problem(Box::new(problem.with_header(name, value))),
            other => other,
        }
    }

    pub(crate) fn later(kind: NgsildError, detail: String) -> Self {
        let problem = Problem::new(kind, detail).as_media_type("application/json");
        Self::Problem(Box::new(problem.with_header(RETRY_AFTER, HeaderValue::from_static("1"))))
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response<Body> {
        match self {
            Self::Problem(problem) => problem.into_response(),
            Self::Bare(status) => status.into_response(),
            Self::NotAcceptable(available) => {
                let body = serde_json::Value::from(available).to_string();
                let json = HeaderValue::from_static("application/json");
                (StatusCode::NOT_ACCEPTABLE, [(CONTENT_TYPE, json)], body).into_response()
            }
        }
    }
}

/// Tells operators what clients need not know.
fn internal(what: &dyn std::fmt::Display) -> Fault {
    tracing::error!(error = %what, "an operation failed");
    Fault::new(NgsildError::InternalError, "the server could not do this; its log says why")
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Full(_) => {
                tracing::error!(error = %error, "no room is left to store data");
                Self::new(NgsildError::StorageFull, "the disk is full; nothing was written")
            }
            StoreError::Closed => Self::later(NgsildError::Unavailable, error.to_string()),
            StoreError::Damaged(_) | StoreError::InUse(_) | StoreError::Failed(_) => {
                internal(&error)
            }
        }
    }
}

impl From<QueryError> for Fault {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::UnknownTenant(_) => {
                Self::new(NgsildError::NonexistentTenant, error.to_string())
            }
            QueryError::UnknownBranch(_) => Self::not_found(error.to_string()),
            QueryError::NotOver(_) => Self::bad_data(error.to_string()),
            QueryError::Forgotten { .. } => Self::new(NgsildError::Gone, error.to_string()),
            QueryError::NotOfThePast(_) => Self::new(NgsildError::NotSupported, error.to_string()),
            QueryError::Busy | QueryError::NotYet(_) | QueryError::BeingMade(_) => {
                Self::later(NgsildError::Unavailable, error.to_string())
            }
            QueryError::TooManyMapped(_) => {
                Self::new(NgsildError::TooManyResults, error.to_string())
            }
            QueryError::TookTooLong(_)
            | QueryError::TooManyLinked(_)
            | QueryError::TooMuchHistory(_)
            | QueryError::TooManySources(..) => {
                Self::new(NgsildError::TooComplexQuery, error.to_string())
            }
            QueryError::Store(error) => error.into(),
        }
    }
}

impl From<LogError> for Fault {
    fn from(error: LogError) -> Self {
        match error {
            LogError::Gone { .. } => internal(&error),
            LogError::Store(error) => error.into(),
        }
    }
}

impl From<WriteError> for Fault {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::RevisionConflict(_) | WriteError::EntityConflict(_) => {
                Self::new(NgsildError::Conflict, error.to_string())
            }
            WriteError::BatchTooLarge(..) => Self::new(NgsildError::TooLarge, error.to_string()),
            WriteError::TooManyNames(_) => Self::bad_data(error.to_string()),
            WriteError::UnknownBranch(_) => Self::not_found(error.to_string()),
            WriteError::Past(_) => Self::new(NgsildError::NotSupported, error.to_string()),
            WriteError::Busy | WriteError::ShuttingDown => {
                Self::later(NgsildError::Unavailable, error.to_string())
            }
            WriteError::Store(error) => error.into(),
        }
    }
}

impl From<BranchError> for Fault {
    fn from(error: BranchError) -> Self {
        match error {
            BranchError::AlreadyExists(_) => {
                Self::new(NgsildError::AlreadyExists, error.to_string())
            }
            BranchError::TooMany(_) | BranchError::NoRoom { .. } => {
                Self::new(NgsildError::Forbidden, error.to_string())
            }
            BranchError::Query(error) => error.into(),
            BranchError::Write(error) => error.into(),
        }
    }
}

impl From<OperationError> for Fault {
    fn from(error: OperationError) -> Self {
        let kind = match &error {
            OperationError::OfSource { registration, fault } => {
                return Self::of_source(registration, fault);
            }
            OperationError::AlreadyExists(_) => NgsildError::AlreadyExists,
            OperationError::NotFound(_) | OperationError::AttributeNotFound { .. } => {
                NgsildError::ResourceNotFound
            }
            OperationError::NoType(_)
            | OperationError::OtherKind { .. }
            | OperationError::Incomplete(_) => NgsildError::BadRequestData,
            OperationError::TooLarge(_) => NgsildError::TooLarge,
        };
        Self::new(kind, error.to_string())
    }
}

impl From<ContextFault> for Fault {
    fn from(error: ContextFault) -> Self {
        match error {
            ContextFault::Unavailable { .. } => {
                Self::new(NgsildError::LdContextNotAvailable, error.to_string())
            }
            ContextFault::Invalid(_) => Self::bad_data(error.to_string()),
        }
    }
}

impl From<InvalidInput> for Fault {
    fn from(error: InvalidInput) -> Self {
        match error {
            InvalidInput::NotJson(_) => Self::invalid(error.to_string()),
            InvalidInput::Data { .. } => Self::bad_data(error.to_string()),
        }
    }
}

impl From<ParamError> for Fault {
    fn from(error: ParamError) -> Self {
        match error {
            ParamError::Unbuilt(_) => Self::not_implemented(error.to_string()),
            _ => Self::invalid(error.to_string()),
        }
    }
}

impl From<BodyError> for Fault {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::LengthRequired => Self::Bare(StatusCode::LENGTH_REQUIRED),
            BodyError::TooLarge { .. } => Self::new(NgsildError::TooLarge, error.to_string()),
            BodyError::Coding(_) => {
                let problem = Problem::new(NgsildError::UnsupportedCoding, error.to_string());
                let gzip = HeaderValue::from_static("gzip");
                let problem = problem.with_header(ACCEPT_ENCODING, gzip);
                Self::Problem(Box::new(problem.as_media_type("application/json")))
            }
            _ => Self::invalid(error.to_string()),
        }
    }
}

impl From<Denied> for Fault {
    fn from(error: Denied) -> Self {
        let kind = match error {
            Denied::Forbidden => NgsildError::Forbidden,
            _ => NgsildError::Unauthorized,
        };
        let problem = Problem::new(kind, error.to_string()).as_media_type("application/json");
        let problem = match kind {
            NgsildError::Unauthorized => {
                problem.with_header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
            }
            _ => problem,
        };
        Self::Problem(Box::new(problem))
    }
}

impl From<QError> for Fault {
    fn from(error: QError) -> Self {
        match error {
            QError::NotImplemented { .. } => Self::not_implemented(error.to_string()),
            QError::TooLong(_) | QError::TooManyTerms | QError::TooDeep { .. } => {
                Self::new(NgsildError::TooComplexQuery, error.to_string())
            }
            _ => Self::bad_data(error.to_string()),
        }
    }
}

macro_rules! bad_data {
    ($($error:ty),*) => {$(
        impl From<$error> for Fault {
            fn from(error: $error) -> Self {
                Self::bad_data(error.to_string())
            }
        }
    )*};
}

bad_data!(
    GeoError,
    InvalidIri,
    InvalidName,
    InvalidPattern,
    InvalidRegistration,
    InvalidTenant,
    TemporalError
);
