//! Where messages go: a broker and a topic in one URI.

use url::Url;

use crate::stream::Security;

/// What `mqtt[s]://[username][:password]@host[:port]/topic[/subtopic]*` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The host of the broker.
    pub host: String,
    /// Its port: 1883, and 8883 over TLS, where the URI does not say.
    pub port: u16,
    /// Whether it is reached over TLS.
    pub is_tls: bool,
    /// As whom.
    pub username: Option<String>,
    /// With what secret.
    pub password: Option<String>,
    /// The topic to publish to.
    pub topic: String,
}

/// A text that names no topic of a broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no mqtt[s]://[username][:password]@host[:port]/topic: {0}")]
pub struct InvalidEndpoint(&'static str);

impl Endpoint {
    /// Reads a URI. Its parts may be percent-encoded.
    ///
    /// ```
    /// use cardo_egress::mqtt::Endpoint;
    ///
    /// let endpoint = Endpoint::parse("mqtts://city:s%20cret@broker.example/air/quality")?;
    /// assert_eq!((endpoint.port, &*endpoint.topic), (8883, "air/quality"));
    /// assert_eq!(endpoint.password.as_deref(), Some("s cret"));
    /// assert!(Endpoint::parse("mqtt://broker.example/air/#").is_err());
    /// # Ok::<(), cardo_egress::mqtt::InvalidEndpoint>(())
    /// ```
    pub fn parse(uri: &str) -> Result<Self, InvalidEndpoint> {
        let url = Url::parse(uri).map_err(|_| InvalidEndpoint("it is not a URI"))?;
        let is_tls = match url.scheme() {
            "mqtt" => false,
            "mqtts" => true,
            _ => return Err(InvalidEndpoint("it has another scheme")),
        };
        if url.query().is_some() || url.fragment().is_some() {
            return Err(InvalidEndpoint("it has a query or a fragment"));
        }
        let host = url.host_str().filter(|host| !host.is_empty());
        let host = host.ok_or(InvalidEndpoint("it has no host"))?.to_owned();
        let password = url.password().map(decoded).transpose()?;
        let username = match url.username() {
            // 3.1.2.9: a password goes with a user name.
            "" => password.as_ref().map(|_| String::new()),
            name => Some(decoded(name)?),
        };
        let topic = decoded(url.path().strip_prefix('/').unwrap_or_default())?;
        if topic.is_empty() {
            return Err(InvalidEndpoint("it has no topic"));
        }
        if topic.len() > usize::from(u16::MAX) || topic.contains(['+', '#', '\0']) {
            return Err(InvalidEndpoint("its topic is too long, or holds a wildcard or a zero"));
        }
        let port = url.port().unwrap_or(if is_tls { 8883 } else { 1883 });
        Ok(Self { host, port, is_tls, username, password, topic })
    }

    pub(super) fn security(&self) -> Security {
        if self.is_tls { Security::Tls } else { Security::Plain }
    }

    /// The broker, without secrets.
    pub(super) fn broker(&self) -> String {
        let scheme = if self.is_tls { "mqtts" } else { "mqtt" };
        format!("{scheme}://{}:{}", self.host, self.port)
    }
}

/// Takes the percent-encoding away.
fn decoded(text: &str) -> Result<String, InvalidEndpoint> {
    let wrong = InvalidEndpoint("a part of it is not percent-encoded UTF-8");
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        if *first != b'%' {
            out.push(*first);
            continue;
        }
        let digits = rest.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()).ok_or(wrong)?;
        out.push(byte);
        rest = &rest[2..];
    }
    String::from_utf8(out).map_err(|_| wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_says_where_a_message_goes_and_as_whom() {
        let plain = Endpoint::parse("mqtt://broker.example/a").unwrap();
        assert_eq!((plain.port, plain.is_tls, &*plain.topic), (1883, false, "a"));
        assert_eq!((plain.username, plain.password), (None, None));
        let full = Endpoint::parse("mqtts://u%40x:p%3A@[::1]:99/a/b%20c/").unwrap();
        assert_eq!((&*full.host, full.port, full.is_tls), ("[::1]", 99, true));
        assert_eq!((full.username.as_deref(), full.password.as_deref()), (Some("u@x"), Some("p:")));
        assert_eq!(full.topic, "a/b c/");
        assert_eq!(full.broker(), "mqtts://[::1]:99");
        let nameless = Endpoint::parse("mqtt://:p@h/a").unwrap();
        assert_eq!(nameless.username.as_deref(), Some(""));
    }

    #[test]
    fn what_names_no_topic_is_refused() {
        for uri in [
            "http://h/a",
            "mqtt://h",
            "mqtt://h/",
            "mqtt:///a",
            "mqtt://h/a/#",
            "mqtt://h/%2B",
            "mqtt://h/a%00",
            "mqtt://h/%FF",
            "mqtt://h/%4",
            "mqtt://h/a?b",
            "mqtt://h:99999/a",
            "a",
        ] {
            assert!(Endpoint::parse(uri).is_err(), "{uri}");
        }
    }
}
