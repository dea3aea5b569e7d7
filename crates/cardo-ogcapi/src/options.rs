use std::sync::Arc;

use cardo_http::{AllowAll, Authorize, Observer};

/// What the face is given beside the engine.
#[derive(Clone)]
pub struct OgcOptions {
    /// Says who may do what.
    pub authorize: Arc<dyn Authorize>,
    /// Is told of every answer.
    pub observer: Option<Arc<dyn Observer>>,
    /// What the API is called.
    pub title: String,
    /// What stands below the title on the landing page.
    pub description: String,
    /// Limits of what clients can make large.
    pub limits: OgcLimits,
}

/// Limits of what clients can make large.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OgcLimits {
    /// Features on a page where the client does not say.
    pub default_page: usize,
    /// The largest page; a client that asks for more gets this.
    pub max_page: usize,
    /// The most areas of a table of figures.
    pub max_areas: usize,
}

impl Default for OgcLimits {
    fn default() -> Self {
        Self { default_page: 10, max_page: 10_000, max_areas: 1_000 }
    }
}

impl Default for OgcOptions {
    /// Allows everything to everybody.
    fn default() -> Self {
        Self {
            authorize: Arc::new(AllowAll::default()),
            observer: None,
            title: "Cardo".to_owned(),
            description: "The things of a city as features: each type of entities is a collection."
                .to_owned(),
            limits: OgcLimits::default(),
        }
    }
}
