use std::sync::Arc;

use cardo_model::{Iri, TwinId};
use cardo_query::Filter;

use crate::federation::{AskedSources, Forwarding, Reach};

/// On whose behalf an operation runs, on which twin, and what of it they may see.
///
/// Every call of the engine takes one; cloning is cheap.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The twin that is meant.
    pub twin: TwinId,
    /// Who asks.
    pub principal: Principal,
    /// What they may see.
    pub view: View,
    /// Through which face or source the call comes, for the log: `ngsi-ld`, `ingest:trams`.
    pub origin: Arc<str>,
    /// How far it reaches.
    pub reach: Reach,
}

/// Who asks: the name of a token, or `anonymous`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal(Arc<str>);

impl Principal {
    /// A principal of this name.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self(name.into())
    }

    /// Whoever has not said who they are.
    pub fn anonymous() -> Self {
        Self("anonymous".into())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What of a twin a caller may see. Rows and attributes outside it do not exist for filters,
/// order, counts, statistics and history.
#[derive(Clone, Debug, Default)]
pub struct View(Option<Arc<Restriction>>);

/// A row filter and an attribute mask.
#[derive(Clone, Debug)]
pub struct Restriction {
    /// Only entities that match are visible.
    pub rows: Filter,
    /// These attributes are visible, or all but these.
    pub attributes: Mask,
}

/// Which attributes are visible.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mask {
    /// Every attribute.
    All,
    /// None but these.
    Only(Vec<Iri>),
    /// All but these.
    Without(Vec<Iri>),
}

impl View {
    /// Sees everything.
    pub fn all() -> Self {
        Self(None)
    }

    /// Sees a part.
    pub fn restricted(restriction: Restriction) -> Self {
        Self(Some(Arc::new(restriction)))
    }

    /// The restriction, if there is one.
    pub fn restriction(&self) -> Option<&Restriction> {
        self.0.as_deref()
    }
}

impl Caller {
    /// A caller who sees everything in the default twin.
    pub fn local(origin: &str) -> Self {
        Self {
            twin: TwinId::default(),
            principal: Principal::anonymous(),
            view: View::all(),
            origin: origin.into(),
            reach: Reach::Local,
        }
    }

    /// The same caller who reaches no farther than the twin, as whoever changes it has to.
    pub fn at_home(&self) -> Self {
        Self { reach: Reach::Local, ..self.clone() }
    }

    /// The same caller who asks for other entities than those of the question, such as linked ones:
    /// sources are not told what the question says beside which entities it is about.
    pub fn beside(&self) -> Self {
        let reach = match &self.reach {
            Reach::Local => Reach::Local,
            Reach::Sources(forwarding) => Reach::Sources(Arc::new(Forwarding {
                asked: AskedSources::default(),
                ..Forwarding::clone(forwarding)
            })),
        };
        Self { reach, ..self.clone() }
    }
}
