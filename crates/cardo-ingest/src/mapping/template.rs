//! Texts with fields of the record in them.

use std::borrow::Cow;
use std::fmt;

use cardo_formats::FieldValue;
use serde::de::{self, Deserialize, Deserializer};

use super::field::{FieldRef, Scene};

/// A text such as `urn:ngsi-ld:Tree:{fid}`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Template {
    text: String,
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq)]
enum Piece {
    Literal(String),
    Field(FieldRef, Filter),
}

/// What is done to the text of a field before it is put in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Filter {
    None,
    Lower,
    Slug,
    /// Zeros before it up to so many characters.
    Pad(usize),
}

/// A template that is not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidTemplate {
    #[error("the `{{` in {0:?} is never closed")]
    Open(String),
    #[error("a lone `}}` in {0:?}; write `}}}}` for the character itself")]
    Close(String),
    #[error("`{{}}` in {0:?} names no field")]
    Empty(String),
    #[error("unknown filter {0:?}; known are lower, slug and pad2, pad3, …")]
    Filter(String),
    #[error("{0}")]
    Field(String),
}

/// A field that a template needs and the record lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MissingField(pub(crate) String);

impl Template {
    pub(crate) fn parse(text: &str) -> Result<Self, InvalidTemplate> {
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            literal.push_str(&rest[..at]);
            let tail = &rest[at..];
            if let Some(after) = tail.strip_prefix("{{").or_else(|| tail.strip_prefix("}}")) {
                literal.push_str(&tail[..1]);
                rest = after;
                continue;
            }
            let Some(inner) = tail.strip_prefix('{') else {
                return Err(InvalidTemplate::Close(text.to_owned()));
            };
            let end = inner.find('}').ok_or_else(|| InvalidTemplate::Open(text.to_owned()))?;
            if !literal.is_empty() {
                pieces.push(Piece::Literal(std::mem::take(&mut literal)));
            }
            pieces.push(field_piece(text, &inner[..end])?);
            rest = &inner[end + 1..];
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            pieces.push(Piece::Literal(literal));
        }
        Ok(Self { text: text.to_owned(), pieces })
    }

    /// Nothing but a field.
    pub(crate) fn of(field: FieldRef) -> Self {
        let text = format!("{{{field}}}");
        Self { text, pieces: vec![Piece::Field(field, Filter::None)] }
    }

    /// The text for a record, the text of each field changed by `encode`.
    pub(crate) fn render(
        &self,
        scene: &Scene<'_>,
        encode: impl Fn(&str, &mut String),
    ) -> Result<String, MissingField> {
        let mut out = String::with_capacity(self.text.len() + 16);
        for piece in &self.pieces {
            match piece {
                Piece::Literal(text) => out.push_str(text),
                Piece::Field(field, filter) => {
                    let value = scene.text(field).ok_or_else(|| MissingField(field.to_string()))?;
                    encode(&filter.apply(&value), &mut out);
                }
            }
        }
        Ok(out)
    }

    /// The text for a record as it is.
    pub(crate) fn render_plain(&self, scene: &Scene<'_>) -> Result<String, MissingField> {
        self.render(scene, |text, out| out.push_str(text))
    }

    /// The fields it is made of.
    pub(crate) fn fields(&self) -> impl Iterator<Item = &FieldRef> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Field(field, _) => Some(field),
            Piece::Literal(_) => None,
        })
    }
}

fn field_piece(template: &str, inner: &str) -> Result<Piece, InvalidTemplate> {
    let (name, filter) = match inner.rsplit_once('|') {
        Some((name, filter)) => (name, Filter::parse(filter.trim())?),
        None => (inner, Filter::None),
    };
    if name.is_empty() {
        return Err(InvalidTemplate::Empty(template.to_owned()));
    }
    let field = FieldRef::parse(name).map_err(|error| InvalidTemplate::Field(error.to_string()))?;
    Ok(Piece::Field(field, filter))
}

impl Filter {
    fn parse(text: &str) -> Result<Self, InvalidTemplate> {
        let unknown = || InvalidTemplate::Filter(text.to_owned());
        Ok(match text {
            "lower" => Self::Lower,
            "slug" => Self::Slug,
            _ => {
                let width = text.strip_prefix("pad").ok_or_else(unknown)?;
                Self::Pad(width.parse().ok().filter(|width| *width <= 64).ok_or_else(unknown)?)
            }
        })
    }

    fn apply(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::None => text.into(),
            Self::Lower => text.to_lowercase().into(),
            Self::Slug => crate::naming::slug(text).into(),
            Self::Pad(width) => format!("{text:0>width$}").into(),
        }
    }
}

/// Puts text into an IRI: characters that no IRI may hold are percent-encoded.
pub(crate) fn encode_for_iri(text: &str, out: &mut String) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for c in text.trim().chars() {
        let is_forbidden = c <= ' '
            || matches!(c, '<' | '>' | '"' | '{' | '}' | '|' | '\\' | '^' | '`' | '%')
            || matches!(c, '\u{7f}'..='\u{9f}');
        if !is_forbidden {
            out.push(c);
            continue;
        }
        for byte in c.encode_utf8(&mut [0; 4]).bytes() {
            out.push('%');
            out.push(char::from(HEX[usize::from(byte >> 4)]));
            out.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}

/// Puts text between the quotation marks of a JSON string.
pub(crate) fn encode_for_json(text: &str, out: &mut String) {
    let quoted = serde_json::to_string(text).expect("a string is always JSON");
    out.push_str(&quoted[1..quoted.len() - 1]);
}

/// The text of a value as ids and templates have it: whole numbers without a fraction.
pub(crate) fn plain_text(value: &FieldValue) -> Option<Cow<'_, str>> {
    match value {
        FieldValue::Null => None,
        FieldValue::Text(text) | FieldValue::DateTime(text) | FieldValue::Json(text) => {
            (!text.trim().is_empty()).then_some(Cow::Borrowed(text))
        }
        FieldValue::Float(number) if number.fract() == 0.0 && number.abs() < 1e15 => {
            Some(format!("{number:.0}").into())
        }
        other => Some(other.to_text().into()),
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use cardo_formats::Record;

    use super::*;

    fn record() -> Record {
        Record {
            id: Some("node/7".into()),
            fields: vec![
                ("fid".into(), FieldValue::Float(12.0)),
                ("Name [fi]".into(), FieldValue::Text("Iso Roobertinkatu".into())),
                ("m".into(), FieldValue::Text("6".into())),
                ("empty".into(), FieldValue::Text(" ".into())),
                ("nested".into(), FieldValue::Json(r#"{"a":{"b":[1,2.5]}}"#.into())),
            ],
            ..Record::default()
        }
    }

    fn render(text: &str) -> Result<String, MissingField> {
        let record = record();
        let scene = Scene::new(&record, "trees", &[]);
        Template::parse(text).unwrap().render_plain(&scene)
    }

    #[test]
    fn fields_filters_and_pointers_are_put_in() {
        assert_eq!(render("urn:x:{fid}").unwrap(), "urn:x:12");
        assert_eq!(render("{m|pad2}/{Name [fi]|slug}").unwrap(), "06/iso-roobertinkatu");
        assert_eq!(render("{Name [fi]|lower}").unwrap(), "iso roobertinkatu");
        assert_eq!(render("{/nested/a/b/1}").unwrap(), "2.5");
        assert_eq!(render("{nested.a.b.1}").unwrap(), "2.5");
        assert_eq!(render("{$id}, {$source}, {{x}}").unwrap(), "node/7, trees, {x}");
    }

    #[test]
    fn a_missing_or_empty_field_is_named() {
        assert_eq!(render("{nix}").unwrap_err(), MissingField("nix".into()));
        assert_eq!(render("{empty}").unwrap_err(), MissingField("empty".into()));
        assert_eq!(render("{nested.b}").unwrap_err(), MissingField("nested.b".into()));
        assert_eq!(render("{/nested/b}").unwrap_err(), MissingField("/nested/b".into()));
    }

    #[test]
    fn broken_templates_are_refused() {
        for text in ["{a", "a}", "{}", "{a|upper}", "{a|pad999}", "{$nothing}"] {
            assert!(Template::parse(text).is_err(), "{text} was accepted");
        }
    }

    #[test]
    fn what_no_iri_may_hold_is_encoded() {
        let mut out = String::new();
        encode_for_iri(" a b/ö%\u{1} ", &mut out);
        assert_eq!(out, "a%20b/ö%25%01");
    }
}
