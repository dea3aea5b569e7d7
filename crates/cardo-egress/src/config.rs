//! What may be reached, and within which limits.

use std::path::Path;
use std::time::Duration;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde::Deserialize;

use crate::address::{Kind, Refusal};

/// The configuration of outgoing requests, the section `egress`.
///
/// ```
/// use cardo_egress::EgressConfig;
///
/// let config: EgressConfig = toml::from_str(r#"allow_hosts = ["broker.internal", "10.1.2.3", "*.city.example"]"#)?;
/// assert!(!config.allow_private);
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct EgressConfig {
    /// Whether private addresses (RFC 1918, RFC 4193, RFC 6598 and the like) may be reached.
    pub allow_private: bool,
    /// Whether the machine itself may be reached by its loopback addresses.
    pub allow_loopback: bool,
    /// Hosts that may be reached whatever their address: names, addresses, or `*.` and a domain. This is the only way
    /// to reach a link-local address.
    pub allow_hosts: Vec<String>,
    /// How long a connection may take to stand, in milliseconds.
    pub connect_timeout_ms: u64,
    /// How long a request may take as a whole, redirects and body included, in milliseconds.
    pub timeout_ms: u64,
    /// The largest body of a response that is accepted.
    pub max_response_bytes: usize,
    /// How many redirects are followed.
    pub max_redirects: usize,
    /// How many unused connections are kept to each host.
    pub idle_connections_per_host: usize,
    /// How the server introduces itself.
    pub user_agent: String,
    /// Authorities that are trusted beside those of Mozilla, for instance that of the city's own network.
    #[serde(skip)]
    pub roots: Vec<Certificate>,
}

/// The certificate of an authority.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate(pub(crate) CertificateDer<'static>);

impl std::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Certificate").finish_non_exhaustive()
    }
}

impl Certificate {
    /// The certificates of a PEM file; it is an error where there is none, or one that cannot be trusted.
    pub fn read(path: &Path) -> Result<Vec<Self>, String> {
        let unreadable = |reason: String| format!("{}: {reason}", path.display());
        let found = CertificateDer::pem_file_iter(path).map_err(|e| unreadable(e.to_string()))?;
        let mut certificates = Vec::new();
        for certificate in found {
            let certificate = certificate.map_err(|error| unreadable(error.to_string()))?;
            let checked = RootCertStore::empty().add(certificate.clone());
            checked.map_err(|error| unreadable(error.to_string()))?;
            certificates.push(Self(certificate));
        }
        if certificates.is_empty() {
            return Err(unreadable("it holds no certificate".to_owned()));
        }
        Ok(certificates)
    }
}

impl Default for EgressConfig {
    fn default() -> Self {
        Self {
            allow_private: false,
            allow_loopback: false,
            allow_hosts: Vec::new(),
            connect_timeout_ms: 5_000,
            timeout_ms: 30_000,
            max_response_bytes: 64 * 1024 * 1024,
            max_redirects: 5,
            idle_connections_per_host: 8,
            user_agent: concat!("cardo/", env!("CARGO_PKG_VERSION")).to_owned(),
            roots: Vec::new(),
        }
    }
}

impl EgressConfig {
    /// The authorities of Mozilla and those of the configuration.
    pub(crate) fn root_store(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        roots.add_parsable_certificates(self.roots.iter().map(|root| root.0.clone()));
        roots
    }

    pub(crate) fn connect_timeout(&self) -> Duration {
        Duration::from_millis(self.connect_timeout_ms)
    }

    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }

    /// Refuses an address of a host that the configuration does not allow.
    pub(crate) fn judge(&self, host: &str, address: std::net::IpAddr) -> Result<(), Refusal> {
        let kind = Kind::of(address);
        let allowed = match kind {
            Kind::Public => true,
            Kind::Private => self.allow_private,
            Kind::Loopback => self.allow_loopback,
            Kind::LinkLocal | Kind::Special => false,
        };
        if allowed || (kind != Kind::Special && self.names(host)) {
            return Ok(());
        }
        Err(Refusal { host: host.to_owned(), address, kind })
    }

    /// Whether the host is among those that are allowed by name.
    fn names(&self, host: &str) -> bool {
        let host = bare(host);
        self.allow_hosts.iter().map(|allowed| bare(allowed)).any(|allowed| {
            match allowed.strip_prefix("*.") {
                Some(domain) => host
                    .len()
                    .checked_sub(domain.len() + 1)
                    .and_then(|dot| host.get(dot..))
                    .and_then(|end| end.strip_prefix('.'))
                    .is_some_and(|end| end.eq_ignore_ascii_case(domain)),
                None => host.eq_ignore_ascii_case(allowed),
            }
        })
    }
}

/// A host without the brackets of IPv6 or the dot of a complete name.
fn bare(host: &str) -> &str {
    let host = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
    host.strip_suffix('.').unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowing(hosts: &[&str]) -> EgressConfig {
        EgressConfig {
            allow_hosts: hosts.iter().map(ToString::to_string).collect(),
            ..EgressConfig::default()
        }
    }

    #[test]
    fn an_unknown_key_is_an_error() {
        let error = toml::from_str::<EgressConfig>("allow_privat = true").unwrap_err();
        assert!(error.to_string().contains("allow_privat"), "{error}");
    }

    #[test]
    fn what_is_left_out_has_the_default() {
        let config: EgressConfig = toml::from_str("allow_loopback = true").unwrap();
        assert_eq!(config, EgressConfig { allow_loopback: true, ..EgressConfig::default() });
    }

    #[test]
    fn hosts_are_allowed_by_name_address_or_domain() {
        let config = allowing(&["Broker.internal", "10.1.2.3", "*.city.example", "[fd00::1]"]);
        let private = "10.1.2.3".parse().unwrap();
        for host in [
            "broker.internal",
            "broker.internal.",
            "10.1.2.3",
            "feeds.city.example",
            "a.b.city.example",
            "fd00::1",
        ] {
            assert_eq!(config.judge(host, private), Ok(()), "{host}");
        }
        for host in ["internal", "xbroker.internal", "city.example", "evilcity.example", "10.1.2.4"]
        {
            assert!(config.judge(host, private).is_err(), "{host}");
        }
    }

    #[test]
    fn link_local_addresses_need_their_host_named() {
        let metadata = "169.254.169.254".parse().unwrap();
        let open =
            EgressConfig { allow_private: true, allow_loopback: true, ..EgressConfig::default() };
        assert!(
            open.judge("169.254.169.254", metadata)
                .unwrap_err()
                .to_string()
                .contains("egress.allow_hosts")
        );
        assert_eq!(allowing(&["169.254.169.254"]).judge("169.254.169.254", metadata), Ok(()));
    }

    #[test]
    fn addresses_that_name_no_machine_are_never_reached() {
        let config = allowing(&["0.0.0.0"]);
        assert!(config.judge("0.0.0.0", "0.0.0.0".parse().unwrap()).is_err());
    }
}
