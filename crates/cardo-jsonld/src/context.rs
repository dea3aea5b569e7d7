use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, OnceLock};

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use parking_lot::RwLock;

use crate::core_context::{CORE_CONTEXT_URL, CoreVersion, DEFAULT_VOCAB, proof_definitions};
use crate::definition::Active;
use crate::iri::{is_blank, is_iri, is_keyword, is_keyword_like, split_compact};
use crate::term::TermDefinition;

/// A compiled `@context`: the user's terms and those of the core, which always has precedence
/// (ETSI GS CIM 009, clauses 4.4 and 5.5.7).
///
/// Immutable and meant to be shared. Names that no term defines belong to the core's fallback
/// vocabulary, whatever `@vocab` the user's context sets, because the core stands last.
pub struct Context {
    terms: HashMap<Arc<str>, Term, RandomState>,
    inverse: HashMap<Arc<str>, Arc<str>, RandomState>,
    prefixes: Prefixes,
    learnt: RwLock<HashMap<Box<str>, Arc<str>, RandomState>>,
    proof: OnceLock<Option<Arc<Self>>>,
    description: Description,
}

struct Term {
    definition: Arc<TermDefinition>,
    /// Its IRI compacts to this very term.
    is_canonical: bool,
}

/// How answers name the context.
#[derive(Debug, Clone)]
pub(crate) struct Description {
    pub(crate) member: Arc<str>,
    pub(crate) link: Option<Arc<str>>,
    pub(crate) documents: Arc<[Arc<str>]>,
}

/// Terms that may stand before a colon, by the IRI they stand for.
#[derive(Default)]
struct Prefixes {
    by_iri: HashMap<Arc<str>, Arc<str>, RandomState>,
    /// The lengths that occur among these IRIs.
    lengths: Vec<usize>,
}

/// Names outside the terms that a context remembers.
const MAX_LEARNT: usize = 4_096;
const MAX_LEARNT_BYTES: usize = 256;

impl Context {
    /// The newest core context alone.
    pub fn core() -> Arc<Self> {
        static CORE: OnceLock<Arc<Context>> = OnceLock::new();
        let build = || {
            let url: Arc<str> = CORE_CONTEXT_URL.into();
            let member = format!("\"{url}\"").into();
            let description = Description { member, link: Some(url), documents: [].into() };
            Arc::new(Self::compile(Active::default(), description))
        };
        CORE.get_or_init(build).clone()
    }

    /// Puts the core over what the user's contexts have defined.
    pub(crate) fn compile(mut active: Active, description: Description) -> Self {
        for (name, definition) in CoreVersion::LATEST.definitions() {
            active.terms.insert(name.clone(), definition.clone());
        }
        Self::index(active.terms, description)
    }

    fn index(
        definitions: HashMap<Arc<str>, Arc<TermDefinition>, RandomState>,
        description: Description,
    ) -> Self {
        let inverse = invert(&definitions);
        let prefixes = Prefixes::collect(&definitions);
        let terms = definitions
            .into_iter()
            .map(|(name, definition)| {
                let best = definition.name().and_then(|iri| inverse.get(iri));
                let is_canonical = best.is_some_and(|best| *best == name);
                (name, Term { definition, is_canonical })
            })
            .collect();
        let learnt = RwLock::default();
        Self { terms, inverse, prefixes, learnt, proof: OnceLock::new(), description }
    }

    /// The IRI that a name means: a term, a compact IRI, an IRI, or a name of the vocabulary.
    ///
    /// Aliases give their keyword (`type` gives `@type`). None is given for names that mean
    /// nothing: the empty one, terms the context unmaps (`null`), and unknown `@` words.
    pub fn expand_term(&self, name: &str) -> Option<Arc<str>> {
        if let Some(term) = self.terms.get(name) {
            return term.definition.name().cloned();
        }
        if let Some(iri) = self.learnt.read().get(name) {
            return Some(iri.clone());
        }
        let iri: Arc<str> = self.derive(name)?.into();
        if name.len() <= MAX_LEARNT_BYTES {
            let mut learnt = self.learnt.write();
            if learnt.len() >= MAX_LEARNT {
                learnt.clear();
            }
            learnt.insert(name.into(), iri.clone());
        }
        Some(iri)
    }

    /// Expands a name that is no term (JSON-LD 1.1 API, section 5.2).
    fn derive<'a>(&self, name: &'a str) -> Option<Cow<'a, str>> {
        if is_keyword(name) {
            return Some(name.into());
        }
        if name.is_empty() || is_keyword_like(name) {
            return None;
        }
        if let Some((prefix, suffix)) = split_compact(name) {
            if prefix == "_" || suffix.starts_with("//") {
                return Some(name.into());
            }
            let prefix = self.terms.get(prefix).filter(|term| term.definition.is_prefix);
            if let Some(iri) = prefix.and_then(|term| term.definition.iri()) {
                return Some(format!("{iri}{suffix}").into());
            }
            if is_iri(name) {
                return Some(name.into());
            }
        }
        Some(format!("{DEFAULT_VOCAB}{name}").into())
    }

    /// The shortest name for an IRI: the term of the core, then the user's shortest term, then
    /// the name in the default vocabulary, then a compact IRI, else the IRI itself
    /// (JSON-LD 1.1 API, section 6.1; ETSI GS CIM 009, clause 5.5.7).
    ///
    /// What it gives expands to `iri` again.
    pub fn compact_iri<'a>(&'a self, iri: &'a str) -> Cow<'a, str> {
        if let Some(term) = self.inverse.get(iri) {
            return Cow::Borrowed(term);
        }
        if let Some(suffix) = iri.strip_prefix(DEFAULT_VOCAB)
            && (self.is_bare_name(suffix) || self.means(suffix, iri))
        {
            return Cow::Borrowed(suffix);
        }
        match self.compact_by_prefix(iri) {
            Some(compact) => Cow::Owned(compact),
            None => Cow::Borrowed(iri),
        }
    }

    fn compact_by_prefix(&self, iri: &str) -> Option<String> {
        let shorter = self.prefixes.lengths.iter().take_while(|length| **length < iri.len());
        shorter
            .filter_map(|length| {
                let (start, suffix) = (iri.get(..*length)?, iri.get(*length..)?);
                let prefix = self.prefixes.by_iri.get(start)?;
                let compact = format!("{prefix}:{suffix}");
                self.means(&compact, iri).then_some(compact)
            })
            .min_by(|a, b| by_length(a, b))
    }

    /// No term and nothing but a name of the vocabulary: neither keyword nor compact IRI.
    fn is_bare_name(&self, name: &str) -> bool {
        !name.is_empty()
            && !name.starts_with('@')
            && !name.contains(':')
            && !self.terms.contains_key(name)
    }

    fn means(&self, name: &str, iri: &str) -> bool {
        match self.terms.get(name) {
            Some(term) => term.definition.name().is_some_and(|own| &**own == iri),
            None => self.derive(name).is_some_and(|own| own == iri),
        }
    }

    /// What the context says of a term; none for names that are no terms.
    pub fn coercion(&self, term: &str) -> Option<&TermDefinition> {
        self.terms.get(term).map(|term| term.definition.as_ref())
    }

    /// The IRI under which a member of a value is held, or the key itself where the context
    /// would not give the same key back: keywords and their aliases, second names of an IRI,
    /// unmapped terms.
    ///
    /// Paths into values (clause 4.9, trailing paths) are to be expanded with this too.
    pub fn expand_member<'a>(&self, key: &'a str) -> Cow<'a, str> {
        let iri = match self.terms.get(key) {
            Some(term) => match term.definition.name() {
                Some(iri) if term.is_canonical => return Cow::Owned(iri.to_string()),
                _ => return Cow::Borrowed(key),
            },
            None => self.derive(key),
        };
        // A bare name is given back unless its IRI has a term.
        let is_bare = !key.starts_with('@') && !key.contains(':');
        match iri {
            Some(iri) if is_bare && !self.inverse.contains_key(iri.as_ref()) => {
                Cow::Owned(iri.into_owned())
            }
            Some(iri) if !is_keyword(&iri) && !is_blank(&iri) && self.compact_iri(&iri) == key => {
                Cow::Owned(iri.into_owned())
            }
            _ => Cow::Borrowed(key),
        }
    }

    /// The context that holds inside an attribute of this IRI: `ngsildproof` is the one attribute
    /// with a scoped context of its own (clause 4.5.2.2, annex B); for others there is none.
    pub fn scoped(&self, attribute: &str) -> Option<Arc<Self>> {
        const PROOF: &str = "https://uri.etsi.org/ngsi-ld/ngsildproof";
        if attribute != PROOF {
            return None;
        }
        let build = || {
            let own = self.terms.iter().map(|(name, term)| (name.clone(), term.definition.clone()));
            let all = own.chain(proof_definitions().iter().cloned()).collect();
            Some(Arc::new(Self::index(all, self.description.clone())))
        };
        self.proof.get_or_init(build).clone()
    }

    /// The value of the member `@context` in answers, as JSON text: what the user gave, and the
    /// core last (clauses 5.2.3 and 6.3.6).
    pub fn member(&self) -> &Arc<str> {
        &self.description.member
    }

    /// The address for the `Link` header of answers, where one URL says it all (clause 6.3.6).
    ///
    /// None for contexts given in place and for several URLs: such a context must first be stored
    /// and served (clause 5.13.1, `ImplicitlyCreated`).
    pub fn link(&self) -> Option<&Arc<str>> {
        self.description.link.as_ref()
    }

    /// The documents this context was made from, without the built-in ones.
    pub fn documents(&self) -> &[Arc<str>] {
        &self.description.documents
    }

    /// How many terms are defined, those of the core included.
    pub fn len(&self) -> usize {
        self.terms.len()
    }

    /// Always false: the core is in every context.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// The terms and what is said of them, in no order.
    pub fn terms(&self) -> impl Iterator<Item = (&str, &TermDefinition)> {
        self.terms.iter().map(|(name, term)| (&**name, term.definition.as_ref()))
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Context({}, {} terms)", self.description.member, self.terms.len())
    }
}

impl Prefixes {
    fn collect(definitions: &HashMap<Arc<str>, Arc<TermDefinition>, RandomState>) -> Self {
        let mut this = Self::default();
        for (name, definition) in definitions {
            let Some(iri) = definition.iri().filter(|_| definition.is_prefix) else { continue };
            let best = this.by_iri.entry(iri.clone()).or_insert_with(|| name.clone());
            if by_length(name, best).is_lt() {
                *best = name.clone();
            }
            this.lengths.push(iri.len());
        }
        this.lengths.sort_unstable();
        this.lengths.dedup();
        this
    }
}

/// For every IRI its term: that of the core, else the shortest, else the first by its letters.
fn invert(
    definitions: &HashMap<Arc<str>, Arc<TermDefinition>, RandomState>,
) -> HashMap<Arc<str>, Arc<str>, RandomState> {
    let mut inverse: HashMap<Arc<str>, Arc<str>, RandomState> = HashMap::default();
    for (name, definition) in definitions {
        let Some(iri) = definition.name().filter(|iri| !is_keyword(iri)) else { continue };
        let best = inverse.entry(iri.clone()).or_insert_with(|| name.clone());
        if by_length(name, best).is_lt() {
            *best = name.clone();
        }
    }
    for (name, definition) in CoreVersion::LATEST.definitions() {
        let Some(iri) = definition.name().filter(|iri| !is_keyword(iri)) else { continue };
        if let Some(term) = inverse.get_mut(iri) {
            *term = name.clone();
        }
    }
    inverse
}

fn by_length(a: &str, b: &str) -> std::cmp::Ordering {
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}
