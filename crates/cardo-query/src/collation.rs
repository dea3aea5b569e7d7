use std::cmp::Ordering;
use std::fmt;

use icu_collator::options::{CollatorOptions, Strength};
use icu_collator::{CollatorBorrowed, CollatorPreferences};
use icu_locale_core::Locale;
use icu_locale_core::extensions::unicode::key;

/// The longest tag that is read.
const MAX_TAG: usize = 100;

/// An order of texts by the Unicode Collation Algorithm, as people who read a language expect it.
///
/// ```
/// use cardo_query::Collation;
///
/// let german: Collation = "de-u-co-phonebk".parse().unwrap();
/// assert!(german.compare("Ähre", "Zebra").is_lt());
/// assert!("no tag!".parse::<Collation>().is_err());
/// ```
pub struct Collation {
    tag: Box<str>,
    collator: CollatorBorrowed<'static>,
}

/// A text that is no tag of a collation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a collation of RFC 6067, such as und, sv or de-u-co-phonebk")]
pub struct InvalidCollation(String);

impl Collation {
    /// The order of no language: ICU's root.
    pub fn root() -> Self {
        let collator =
            CollatorBorrowed::try_new(CollatorPreferences::default(), CollatorOptions::default())
                .expect("the data of the root are compiled in");
        Self { tag: "und".into(), collator }
    }

    /// How two texts stand; those that the collation does not tell apart by code point.
    pub fn compare(&self, one: &str, other: &str) -> Ordering {
        self.collator.compare(one, other).then_with(|| one.cmp(other))
    }
}

impl std::str::FromStr for Collation {
    type Err = InvalidCollation;

    fn from_str(tag: &str) -> Result<Self, InvalidCollation> {
        let invalid = || InvalidCollation(tag.chars().take(60).collect());
        if tag.len() > MAX_TAG {
            return Err(invalid());
        }
        let locale: Locale = tag.parse().map_err(|_| invalid())?;
        let mut options = CollatorOptions::default();
        if let Some(strength) = locale.extensions.unicode.keywords.get(&key!("ks")) {
            options.strength = Some(match strength.to_string().as_str() {
                "level1" => Strength::Primary,
                "level2" => Strength::Secondary,
                "level3" => Strength::Tertiary,
                "level4" => Strength::Quaternary,
                "identic" => Strength::Identical,
                _ => return Err(invalid()),
            });
        }
        let preferences = CollatorPreferences::from(&locale);
        let collator = CollatorBorrowed::try_new(preferences, options).map_err(|_| invalid())?;
        Ok(Self { tag: tag.into(), collator })
    }
}

impl fmt::Debug for Collation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Collation").field(&self.tag).finish()
    }
}

impl PartialEq for Collation {
    fn eq(&self, other: &Self) -> bool {
        self.tag == other.tag
    }
}
