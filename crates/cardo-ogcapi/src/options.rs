use std::sync::Arc;
use std::time::Duration;

use cardo_engine::Layers;
use cardo_http::{AllowAll, Authorize, Observer};

use crate::systems::Systems;

/// What the face is given beside the engine.
#[derive(Clone)]
pub struct OgcOptions {
    /// Says who may do what.
    pub authorize: Arc<dyn Authorize>,
    /// Is told of every answer.
    pub observer: Option<Arc<dyn Observer>>,
    /// Collections that are files.
    pub layers: Option<Arc<dyn Layers>>,
    /// What the API is called.
    pub title: String,
    /// What stands below the title on the landing page.
    pub description: String,
    /// Limits of what clients can make large.
    pub limits: OgcLimits,
    /// The reference systems that coordinates can be had and given in.
    pub systems: Systems,
}

/// Limits of what clients can make large.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OgcLimits {
    /// Features on a page where the client does not say.
    pub default_page: usize,
    /// The largest page; a client that asks for more gets this.
    pub max_page: usize,
    /// The same of a page for people.
    pub max_html_page: usize,
    /// How many large answers are under way at once.
    pub streams: usize,
    /// How long a large answer may be under way, and the state that it shows be held for it.
    pub max_stream: Duration,
    /// The largest body of a request, in bytes.
    pub max_body: usize,
    /// The most areas of a table of figures.
    pub max_areas: usize,
    /// How many bytes of finished tiles are kept; with none each is made anew.
    pub tile_bytes: usize,
}

impl Default for OgcLimits {
    fn default() -> Self {
        Self {
            default_page: 10,
            max_page: 1_000_000,
            max_html_page: 1_000,
            streams: 16,
            max_stream: Duration::from_secs(15 * 60),
            max_body: 8 << 20,
            max_areas: 1_000,
            tile_bytes: 64 << 20,
        }
    }
}

impl Default for OgcOptions {
    /// Allows everything to everybody.
    fn default() -> Self {
        Self {
            authorize: Arc::new(AllowAll::default()),
            observer: None,
            layers: None,
            title: "Cardo".to_owned(),
            description: "The things of a city as features: each type of entities is a collection."
                .to_owned(),
            limits: OgcLimits::default(),
            systems: Systems::default(),
        }
    }
}
