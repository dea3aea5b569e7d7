//! Values of properties: JSON whose member names belong to the context.

mod tree;

use std::borrow::Cow;

use cardo_model::{InvalidJson, JsonText, write_json_string};
use serde_json::Value;
use serde_json::value::RawValue;

use self::tree::{Kind, Tree};
use crate::context::Context;
use crate::error::shorten;
use crate::iri::is_keyword;
use crate::term::{Coercion, Containers};

/// A value that no context is needed to understand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpandedValue {
    /// Canonical JSON, its member names expanded.
    pub text: JsonText,
    /// Some name in it may have a shorter form in a context; if not, [`compact_value`] would only
    /// copy the text.
    pub coerced: bool,
}

/// Why a value cannot be expanded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValueError {
    /// Not JSON, or beyond a limit of the model.
    #[error(transparent)]
    Json(#[from] InvalidJson),
    /// A context inside an attribute (clause 5.5.7).
    #[error("{path:?} holds an @context, which may only stand at the top of a document")]
    EmbeddedContext {
        /// The members that lead there, joined by dots.
        path: String,
    },
    /// Two members of an object that are one and the same.
    #[error("the members {first:?} and {second:?} of one object both mean {iri:?}")]
    SameMember {
        /// The earlier member.
        first: String,
        /// The later member.
        second: String,
        /// What both mean.
        iri: String,
    },
    /// The value of a VocabProperty is neither a string nor an array of strings.
    #[error("{0} is not a vocabulary term or an array of them")]
    NotVocab(String),
}

/// Expands the value of a Property: member names, and the strings under `type` and `@type`.
///
/// Scalars and arrays of scalars stay as they are, and so do objects with `@value`, and all that
/// a term declares to be JSON or a language map. A name that the context would not give back
/// stays too, so that the same context returns what was sent; the one exception is a full IRI
/// for which the context has a term.
pub fn expand_value(raw: &RawValue, context: &Context) -> Result<ExpandedValue, ValueError> {
    let text = JsonText::from_raw(raw)?;
    if !text.as_str().contains('{') {
        return Ok(ExpandedValue { text, coerced: false });
    }
    let Some(tree) = Tree::read(text.as_str()) else {
        return Err(InvalidJson::Syntax("unbalanced brackets".to_owned()).into());
    };
    let out = Vec::with_capacity(2 * text.as_str().len());
    let mut expander = Expander { tree: &tree, context, out, coerced: false, path: Vec::new() };
    expander.value(0, Role::Plain)?;
    let Expander { out, coerced, .. } = expander;
    let expanded = String::from_utf8(out).expect("made of strings and pieces between brackets");
    Ok(ExpandedValue { text: JsonText::from_canonical(expanded), coerced })
}

/// Writes a value that [`expand_value`] gave with the names of a context.
///
/// Two members never become one: where a short name is taken the full one is written. Text that
/// is not JSON is copied as it stands.
pub fn compact_value(text: &str, context: &Context, out: &mut Vec<u8>) {
    let tree = if text.contains('{') { Tree::read(text) } else { None };
    match tree {
        Some(tree) => Compacter { tree: &tree, context, out }.value(0, Role::Plain),
        None => out.extend_from_slice(text.as_bytes()),
    }
}

/// Expands the value of a VocabProperty: a string or an array of strings (clause 4.5.20).
pub fn expand_vocab(raw: &RawValue, context: &Context) -> Result<JsonText, ValueError> {
    let expand = |text: String| match context.expand_term(&text) {
        Some(iri) if !is_keyword(&iri) => iri.to_string(),
        _ => text,
    };
    match read_vocab(raw.get()) {
        Some(Vocab::One(text)) => Ok(JsonText::string(&expand(text))),
        Some(Vocab::Many(texts)) => {
            let expanded: Vec<String> = texts.into_iter().map(expand).collect();
            Ok(JsonText::strings(expanded.iter().map(String::as_str)))
        }
        None => Err(ValueError::NotVocab(shorten(raw.get()))),
    }
}

/// Writes the value of a VocabProperty with the terms of a context.
pub fn compact_vocab(text: &str, context: &Context, out: &mut Vec<u8>) {
    match read_vocab(text) {
        Some(Vocab::One(iri)) => write_json_string(&context.compact_iri(&iri), out),
        Some(Vocab::Many(iris)) => {
            out.push(b'[');
            for (at, iri) in iris.iter().enumerate() {
                separate(at, out);
                write_json_string(&context.compact_iri(iri), out);
            }
            out.push(b']');
        }
        None => out.extend_from_slice(text.as_bytes()),
    }
}

enum Vocab {
    One(String),
    Many(Vec<String>),
}

fn read_vocab(text: &str) -> Option<Vocab> {
    match serde_json::from_str(text).ok()? {
        Value::String(text) => Some(Vocab::One(text)),
        Value::Array(items) => {
            let texts = items.into_iter().map(|item| match item {
                Value::String(text) => Some(text),
                _ => None,
            });
            texts.collect::<Option<_>>().map(Vocab::Many)
        }
        _ => None,
    }
}

/// How the value of a member is to be read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// As a value like any other.
    Plain,
    /// Its strings are names of types.
    Type,
    /// Its objects have keys that are no terms.
    FreeKeys,
    /// It is opaque.
    Opaque,
}

impl Role {
    fn of(key: &str, context: &Context) -> Self {
        if key == "@type" {
            return Self::Type;
        }
        let definition = match context.coercion(key) {
            None if key.contains(':') => context.coercion(&context.compact_iri(key)),
            known => known,
        };
        let Some(definition) = definition else { return Self::Plain };
        let containers = definition.containers();
        if definition.iri().is_some_and(|iri| &**iri == "@type") {
            Self::Type
        } else if *definition.coercion() == Coercion::Json
            || containers.contains(Containers::LANGUAGE)
        {
            Self::Opaque
        } else if containers.has_free_keys() {
            Self::FreeKeys
        } else {
            Self::Plain
        }
    }
}

struct Expander<'a> {
    tree: &'a Tree<'a>,
    context: &'a Context,
    out: Vec<u8>,
    coerced: bool,
    path: Vec<&'a str>,
}

impl<'a> Expander<'a> {
    fn value(&mut self, at: usize, role: Role) -> Result<(), ValueError> {
        match (self.tree.kind(at), role) {
            (Kind::String, Role::Type) => {
                let text = self.tree.string(at);
                let name = self.context.expand_member(&text);
                self.coerced |= name.contains(':');
                write_json_string(&name, &mut self.out);
            }
            (Kind::String | Kind::Scalar, _) | (_, Role::Opaque) => self.copy(at),
            (Kind::Array, _) => {
                self.out.push(b'[');
                for (nth, item) in self.tree.items(at).enumerate() {
                    separate(nth, &mut self.out);
                    self.value(item, role)?;
                }
                self.out.push(b']');
            }
            (Kind::Object, Role::FreeKeys) => {
                self.out.push(b'{');
                for (nth, (key, value)) in self.tree.members(at).enumerate() {
                    separate(nth, &mut self.out);
                    self.copy(key);
                    self.out.push(b':');
                    self.value(value, Role::Plain)?;
                }
                self.out.push(b'}');
            }
            (Kind::Object, _) => self.object(at)?,
        }
        Ok(())
    }

    fn object(&mut self, at: usize) -> Result<(), ValueError> {
        let tree = self.tree;
        if tree.members(at).any(|(key, _)| tree.string(key) == "@value") {
            self.copy(at);
            return Ok(());
        }
        let mut iris: Vec<(Cow<'a, str>, &'a str)> = Vec::new();
        self.out.push(b'{');
        for (nth, (key, value)) in tree.members(at).enumerate() {
            separate(nth, &mut self.out);
            let name = tree.string(key);
            let shown = tree.text(key).trim_matches('"');
            self.path.push(shown);
            if name == "@context" {
                return Err(ValueError::EmbeddedContext { path: shorten(&self.path.join(".")) });
            }
            let iri = match &name {
                Cow::Borrowed(name) => self.context.expand_member(name),
                Cow::Owned(name) => Cow::Owned(self.context.expand_member(name).into_owned()),
            };
            self.coerced |= iri.contains(':');
            write_json_string(&iri, &mut self.out);
            self.out.push(b':');
            self.value(value, Role::of(&name, self.context))?;
            self.path.pop();
            iris.push((iri, shown));
        }
        self.out.push(b'}');
        check_distinct(iris)
    }

    fn copy(&mut self, at: usize) {
        self.out.extend_from_slice(self.tree.text(at).as_bytes());
    }
}

struct Compacter<'a, 'o> {
    tree: &'a Tree<'a>,
    context: &'a Context,
    out: &'o mut Vec<u8>,
}

impl<'a> Compacter<'a, '_> {
    fn value(&mut self, at: usize, role: Role) {
        match (self.tree.kind(at), role) {
            (Kind::String, Role::Type) => {
                let text = self.tree.string(at);
                write_json_string(&self.name(&text), self.out);
            }
            (Kind::String | Kind::Scalar, _) | (_, Role::Opaque) => self.copy(at),
            (Kind::Array, _) => {
                self.out.push(b'[');
                for (nth, item) in self.tree.items(at).enumerate() {
                    separate(nth, self.out);
                    self.value(item, role);
                }
                self.out.push(b']');
            }
            (Kind::Object, Role::FreeKeys) => {
                self.out.push(b'{');
                for (nth, (key, value)) in self.tree.members(at).enumerate() {
                    separate(nth, self.out);
                    self.copy(key);
                    self.out.push(b':');
                    self.value(value, Role::Plain);
                }
                self.out.push(b'}');
            }
            (Kind::Object, _) => self.object(at),
        }
    }

    fn object(&mut self, at: usize) {
        let tree = self.tree;
        let keys: Vec<Cow<'a, str>> = tree.members(at).map(|(key, _)| tree.string(key)).collect();
        if keys.iter().any(|key| key == "@value") {
            return self.copy(at);
        }
        let names = self.names(&keys);
        self.out.push(b'{');
        for (nth, ((_, value), name)) in tree.members(at).zip(&names).enumerate() {
            separate(nth, self.out);
            write_json_string(name, self.out);
            self.out.push(b':');
            let role = Role::of(name, self.context);
            self.value(value, role);
        }
        self.out.push(b'}');
    }

    /// The names of the members of one object, no two of them equal.
    ///
    /// Different IRIs have different names, since a name expands to its IRI again; so a name can
    /// only clash with a key that stays as it is.
    fn names<'k>(&self, keys: &'k [Cow<'a, str>]) -> Vec<Cow<'k, str>>
    where
        'a: 'k,
    {
        let mut names: Vec<Cow<'k, str>> = keys.iter().map(|key| self.name(key)).collect();
        let both = names.iter().zip(keys);
        let mut kept: Vec<&str> =
            both.filter(|(name, key)| name == key).map(|(_, key)| &**key).collect();
        kept.sort_unstable();
        for (name, key) in names.iter_mut().zip(keys) {
            if name != key && kept.binary_search(&&**name).is_ok() {
                *name = Cow::Borrowed(key);
            }
        }
        names
    }

    /// Only what looks like an IRI has a shorter name; the rest was kept when it was expanded.
    fn name<'k>(&self, iri: &'k str) -> Cow<'k, str>
    where
        'a: 'k,
    {
        if iri.contains(':') { self.context.compact_iri(iri) } else { Cow::Borrowed(iri) }
    }

    fn copy(&mut self, at: usize) {
        self.out.extend_from_slice(self.tree.text(at).as_bytes());
    }
}

fn check_distinct(mut iris: Vec<(Cow<'_, str>, &str)>) -> Result<(), ValueError> {
    iris.sort_by(|(a, _), (b, _)| a.cmp(b));
    match iris.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        None => Ok(()),
        Some(pair) => Err(ValueError::SameMember {
            first: shorten(pair[0].1),
            second: shorten(pair[1].1),
            iri: shorten(&pair[0].0),
        }),
    }
}

fn separate(nth: usize, out: &mut Vec<u8>) {
    if nth > 0 {
        out.push(b',');
    }
}
