//! The natural language of an answer (clause 4.15): which text of a language map is shown.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// The longest list of languages that is read.
const MAX_RANGES: usize = 100;

/// The languages that are preferred, the most welcome first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Languages {
    /// Ranges of RFC 4647; `*` is any.
    wanted: Vec<Box<str>>,
    /// Ranges of weight 0.
    unwanted: Vec<Box<str>>,
}

/// A text that cannot be a list of languages.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("lang={0:?} is not a list of language tags with weights, such as fr-CH,fr;q=0.9,*;q=0.5")]
pub(crate) struct InvalidLanguages(String);

impl std::str::FromStr for Languages {
    type Err = InvalidLanguages;

    fn from_str(text: &str) -> Result<Self, InvalidLanguages> {
        let invalid = || InvalidLanguages(text.chars().take(60).collect());
        let mut ranges = Vec::new();
        for item in text.split(',') {
            let (range, weight) = match item.split_once(';') {
                Some((range, weight)) => (range, parse_weight(weight).ok_or_else(invalid)?),
                None => (item, 1_000),
            };
            let range = range.trim();
            if !is_range(range) || ranges.len() >= MAX_RANGES {
                return Err(invalid());
            }
            ranges.push((weight, Box::<str>::from(range)));
        }
        ranges.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
        let (wanted, unwanted): (Vec<_>, Vec<_>) =
            ranges.into_iter().partition(|(weight, _)| *weight > 0);
        let only = |list: Vec<(u16, Box<str>)>| list.into_iter().map(|(_, range)| range).collect();
        Ok(Self { wanted: only(wanted), unwanted: only(unwanted) })
    }
}

/// The thousandths of `q=0.9` (RFC 9110, section 12.4.2).
fn parse_weight(text: &str) -> Option<u16> {
    let number = text.trim().strip_prefix("q=")?;
    let is_plain = number.len() <= 5 && number.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let thousandths: u16 = format!("{fraction:0<3}").parse().ok()?;
    match whole {
        "0" if is_plain => Some(thousandths),
        "1" if is_plain && thousandths == 0 => Some(1_000),
        _ => None,
    }
}

fn is_range(text: &str) -> bool {
    let is_part = |part: &str| {
        (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    text == "*" || text.split('-').all(is_part)
}

impl Languages {
    /// The tag and the text that are shown of a language map in JSON; none where it is empty.
    pub(crate) fn choose<'a>(&self, map: &'a str) -> Option<(Cow<'a, str>, &'a RawValue)> {
        let mut texts: BTreeMap<Cow<'a, str>, &'a RawValue> = serde_json::from_str(map).ok()?;
        let tags: Vec<&str> = texts.keys().map(|tag| &**tag).collect();
        let tag = self.tag_among(&tags)?.to_owned();
        texts.remove_entry(tag.as_str())
    }

    fn tag_among<'t>(&self, tags: &[&'t str]) -> Option<&'t str> {
        let chosen = self.wanted.iter().find_map(|range| match &**range {
            "*" => self.any_of(tags),
            range => lookup(range, tags),
        });
        chosen.or_else(|| self.any_of(tags)).or_else(|| tags.first().copied())
    }

    /// The default text, else the first by its tag.
    fn any_of<'t>(&self, tags: &[&'t str]) -> Option<&'t str> {
        let is_fine = |tag: &&'t str| !self.unwanted.iter().any(|range| is_within(tag, range));
        let mut fine = tags.iter().copied().filter(is_fine);
        fine.clone().find(|tag| *tag == "@none").or_else(|| fine.next())
    }
}

/// The tag that is the range, or begins with it, or with what is left of it when parts are taken
/// from its end (RFC 4647, sections 3.3.1 and 3.4).
fn lookup<'t>(range: &str, tags: &[&'t str]) -> Option<&'t str> {
    let mut range = range;
    loop {
        let exact = tags.iter().find(|tag| tag.eq_ignore_ascii_case(range));
        if let Some(tag) = exact.or_else(|| tags.iter().find(|tag| is_within(tag, range))) {
            return Some(tag);
        }
        range = &range[..range.rfind('-')?];
    }
}

fn is_within(tag: &str, range: &str) -> bool {
    let begins = tag.get(..range.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(range));
    begins && matches!(tag.as_bytes().get(range.len()), None | Some(b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(lang: &str, map: &str) -> String {
        let (tag, text) = lang.parse::<Languages>().unwrap().choose(map).unwrap();
        format!("{tag}: {}", text.get())
    }

    #[test]
    fn the_most_welcome_language_that_there_is_is_chosen() {
        let map = r#"{"fr":"Grand Place","nl":"Grote Markt"}"#;
        for (lang, expected) in [
            ("nl", "nl: \"Grote Markt\""),
            ("FR", "fr: \"Grand Place\""),
            ("fr;q=0.2,nl;q=0.9", "nl: \"Grote Markt\""),
            ("nl-BE", "nl: \"Grote Markt\""),
            ("fr-CH,nl", "fr: \"Grand Place\""),
            ("en;q=0.8,*;q=0.1", "fr: \"Grand Place\""),
            ("pt,fr;q=0", "nl: \"Grote Markt\""),
        ] {
            assert_eq!(chosen(lang, map), expected, "{lang}");
        }
        assert_eq!(chosen("en", r#"{"de":"Platz","en-US":["a","b"]}"#), "en-US: [\"a\",\"b\"]");
        assert_eq!(chosen("en", r#"{"@none":"x","de":"Platz"}"#), "@none: \"x\"");
    }

    #[test]
    fn what_is_no_list_of_languages_is_refused() {
        for lang in ["", ",", "fr;", "fr;q=2", "fr;q=1.5", "fr;q=-0", "f r", "-", "fr;x=1", "ä"] {
            assert!(lang.parse::<Languages>().is_err(), "{lang:?}");
        }
    }
}
