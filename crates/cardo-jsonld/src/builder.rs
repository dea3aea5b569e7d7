use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use oxiri::{Iri, IriRef};
use serde_json::{Map, Value};

use crate::context::{Context, Description};
use crate::core_context::{
    CORE_CONTEXT_URL, CoreVersion, DATA_INTEGRITY_URL, DEFAULT_VOCAB, Definitions,
    proof_definitions,
};
use crate::definition::{Active, LocalContext};
use crate::error::{ContextError, shorten};

/// How large contexts may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one document.
    pub document_bytes: usize,
    /// Documents that one context may need.
    pub documents: usize,
    /// How deep documents may name one another.
    pub depth: usize,
    /// Contexts of all kinds that are processed one after another, repetitions counted.
    pub contexts: usize,
    /// Terms, those of the core included.
    pub terms: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { document_bytes: 1 << 20, documents: 32, depth: 8, contexts: 100, terms: 20_000 }
    }
}

/// A context document that was fetched: the `@context` member of a JSON file.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    url: Arc<str>,
    context: Value,
}

impl Document {
    /// Reads the document found at `url`; all but its `@context` is dropped (clause 5.13.2.3).
    pub fn parse(url: &str, bytes: &[u8], limits: &Limits) -> Result<Self, ContextError> {
        let url: Arc<str> = url.into();
        if bytes.len() > limits.document_bytes {
            let what = format!("bytes of the context document {url}");
            return Err(ContextError::TooLarge { what, limit: limits.document_bytes });
        }
        let document: Value = serde_json::from_slice(bytes).map_err(|error| {
            ContextError::NotJson { url: url.clone(), reason: error.to_string() }
        })?;
        let Value::Object(mut members) = document else {
            return Err(ContextError::NoContext(url));
        };
        match members.shift_remove("@context") {
            Some(context) => Ok(Self { url, context }),
            None => Err(ContextError::NoContext(url)),
        }
    }

    /// Where the document was found.
    pub fn url(&self) -> &Arc<str> {
        &self.url
    }

    /// The value of its `@context`.
    pub fn context(&self) -> &Value {
        &self.context
    }
}

/// Makes a [`Context`] of what a client gave, asking for the documents it needs.
///
/// The builder fetches nothing: whoever drives it does, and hands the documents back.
///
/// ```
/// use cardo_jsonld::{ContextBuilder, Document, Limits, Step};
///
/// let source = serde_json::json!("https://example.org/context.jsonld");
/// let mut builder = ContextBuilder::new(source, Limits::default());
/// let Step::Needs(urls) = builder.step()? else { panic!("a document is needed") };
/// let text = br#"{"@context": {"name": "https://schema.org/name"}}"#;
/// builder.supply(Document::parse(&urls[0], text, &Limits::default())?.into());
/// let Step::Ready(context) = builder.step()? else { panic!("nothing else is needed") };
/// assert_eq!(context.expand_term("name").as_deref(), Some("https://schema.org/name"));
/// # Ok::<(), cardo_jsonld::ContextError>(())
/// ```
#[derive(Debug)]
pub struct ContextBuilder {
    source: Value,
    limits: Limits,
    documents: HashMap<Arc<str>, Arc<Document>, RandomState>,
}

/// How far a [`ContextBuilder`] has come.
#[derive(Debug)]
pub enum Step {
    /// The context is made.
    Ready(Arc<Context>),
    /// The documents of these URLs must be supplied first.
    Needs(Vec<Arc<str>>),
}

impl ContextBuilder {
    /// Begins with the value of an `@context` member, or the URL of a `Link` header as a string.
    pub fn new(source: Value, limits: Limits) -> Self {
        Self { source, limits, documents: HashMap::default() }
    }

    /// Hands over a document that [`ContextBuilder::step`] asked for.
    pub fn supply(&mut self, document: Arc<Document>) {
        self.documents.insert(document.url.clone(), document);
    }

    /// Makes the context, or says what is missing.
    pub fn step(&mut self) -> Result<Step, ContextError> {
        let mut walk = Walk {
            documents: &self.documents,
            limits: self.limits,
            parts: Vec::new(),
            used: Vec::new(),
            missing: Vec::new(),
            within: Vec::new(),
        };
        walk.visit(&self.source, None)?;
        if !walk.missing.is_empty() {
            return Ok(Step::Needs(walk.missing));
        }
        let active = process(&walk.parts, self.limits)?;
        // The core may also stand at the end of a document that the source names last.
        let ends_with_core = matches!(walk.parts.last(), Some(Part::Core(_)));
        let description = describe(&self.source, walk.used.into(), ends_with_core);
        Ok(Step::Ready(Arc::new(Context::compile(active, description))))
    }

    /// Drives the builder with a function that gives the document of a URL.
    pub fn build_with<E: From<ContextError>>(
        mut self,
        mut load: impl FnMut(&str) -> Result<Vec<u8>, E>,
    ) -> Result<Arc<Context>, E> {
        loop {
            match self.step()? {
                Step::Ready(context) => return Ok(context),
                Step::Needs(urls) => {
                    for url in urls {
                        let document = Document::parse(&url, &load(&url)?, &self.limits)?;
                        self.supply(document.into());
                    }
                }
            }
        }
    }
}

/// One context of those that are processed in order.
enum Part<'a> {
    Reset,
    Core(CoreVersion),
    DataIntegrity,
    Object(&'a Map<String, Value>),
    Imported(Map<String, Value>),
}

/// Flattens nested arrays and documents into parts.
struct Walk<'a> {
    documents: &'a HashMap<Arc<str>, Arc<Document>, RandomState>,
    limits: Limits,
    parts: Vec<Part<'a>>,
    used: Vec<Arc<str>>,
    missing: Vec<Arc<str>>,
    within: Vec<&'a str>,
}

impl<'a> Walk<'a> {
    fn visit(&mut self, context: &'a Value, base: Option<&str>) -> Result<(), ContextError> {
        match context {
            Value::Null => self.push(Part::Reset),
            Value::String(reference) => self.visit_url(reference, base),
            Value::Array(items) => {
                for item in items {
                    if item.is_array() {
                        return Err(not_a_context(item));
                    }
                    self.visit(item, base)?;
                }
                Ok(())
            }
            Value::Object(members) => match members.get("@import") {
                None => self.push(Part::Object(members)),
                Some(import) => self.import(members, import, base),
            },
            Value::Bool(_) | Value::Number(_) => Err(not_a_context(context)),
        }
    }

    fn push(&mut self, part: Part<'a>) -> Result<(), ContextError> {
        if self.parts.len() >= self.limits.contexts {
            let what = "contexts that include one another".to_owned();
            return Err(ContextError::TooLarge { what, limit: self.limits.contexts });
        }
        self.parts.push(part);
        Ok(())
    }

    fn visit_url(&mut self, reference: &str, base: Option<&str>) -> Result<(), ContextError> {
        let url = resolve(reference, base)?;
        if let Some(version) = CoreVersion::from_url(&url) {
            return self.push(Part::Core(version));
        }
        if url == DATA_INTEGRITY_URL {
            return self.push(Part::DataIntegrity);
        }
        let Some(document) = self.document(&url)? else { return Ok(()) };
        if self.within.contains(&&*document.url) {
            return Err(ContextError::Cyclic(document.url.clone()));
        }
        if self.within.len() >= self.limits.depth {
            let what = format!("documents that lead to the context {}", document.url);
            return Err(ContextError::TooLarge { what, limit: self.limits.depth });
        }
        // Documents that hold nothing but references count too, or they could multiply.
        self.push(Part::Imported(Map::new()))?;
        self.within.push(&document.url);
        self.visit(&document.context, Some(&document.url))?;
        self.within.pop();
        Ok(())
    }

    /// Finds a supplied document, or notes that it is missing.
    fn document(&mut self, url: &str) -> Result<Option<&'a Document>, ContextError> {
        let document = self.documents.get(url);
        let list = if document.is_some() { &mut self.used } else { &mut self.missing };
        if !list.iter().any(|known| &**known == url) {
            list.push(url.into());
        }
        if self.used.len() + self.missing.len() > self.limits.documents {
            let what = "documents that the context needs".to_owned();
            return Err(ContextError::TooLarge { what, limit: self.limits.documents });
        }
        Ok(document.map(AsRef::as_ref))
    }

    /// `@import`: the members of another document under those of this context
    /// (JSON-LD 1.1 API, section 4.1.2 step 5.6).
    fn import(
        &mut self,
        members: &'a Map<String, Value>,
        import: &Value,
        base: Option<&str>,
    ) -> Result<(), ContextError> {
        let Value::String(reference) = import else {
            let value = shorten(&import.to_string());
            return Err(ContextError::InvalidKeyword { keyword: "@import".to_owned(), value });
        };
        let url = resolve(reference, base)?;
        let imported = match CoreVersion::from_url(&url) {
            Some(version) => {
                self.push(Part::Core(version))?;
                Map::new()
            }
            None => match self.document(&url)?.map(|document| &document.context) {
                None => return Ok(()),
                Some(Value::Object(imported)) if !imported.contains_key("@import") => {
                    imported.clone()
                }
                Some(other) => return Err(not_a_context(other)),
            },
        };
        let mut merged = imported;
        for (key, value) in members.iter().filter(|(key, _)| *key != "@import") {
            merged.insert(key.clone(), value.clone());
        }
        self.push(Part::Imported(merged))
    }
}

/// Processes the parts in order, beginning with the core, so that its terms and prefixes can be
/// leaned on; the core is laid over the result once more when it is compiled.
fn process(parts: &[Part<'_>], limits: Limits) -> Result<Active, ContextError> {
    let mut active = initial();
    for part in parts {
        match part {
            Part::Reset => {
                let protected = active.terms.iter().find(|(_, definition)| definition.is_protected);
                if let Some((term, _)) = protected {
                    return Err(ContextError::Protected(shorten(term)));
                }
                active = initial();
            }
            Part::Core(version) => put_all(&mut active, version.definitions()),
            Part::DataIntegrity => {
                // Its other terms are scoped to a proof, and no user context scopes terms.
                let is_open = |name: &str| matches!(name, "proof" | "DataIntegrityProof");
                let open = proof_definitions().iter().filter(|(name, _)| is_open(name));
                active.terms.extend(open.cloned());
            }
            Part::Object(members) => LocalContext::apply(&mut active, members)?,
            Part::Imported(members) => LocalContext::apply(&mut active, members)?,
        }
        if active.terms.len() > limits.terms {
            let what = "terms of the context".to_owned();
            return Err(ContextError::TooLarge { what, limit: limits.terms });
        }
    }
    Ok(active)
}

fn put_all(active: &mut Active, definitions: &Definitions) {
    active.terms.extend(definitions.iter().cloned());
}

fn initial() -> Active {
    let mut active = Active { vocab: Some(DEFAULT_VOCAB.into()), ..Default::default() };
    put_all(&mut active, CoreVersion::LATEST.definitions());
    active
}

fn resolve(reference: &str, base: Option<&str>) -> Result<String, ContextError> {
    let invalid = || ContextError::InvalidUrl(shorten(reference));
    let url = match base {
        None => Iri::parse(reference.to_owned()).map_err(|_| invalid())?,
        Some(base) => {
            let base = Iri::parse(base).map_err(|_| invalid())?;
            let reference = IriRef::parse(reference).map_err(|_| invalid())?;
            base.resolve(&reference).map_err(|_| invalid())?
        }
    };
    if matches!(url.scheme(), "http" | "https") { Ok(url.into_inner()) } else { Err(invalid()) }
}

fn not_a_context(value: &Value) -> ContextError {
    ContextError::NotAContext(shorten(&value.to_string()))
}

/// Clauses 5.2.3 and 6.3.6: the user's context and then the core.
fn describe(source: &Value, documents: Arc<[Arc<str>]>, ends_with_core: bool) -> Description {
    let mut entries: Vec<Value> = match source {
        Value::Null => Vec::new(),
        Value::Array(items) => items.clone(),
        single => vec![single.clone()],
    };
    let is_core = |entry: &Value| entry.as_str().and_then(CoreVersion::from_url).is_some();
    if !ends_with_core && !entries.last().is_some_and(is_core) {
        entries.push(CORE_CONTEXT_URL.into());
    }
    let own: Vec<&Value> = entries.iter().filter(|entry| !is_core(entry)).collect();
    let link = match own.as_slice() {
        [] if entries.len() == 1 => entries[0].as_str(),
        [] => Some(CORE_CONTEXT_URL),
        [Value::String(url)] => Some(url.as_str()),
        _ => None,
    };
    let link = link.map(Arc::from);
    let member = match entries.as_slice() {
        [single] => single.to_string(),
        _ => Value::Array(entries).to_string(),
    };
    Description { member: member.into(), link, documents }
}
