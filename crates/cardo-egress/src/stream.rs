//! Connections of other protocols than HTTP, to addresses that were judged.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::address::Refusal;
use crate::config::{Certificate, EgressConfig};
use crate::connect::{NotFound, allowed};
use crate::error::{EgressError, cause, reasons};
use crate::gate::Gate;

/// A connection to read from and write to.
pub trait Stream: AsyncRead + AsyncWrite + Send {}
impl<T: AsyncRead + AsyncWrite + Send> Stream for T {}

/// How a connection is protected.
#[derive(Clone, Debug)]
pub enum Security {
    /// Not at all.
    Plain,
    /// By TLS, with the roots of Mozilla and those of the configuration.
    Tls,
    /// By TLS, with the certificates of a PEM file as the only roots.
    TlsWith(Arc<Path>),
}

impl Gate {
    /// Connects to a port of a host, which may be a name or an address. Only addresses that the
    /// configuration allows are connected to.
    pub async fn connect(
        &self,
        host: &str,
        port: u16,
        security: &Security,
    ) -> Result<Pin<Box<dyn Stream>>, EgressError> {
        let bare = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
        let addresses = self.addresses(bare).await?;
        let url = format!("{host}:{port}");
        let failed = |reason: String| EgressError::Connect { url: url.clone(), reason };
        let after = self.config.connect_timeout();
        let mut last = None;
        for address in addresses {
            let socket = SocketAddr::new(address, port);
            match timeout(after, TcpStream::connect(socket)).await {
                Ok(Ok(stream)) => {
                    stream.set_nodelay(true).map_err(|error| failed(error.to_string()))?;
                    let secured =
                        timeout(after, secure(stream, bare, security, &self.config)).await;
                    return secured
                        .map_err(|_| EgressError::Timeout { url: url.clone(), after })?
                        .map_err(failed);
                }
                Ok(Err(error)) => last = Some(failed(error.to_string())),
                Err(_) => last = Some(EgressError::Timeout { url: url.clone(), after }),
            }
        }
        Err(last.unwrap_or_else(|| failed("it has no address".to_owned())))
    }

    async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, EgressError> {
        if let Ok(address) = host.parse::<IpAddr>() {
            self.config.judge(host, address)?;
            return Ok(vec![address]);
        }
        allowed(&self.config, &*self.resolver, host).await.map_err(|error| {
            if let Some(refusal) = cause::<Refusal>(&error) {
                return EgressError::Refused(refusal.clone());
            }
            let reason = match cause::<NotFound>(&error) {
                Some(not_found) => not_found.reason.clone(),
                None => reasons(&error),
            };
            EgressError::Resolve { host: host.to_owned(), reason }
        })
    }
}

async fn secure(
    stream: TcpStream,
    host: &str,
    security: &Security,
    config: &EgressConfig,
) -> Result<Pin<Box<dyn Stream>>, String> {
    let roots = match security {
        Security::Plain => return Ok(Box::pin(stream)),
        Security::Tls => config.root_store(),
        Security::TlsWith(path) => {
            let mut roots = RootCertStore::empty();
            for Certificate(certificate) in Certificate::read(path)? {
                roots.add(certificate).map_err(|error| error.to_string())?;
            }
            roots
        }
    };
    let config = client_config(roots).map_err(|error| error.to_string())?;
    let name = ServerName::try_from(host.to_owned()).map_err(|error| error.to_string())?;
    let connector = TlsConnector::from(Arc::new(config));
    let stream = connector.connect(name, stream).await.map_err(|error| reasons(&error))?;
    Ok(Box::pin(stream))
}

/// TLS by rustls and ring, without a certificate of our own.
pub(crate) fn client_config(roots: RootCertStore) -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(versions.with_root_certificates(roots).with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_connection_goes_only_where_the_configuration_allows() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let closed = Gate::new(EgressConfig::default());
        for host in ["127.0.0.1", "localhost"] {
            let refused = closed.connect(host, port, &Security::Plain).await.err().unwrap();
            assert!(matches!(refused, EgressError::Refused(_)), "{host}: {refused}");
        }
        let open = Gate::new(EgressConfig { allow_loopback: true, ..EgressConfig::default() });
        assert!(open.connect("127.0.0.1", port, &Security::Plain).await.is_ok());
        drop(listener);
        let gone = open.connect("127.0.0.1", port, &Security::Plain).await.err().unwrap();
        assert!(gone.is_transient(), "{gone}");
    }
}
