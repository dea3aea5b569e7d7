use cardo_jsonld::ValueError;
use cardo_model::{InvalidGeometry, InvalidIri, InvalidJson, InvalidScope, InvalidTimestamp};

/// Why a body is no NGSI-LD element.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(crate) enum InvalidInput {
    /// No JSON at all, which is `InvalidRequest` (clause 5.5.4).
    #[error("the body is not JSON: {0}")]
    NotJson(String),
    /// JSON that breaks a rule of the data types, which is `BadRequestData`.
    #[error("{}{fault}", place(path))]
    Data {
        /// The members that lead there, joined by dots.
        path: String,
        /// What is wrong.
        fault: Box<DataFault>,
    },
}

fn place(path: &str) -> String {
    if path.is_empty() { String::new() } else { format!("{path}: ") }
}

/// What is wrong with a member.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(crate) enum DataFault {
    #[error("{0} is not {1}")]
    Expected(String, &'static str),
    #[error("the member {0:?} is missing")]
    Missing(&'static str),
    #[error("the member {0:?} is given twice")]
    Twice(String),
    #[error("{0:?} may not stand here: {1}")]
    Prohibited(String, &'static str),
    #[error("{0:?} is not a type of attribute such as Property or Relationship")]
    UnknownKind(String),
    #[error("{0:?} is a term of the core context and no name of an attribute")]
    ReservedName(String),
    #[error("{0:?} is not a name: {1}")]
    InvalidName(String, &'static str),
    #[error("two instances have the datasetId {0}")]
    SameDataset(String),
    #[error("an array of instances is empty")]
    NoInstance,
    #[error("urn:ngsi-ld:null may not be used here: nothing can be deleted by this operation")]
    Null,
    #[error("the body's id {0:?} is not the id of the addressed entity")]
    OtherId(String),
    #[error("{0}: more than the {1} that are accepted")]
    TooMany(&'static str, usize),
    #[error(
        "the @context may only stand at the top of a document whose media type is application/ld+json"
    )]
    UnexpectedContext,
    #[error("application/ld+json needs a member @context")]
    NoContext,
    #[error(transparent)]
    Iri(#[from] InvalidIri),
    #[error(transparent)]
    Timestamp(#[from] InvalidTimestamp),
    #[error(transparent)]
    Scope(#[from] InvalidScope),
    #[error(transparent)]
    Geometry(#[from] InvalidGeometry),
    #[error(transparent)]
    Json(#[from] InvalidJson),
    #[error(transparent)]
    Value(#[from] ValueError),
}

impl InvalidInput {
    /// A fault of the document as a whole.
    pub(crate) fn data(fault: impl Into<DataFault>) -> Self {
        Self::Data { path: String::new(), fault: Box::new(fault.into()) }
    }

    /// The same fault, found inside of a member.
    pub(crate) fn within(self, member: &str) -> Self {
        match self {
            Self::NotJson(reason) => Self::NotJson(reason),
            Self::Data { path, fault } => {
                let member: String = member.chars().take(80).collect();
                let path = if path.is_empty() { member } else { format!("{member}.{path}") };
                Self::Data { path, fault }
            }
        }
    }
}

impl<T: Into<DataFault>> From<T> for InvalidInput {
    fn from(fault: T) -> Self {
        Self::data(fault)
    }
}

/// Cuts a value that an error quotes.
pub(crate) fn shorten(text: &str) -> String {
    const SHOWN: usize = 120;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
