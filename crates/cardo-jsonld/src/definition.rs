//! Term definitions (JSON-LD 1.1 Processing Algorithms and API, sections 4.2 and 5.2).

use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use serde_json::{Map, Value};

use crate::error::{ContextError, shorten};
use crate::iri::{
    ends_with_delimiter, is_blank, is_iri, is_keyword, is_keyword_like, split_compact,
};
use crate::term::{Coercion, Containers, TermDefinition};

/// How far definitions may lean on one another (`a` is `b:x`, `b` is `c:y`, …).
const MAX_CHAIN: usize = 64;

/// The terms in force while contexts are processed one after another.
#[derive(Debug, Clone, Default)]
pub(crate) struct Active {
    pub(crate) terms: HashMap<Arc<str>, Arc<TermDefinition>, RandomState>,
    pub(crate) vocab: Option<Arc<str>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    Begun,
    Done,
}

/// One context object on its way into the active context.
pub(crate) struct LocalContext<'a> {
    active: &'a mut Active,
    local: &'a Map<String, Value>,
    progress: HashMap<&'a str, Progress, RandomState>,
    is_protected: bool,
    chain: usize,
}

impl Active {
    fn mapping(&self, term: &str) -> Option<&TermDefinition> {
        self.terms.get(term).map(AsRef::as_ref)
    }
}

impl<'a> LocalContext<'a> {
    /// Takes every member of `local` over into `active`.
    pub(crate) fn apply(
        active: &'a mut Active,
        local: &'a Map<String, Value>,
    ) -> Result<(), ContextError> {
        let is_protected = flag(local, "@protected")?.unwrap_or(false);
        let mut this = Self { active, local, progress: HashMap::default(), is_protected, chain: 0 };
        check_unused_keywords(local)?;
        if let Some(vocab) = local.get("@vocab") {
            this.set_vocab(vocab)?;
        }
        for (term, value) in local {
            if !is_context_keyword(term) {
                this.define(term, value)?;
            }
        }
        Ok(())
    }

    fn set_vocab(&mut self, vocab: &Value) -> Result<(), ContextError> {
        self.active.vocab = match vocab {
            Value::Null => None,
            Value::String(text) => match self.expand(text)? {
                Some(iri) if is_iri(&iri) || is_blank(&iri) => Some(iri.into()),
                _ => return Err(invalid_keyword("@vocab", vocab)),
            },
            _ => return Err(invalid_keyword("@vocab", vocab)),
        };
        Ok(())
    }

    /// Creates the definition of `term`, and of those it leans on first.
    fn define(&mut self, term: &'a str, value: &'a Value) -> Result<(), ContextError> {
        match self.progress.get(term) {
            Some(Progress::Done) => return Ok(()),
            Some(Progress::Begun) => return Err(ContextError::CyclicDefinition(shorten(term))),
            None => {}
        }
        if self.chain >= MAX_CHAIN {
            let what = format!("definitions that {:?} leans on", shorten(term));
            return Err(ContextError::TooLarge { what, limit: MAX_CHAIN });
        }
        self.chain += 1;
        self.progress.insert(term, Progress::Begun);
        let previous = self.active.terms.remove(term);
        let definition = self.read_definition(term, value)?.map(Arc::new);
        self.progress.insert(term, Progress::Done);
        self.chain -= 1;
        let kept = match (previous.filter(|p| p.is_protected), definition) {
            (Some(previous), Some(new)) if !previous.says_the_same(&new) => {
                return Err(ContextError::Protected(shorten(term)));
            }
            (Some(previous), _) => Some(previous),
            (None, definition) => definition,
        };
        if let Some(definition) = kept {
            self.active.terms.insert(term.into(), definition);
        }
        Ok(())
    }

    /// Reads a definition; none where JSON-LD has it ignored.
    fn read_definition(
        &mut self,
        term: &'a str,
        value: &'a Value,
    ) -> Result<Option<TermDefinition>, ContextError> {
        if term.is_empty() {
            return Err(invalid(term, "a term may not be empty"));
        }
        if term == "@type" {
            return read_type_definition(value);
        }
        if is_keyword(term) {
            return Err(ContextError::KeywordRedefinition(term.to_owned()));
        }
        if is_keyword_like(term) {
            return Ok(None);
        }
        match value {
            Value::Null => {
                let is_protected = self.is_protected;
                Ok(Some(TermDefinition { is_protected, ..Default::default() }))
            }
            Value::String(_) => self.read_simple(term, value),
            Value::Object(members) => self.read_expanded(term, members),
            _ => Err(invalid(term, "a string, an object or null is expected")),
        }
    }

    fn read_simple(
        &mut self,
        term: &'a str,
        id: &'a Value,
    ) -> Result<Option<TermDefinition>, ContextError> {
        let mut definition =
            TermDefinition { is_protected: self.is_protected, ..Default::default() };
        if !self.read_id(term, Some(id), &mut definition)? {
            return Ok(None);
        }
        definition.is_prefix = !term.contains([':', '/'])
            && definition.iri.as_ref().is_some_and(|i| ends_with_delimiter(i) || is_blank(i));
        Ok(Some(definition))
    }

    fn read_expanded(
        &mut self,
        term: &'a str,
        members: &'a Map<String, Value>,
    ) -> Result<Option<TermDefinition>, ContextError> {
        check_members(term, members)?;
        let is_protected = match members.get("@protected") {
            None => self.is_protected,
            Some(Value::Bool(yes)) => *yes,
            Some(_) => return Err(invalid(term, "@protected is not a boolean")),
        };
        let mut definition = TermDefinition { is_protected, ..Default::default() };
        definition.coercion = self.read_type(term, members.get("@type"))?;
        if let Some(reverse) = members.get("@reverse") {
            return self.read_reverse(term, members, reverse, definition);
        }
        if !self.read_id(term, members.get("@id"), &mut definition)? {
            return Ok(None);
        }
        definition.containers = read_containers(term, members.get("@container"))?;
        if definition.containers.contains(Containers::TYPE) {
            match definition.coercion {
                Coercion::Unset => definition.coercion = Coercion::Id,
                Coercion::Id | Coercion::Vocab => {}
                _ => return Err(invalid(term, "@container @type asks for @type @id or @vocab")),
            }
        }
        definition.is_prefix = read_prefix(term, members.get("@prefix"), &definition)?;
        definition.unused = read_unused(term, members, &definition)?;
        Ok(Some(definition))
    }

    fn read_type(
        &mut self,
        term: &str,
        value: Option<&'a Value>,
    ) -> Result<Coercion, ContextError> {
        let text = match value {
            None => return Ok(Coercion::Unset),
            Some(Value::String(text)) => text,
            Some(_) => return Err(invalid(term, "@type is not a string")),
        };
        let iri = self.expand(text)?;
        Ok(match iri.as_deref() {
            Some("@id") => Coercion::Id,
            Some("@vocab") => Coercion::Vocab,
            Some("@json") => Coercion::Json,
            Some("@none") => Coercion::Never,
            Some(datatype) if is_iri(datatype) && !is_blank(datatype) => {
                Coercion::Datatype(datatype.into())
            }
            _ => return Err(invalid(term, &format!("@type {:?} is no IRI", shorten(text)))),
        })
    }

    fn read_reverse(
        &mut self,
        term: &str,
        members: &Map<String, Value>,
        reverse: &'a Value,
        mut definition: TermDefinition,
    ) -> Result<Option<TermDefinition>, ContextError> {
        if members.contains_key("@id") || members.contains_key("@nest") {
            return Err(invalid(term, "@reverse excludes @id and @nest"));
        }
        let Value::String(text) = reverse else {
            return Err(invalid(term, "@reverse is not a string"));
        };
        if is_keyword_like(text) && !is_keyword(text) {
            return Ok(None);
        }
        definition.iri = match self.expand(text)? {
            Some(iri) if is_iri(&iri) || is_blank(&iri) => Some(iri.into()),
            _ => return Err(invalid(term, &format!("@reverse {:?} is no IRI", shorten(text)))),
        };
        definition.containers = match members.get("@container") {
            None | Some(Value::Null) => Containers::NONE,
            Some(Value::String(text)) if text == "@set" => Containers::SET,
            Some(Value::String(text)) if text == "@index" => Containers::INDEX,
            Some(_) => return Err(invalid(term, "@reverse allows only @container @set or @index")),
        };
        definition.is_reverse = true;
        Ok(Some(definition))
    }

    /// Finds the IRI of the term; false where JSON-LD has the term ignored.
    fn read_id(
        &mut self,
        term: &'a str,
        id: Option<&'a Value>,
        definition: &mut TermDefinition,
    ) -> Result<bool, ContextError> {
        match id {
            Some(Value::Null) => return Ok(true),
            Some(Value::String(text)) if text != term => {
                if is_keyword_like(text) && !is_keyword(text) {
                    return Ok(false);
                }
                let iri = self.expand_id(term, text)?;
                definition.iri = Some(iri.into());
                return Ok(true);
            }
            None | Some(Value::String(_)) => {}
            Some(_) => return Err(invalid(term, "@id is not a string")),
        }
        definition.iri = Some(self.own_iri(term)?.into());
        Ok(true)
    }

    fn expand_id(&mut self, term: &'a str, text: &'a str) -> Result<String, ContextError> {
        let iri = match self.expand(text)? {
            Some(iri) if iri == "@context" => {
                return Err(invalid(term, "@context has no other name"));
            }
            Some(iri) if is_keyword(&iri) || is_iri(&iri) || is_blank(&iri) => iri,
            _ => return Err(invalid(term, &format!("@id {:?} is no IRI", shorten(text)))),
        };
        let inner = term.get(1..term.len().saturating_sub(1)).unwrap_or("");
        if inner.contains(':') || term.contains('/') {
            self.progress.insert(term, Progress::Done);
            let own = self.expand(term)?;
            self.progress.insert(term, Progress::Begun);
            if own.as_deref() != Some(iri.as_str()) {
                return Err(invalid(term, "a term that looks like an IRI stands for another one"));
            }
        }
        Ok(iri)
    }

    /// The IRI of a term whose definition names none.
    fn own_iri(&mut self, term: &'a str) -> Result<String, ContextError> {
        if let Some((prefix, suffix)) = split_compact(term) {
            self.define_first(prefix)?;
            return match self.active.mapping(prefix).and_then(|d| d.iri.as_deref()) {
                Some(iri) if !is_keyword(iri) => Ok(format!("{iri}{suffix}")),
                _ if is_iri(term) || is_blank(term) => Ok(term.to_owned()),
                _ => Err(invalid(term, "it has no IRI")),
            };
        }
        match &self.active.vocab {
            Some(vocab) if !term.contains('/') => Ok(format!("{vocab}{term}")),
            _ => Err(invalid(term, "it has no IRI")),
        }
    }

    /// IRI expansion (JSON-LD 1.1 API, section 5.2), with the definitions of this context.
    fn expand(&mut self, text: &str) -> Result<Option<String>, ContextError> {
        if is_keyword(text) {
            return Ok(Some(text.to_owned()));
        }
        if is_keyword_like(text) {
            return Ok(None);
        }
        self.define_first(text)?;
        if let Some(definition) = self.active.mapping(text) {
            return Ok(definition.iri.as_deref().map(str::to_owned));
        }
        if let Some((prefix, suffix)) = split_compact(text) {
            if prefix == "_" || suffix.starts_with("//") {
                return Ok(Some(text.to_owned()));
            }
            self.define_first(prefix)?;
            let mapping = self.active.mapping(prefix).filter(|d| d.is_prefix);
            if let Some(iri) = mapping.and_then(|d| d.iri.as_deref()) {
                return Ok(Some(format!("{iri}{suffix}")));
            }
            if is_iri(text) {
                return Ok(Some(text.to_owned()));
            }
        }
        Ok(match &self.active.vocab {
            Some(vocab) => Some(format!("{vocab}{text}")),
            None => Some(text.to_owned()),
        })
    }

    /// Sees to it that a term of this context is defined before it is leaned on.
    fn define_first(&mut self, term: &str) -> Result<(), ContextError> {
        let local = self.local;
        match local.get_key_value(term) {
            Some((term, value)) if !is_context_keyword(term) => {
                if self.progress.get(term.as_str()) == Some(&Progress::Done) {
                    return Ok(());
                }
                self.define(term, value)
            }
            _ => Ok(()),
        }
    }
}

fn is_context_keyword(term: &str) -> bool {
    matches!(
        term,
        "@base"
            | "@direction"
            | "@import"
            | "@language"
            | "@propagate"
            | "@protected"
            | "@version"
            | "@vocab"
    )
}

/// Keywords without a meaning for NGSI-LD must still be well formed: ids are absolute URIs, so
/// `@base` finds no use, and values keep the strings they were sent with.
fn check_unused_keywords(local: &Map<String, Value>) -> Result<(), ContextError> {
    for (keyword, value) in local {
        let is_valid = match keyword.as_str() {
            "@base" | "@language" => value.is_string() || value.is_null(),
            "@direction" => matches!(value.as_str(), Some("ltr" | "rtl")) || value.is_null(),
            "@propagate" => value.is_boolean(),
            "@version" => value.as_f64() == Some(1.1),
            _ => true,
        };
        if !is_valid {
            return Err(invalid_keyword(keyword, value));
        }
    }
    Ok(())
}

fn flag(local: &Map<String, Value>, keyword: &str) -> Result<Option<bool>, ContextError> {
    match local.get(keyword) {
        None => Ok(None),
        Some(Value::Bool(yes)) => Ok(Some(*yes)),
        Some(other) => Err(invalid_keyword(keyword, other)),
    }
}

/// `@type` may only be told to be a set, and be protected (section 4.2.2 step 4).
fn read_type_definition(value: &Value) -> Result<Option<TermDefinition>, ContextError> {
    let redefinition = || ContextError::KeywordRedefinition("@type".to_owned());
    let members = value.as_object().filter(|m| !m.is_empty()).ok_or_else(redefinition)?;
    for (key, value) in members {
        match key.as_str() {
            "@container" if value.as_str() == Some("@set") => {}
            "@protected" if value.is_boolean() => {}
            _ => return Err(redefinition()),
        }
    }
    Ok(None)
}

fn check_members(term: &str, members: &Map<String, Value>) -> Result<(), ContextError> {
    for key in members.keys() {
        match key.as_str() {
            "@context" => return Err(ContextError::ScopedContext(shorten(term))),
            "@id" | "@reverse" | "@container" | "@type" | "@language" | "@direction" | "@index"
            | "@nest" | "@prefix" | "@protected" => {}
            other => return Err(invalid(term, &format!("unknown member {:?}", shorten(other)))),
        }
    }
    Ok(())
}

fn read_containers(term: &str, value: Option<&Value>) -> Result<Containers, ContextError> {
    let wrong = || {
        let shown = value.map(ToString::to_string).unwrap_or_default();
        invalid(term, &format!("@container may not be {}", shorten(&shown)))
    };
    let read = |item: &Value| item.as_str().and_then(Containers::from_keyword).ok_or_else(wrong);
    let containers = match value {
        None => return Ok(Containers::NONE),
        Some(Value::Array(items)) if !items.is_empty() => {
            items.iter().try_fold(Containers::NONE, |all, item| {
                Ok::<_, ContextError>(all.union(read(item)?))
            })?
        }
        Some(item) => read(item)?,
    };
    if containers.is_allowed() { Ok(containers) } else { Err(wrong()) }
}

fn read_prefix(
    term: &str,
    value: Option<&Value>,
    definition: &TermDefinition,
) -> Result<bool, ContextError> {
    match value {
        None => Ok(false),
        Some(Value::Bool(_)) if term.contains([':', '/']) => {
            Err(invalid(term, "a term with a colon or slash is no prefix"))
        }
        Some(Value::Bool(true)) if definition.iri.as_deref().is_some_and(is_keyword) => {
            Err(invalid(term, "a keyword is no prefix"))
        }
        Some(Value::Bool(yes)) => Ok(*yes),
        Some(_) => Err(invalid(term, "@prefix is not a boolean")),
    }
}

fn read_unused(
    term: &str,
    members: &Map<String, Value>,
    definition: &TermDefinition,
) -> Result<Vec<(Box<str>, Value)>, ContextError> {
    let mut unused = Vec::new();
    for (key, value) in members {
        let is_valid = match key.as_str() {
            "@language" => value.is_string() || value.is_null(),
            "@direction" => matches!(value.as_str(), Some("ltr" | "rtl")) || value.is_null(),
            "@index" => value.is_string() && definition.containers.contains(Containers::INDEX),
            "@nest" => value.as_str().is_some_and(|text| text == "@nest" || !is_keyword(text)),
            _ => continue,
        };
        if !is_valid {
            let shown = shorten(&value.to_string());
            return Err(invalid(term, &format!("{key} may not be {shown}")));
        }
        unused.push((key.as_str().into(), value.clone()));
    }
    Ok(unused)
}

fn invalid(term: &str, reason: &str) -> ContextError {
    ContextError::InvalidTerm { term: shorten(term), reason: reason.to_owned() }
}

fn invalid_keyword(keyword: &str, value: &Value) -> ContextError {
    ContextError::InvalidKeyword { keyword: keyword.to_owned(), value: shorten(&value.to_string()) }
}
