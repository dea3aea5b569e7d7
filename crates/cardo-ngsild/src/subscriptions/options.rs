use std::time::Duration;

/// How often and how long notifications are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeliveryOptions {
    /// How old a change may be before its notification is given up: after the first attempt that
    /// fails from then on it is a dead letter.
    pub retry_for: Duration,
    /// The pause after the first failed attempt; it doubles from one to the next.
    pub first_pause: Duration,
    /// The longest pause between two attempts.
    pub longest_pause: Duration,
    /// How many dead letters of a subscription are kept; the oldest make room.
    pub dead_letters: usize,
}

impl Default for DeliveryOptions {
    fn default() -> Self {
        Self {
            retry_for: Duration::from_secs(24 * 3_600),
            first_pause: Duration::from_millis(500),
            longest_pause: Duration::from_secs(60),
            dead_letters: 1_000,
        }
    }
}

impl DeliveryOptions {
    /// The pause after a number of failed attempts: doubling, and between half and all of that at
    /// random, so that receivers which come back are not met by everybody at once.
    pub(crate) fn pause(&self, failed: u32) -> Duration {
        let doubled = self.first_pause.saturating_mul(1 << failed.saturating_sub(1).min(20));
        let longest = doubled.min(self.longest_pause);
        longest.mul_f64(1.0 - fastrand::f64() / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_with_jitter() {
        let options = DeliveryOptions {
            first_pause: Duration::from_millis(100),
            longest_pause: Duration::from_secs(1),
            ..DeliveryOptions::default()
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
}
