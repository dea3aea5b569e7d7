//! A last line before the overlay and topology code of others.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// The result of work on coordinates that may be more than its arithmetic can bear; `None` where it panics.
///
/// What passes the checks of this crate is not known to make anything panic; coordinates of 1e300 are, as are faults
/// that only the assertions of a debug build look for. The work may not leave anything half-changed behind.
pub(crate) fn guarded<T>(work: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(work)).ok()
}
