//! How often and how long a delivery is tried, and how much may wait.

use std::time::Duration;

use serde::Deserialize;

/// The configuration of deliveries, the section `notify`.
///
/// ```
/// use cardo_notify::CourierOptions;
///
/// let options: CourierOptions = toml::from_str("attempts = 2")?;
/// assert_eq!(options.queue_length, CourierOptions::default().queue_length);
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct CourierOptions {
    /// How often a delivery is tried before it has failed; at least once.
    pub attempts: u32,
    /// The pause after the first failed attempt, in milliseconds; it doubles from one to the next.
    pub first_pause_ms: u64,
    /// The longest pause between two attempts, in milliseconds.
    pub longest_pause_ms: u64,
    /// How long one attempt may take unless the delivery says otherwise, in milliseconds.
    pub timeout_ms: u64,
    /// How many deliveries may wait in a queue.
    pub queue_length: usize,
    /// How many bytes of bodies may wait in a queue. A single larger body is accepted when nothing else waits.
    pub queue_bytes: usize,
}

impl Default for CourierOptions {
    fn default() -> Self {
        Self {
            attempts: 4,
            first_pause_ms: 500,
            longest_pause_ms: 30_000,
            timeout_ms: 10_000,
            queue_length: 64,
            queue_bytes: 4 * 1024 * 1024,
        }
    }
}

impl CourierOptions {
    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }

    /// The pause after a number of failed attempts: doubling, and between half and all of that at random, so that
    /// receivers which come back are not met by everybody at once.
    pub(crate) fn pause(&self, failed: u32) -> Duration {
        let doubled = self.first_pause_ms.saturating_mul(1 << failed.saturating_sub(1).min(30));
        let longest = doubled.min(self.longest_pause_ms);
        Duration::from_millis(longest - fastrand::u64(0..=longest / 2))
    }

    pub(crate) fn longest_pause(&self) -> Duration {
        Duration::from_millis(self.longest_pause_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_with_jitter() {
        let options = CourierOptions {
            first_pause_ms: 100,
            longest_pause_ms: 1_000,
            ..CourierOptions::default()
        };
        for (failed, longest) in
            [(1, 100), (2, 200), (3, 400), (4, 800), (5, 1_000), (60, 1_000), (u32::MAX, 1_000)]
        {
            for _ in 0..50 {
                let pause = options.pause(failed).as_millis();
                assert!((longest / 2..=longest).contains(&pause), "{failed}: {pause}");
            }
        }
    }

    #[test]
    fn an_unknown_key_is_an_error() {
        assert!(toml::from_str::<CourierOptions>("attempt = 2").is_err());
    }
}
