//! Checks against one server.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use thiserror::Error;

use crate::check::{Check, Outcome, Standard};
use crate::client::Client;
use crate::receiver::Receiver;
use crate::target::{Found, NothingFound, Sample, declared, definition};
use crate::trial::Trial;

/// How a server is checked.
#[derive(Debug, Clone)]
pub struct Options {
    /// The base of NGSI-LD, the landing page of OGC API, or a root that has both below it.
    pub url: String,
    /// The tenant of all requests that name no other.
    pub tenant: Option<String>,
    /// Sent with every request, such as `Authorization`.
    pub headers: Vec<(String, String)>,
    /// How long an answer may take.
    pub timeout: Duration,
    /// How long something may take that is to happen by itself, such as a notification.
    pub patience: Duration,
    /// Where to listen for notifications: an address of this machine that the server can reach.
    pub callback: Option<SocketAddr>,
}

impl Options {
    /// What is usual, for a URL.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            tenant: None,
            headers: Vec::new(),
            timeout: Duration::from_secs(30),
            patience: Duration::from_secs(10),
            callback: None,
        }
    }
}

/// Checks cannot begin.
#[derive(Debug, Error)]
pub enum OpenError {
    /// There is no server that could be checked.
    #[error(transparent)]
    Nothing(#[from] NothingFound),
    /// The address for notifications cannot be listened on.
    #[error("cannot listen on {address} for notifications: {error}")]
    Callback {
        /// The address.
        address: SocketAddr,
        /// Why not.
        error: io::Error,
    },
}

/// A server, found and ready to be checked.
#[derive(Debug)]
pub struct Session {
    pub(crate) options: Options,
    pub(crate) client: Client,
    pub(crate) receiver: Option<Receiver>,
    pub(crate) found: Found,
    pub(crate) sample: Option<Sample>,
    /// The conformance classes that the server declares.
    pub(crate) classes: Vec<String>,
    /// The text of the API definition of the server.
    definition: String,
    /// What ids, types and tenants of this run have in them.
    pub(crate) run: String,
    count: std::sync::atomic::AtomicUsize,
}

impl Session {
    /// Finds out what a URL is, and listens for notifications.
    pub async fn open(options: Options) -> Result<Self, OpenError> {
        let client = Client::new(options.timeout);
        let found = Found::at(&client, &options).await?;
        let (sample, classes, definition) = match &found.ogc_api {
            Some(base) => (
                Sample::take(&client, base, &options).await,
                declared(&client, base, &options).await,
                definition(&client, base, &options).await,
            ),
            None => (None, Vec::new(), String::new()),
        };
        let receiver = match options.callback {
            Some(address) => {
                let listening = Receiver::listen(address).await;
                Some(listening.map_err(|error| OpenError::Callback { address, error })?)
            }
            None => None,
        };
        let run = std::iter::repeat_with(fastrand::lowercase).take(8).collect();
        let count = 0.into();
        Ok(Self { options, client, receiver, found, sample, classes, definition, run, count })
    }

    /// What was found.
    pub fn found(&self) -> &Found {
        &self.found
    }

    /// Whether the server has the standard of a check.
    pub fn applies(&self, check: &Check) -> bool {
        self.base(check.standard()).is_some()
    }

    /// Tries a check and cleans up behind it.
    pub async fn run(&self, check: &Check) -> Outcome {
        let Some(base) = self.base(check.standard()) else {
            return Outcome::Skipped(format!("the server has no {}", check.standard()));
        };
        let script = &check.script;
        if script.uses("$callback") && self.receiver.is_none() {
            return Outcome::Skipped("needs an address for notifications (--callback)".to_owned());
        }
        let sample: HashMap<String, String> =
            self.sample.iter().flat_map(|sample| sample.variables.clone()).collect();
        let is_used = |name: &str| script.uses(name) || script.needs.as_deref() == Some(name);
        let is_missing = |name: &&&str| is_used(name) && !sample.contains_key(&name[1..]);
        if let Some(missing) = Sample::NAMES.iter().find(is_missing) {
            let missing = &missing[1..];
            return Outcome::Skipped(format!("the server has no collection with a {missing}"));
        }
        if let Some(missing) = script.needs.as_deref().and_then(|needs| self.lacks(needs)) {
            return Outcome::Skipped(missing);
        }
        let number = self.count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let mut trial = Trial::new(self, base, &format!("{}{number}", self.run), sample);
        let outcome = trial.run(script).await;
        trial.clean_up(script).await;
        outcome
    }

    /// Why a check cannot be tried that needs something.
    fn lacks(&self, needs: &str) -> Option<String> {
        if let Some(text) = needs.strip_prefix("definition ") {
            let has_it = self.definition.contains(text);
            return (!has_it).then(|| format!("the definition of the API has no {text}"));
        }
        let is_declared = self.classes.iter().any(|declared| declared.ends_with(needs));
        let is_class = !needs.starts_with('$');
        (is_class && !is_declared).then(|| format!("the server does not declare {needs}"))
    }

    fn base(&self, standard: Standard) -> Option<&str> {
        match standard {
            Standard::NgsiLd => self.found.ngsi_ld.as_deref(),
            Standard::OgcApi => self.found.ogc_api.as_deref(),
        }
    }
}
