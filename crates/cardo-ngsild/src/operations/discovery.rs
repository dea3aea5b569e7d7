//! Which types and attributes there are (clauses 5.7.5 to 5.7.10).

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Body;
use axum::http::Response;
use cardo_engine::{AskedSources, AttributeInfo, Contributions, Snapshot, TypeInfo};
use cardo_jsonld::Context;
use cardo_model::{Iri, Kind};
use cardo_query::Filter;
use serde_json::{Value, json};

use super::ContextNames;
use crate::face::Face;
use crate::fault::Fault;
use crate::federation::warned;
use crate::represent::Naming;
use crate::request::{Ask, JSON_TYPES, Media, flag};

type Answer = Result<Response<Body>, Fault>;

/// What all types together know of an attribute.
#[derive(Default)]
struct Attribute<'a> {
    count: usize,
    kinds: Vec<Kind>,
    types: Vec<&'a Iri>,
}

/// Retrieve available types, or their details (clauses 5.7.5 and 5.7.6).
pub(crate) async fn types(face: &Arc<Face>, ask: &Ask<'_>, _: Body) -> Answer {
    let begun = Begun::new(face, ask, &["details", "local"]).await?;
    begun.snapshot.check(&Filter::True)?;
    let context = begun.naming.context();
    let body = if begun.details {
        begun.types.iter().map(|info| type_details(info, context)).collect()
    } else {
        json!({
            "id": list_id("EntityTypeList"),
            "type": "EntityTypeList",
            "typeList": begun.types.iter().map(|info| short(&info.name, context)).collect::<Vec<_>>(),
        })
    };
    begun.answer(face, ask, body)
}

fn type_details(info: &TypeInfo, context: &Context) -> Value {
    let attributes = info.attributes.iter().map(|attribute| short(&attribute.name, context));
    json!({
        "id": info.name.as_str(),
        "type": "EntityType",
        "typeName": short(&info.name, context),
        "attributeNames": attributes.collect::<Vec<_>>(),
    })
}

/// Retrieve what is known of a type (clause 5.7.7).
pub(crate) async fn one_type(face: &Arc<Face>, ask: &Ask<'_>, _: Body) -> Answer {
    let segment = ask.segment(1)?;
    let about = |context: &Context| Ok(Filter::Type(ContextNames(context).name(&segment)?));
    let begun = Begun::about(face, ask, &["local"], about).await?;
    let context = begun.naming.context();
    let name = ContextNames(context).name(&segment)?;
    let info = begun.types.iter().find(|info| info.name == name);
    let Some(info) = info else {
        let missing = Fault::not_found(format!("no entity is of the type {name}"));
        return begun.warned(ask, Err(missing));
    };
    let attributes = info.attributes.iter().map(|attribute: &AttributeInfo| {
        json!({
            "id": attribute.name.as_str(),
            "type": "Attribute",
            "attributeName": short(&attribute.name, context),
            "attributeTypes": kind_names(&attribute.kinds),
        })
    });
    let body = json!({
        "id": info.name.as_str(),
        "type": "EntityTypeInfo",
        "typeName": short(&info.name, context),
        "entityCount": info.count,
        "attributeDetails": attributes.collect::<Vec<_>>(),
    });
    begun.answer(face, ask, body)
}

/// Retrieve available attributes, or their details (clauses 5.7.8 and 5.7.9).
pub(crate) async fn attributes(face: &Arc<Face>, ask: &Ask<'_>, _: Body) -> Answer {
    let begun = Begun::new(face, ask, &["details", "local"]).await?;
    begun.snapshot.check(&Filter::True)?;
    let context = begun.naming.context();
    let known = by_attribute(&begun.types);
    let body = if begun.details {
        known.iter().map(|(name, attribute)| attribute_details(name, attribute, context)).collect()
    } else {
        json!({
            "id": list_id("AttributeList"),
            "type": "AttributeList",
            "attributeList": known.keys().map(|name| short(name, context)).collect::<Vec<_>>(),
        })
    };
    begun.answer(face, ask, body)
}

fn attribute_details(name: &Iri, attribute: &Attribute<'_>, context: &Context) -> Value {
    let types = attribute.types.iter().map(|name| short(name, context));
    json!({
        "id": name.as_str(),
        "type": "Attribute",
        "attributeName": short(name, context),
        "typeNames": types.collect::<Vec<_>>(),
    })
}

/// Retrieve what is known of an attribute (clause 5.7.10).
pub(crate) async fn one_attribute(face: &Arc<Face>, ask: &Ask<'_>, _: Body) -> Answer {
    let term = ask.segment(1)?;
    if matches!(term.as_ref(), "id" | "@id" | "type" | "@type" | "scope") {
        return Err(Fault::not_found(format!("{term:?} is a member of entities and no attribute")));
    }
    let about = |context: &Context| Ok(Filter::HasAttribute(ContextNames(context).name(&term)?));
    let begun = Begun::about(face, ask, &["local"], about).await?;
    let context = begun.naming.context();
    let name = ContextNames(context).name(&term)?;
    let known = by_attribute(&begun.types);
    let Some(attribute) = known.get(&name) else {
        let missing = Fault::not_found(format!("no entity has the attribute {name}"));
        return begun.warned(ask, Err(missing));
    };
    let mut body = attribute_details(&name, attribute, context);
    body["attributeCount"] = attribute.count.into();
    body["attributeTypes"] = json!(kind_names(&attribute.kinds));
    begun.answer(face, ask, body)
}

fn by_attribute(types: &[TypeInfo]) -> BTreeMap<&Iri, Attribute<'_>> {
    let mut known: BTreeMap<&Iri, Attribute<'_>> = BTreeMap::new();
    for info in types {
        for attribute in &info.attributes {
            let entry = known.entry(&attribute.name).or_default();
            entry.count += attribute.count;
            entry.types.push(&info.name);
            let new = attribute.kinds.iter().filter(|kind| !entry.kinds.contains(kind));
            let new: Vec<Kind> = new.copied().collect();
            entry.kinds.extend(new);
        }
    }
    known
}

fn kind_names(kinds: &[Kind]) -> Vec<&'static str> {
    kinds.iter().map(|kind| kind.as_str()).collect()
}

fn short<'a>(name: &'a Iri, context: &'a Context) -> Cow<'a, str> {
    context.compact_iri(name.as_str())
}

fn list_id(kind: &str) -> String {
    format!("urn:ngsi-ld:{kind}:{}", uuid::Uuid::new_v4())
}

/// What all of these operations begin with.
struct Begun {
    media: Media,
    naming: Arc<Naming>,
    details: bool,
    types: Vec<TypeInfo>,
    contributions: Option<Contributions>,
    snapshot: Snapshot,
}

impl Begun {
    async fn new(face: &Arc<Face>, ask: &Ask<'_>, known: &[&'static str]) -> Result<Self, Fault> {
        Self::about(face, ask, known, |_| Ok(Filter::True)).await
    }

    /// The same about one type or attribute alone.
    async fn about(
        face: &Arc<Face>,
        ask: &Ask<'_>,
        known: &[&'static str],
        about: impl FnOnce(&Context) -> Result<Filter, Fault> + Send,
    ) -> Result<Self, Fault> {
        let params = ask.params(known, &[])?;
        let media = ask.media(&JSON_TYPES)?;
        let details = flag(&params, "details")?.unwrap_or(false);
        let naming = face.link_naming(ask).await?;
        let about = about(naming.context())?;
        let snapshot = face.snapshot(ask).await?;
        snapshot.check(&about)?;
        let caller = ask.caller_to(&naming, AskedSources::default());
        let (types, contributions) = face.engine.known_types(&caller, &snapshot, &about).await?;
        Ok(Self { media, naming, details, types, contributions, snapshot })
    }

    fn answer(&self, face: &Face, ask: &Ask<'_>, mut body: Value) -> Answer {
        if self.media == Media::JsonLd {
            add_context(&mut body, &self.naming);
        }
        let body = body.to_string().into_bytes();
        let answer =
            face.answer_tagged(ask, self.media, &self.naming, body, self.snapshot.revision());
        self.warned(ask, Ok(answer))
    }

    fn warned(&self, ask: &Ask<'_>, answer: Answer) -> Answer {
        warned(answer, self.contributions.as_deref(), &ask.caller)
    }
}

/// Puts the `@context` into a document, or into each of a list.
pub(crate) fn add_context(body: &mut Value, naming: &Naming) {
    let member: Value = serde_json::from_str(naming.context().member())
        .expect("a context describes itself in JSON");
    match body {
        Value::Array(items) => {
            for item in items {
                item["@context"] = member.clone();
            }
        }
        single => single["@context"] = member,
    }
}
