use cardo_model::{Iri, Record, Revision, Seq, Timestamp};
use cardo_query::{Filter, SortKey};

use crate::federation::Contributions;
use crate::order::Order;

/// A question for entities.
#[derive(Clone, Debug)]
pub struct EntityQuery {
    /// Which entities.
    pub filter: Filter,
    /// In which order; that of creation where it names no column.
    pub order: Order,
    /// Which part of them.
    pub page: PageRequest,
    /// Whether the number of all is wanted.
    pub count: bool,
}

/// Which part of the matching entities is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// At most so many; 0 asks for the count alone.
    pub limit: usize,
    /// Where the page begins.
    pub start: PageStart,
}

/// Where a page begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageStart {
    /// So many matches are left out from the first.
    Offset(usize),
    /// Behind this entity.
    After(Seq),
    /// The page that ends before this entity.
    Before(Seq),
}

/// One page of entities, all as of one revision.
#[derive(Clone, Debug)]
pub struct Page {
    /// The entities, in order.
    pub entities: Vec<Record>,
    /// What each entity is ordered by, a key a column; empty in the order of creation.
    pub keys: Vec<Vec<SortKey>>,
    /// How many match in all, where that was asked.
    pub count: Option<usize>,
    /// Whether more match behind the page.
    pub has_more: bool,
    /// Whether there are matches before the page.
    pub has_before: bool,
    /// The revision of the twin that answered.
    pub revision: Revision,
    /// What came of asking context sources; `None` where none was asked.
    pub contributions: Option<Contributions>,
}

/// Why a question was not answered.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The twin was never written to.
    #[error("tenant {0:?} does not exist")]
    UnknownTenant(String),
    /// There is no such branch, or none any more.
    #[error("branch {0:?} does not exist")]
    UnknownBranch(String),
    /// Too many costly questions run at once.
    #[error("too many costly questions are running; try again later")]
    Busy,
    /// The question took longer than the limit.
    #[error(
        "the question took longer than {0:?} and was stopped; narrow it by type, area or attribute"
    )]
    TookTooLong(std::time::Duration),
    /// A condition on linked entities is met by too many.
    #[error(
        "more than {0} entities meet a condition on linked entities; narrow it, for instance by type"
    )]
    TooManyLinked(usize),
    /// An entity map would hold too many entities.
    #[error("more than {0} entities match, the most that an entity map holds; narrow the question")]
    TooManyMapped(usize),
    /// A condition on values over time would have to look at too many.
    #[error("the range of time holds more than {0} instances of one entity; narrow it")]
    TooMuchHistory(usize),
    /// More context sources would have to be asked than one call may ask.
    #[error(
        "{0} requests to context sources would be needed, and {1} are made at the most; narrow the question"
    )]
    TooManySources(usize, usize),
    /// The asked revision did not arrive in time.
    #[error("revision {0} has not arrived here in time")]
    NotYet(Revision),
    /// The moment of a past twin is still to come.
    #[error("{0} is not over yet, so nobody knows what the twin is then")]
    NotOver(Timestamp),
    /// A past twin takes long to be made.
    #[error("the twin as of {0} is being made; try again later")]
    BeingMade(Timestamp),
    /// A part of what was is no longer known.
    #[error(
        "what was at {moment} is not all known any more: the histories of {} are kept since {since}",
        of(type_name.as_ref())
    )]
    Forgotten {
        /// The moment that was asked for.
        moment: Timestamp,
        /// Since when it is known.
        since: Timestamp,
        /// Of which type; of all where the rule names none.
        type_name: Option<Iri>,
    },
    /// Something that only the twin as it is has.
    #[error("a past twin has no {0}; ask the twin as it is")]
    NotOfThePast(&'static str),
    /// The store failed while the twin was loaded or its history read.
    #[error(transparent)]
    Store(#[from] crate::ports::StoreError),
}

fn of(type_name: Option<&Iri>) -> String {
    type_name.map_or_else(|| "all entities".to_owned(), |name| format!("entities of type {name}"))
}
