//! The core contexts of NGSI-LD, built in (ETSI GS CIM 009, clause 4.4 and annex B).

mod terms;

use std::sync::{Arc, OnceLock};

use serde_json::{Map, Value, json};

use crate::term::{Coercion, Containers, TermDefinition};

pub(crate) const NGSI_LD: &str = "https://uri.etsi.org/ngsi-ld/";
pub(crate) const GEOJSON: &str = "https://purl.org/geojson/vocab#";
/// Names without a definition live here (clause 4.4: fallback `@vocab`).
pub const DEFAULT_VOCAB: &str = "https://uri.etsi.org/ngsi-ld/default-context/";
/// The newest core context, under the address that names its version.
pub const CORE_CONTEXT_URL: &str =
    "https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context-v1.9.jsonld";
/// The context that core context 1.9 names for proofs.
pub(crate) const DATA_INTEGRITY_URL: &str = "https://w3id.org/security/data-integrity/v2";

/// A published edition of the core context.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum CoreVersion {
    V1_3,
    V1_4,
    V1_5,
    V1_6,
    V1_7,
    V1_8,
    V1_9,
}

/// Terms with their definitions.
pub(crate) type Definitions = [(Arc<str>, Arc<TermDefinition>)];

/// What a term is besides its IRI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Plain,
    Id,
    Vocab,
    Json,
    Time,
    List,
    IdList,
    Set,
    Language,
    Index,
    /// Carries the scoped context of proofs.
    Proof,
}

impl CoreVersion {
    /// Every version, oldest first.
    pub const ALL: [Self; 7] =
        [Self::V1_3, Self::V1_4, Self::V1_5, Self::V1_6, Self::V1_7, Self::V1_8, Self::V1_9];
    /// The version that is always in force.
    pub const LATEST: Self = Self::V1_9;

    /// Major and minor number, such as `1.9`.
    pub fn number(self) -> &'static str {
        match self {
            Self::V1_3 => "1.3",
            Self::V1_4 => "1.4",
            Self::V1_5 => "1.5",
            Self::V1_6 => "1.6",
            Self::V1_7 => "1.7",
            Self::V1_8 => "1.8",
            Self::V1_9 => "1.9",
        }
    }

    /// The address under which the context is published.
    pub fn url(self) -> String {
        format!("{NGSI_LD}v1/ngsi-ld-core-context-v{}.jsonld", self.number())
    }

    /// The version that `url` names; the address without a version names the newest.
    pub fn from_url(url: &str) -> Option<Self> {
        let rest = url.strip_prefix("https:").or_else(|| url.strip_prefix("http:"))?;
        let file = rest.strip_prefix("//uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context")?;
        if file == ".jsonld" {
            return Some(Self::LATEST);
        }
        let number = file.strip_prefix("-v")?.strip_suffix(".jsonld")?;
        Self::ALL.into_iter().find(|version| version.number() == number)
    }

    /// The context as a JSON-LD document, to be served.
    pub fn document(self) -> Value {
        let mut context = Map::new();
        if self >= Self::V1_8 {
            context.insert("@version".into(), json!(1.1));
            context.insert("@protected".into(), json!(true));
        }
        for row in self.rows() {
            context.insert(row.0.into(), describe(row));
        }
        context.insert("@vocab".into(), DEFAULT_VOCAB.into());
        json!({ "@context": context })
    }

    fn rows(self) -> impl Iterator<Item = &'static terms::Row> {
        terms::ROWS.iter().filter(move |row| row.3 <= self && self <= row.4)
    }

    /// The term definitions of the version.
    pub(crate) fn definitions(self) -> &'static Definitions {
        static TABLES: [OnceLock<Box<Definitions>>; 7] = [const { OnceLock::new() }; 7];
        TABLES[self as usize]
            .get_or_init(|| self.rows().map(|row| (row.0.into(), Arc::new(define(row)))).collect())
    }
}

fn describe(&(name, iri, form, ..): &terms::Row) -> Value {
    let id = if iri.is_empty() { format!("ngsi-ld:{name}") } else { iri.to_owned() };
    match form {
        Form::Plain => id.into(),
        Form::Id => json!({ "@id": id, "@type": "@id" }),
        Form::Vocab => json!({ "@id": id, "@type": "@vocab" }),
        Form::Json => json!({ "@id": id, "@type": "@json" }),
        Form::Time => json!({ "@id": id, "@type": "DateTime" }),
        Form::List => json!({ "@id": id, "@container": "@list" }),
        Form::IdList => json!({ "@id": id, "@type": "@id", "@container": "@list" }),
        Form::Set => json!({ "@id": id, "@container": "@set" }),
        Form::Language => json!({ "@id": id, "@container": "@language" }),
        Form::Index => json!({ "@id": id, "@container": "@index" }),
        Form::Proof => json!({ "@id": id, "@context": [proof_scope(), DATA_INTEGRITY_URL] }),
    }
}

/// The terms sealed into a proof (clause 4.5.2.2, `ngsildproof`).
fn proof_scope() -> Value {
    json!({
        "entityIdSealed": "ngsi-ld:entityIdSealed",
        "entityTypeSealed": { "@id": "ngsi-ld:entityTypeSealed", "@type": "@vocab" }
    })
}

fn define(&(name, iri, form, ..): &terms::Row) -> TermDefinition {
    let full = match iri.split_once(':') {
        Some(("ngsi-ld", suffix)) => format!("{NGSI_LD}{suffix}"),
        Some(("geojson", suffix)) => format!("{GEOJSON}{suffix}"),
        Some(_) => iri.to_owned(),
        None if iri.is_empty() => format!("{NGSI_LD}{name}"),
        None if iri.starts_with('@') => iri.to_owned(),
        None => format!("{DEFAULT_VOCAB}{iri}"),
    };
    let coercion = match form {
        Form::Id | Form::IdList => Coercion::Id,
        Form::Vocab => Coercion::Vocab,
        Form::Json => Coercion::Json,
        Form::Time => Coercion::Datatype(format!("{NGSI_LD}DateTime").into()),
        _ => Coercion::Unset,
    };
    let containers = match form {
        Form::List | Form::IdList => Containers::LIST,
        Form::Set => Containers::SET,
        Form::Language => Containers::LANGUAGE,
        Form::Index => Containers::INDEX,
        _ => Containers::NONE,
    };
    let is_prefix = form == Form::Plain && matches!(name, "ngsi-ld" | "geojson");
    TermDefinition { iri: Some(full.into()), coercion, containers, is_prefix, ..Default::default() }
}

/// The terms that hold inside `ngsildproof`: the sealed names and those of a data-integrity proof
/// (W3C Verifiable Credential Data Integrity 1.0, context v2).
pub(crate) fn proof_definitions() -> &'static Definitions {
    static TABLE: OnceLock<Box<Definitions>> = OnceLock::new();
    const SECURITY: &str = "https://w3id.org/security#";
    const DATE_TIME: &str = "http://www.w3.org/2001/XMLSchema#dateTime";
    TABLE.get_or_init(|| {
        let sealed = |name: &str| format!("{NGSI_LD}{name}");
        let security = |name: &str| format!("{SECURITY}{name}");
        let datatype = |iri: &str| Coercion::Datatype(iri.into());
        [
            ("entityIdSealed", sealed("entityIdSealed"), Coercion::Unset),
            ("entityTypeSealed", sealed("entityTypeSealed"), Coercion::Vocab),
            ("proof", security("proof"), Coercion::Id),
            ("DataIntegrityProof", security("DataIntegrityProof"), Coercion::Unset),
            ("challenge", security("challenge"), Coercion::Unset),
            ("created", "http://purl.org/dc/terms/created".into(), datatype(DATE_TIME)),
            ("domain", security("domain"), Coercion::Unset),
            ("expires", security("expiration"), datatype(DATE_TIME)),
            ("nonce", security("nonce"), Coercion::Unset),
            ("previousProof", security("previousProof"), Coercion::Id),
            ("proofPurpose", security("proofPurpose"), Coercion::Vocab),
            ("cryptosuite", security("cryptosuite"), datatype(&security("cryptosuiteString"))),
            ("proofValue", security("proofValue"), datatype(&security("multibase"))),
            ("verificationMethod", security("verificationMethod"), Coercion::Id),
        ]
        .into_iter()
        .map(|(name, iri, coercion)| {
            let iri = Some(iri.into());
            (name.into(), Arc::new(TermDefinition { iri, coercion, ..Default::default() }))
        })
        .collect()
    })
}
