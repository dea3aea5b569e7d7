use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use cardo_model::{InstanceRef, Iri};

/// Tells the short names of IRIs, where a context has them.
#[derive(Clone)]
pub struct Terms(Arc<dyn Vocabulary>);

/// What a context says of names.
pub trait Vocabulary: Send + Sync + 'static {
    /// The term of an IRI.
    fn term(&self, iri: &str) -> Option<String>;

    /// The IRI that a term stands for.
    fn iri(&self, term: &str) -> Option<String>;

    /// The JSON text of a value in which a context expanded names, with terms in their place.
    fn shortened(&self, value: &InstanceRef<'_>) -> Option<String>;
}

/// Terms of IRIs alone.
struct TermOf<F>(F);

impl<F: Fn(&str) -> Option<String> + Send + Sync + 'static> Vocabulary for TermOf<F> {
    fn term(&self, iri: &str) -> Option<String> {
        (self.0)(iri)
    }

    fn iri(&self, _term: &str) -> Option<String> {
        None
    }

    fn shortened(&self, _value: &InstanceRef<'_>) -> Option<String> {
        None
    }
}

/// A name that more than one thing wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collision {
    /// The name.
    pub wanted: Box<str>,
    /// Who wanted it and did not get it: the IRI of a type or an attribute, or the path of a column.
    pub of: Box<str>,
    /// What it is called instead; empty where it is left out.
    pub given: Box<str>,
}

/// Names of one kind, each given once.
pub(super) struct Given<'a> {
    terms: &'a Terms,
    taken: HashSet<Box<str>>,
}

impl Terms {
    /// Terms as the function tells them; it gives none for names without one. Values stay as they
    /// are.
    pub fn new(term: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self::of(TermOf(term))
    }

    /// Terms of a vocabulary.
    pub fn of(vocabulary: impl Vocabulary) -> Self {
        Self(Arc::new(vocabulary))
    }

    /// The short name that an IRI would have if it were the only one: letters, digits and low
    /// lines alone, so that it can stand in every language.
    pub fn short(&self, iri: &str) -> String {
        match self.0.term(iri) {
            Some(term) => plain(&term),
            None => plain(last_part(iri)),
        }
    }

    /// The JSON text of a value as it is shown: with terms where a context expanded them.
    pub(super) fn value<'a>(&self, instance: &InstanceRef<'a>) -> Cow<'a, str> {
        let shortened = if instance.is_coerced() { self.0.shortened(instance) } else { None };
        shortened.map_or(Cow::Borrowed(instance.value()), Cow::Owned)
    }

    /// The IRI of a term; IRIs and what has none stay as they are.
    pub fn full<'a>(&self, name: &'a str) -> Cow<'a, str> {
        let iri = if name.contains(':') { None } else { self.0.iri(name) };
        iri.map_or(Cow::Borrowed(name), Cow::Owned)
    }
}

impl Default for Terms {
    fn default() -> Self {
        Self::new(|_| None)
    }
}

impl fmt::Debug for Terms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Terms")
    }
}

impl<'a> Given<'a> {
    pub(super) fn new(terms: &'a Terms, reserved: &[&str]) -> Self {
        Self { terms, taken: reserved.iter().map(|name| Box::from(*name)).collect() }
    }

    /// A name for an IRI; the first to ask gets the short one.
    pub(super) fn give_iri(&mut self, iri: &Iri, collisions: &mut Vec<Collision>) -> Box<str> {
        let wanted = self.terms.short(iri.as_str());
        self.give(wanted, iri.as_str(), collisions)
    }

    /// The wanted name, or one with digits of a hash of what asks for it.
    pub(super) fn give(
        &mut self,
        wanted: String,
        of: &str,
        collisions: &mut Vec<Collision>,
    ) -> Box<str> {
        let wanted: Box<str> = wanted.into();
        if self.taken.insert(wanted.clone()) {
            return wanted;
        }
        let hash = fnv1a(of.as_bytes());
        // Six digits tell apart what a twin holds; more are taken where they do not.
        let given = (6..=16)
            .map(|digits| format!("{wanted}_{}", &format!("{hash:016x}")[..digits]))
            .find(|name| !self.taken.contains(name.as_str()));
        let given: Box<str> = given.unwrap_or_else(|| format!("{wanted}_{hash:016x}_")).into();
        self.taken.insert(given.clone());
        collisions.push(Collision { wanted, of: of.into(), given: given.clone() });
        given
    }
}

/// Behind the last `/`, `#` or `:` that something follows.
pub(super) fn last_part(iri: &str) -> &str {
    let trimmed = iri.trim_end_matches(['/', '#', ':']);
    trimmed.rsplit(['/', '#', ':']).next().unwrap_or(trimmed)
}

/// Only letters, digits and low lines, beginning with no digit and no two low lines.
pub(super) fn plain(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut plain: String = name.chars().map(|c| if is_plain(c) { c } else { '_' }).collect();
    while plain.starts_with("__") {
        plain.remove(0);
    }
    if plain.is_empty() || plain.starts_with(|c: char| c.is_ascii_digit()) {
        plain.insert(0, '_');
    }
    plain
}

/// The hash of Fowler, Noll and Vo in 64 bits: names made of it never change.
pub(super) fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_last_part_of_an_iri_in_plain_letters() {
        let terms = Terms::default();
        for (iri, name) in [
            ("https://example.org/ns#air-quality", "air_quality"),
            ("https://example.org/Tree/", "Tree"),
            ("urn:x:__typename", "_typename"),
            ("https://example.org/2nd", "_2nd"),
            ("https://example.org/päivä", "p_iv_"),
            (":", "_"),
        ] {
            assert_eq!(terms.short(iri), name, "{iri}");
        }
    }

    #[test]
    fn the_first_keeps_a_name_and_the_second_gets_a_lasting_other_one() {
        let terms = Terms::default();
        let mut given = Given::new(&terms, &["id"]);
        let mut collisions = Vec::new();
        let iri = |text: &str| Iri::new(text).unwrap();
        let first = given.give_iri(&iri("https://one.example/name"), &mut collisions);
        let second = given.give_iri(&iri("https://two.example/name"), &mut collisions);
        let reserved = given.give_iri(&iri("https://two.example/id"), &mut collisions);
        assert_eq!(first.as_ref(), "name");
        assert_eq!(second.as_ref(), "name_a682af");
        assert!(reserved.starts_with("id_"));
        assert_eq!(collisions.len(), 2);
        assert_eq!(collisions[0].of.as_ref(), "https://two.example/name");
    }
}
