//! Black-box checks of any server by its URL, told by clause.
//!
//! A [`Check`] is what a clause of NGSI-LD or a requirement of OGC API demands, written as requests and what is
//! expected of their answers (`checks/`). It needs nothing but HTTP: ids, types and tenants are its own, and
//! what it created is deleted behind it.
//!
//! ```no_run
//! use cardo_conform::{Options, Outcome, Session, checks};
//!
//! # async fn example() -> Result<(), cardo_conform::OpenError> {
//! let session = Session::open(Options::new("http://127.0.0.1:8787")).await?;
//! for check in checks().iter().filter(|check| session.applies(check)) {
//!     if let Outcome::Failed(failure) = session.run(check).await {
//!         println!("{}: expected {}, {} came", check.id(), failure.expected, failure.came);
//!     }
//! }
//! # Ok(())
//! # }
//! ```

mod answer;
mod check;
mod client;
mod receiver;
mod report;
mod script;
mod session;
mod target;
mod trial;

pub use check::{Check, Failure, Look, Outcome, Sends, Standard, checks, read_checks};
pub use report::{Paint, Report, Tried};
pub use script::ScriptError;
pub use session::{OpenError, Options, Session};
pub use target::{Found, NothingFound};
