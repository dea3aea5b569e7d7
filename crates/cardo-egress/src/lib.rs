//! The one gate to the outside: every request that the server makes itself passes it.
//!
//! Notifications, feeds, forwards and context downloads go to addresses that clients name, so each is a way to make the
//! server knock at doors that the client cannot reach. A [`Gate`] therefore refuses private, loopback and link-local
//! addresses unless its [`EgressConfig`] allows them. The addresses that a name resolved to are judged, and it is those
//! that are connected to; the same holds for each redirect. Time, size and redirects are bounded.

mod address;
mod config;
mod connect;
mod error;
mod gate;
pub mod mqtt;
mod request;
mod stream;

pub use address::{Kind, Refusal};
pub use bytes::Bytes;
pub use config::{Certificate, EgressConfig};
pub use connect::{Resolve, Resolving, SystemResolver};
pub use error::EgressError;
pub use gate::Gate;
pub use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
pub use request::{Request, Response};
pub use stream::{Security, Stream};
pub use url::Url;
