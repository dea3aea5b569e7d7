//! How long an attempt may take, and how many are made at a time.

use std::time::Duration;

/// The limits of deliveries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CourierOptions {
    /// How long one attempt may take unless the delivery says otherwise.
    pub timeout: Duration,
    /// How many attempts at one endpoint are under way at the same time; others wait for their turn.
    pub at_an_endpoint: usize,
}

impl Default for CourierOptions {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(10), at_an_endpoint: 64 }
    }
}
