//! HTTP over TLS 1.2 and 1.3 (ETSI GS CIM 009, clause 6.2). A certificate that was renewed is used for the connections that
//! come then.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use rustls::ServerConfig;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::config::HttpConfig;

/// How often is looked whether the files have changed.
const LOOKED_AT_EVERY: Duration = Duration::from_secs(1);

/// Why no TLS can be spoken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// One of the files is not named.
    #[error("http.certificate and http.key belong together: one without the other is of no use")]
    OneAlone,
    /// A file cannot be used.
    #[error("{path}: {reason}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

/// The certificate of the server.
pub(crate) struct Tls {
    certificate: PathBuf,
    key: PathBuf,
    current: Mutex<Current>,
}

struct Current {
    config: Arc<ServerConfig>,
    /// When the files were changed last.
    changed: [Option<SystemTime>; 2],
    looked_at: Instant,
}

impl Tls {
    /// That of the configuration, where it names one.
    pub(crate) fn of(config: &HttpConfig) -> Result<Option<Arc<Self>>, TlsError> {
        let (certificate, key) = match (&config.certificate, &config.key) {
            (None, None) => return Ok(None),
            (Some(certificate), Some(key)) => (certificate.clone(), key.clone()),
            _ => return Err(TlsError::OneAlone),
        };
        let changed = changed(&certificate, &key);
        let config = read(&certificate, &key)?;
        let current = Mutex::new(Current { config, changed, looked_at: Instant::now() });
        Ok(Some(Arc::new(Self { certificate, key, current })))
    }

    /// Agrees with a client on how to speak.
    pub(crate) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        TlsAcceptor::from(self.config()).accept(stream).await
    }

    fn config(&self) -> Arc<ServerConfig> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.looked_at.elapsed() >= LOOKED_AT_EVERY {
            current.looked_at = Instant::now();
            let changed = changed(&self.certificate, &self.key);
            if changed != current.changed {
                match read(&self.certificate, &self.key) {
                    Ok(config) => {
                        (current.config, current.changed) = (config, changed);
                        tracing::info!("the certificate was read again");
                    }
                    // It may be half written yet.
                    Err(error) => tracing::warn!(%error, "the certificate stays as it was"),
                }
            }
        }
        current.config.clone()
    }
}

fn changed(certificate: &Path, key: &Path) -> [Option<SystemTime>; 2] {
    [certificate, key].map(|path| std::fs::metadata(path).and_then(|found| found.modified()).ok())
}

fn read(certificate: &Path, key: &Path) -> Result<Arc<ServerConfig>, TlsError> {
    let unusable = |path: &Path, reason: String| TlsError::File { path: path.to_owned(), reason };
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unusable(certificate, error.to_string()))?;
    if chain.is_empty() {
        return Err(unusable(certificate, "it holds no certificate".to_owned()));
    }
    let private = PrivateKeyDer::from_pem_file(key).map_err(|e| unusable(key, e.to_string()))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable(certificate, error.to_string()))?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(|error| unusable(certificate, error.to_string()))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
