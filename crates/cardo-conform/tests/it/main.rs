//! Checks against small servers that tell the truth or lie.

mod kinds;
mod reports;
mod stub;
mod written;
