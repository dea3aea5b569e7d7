//! The console: the page that a browser gets at `/`, built from `web/` and kept in the binary.
//!
//! What the page shows it asks of the faces, at addresses relative to where it was served, so it
//! works below a tenant's prefix and behind a proxy. The view is in the fragment of the address,
//! which no server sees; so there is one page, and an address that is none stays a 404.

mod files;
mod serve;

pub use serve::{page, router};
