//! Connections to addresses that were judged.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use thiserror::Error;
use tower::Service;

use crate::config::EgressConfig;
use crate::stream::client_config;

/// The addresses of a name, to come.
pub type Resolving = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// Where the addresses of names come from.
pub trait Resolve: Send + Sync + 'static {
    /// Looks a name up.
    fn resolve(&self, host: &str) -> Resolving;
}

/// The resolver of the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve(&self, host: &str) -> Resolving {
        let host = host.to_owned();
        Box::pin(async move {
            let found = tokio::net::lookup_host((host.as_str(), 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// A name without addresses.
#[derive(Debug, Error)]
#[error("{reason}")]
pub(crate) struct NotFound {
    pub(crate) host: String,
    pub(crate) reason: String,
}

/// Resolves names to addresses that may be reached, so that no others are ever connected to.
#[derive(Clone)]
pub(crate) struct JudgingResolver {
    config: Arc<EgressConfig>,
    resolver: Arc<dyn Resolve>,
}

impl Service<Name> for JudgingResolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let config = Arc::clone(&self.config);
        let resolver = Arc::clone(&self.resolver);
        let host = name.as_str().to_owned();
        Box::pin(async move {
            let allowed = allowed(&config, &*resolver, &host).await?;
            // The connector sets the port.
            let addresses: Vec<_> =
                allowed.into_iter().map(|address| SocketAddr::new(address, 0)).collect();
            Ok(addresses.into_iter())
        })
    }
}

/// The addresses of a name that may be reached; an error where there is none.
pub(crate) async fn allowed(
    config: &EgressConfig,
    resolver: &dyn Resolve,
    host: &str,
) -> io::Result<Vec<IpAddr>> {
    let not_found = |reason: String| io::Error::other(NotFound { host: host.to_owned(), reason });
    let found = resolver.resolve(host).await.map_err(|error| not_found(error.to_string()))?;
    let mut refusal = None;
    let mut allowed = Vec::with_capacity(found.len());
    for address in found {
        match config.judge(host, address) {
            Ok(()) => allowed.push(address),
            Err(refused) => refusal = refusal.or(Some(refused)),
        }
    }
    match refusal {
        _ if !allowed.is_empty() => Ok(allowed),
        Some(refusal) => Err(io::Error::other(refusal)),
        None => Err(not_found("it has no address".to_owned())),
    }
}

pub(crate) type Connector = HttpsConnector<HttpConnector<JudgingResolver>>;

/// TLS by rustls with the roots of Mozilla and of the configuration; environment variables for proxies are not read.
pub(crate) fn connector(config: &Arc<EgressConfig>, resolver: Arc<dyn Resolve>) -> Connector {
    let resolver = JudgingResolver { config: Arc::clone(config), resolver };
    let mut http = HttpConnector::new_with_resolver(resolver);
    http.set_connect_timeout(Some(config.connect_timeout()));
    http.set_nodelay(true);
    http.enforce_http(false);
    let tls =
        client_config(config.root_store()).expect("ring supports the default versions of TLS");
    HttpsConnectorBuilder::new()
        .with_tls_config(tls)
        .https_or_http()
        .enable_http1()
        .wrap_connector(http)
}
