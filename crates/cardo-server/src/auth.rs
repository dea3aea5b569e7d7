//! Who may do what: tokens of the configuration, and what requests without one may do.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Arc;

use arc_swap::ArcSwap;
use axum::http::header::AUTHORIZATION;
use cardo_engine::{Principal, View};
use cardo_http::{Access, Authorize, Denied, Granted, Rights, bearer_token};
use cardo_model::TwinId;
use sha2::{Digest, Sha256};

use crate::config::{Anonymous, AuthConfig, Right, TokenConfig};

/// The longest text that is looked at as a token.
const MAX_TOKEN: usize = 512;

/// Grants access by the tokens of the configuration.
pub struct TokenAuthorizer {
    anonymous: Option<(Rights, Granted)>,
    grants: Vec<Grant>,
    /// Tokens that were presented and are known, so that each is hashed once. It holds at most one
    /// text a grant, and its hasher is keyed at random.
    seen: ArcSwap<HashMap<Box<str>, usize, foldhash::fast::RandomState>>,
}

struct Grant {
    hash: [u8; 32],
    rights: Rights,
    tenants: Option<Vec<Box<str>>>,
    granted: Granted,
}

/// Why a server does not start with this configuration of access.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthError {
    /// The address can be reached from other machines and nobody has said who may use it.
    #[error(
        "{0} can be reached from other machines, so somebody has to be allowed: configure a token \
         (`cardo token` makes one), or set auth.anonymous to \"read\" or \"write\" on purpose"
    )]
    Open(String),
    /// A hash that is none.
    #[error(
        "auth.tokens: the sha256 of {0:?} is not 64 hexadecimal digits; `cardo token` makes one"
    )]
    Hash(String),
    /// Two tokens of one name or hash.
    #[error("auth.tokens: {0:?} is there twice")]
    Twice(String),
    /// A tenant that cannot exist.
    #[error("auth.tokens: {tenant:?}, a tenant of {name:?}, is not a tenant's name")]
    Tenant {
        /// The token's name.
        name: String,
        /// The tenant.
        tenant: String,
    },
}

impl TokenAuthorizer {
    /// The policy of a configuration for a server that listens on `address`.
    pub fn new(config: &AuthConfig, address: &str, is_loopback: bool) -> Result<Self, AuthError> {
        let grants = config.tokens.iter().map(Grant::new).collect::<Result<Vec<_>, _>>()?;
        for (at, grant) in grants.iter().enumerate() {
            let name = grant.granted.principal.as_str();
            let same = |other: &Grant| {
                other.hash == grant.hash || other.granted.principal.as_str() == name
            };
            if grants[..at].iter().any(same) {
                return Err(AuthError::Twice(name.to_owned()));
            }
        }
        let anonymous = match config.anonymous {
            Some(Anonymous::Read) => Some(Rights::Read),
            Some(Anonymous::Write) => Some(Rights::Write),
            None if is_loopback && grants.is_empty() => Some(Rights::Admin),
            Some(Anonymous::None) | None => None,
        };
        if !is_loopback && anonymous.is_none() && grants.is_empty() {
            return Err(AuthError::Open(address.to_owned()));
        }
        let nobody = Granted { principal: Principal::anonymous(), view: View::all() };
        Ok(Self {
            anonymous: anonymous.map(|rights| (rights, nobody)),
            grants,
            seen: ArcSwap::default(),
        })
    }

    /// What was decided, as a sentence for the log.
    pub fn decision(&self) -> String {
        let anonymous = match self.anonymous {
            Some((Rights::Admin, _)) => "everything is allowed without a token",
            Some((Rights::Write, _)) => "reading and writing is allowed without a token",
            Some((Rights::Read, _)) => "reading is allowed without a token",
            None => "nothing is allowed without a token",
        };
        format!("{anonymous}; tokens configured: {}", self.grants.len())
    }

    /// Whether requests without a token may change anything.
    pub(crate) fn anonymous_may_write(&self) -> bool {
        self.anonymous.as_ref().is_some_and(|(rights, _)| *rights >= Rights::Write)
    }

    fn find(&self, token: &str) -> Option<&Grant> {
        if let Some(at) = self.seen.load().get(token) {
            return Some(&self.grants[*at]);
        }
        if token.len() > MAX_TOKEN {
            return None;
        }
        let hash = hash_of(token);
        // Every grant is compared, each in constant time.
        let mut found = None;
        for (at, grant) in self.grants.iter().enumerate() {
            if is_equal(&grant.hash, &hash) {
                found = Some(at);
            }
        }
        let at = found?;
        self.seen.rcu(|seen| {
            let mut seen = HashMap::clone(seen);
            seen.insert(token.into(), at);
            seen
        });
        Some(&self.grants[at])
    }
}

impl Authorize for TokenAuthorizer {
    fn authorize(&self, access: &Access<'_>) -> Result<Granted, Denied> {
        if !access.headers.contains_key(AUTHORIZATION) {
            return match &self.anonymous {
                Some((rights, granted)) if *rights >= access.rights => Ok(granted.clone()),
                _ => Err(Denied::Unauthenticated),
            };
        }
        let grant = bearer_token(access.headers)
            .and_then(|token| self.find(token))
            .ok_or(Denied::Unauthenticated)?;
        if grant.allows(access.rights, access.twin) {
            Ok(grant.granted.clone())
        } else {
            Err(Denied::Forbidden)
        }
    }
}

impl Grant {
    fn new(config: &TokenConfig) -> Result<Self, AuthError> {
        let hash = from_hex(&config.sha256).ok_or_else(|| AuthError::Hash(config.name.clone()))?;
        for tenant in config.tenants.iter().flatten() {
            if !tenant.is_empty() && TwinId::of_tenant(tenant).is_err() {
                let name = config.name.clone();
                return Err(AuthError::Tenant { name, tenant: tenant.clone() });
            }
        }
        let tenants = |names: &Vec<String>| names.iter().map(|name| name.as_str().into()).collect();
        Ok(Self {
            hash,
            rights: match config.rights {
                Right::Read => Rights::Read,
                Right::Write => Rights::Write,
                Right::Admin => Rights::Admin,
            },
            tenants: config.tenants.as_ref().map(tenants),
            granted: Granted {
                principal: Principal::new(Arc::from(config.name.as_str())),
                view: View::all(),
            },
        })
    }

    fn allows(&self, rights: Rights, twin: &TwinId) -> bool {
        let is_home = |names: &Vec<Box<str>>| names.iter().any(|name| **name == *twin.tenant());
        self.rights >= rights && self.tenants.as_ref().is_none_or(is_home)
    }
}

/// A new token of 244 random bits, and its hash.
pub fn new_token() -> (String, String) {
    let random = |simple: uuid::Uuid| simple.simple().to_string();
    let token = format!("cardo_{}{}", random(uuid::Uuid::new_v4()), random(uuid::Uuid::new_v4()));
    let hash = to_hex(&hash_of(&token));
    (token, hash)
}

fn hash_of(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

fn is_equal(one: &[u8; 32], other: &[u8; 32]) -> bool {
    let difference = one.iter().zip(other).fold(0, |sum, (a, b)| sum | (a ^ b));
    std::hint::black_box(difference) == 0
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; 32];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue};

    use super::*;

    fn token(name: &str, rights: Right, tenants: Option<&[&str]>) -> (String, TokenConfig) {
        let (token, sha256) = new_token();
        let tenants = tenants.map(|names| names.iter().map(|name| (*name).into()).collect());
        (token, TokenConfig { name: name.into(), sha256, rights, tenants })
    }

    fn ask(
        policy: &TokenAuthorizer,
        token: Option<&str>,
        rights: Rights,
        tenant: &str,
    ) -> Result<String, Denied> {
        let mut headers = HeaderMap::new();
        if let Some(token) = token {
            let value = HeaderValue::from_str(&format!("Bearer {token}")).unwrap();
            headers.insert(AUTHORIZATION, value);
        }
        let twin = match tenant {
            "" => TwinId::default(),
            name => TwinId::of_tenant(name).unwrap(),
        };
        policy
            .authorize(&Access { headers: &headers, twin: &twin, rights })
            .map(|granted| granted.principal.as_str().to_owned())
    }

    #[test]
    fn a_token_grants_its_rights_in_its_tenants_and_no_more() {
        let (reader, reader_config) = token("reader", Right::Read, None);
        let (writer, writer_config) = token("writer", Right::Write, Some(&["", "harbour"]));
        let config = AuthConfig { anonymous: None, tokens: vec![reader_config, writer_config] };
        let policy = TokenAuthorizer::new(&config, "0.0.0.0:1", false).unwrap();
        // Twice, since the second time the token is found among those seen before.
        for _ in 0..2 {
            assert_eq!(ask(&policy, Some(&reader), Rights::Read, "any"), Ok("reader".into()));
            assert_eq!(ask(&policy, Some(&reader), Rights::Write, ""), Err(Denied::Forbidden));
            assert_eq!(ask(&policy, Some(&writer), Rights::Write, ""), Ok("writer".into()));
            assert_eq!(ask(&policy, Some(&writer), Rights::Read, "harbour"), Ok("writer".into()));
            assert_eq!(ask(&policy, Some(&writer), Rights::Read, "any"), Err(Denied::Forbidden));
            assert_eq!(ask(&policy, Some(&writer), Rights::Admin, ""), Err(Denied::Forbidden));
            for stranger in [None, Some("cardo_0"), Some("x y"), Some("")] {
                let answer = ask(&policy, stranger, Rights::Read, "");
                assert_eq!(answer, Err(Denied::Unauthenticated));
            }
        }
    }

    #[test]
    fn loopback_allows_all_until_tokens_or_anonymous_say_otherwise() {
        let policy = |anonymous, tokens| {
            TokenAuthorizer::new(&AuthConfig { anonymous, tokens }, "127.0.0.1:1", true).unwrap()
        };
        let open = policy(None, vec![]);
        assert_eq!(ask(&open, None, Rights::Admin, ""), Ok("anonymous".into()));
        assert_eq!(ask(&open, Some("unknown"), Rights::Read, ""), Err(Denied::Unauthenticated));
        let reading = policy(Some(Anonymous::Read), vec![]);
        assert_eq!(ask(&reading, None, Rights::Read, ""), Ok("anonymous".into()));
        assert_eq!(ask(&reading, None, Rights::Write, ""), Err(Denied::Unauthenticated));
        let closed = policy(None, vec![token("a", Right::Admin, None).1]);
        assert_eq!(ask(&closed, None, Rights::Read, ""), Err(Denied::Unauthenticated));
    }

    #[test]
    fn beyond_loopback_somebody_has_to_be_allowed() {
        let policy =
            |config: &AuthConfig| TokenAuthorizer::new(config, "0.0.0.0:8787", false).map(|_| ());
        let open = Err(AuthError::Open("0.0.0.0:8787".into()));
        assert_eq!(policy(&AuthConfig::default()), open);
        let none = AuthConfig { anonymous: Some(Anonymous::None), tokens: vec![] };
        assert_eq!(policy(&none), open);
        let read = AuthConfig { anonymous: Some(Anonymous::Read), tokens: vec![] };
        assert_eq!(policy(&read), Ok(()));
        let tokens = vec![token("a", Right::Read, None).1];
        assert_eq!(policy(&AuthConfig { anonymous: None, tokens }), Ok(()));
    }

    #[test]
    fn tokens_that_cannot_be_are_refused() {
        let policy = |tokens| {
            let config = AuthConfig { anonymous: None, tokens };
            TokenAuthorizer::new(&config, "127.0.0.1:1", true).map(|_| ()).unwrap_err()
        };
        let (_, good) = token("a", Right::Read, None);
        assert_eq!(policy(vec![good.clone(), good.clone()]), AuthError::Twice("a".into()));
        let short = TokenConfig { sha256: "éé".repeat(16), ..good.clone() };
        assert_eq!(policy(vec![short]), AuthError::Hash("a".into()));
        let astray = TokenConfig { tenants: Some(vec!["a b".into()]), ..good };
        assert!(matches!(policy(vec![astray]), AuthError::Tenant { .. }));
    }
}
