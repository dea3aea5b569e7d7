//! Which error is which status (OGC 17-069r4, clause 7.5), decided here and nowhere below.

use axum::http::header::{ACCEPT_ENCODING, ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use cardo_engine::{LayerError, OperationError, QueryError, StoreError, WriteError};
use cardo_http::{BodyError, Denied, ErrorKind, InvalidTenant, Problem};

use crate::params::ParamFault;
use crate::represent::Misplaced;

/// The kinds of errors; RFC 9457 lets `about:blank` say no more than the status does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Kind(StatusCode);

impl ErrorKind for Kind {
    fn status(self) -> StatusCode {
        self.0
    }

    fn type_uri(self) -> &'static str {
        "about:blank"
    }

    fn title(self) -> &'static str {
        self.0.canonical_reason().unwrap_or("Error")
    }
}

/// Why an operation was not done.
#[derive(Debug)]
pub(crate) struct Fault {
    status: StatusCode,
    detail: String,
    header: Option<(HeaderName, HeaderValue)>,
}

impl Fault {
    fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), header: None }
    }

    pub(crate) fn invalid(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    pub(crate) fn not_acceptable(offered: &[&str]) -> Self {
        let detail = format!("this resource can be had as {}", offered.join(", "));
        Self::new(StatusCode::NOT_ACCEPTABLE, detail)
    }

    /// A resource that there is not in the encoding that was asked for.
    pub(crate) fn unavailable_as(detail: String) -> Self {
        Self::new(StatusCode::NOT_ACCEPTABLE, detail)
    }

    /// The body is as it should be written, but not what the collection takes.
    pub(crate) fn unprocessable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
    }

    pub(crate) fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, detail)
    }

    pub(crate) fn precondition(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::PRECONDITION_FAILED, detail)
    }

    /// The body is of another media type than those that are accepted.
    pub(crate) fn unsupported_media(given: &str, accepted: &'static str, method: &Method) -> Self {
        let given: String = given.chars().take(80).collect();
        let detail = format!("a body of the media type {given:?} is not read; send {accepted}");
        let name = if *method == Method::PATCH { "accept-patch" } else { "accept-post" };
        let header = (HeaderName::from_static(name), HeaderValue::from_static(accepted));
        let fault = Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail);
        Self { header: Some(header), ..fault }
    }

    pub(crate) fn wrong_method(method: &Method, allowed: &'static str) -> Self {
        let detail = format!("{method} cannot be done here; {allowed} can");
        let allow = HeaderValue::from_static(allowed);
        Self { header: Some((ALLOW, allow)), ..Self::new(StatusCode::METHOD_NOT_ALLOWED, detail) }
    }

    pub(crate) fn busy(detail: &str) -> Self {
        Self::later(detail.to_owned())
    }

    fn later(detail: String) -> Self {
        let wait = HeaderValue::from_static("1");
        Self {
            header: Some((RETRY_AFTER, wait)),
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, detail)
        }
    }

    /// What a file does not have in a form that can be read, or does not give at present.
    pub(crate) fn unreadable(error: &LayerError) -> Self {
        if error.is_damage {
            tracing::warn!(%error, "a part of a layer is damaged");
            let LayerError { layer, reason, .. } = error;
            return Self::not_found(format!("this is damaged in the file of {layer:?}: {reason}"));
        }
        tracing::error!(%error, "a layer cannot be read");
        Self::later(format!("the layer {:?} cannot be read at present", error.layer))
    }

    /// What went wrong on this side, of which clients are told nothing.
    pub(crate) fn failed(error: &dyn std::fmt::Display) -> Self {
        internal(error)
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    pub(crate) fn header(&self) -> Option<&(HeaderName, HeaderValue)> {
        self.header.as_ref()
    }

    pub(crate) fn to_problem(&self) -> Problem {
        Problem::new(Kind(self.status), self.detail.as_str())
    }
}

/// Tells operators what clients need not know.
fn internal(what: &dyn std::fmt::Display) -> Fault {
    tracing::error!(error = %what, "an operation failed");
    let detail = "the server could not do this; its log says why";
    Fault::new(StatusCode::INTERNAL_SERVER_ERROR, detail)
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Closed => Self::later(error.to_string()),
            StoreError::Full(_)
            | StoreError::Damaged(_)
            | StoreError::InUse(_)
            | StoreError::Failed(_) => internal(&error),
        }
    }
}

impl From<QueryError> for Fault {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::UnknownTenant(_) | QueryError::UnknownBranch(_) => {
                Self::not_found(error.to_string())
            }
            QueryError::NotOver(_) => Self::invalid(error.to_string()),
            QueryError::Forgotten { .. } => Self::new(StatusCode::GONE, error.to_string()),
            QueryError::NotOfThePast(_) => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, error.to_string())
            }
            QueryError::Busy | QueryError::NotYet(_) | QueryError::BeingMade(_) => {
                Self::later(error.to_string())
            }
            QueryError::TookTooLong(_)
            | QueryError::TooManyLinked(_)
            | QueryError::TooManyMapped(_)
            | QueryError::TooMuchHistory(_)
            | QueryError::TooManySources(..) => Self::new(StatusCode::FORBIDDEN, error.to_string()),
            QueryError::Store(error) => error.into(),
        }
    }
}

impl From<BodyError> for Fault {
    fn from(error: BodyError) -> Self {
        let status = match &error {
            BodyError::LengthRequired => StatusCode::LENGTH_REQUIRED,
            BodyError::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            BodyError::Coding(_) => {
                let header = (ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
                let fault = Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, error.to_string());
                return Self { header: Some(header), ..fault };
            }
            _ => StatusCode::BAD_REQUEST,
        };
        Self::new(status, error.to_string())
    }
}

impl From<WriteError> for Fault {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::RevisionConflict(_) | WriteError::EntityConflict(_) => {
                Self::conflict(error.to_string())
            }
            WriteError::BatchTooLarge(..) => {
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, error.to_string())
            }
            WriteError::TooManyNames(_) => Self::unprocessable(error.to_string()),
            WriteError::UnknownBranch(_) => Self::not_found(error.to_string()),
            WriteError::Past(_) => {
                let allow = (ALLOW, HeaderValue::from_static("GET, HEAD, OPTIONS"));
                let fault = Self::new(StatusCode::METHOD_NOT_ALLOWED, error.to_string());
                Self { header: Some(allow), ..fault }
            }
            WriteError::Busy | WriteError::ShuttingDown => Self::later(error.to_string()),
            WriteError::Store(error) => error.into(),
        }
    }
}

impl From<OperationError> for Fault {
    fn from(error: OperationError) -> Self {
        let status = match &error {
            OperationError::AlreadyExists(_) => StatusCode::CONFLICT,
            OperationError::NotFound(_) | OperationError::AttributeNotFound { .. } => {
                StatusCode::NOT_FOUND
            }
            OperationError::NoType(_)
            | OperationError::OtherKind { .. }
            | OperationError::Incomplete(_) => StatusCode::UNPROCESSABLE_ENTITY,
            OperationError::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            OperationError::OfSource { .. } => StatusCode::BAD_GATEWAY,
        };
        Self::new(status, error.to_string())
    }
}

impl From<Denied> for Fault {
    fn from(error: Denied) -> Self {
        match error {
            Denied::Forbidden => Self::new(StatusCode::FORBIDDEN, error.to_string()),
            _ => Self {
                header: Some((WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))),
                ..Self::new(StatusCode::UNAUTHORIZED, error.to_string())
            },
        }
    }
}

impl From<InvalidTenant> for Fault {
    fn from(error: InvalidTenant) -> Self {
        Self::invalid(error.to_string())
    }
}

impl From<ParamFault> for Fault {
    fn from(error: ParamFault) -> Self {
        Self::invalid(error.to_string())
    }
}

/// A representation that a system has no room for is refused (permission /per/crs/fc-crs-action).
impl From<Misplaced> for Fault {
    fn from(error: Misplaced) -> Self {
        Self::invalid(error.to_string())
    }
}
