//! The table of the yardsticks.

use std::fmt::{self, Write as _};

/// What was measured of one work.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// The work.
    pub(crate) work: String,
    /// The figure with its unit.
    pub(crate) measured: String,
    /// What it is compared with.
    pub(crate) reference: String,
    /// The ratio or the value that is judged.
    pub(crate) value: f64,
    /// In which form the value is shown.
    pub(crate) unit: &'static str,
    /// What is to be reached.
    pub(crate) target: Target,
}

/// What is to be reached.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Target {
    /// At least so much.
    AtLeast(f64),
    /// At most so much.
    AtMost(f64),
    /// Nothing: the figure stands for itself.
    None,
}

impl Target {
    fn is_reached(self, value: f64) -> Option<bool> {
        match self {
            Self::AtLeast(least) => Some(value >= least),
            Self::AtMost(most) => Some(value <= most),
            Self::None => None,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(least) => write!(f, "≥ {}", number(*least)),
            Self::AtMost(most) => write!(f, "≤ {}", number(*most)),
            Self::None => f.write_str("–"),
        }
    }
}

/// A number in as many digits as it deserves.
pub(crate) fn number(value: f64) -> String {
    match value.abs() {
        x if x >= 1_000.0 => thousands(&format!("{value:.0}")),
        x if x >= 100.0 => format!("{value:.0}"),
        x if x >= 10.0 => format!("{value:.1}"),
        x if x == x.trunc() => format!("{value:.0}"),
        _ => format!("{value:.2}"),
    }
}

fn thousands(digits: &str) -> String {
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) && !out.ends_with('-') {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// The rows as a Markdown table.
pub(crate) fn markdown(rows: &[Row]) -> String {
    let mut out = String::from(
        "| work | measured | compared with | result | to reach | |\n|---|---|---|---|---|---|\n",
    );
    for row in rows {
        let mark = match row.target.is_reached(row.value) {
            Some(true) => "reached",
            Some(false) => "**missed**",
            None => "",
        };
        let (value, target) = (number(row.value), row.target);
        let unit = if row.unit.is_empty() { String::new() } else { format!(" {}", row.unit) };
        let target_unit = if target == Target::None { "" } else { &unit };
        writeln!(
            out,
            "| {} | {} | {} | {value}{unit} | {target}{target_unit} | {mark} |",
            row.work, row.measured, row.reference,
        )
        .expect("a String takes all");
    }
    out
}

/// The middle of several figures.
pub(crate) fn median(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    match figures.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => figures[odd / 2],
        even => f64::midpoint(figures[even / 2 - 1], figures[even / 2]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_readable() {
        assert_eq!(number(1_234_567.8), "1,234,568");
        assert_eq!(number(0.456), "0.46");
        assert_eq!(number(12.34), "12.3");
        assert_eq!(number(5.0), "5");
        assert_eq!(number(999.0), "999");
    }

    #[test]
    fn a_row_says_whether_its_target_is_reached() {
        let row = |value, target| Row {
            work: "w".into(),
            measured: "m".into(),
            reference: "r".into(),
            value,
            unit: "",
            target,
        };
        assert!(markdown(&[row(0.6, Target::AtLeast(0.6))]).contains("| ≥ 0.60 | reached |"));
        assert!(markdown(&[row(6.0, Target::AtMost(5.0))]).contains("| ≤ 5 | **missed** |"));
        assert!(markdown(&[row(6.0, Target::None)]).contains("| 6 | – |  |"));
    }

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&mut [4.0, 1.0, 2.0, 3.0]), 2.5);
    }
}
