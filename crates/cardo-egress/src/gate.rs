//! Sending requests through the gate.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{
    AUTHORIZATION, CONTENT_LENGTH, COOKIE, HOST, LOCATION, PROXY_AUTHORIZATION, USER_AGENT,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::{Instant, timeout_at};
use url::{Host, Url};

use crate::address::Refusal;
use crate::config::EgressConfig;
use crate::connect::{Connector, NotFound, Resolve, SystemResolver, connector};
use crate::error::{EgressError, cause, reasons};
use crate::request::{Request, Response};

/// How long an unused connection is kept.
const IDLE: Duration = Duration::from_secs(60);

/// The gate to the outside. Clones share connections.
///
/// ```no_run
/// use cardo_egress::{EgressConfig, Gate, Request};
///
/// # async fn example() -> Result<(), cardo_egress::EgressError> {
/// let gate = Gate::new(EgressConfig::default());
/// let response = gate.send(Request::get("https://example.org/")).await?;
/// println!("{} bytes", response.body.len());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Gate {
    pub(crate) config: Arc<EgressConfig>,
    pub(crate) resolver: Arc<dyn Resolve>,
    client: Client<Connector, Full<Bytes>>,
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gate").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Gate {
    /// A gate with the rules of the configuration and the names of the operating system.
    pub fn new(config: EgressConfig) -> Self {
        Self::with_resolver(config, SystemResolver)
    }

    /// A gate with another source of names.
    pub fn with_resolver(config: EgressConfig, resolver: impl Resolve) -> Self {
        let config = Arc::new(config);
        let resolver: Arc<dyn Resolve> = Arc::new(resolver);
        let client = Client::builder(TokioExecutor::new())
            // Names of headers have no case, but some receivers look for `Link` as it is written.
            .http1_title_case_headers(true)
            .pool_idle_timeout(IDLE)
            .pool_timer(TokioTimer::new())
            .pool_max_idle_per_host(config.idle_connections_per_host)
            .build(connector(&config, Arc::clone(&resolver)));
        Self { config, resolver, client }
    }

    /// The rules in force.
    pub fn config(&self) -> &EgressConfig {
        &self.config
    }

    /// Refuses, without connecting, a URL that no request could be sent to: one that is malformed, has another scheme
    /// than `http` and `https`, or names an address that is not allowed. A name is judged when it is resolved.
    pub fn check(&self, url: &str) -> Result<Url, EgressError> {
        let invalid =
            |reason: &str| EgressError::Url { url: url.to_owned(), reason: reason.to_owned() };
        let parsed = Url::parse(url).map_err(|error| invalid(&error.to_string()))?;
        self.check_parsed(&parsed)?;
        Ok(parsed)
    }

    fn check_parsed(&self, url: &Url) -> Result<(), EgressError> {
        let invalid =
            |reason: &str| EgressError::Url { url: url.to_string(), reason: reason.to_owned() };
        if !matches!(url.scheme(), "http" | "https") {
            return Err(EgressError::Scheme { url: url.to_string() });
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(invalid("it holds credentials; send them in a header"));
        }
        // The parser has made plain addresses of all numeric forms: octal, hexadecimal, in fewer than four parts.
        let literal = match url.host() {
            Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
            Some(Host::Domain(name)) if !name.is_empty() => None,
            _ => return Err(invalid("it has no host")),
        };
        match literal {
            Some(address) => Ok(self.config.judge(&address.to_string(), address)?),
            None => Ok(()),
        }
    }

    /// Sends a request and reads the whole answer.
    ///
    /// Redirects of GET and HEAD are followed; those of other methods only where the method and body are to be kept
    /// (307 and 308), other ones are answers. Credentials do not follow to another origin,
    /// and neither do headers that are marked as sensitive.
    pub async fn send(&self, request: Request) -> Result<Response, EgressError> {
        let after = request.timeout.unwrap_or_else(|| self.config.timeout());
        let url = request.url.clone();
        timeout_at(Instant::now() + after, self.follow(request))
            .await
            .unwrap_or(Err(EgressError::Timeout { url, after }))
    }

    async fn follow(&self, request: Request) -> Result<Response, EgressError> {
        let limit = request.max_response_bytes.unwrap_or(self.config.max_response_bytes);
        let mut url = self.check(&request.url)?;
        let mut headers = self.headers(request.headers);
        for _ in 0..=self.config.max_redirects {
            let response = self.exchange(&request.method, &url, &headers, &request.body).await?;
            let Some(location) = redirect(&request.method, &response) else {
                return collect(response, url, limit).await;
            };
            let next = url.join(&location).map_err(|_| EgressError::Redirect {
                url: url.to_string(),
                location: location.clone(),
            })?;
            self.check_parsed(&next)?;
            tracing::debug!(from = %url, to = %next, "redirected");
            if next.origin() != url.origin() {
                for name in [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION] {
                    headers.remove(name);
                }
                headers =
                    headers.iter().filter(|(_, value)| !value.is_sensitive()).map(owned).collect();
            }
            url = next;
        }
        Err(EgressError::TooManyRedirects { url: request.url, limit: self.config.max_redirects })
    }

    fn headers(&self, mut headers: HeaderMap) -> HeaderMap {
        headers.remove(HOST);
        headers.remove(CONTENT_LENGTH);
        if let Ok(agent) = HeaderValue::from_str(&self.config.user_agent) {
            headers.entry(USER_AGENT).or_insert(agent);
        }
        headers
    }

    async fn exchange(
        &self,
        method: &Method,
        url: &Url,
        headers: &HeaderMap,
        body: &Bytes,
    ) -> Result<http::Response<Incoming>, EgressError> {
        let invalid = |error: http::Error| EgressError::Url {
            url: url.to_string(),
            reason: error.to_string(),
        };
        let mut without_fragment = url.clone();
        without_fragment.set_fragment(None);
        let mut request = http::Request::builder()
            .method(method)
            .uri(without_fragment.as_str())
            .body(Full::new(body.clone()))
            .map_err(invalid)?;
        *request.headers_mut() = headers.clone();
        self.client.request(request).await.map_err(|error| explain(&error, url))
    }
}

fn owned((name, value): (&HeaderName, &HeaderValue)) -> (HeaderName, HeaderValue) {
    (name.clone(), value.clone())
}

/// Where a response sends on to, if it is a redirect that is followed.
fn redirect(method: &Method, response: &http::Response<Incoming>) -> Option<String> {
    let follows = match response.status() {
        StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND | StatusCode::SEE_OTHER => {
            matches!(*method, Method::GET | Method::HEAD)
        }
        StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT => true,
        _ => false,
    };
    let location = response.headers().get(LOCATION).filter(|_| follows)?;
    Some(String::from_utf8_lossy(location.as_bytes()).into_owned())
}

/// Reads a body that may not be larger than the limit, whatever its head says.
async fn collect(
    response: http::Response<Incoming>,
    url: Url,
    limit: usize,
) -> Result<Response, EgressError> {
    let (head, mut body) = response.into_parts();
    let too_large =
        |url: &Url| EgressError::TooLarge { url: url.to_string(), limit, status: head.status };
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > limit {
        return Err(too_large(&url));
    }
    let mut collected = BytesMut::with_capacity(announced.min(64 * 1024));
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| EgressError::Exchange {
            url: url.to_string(),
            reason: reasons(&error),
        })?;
        if let Ok(data) = frame.into_data() {
            if data.len() > limit - collected.len() {
                return Err(too_large(&url));
            }
            collected.extend_from_slice(&data);
        }
    }
    Ok(Response { status: head.status, headers: head.headers, body: collected.freeze(), url })
}

fn explain(error: &hyper_util::client::legacy::Error, url: &Url) -> EgressError {
    if let Some(refusal) = cause::<Refusal>(error) {
        return EgressError::Refused(refusal.clone());
    }
    if let Some(NotFound { host, reason }) = cause::<NotFound>(error) {
        return EgressError::Resolve { host: host.clone(), reason: reason.clone() };
    }
    let (url, reason) = (url.to_string(), reasons(error));
    if error.is_connect() {
        EgressError::Connect { url, reason }
    } else {
        EgressError::Exchange { url, reason }
    }
}
