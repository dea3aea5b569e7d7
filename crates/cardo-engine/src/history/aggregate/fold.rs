use std::collections::HashSet;

use cardo_model::{InstanceRef, Kind};

use super::{AggregateValue, Method};

/// What is gathered of the values of one period.
pub(super) struct Fold {
    count: u64,
    distinct: Option<HashSet<Box<[u8]>>>,
    numbers: Numbers,
    /// Whether squares of all the numbers mean something: those of sizes do not.
    has_sizes: bool,
    texts: Option<(Box<str>, Box<str>)>,
    /// Sum and count of times of day, in seconds.
    times: (f64, u64),
    wants_texts: bool,
}

/// Figures of numbers; mean and spread are brought forward so that no digits are lost (Welford).
#[derive(Default)]
struct Numbers {
    count: u64,
    sum: f64,
    squares: f64,
    mean: f64,
    spread: f64,
    min: f64,
    max: f64,
}

/// What an aggregation can do with a value.
enum Usable<'a> {
    Number(f64),
    /// The size of an array.
    Size(f64),
    Text(std::borrow::Cow<'a, str>),
    /// A time of day.
    Time(Box<str>),
    Nothing,
}

impl Fold {
    pub(super) fn new(methods: &[Method]) -> Self {
        let wants = |method| methods.contains(&method);
        Self {
            count: 0,
            distinct: wants(Method::DistinctCount).then(HashSet::new),
            numbers: Numbers::default(),
            has_sizes: false,
            texts: None,
            times: (0.0, 0),
            wants_texts: wants(Method::Min) || wants(Method::Max) || wants(Method::Avg),
        }
    }

    pub(super) fn add(&mut self, instance: &InstanceRef<'_>) {
        self.count += 1;
        let value = instance.value();
        if let Some(distinct) = &mut self.distinct {
            // Two texts of one number are one value.
            let number = value.parse::<f64>().ok().map(|number| number.to_bits().to_le_bytes());
            match number {
                Some(bits) => distinct.insert(bits.as_slice().into()),
                None => distinct.insert(value.as_bytes().into()),
            };
        }
        match usable(instance.kind(), value) {
            Usable::Number(number) => self.numbers.add(number),
            Usable::Size(size) => {
                self.has_sizes = true;
                self.numbers.add(size);
            }
            Usable::Text(text) if self.wants_texts => self.add_text(&text),
            Usable::Time(text) if self.wants_texts => {
                if let Some(seconds) = seconds_of_day(&text) {
                    self.times = (self.times.0 + seconds, self.times.1 + 1);
                }
                self.add_text(&text);
            }
            Usable::Text(_) | Usable::Time(_) | Usable::Nothing => {}
        }
    }

    fn add_text(&mut self, text: &str) {
        match &mut self.texts {
            None => self.texts = Some((text.into(), text.into())),
            Some((least, greatest)) => {
                if text < &**least {
                    *least = text.into();
                }
                if text > &**greatest {
                    *greatest = text.into();
                }
            }
        }
    }

    /// What a method makes of the values; none where it has nothing to go by.
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
    pub(super) fn result(&self, method: Method) -> Option<AggregateValue> {
        let numbers = &self.numbers;
        let number = |number: f64| {
            (numbers.count > 0 && number.is_finite()).then_some(AggregateValue::Number(number))
        };
        let text = |text: &str| AggregateValue::Text(text.into());
        match method {
            Method::TotalCount => Some(AggregateValue::Count(self.count)),
            Method::DistinctCount => {
                self.distinct.as_ref().map(|all| AggregateValue::Count(all.len() as u64))
            }
            Method::Sum => number(numbers.sum),
            Method::Avg if numbers.count == 0 && self.times.1 > 0 => {
                Some(text(&time_of_day(self.times.0 / self.times.1 as f64)))
            }
            Method::Avg => number(numbers.mean),
            Method::Min => {
                number(numbers.min).or_else(|| self.texts.as_ref().map(|(least, _)| text(least)))
            }
            Method::Max => number(numbers.max)
                .or_else(|| self.texts.as_ref().map(|(_, greatest)| text(greatest))),
            Method::Stddev | Method::Sumsq if self.has_sizes => None,
            Method::Stddev => number((numbers.spread / numbers.count as f64).sqrt()),
            Method::Sumsq => number(numbers.squares),
        }
    }
}

impl Numbers {
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
    fn add(&mut self, number: f64) {
        if self.count == 0 {
            (self.min, self.max) = (number, number);
        }
        self.count += 1;
        self.sum += number;
        self.squares += number * number;
        let difference = number - self.mean;
        self.mean += difference / self.count as f64;
        self.spread += difference * (number - self.mean);
        self.min = self.min.min(number);
        self.max = self.max.max(number);
    }
}

/// Tables 4.5.19.1-1 to 4.5.19.1-3.
fn usable(kind: Kind, value: &str) -> Usable<'_> {
    if !matches!(kind, Kind::Property | Kind::JsonProperty | Kind::ListProperty) {
        return Usable::Nothing;
    }
    match value.as_bytes().first() {
        Some(b'"') => match serde_json::from_str(value) {
            Ok(text) => Usable::Text(text),
            Err(_) => Usable::Nothing,
        },
        Some(b't') => Usable::Number(1.0),
        Some(b'f') => Usable::Number(0.0),
        Some(b'[') => size(value),
        Some(b'{') => typed(value),
        _ => value.parse().map_or(Usable::Nothing, Usable::Number),
    }
}

#[expect(clippy::cast_precision_loss, reason = "arrays hold far fewer than 2^52 items")]
fn size(value: &str) -> Usable<'static> {
    let items: Result<Vec<&serde_json::value::RawValue>, _> = serde_json::from_str(value);
    items.map_or(Usable::Nothing, |items| Usable::Size(items.len() as f64))
}

/// Dates and times are objects with their type (clause 4.6.3); other objects have no order.
fn typed(value: &str) -> Usable<'static> {
    if !value.contains("\"@value\"") {
        return Usable::Nothing;
    }
    let Ok(object) = serde_json::from_str::<serde_json::Value>(value) else {
        return Usable::Nothing;
    };
    let (Some(name), Some(text)) = (object["@type"].as_str(), object["@value"].as_str()) else {
        return Usable::Nothing;
    };
    match name.rsplit(['/', '#', ':']).next() {
        Some("DateTime" | "dateTime" | "Date" | "date") => Usable::Text(text.to_owned().into()),
        Some("Time" | "time") => Usable::Time(text.into()),
        _ => Usable::Nothing,
    }
}

/// `hh:mm:ss` with a fraction and `Z`.
fn seconds_of_day(text: &str) -> Option<f64> {
    let mut parts = text.trim_end_matches('Z').split(':');
    let (hours, minutes): (u32, u32) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let seconds: f64 = parts.next()?.replace(',', ".").parse().ok()?;
    let is_time = hours < 24 && minutes < 60 && (0.0..61.0).contains(&seconds);
    (is_time && parts.next().is_none())
        .then(|| f64::from(hours) * 3_600.0 + f64::from(minutes) * 60.0 + seconds)
}

#[expect(clippy::cast_possible_truncation, reason = "a day has far fewer milliseconds than 2^53")]
fn time_of_day(seconds: f64) -> String {
    let millis = (seconds * 1_000.0).round() as i64;
    let (whole, fraction) = (millis / 1_000, millis % 1_000);
    let clock = format!("{:02}:{:02}:{:02}", whole / 3_600, whole / 60 % 60, whole % 60);
    if fraction == 0 { format!("{clock}Z") } else { format!("{clock}.{fraction:03}Z") }
}
