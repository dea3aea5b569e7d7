use std::sync::Arc;

use axum::body::Body;
use axum::http::Response;
use cardo_engine::{MergeOptions, Operation};
use cardo_model::{AttributeFragment, Fragment, Iri, Kind, Names, Record, Value};

use crate::face::Face;
use crate::fault::Fault;
use crate::parse::{Document, Reading, shorten, utc};
use crate::represent::Format;
use crate::request::Ask;

/// Merge entity (clause 5.6.17).
pub(crate) async fn merge(
    face: &Arc<Face>,
    ask: &Ask<'_>,
    body: Body,
) -> Result<Response<Body>, Fault> {
    let known = ["options", "format", "observedAt", "lang", "local", "type"];
    let params = ask.params(&known, &[])?;
    let (format, _) = super::entities::format_of(&params)?;
    let is_simplified = format == Format::Simplified;
    let observed_at = params.get("observedAt").map(utc).transpose();
    let options = MergeOptions {
        no_overwrite: false,
        observed_at: observed_at.map_err(|error| Fault::bad_data(error.to_string()))?,
        lang: params.get("lang").map(Box::from),
    };
    let id = ask.id(1)?;
    let payload = face.payload(ask, body).await?;
    let record = face.target(ask, &id, params.get("type")).await?;
    let document = Document::from_body(&payload.bytes)?;
    let naming = face.document_naming(&payload, document.context()?).await?;
    let reading = Reading::MERGE.simplified(is_simplified);
    let (id, fragment) = face.reader(&naming).fragment(&document, Some(&id), reading)?;
    if is_simplified && let Some(record) = record {
        check_simplified(&fragment, &record, face.engine.names())?;
    }
    let operation = Operation::Merge { id, fragment, options };
    Ok(face.apply_far(ask, &naming, operation).await?.no_content())
}

/// A simplified value keeps the type of the attribute that it is merged into (clause 5.6.17.4);
/// that of a relationship has to be a URI or a list of them.
fn check_simplified(fragment: &Fragment, record: &Record, names: &Names) -> Result<(), Fault> {
    for AttributeFragment { name, instances } in &fragment.attributes {
        for instance in instances.iter().filter(|instance| instance.kind.is_none()) {
            let dataset_id = instance.dataset_id.as_ref();
            let kind = stored_kind(record, names, name, dataset_id);
            let Some(value) = instance.value.as_ref().filter(|value| !value.is_null()) else {
                continue;
            };
            if matches!(kind, Some(Kind::Relationship | Kind::ListRelationship)) {
                check_objects(value)?;
            }
        }
    }
    Ok(())
}

fn check_objects(value: &Value) -> Result<(), Fault> {
    let text = value.as_json();
    let objects: Result<Vec<String>, _> = if text.starts_with('[') {
        serde_json::from_str(text)
    } else {
        serde_json::from_str(text).map(|one| vec![one])
    };
    let shown = || Fault::bad_data(format!("{} is no URI of an entity", shorten(text)));
    for object in objects.map_err(|_| shown())? {
        Iri::new(object)?;
    }
    Ok(())
}

fn stored_kind(
    record: &Record,
    names: &Names,
    name: &Iri,
    dataset_id: Option<&Iri>,
) -> Option<Kind> {
    let attribute = record.view().attribute(names.id(name.as_str())?)?;
    attribute.instance(dataset_id.map(Iri::as_str)).map(|instance| instance.kind())
}
