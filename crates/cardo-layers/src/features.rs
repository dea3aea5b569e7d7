use std::fmt::Write as _;
use std::sync::Arc;

use cardo_engine::LayerDescription;
use cardo_formats::geojson::write_geometry;
use cardo_formats::{FieldKind, FieldSchema, FieldValue, RecordGeometry};
use cardo_model::{
    Attribute, Entity, EntityId, Geometry, Instance, Iri, JsonText, NameId, Names, Record,
    RecordHeader, Revision, Seq, Timestamp, Value,
};
use cardo_spatial::{Aabb, onto_globe};

/// How the features of a layer are records: its columns are attributes under names of its own.
pub(crate) struct Features {
    layer: String,
    names: Arc<Names>,
    columns: Vec<(Arc<str>, FieldKind, NameId)>,
    /// The column of moments, where it is one alone: it is the time of features.
    instant: Option<NameId>,
}

const TYPE: u32 = 0;
const GEOMETRY: u32 = 1;
const FIRST_COLUMN: u32 = 2;

/// The attribute that places features, as everywhere (ETSI GS CIM 009, clause 4.7.1).
fn location() -> Iri {
    Iri::new("https://uri.etsi.org/ngsi-ld/location").expect("it is an IRI")
}

impl Features {
    pub(crate) fn new(layer: &str, schema: &[FieldSchema]) -> Self {
        let base = format!("urn:cardo:layer/{layer}");
        let names = Names::default();
        let type_name = Iri::new(base.clone()).expect("names of layers are plain");
        names.learn([(NameId::new(TYPE), type_name), (NameId::new(GEOMETRY), location())]);
        let mut columns = Vec::new();
        for (id, field) in (FIRST_COLUMN..).zip(schema) {
            let id = NameId::new(id);
            // What may not stand in an IRI is a line; what looks like another then has its number.
            let plain = |c: char| if c.is_alphanumeric() || "_-.".contains(c) { c } else { '_' };
            let mut name: String = field.name.chars().map(plain).collect();
            if names.id(&format!("{base}/{name}")).is_some() {
                let _ = write!(name, ".{}", id.as_u32());
            }
            let Ok(iri) = Iri::new(format!("{base}/{name}")) else { continue };
            if names.id(iri.as_str()).is_none() {
                names.learn([(id, iri)]);
                columns.push((field.name.clone(), field.kind, id));
            }
        }
        let mut moments = columns.iter().filter(|(_, kind, _)| *kind == FieldKind::DateTime);
        let instant = moments.next().filter(|_| moments.next().is_none()).map(|(_, _, id)| *id);
        Self { layer: layer.to_owned(), names: Arc::new(names), columns, instant }
    }

    /// What the layer is, told from a feature that has all that there can be.
    pub(crate) fn describe(&self, name: &str, bounds: Aabb, count: u64) -> LayerDescription {
        let mut sample = self.entity(0);
        for (_, kind, id) in &self.columns {
            let value = match kind {
                FieldKind::Bool => "true",
                FieldKind::Int | FieldKind::Float => "1",
                FieldKind::DateTime => {
                    sample.attributes.push(moment(*id, Timestamp::from_micros(0)));
                    continue;
                }
                FieldKind::Json => "{\"json\":true}",
                _ => "\"text\"",
            };
            sample.attributes.push(property(*id, JsonText::from_canonical(value)));
        }
        let place = RecordGeometry::flat(geo_point(&bounds));
        sample.attributes.extend(placed(&place));
        let samples = vec![encoded(&sample, 0)];
        let names = self.names.clone();
        let mut description =
            LayerDescription::new(name, names, samples, (&location(), bounds), count)
                .expect("the sample has a type");
        let instant = self.instant.and_then(|id| self.names.name(id));
        let mut columns = description.table.columns.iter();
        description.table.instant =
            columns.position(|column| Some(column.attribute()) == instant.as_ref());
        description
    }

    /// The feature at a place, with no more than some attributes where these are named; a geometry that is
    /// none is left out.
    pub(crate) fn record(
        &self,
        place: u64,
        record: &cardo_formats::Record,
        attributes: Option<&[NameId]>,
    ) -> Record {
        let is_wanted = |id| attributes.is_none_or(|wanted| wanted.contains(&id));
        let mut entity = self.entity(place);
        if is_wanted(NameId::new(GEOMETRY)) {
            entity.attributes.extend(record.geometry.as_ref().and_then(placed));
        }
        for (name, _, id) in self.columns.iter().filter(|(_, _, id)| is_wanted(*id)) {
            let Some(value) = record.field(name) else { continue };
            if let FieldValue::DateTime(text) = value
                && let Some(at) = read_moment(text)
            {
                let mut attribute = moment(*id, at);
                if self.instant == Some(*id) {
                    attribute.instances[0].observed_at = Some(at);
                }
                entity.attributes.push(attribute);
            } else if let Some(value) = to_json(value) {
                entity.attributes.push(property(*id, value));
            }
        }
        encoded(&entity, place)
    }

    fn entity(&self, place: u64) -> Entity<NameId> {
        Entity::new(EntityId::of_feature(&self.layer, place), NameId::new(TYPE))
    }
}

fn geo_point(bounds: &Aabb) -> geo_types::Point<f64> {
    bounds.center().into()
}

fn to_json(value: &FieldValue) -> Option<JsonText> {
    if value.is_null() {
        return None;
    }
    let mut text = String::new();
    value.write_json(&mut text);
    JsonText::parse(&text).ok()
}

fn property(name: NameId, value: JsonText) -> Attribute<NameId> {
    Attribute::new(name, Instance::new(Value::property(value, false)))
}

/// A property whose value is a moment by its datatype, so that conditions compare it as one.
fn moment(name: NameId, at: Timestamp) -> Attribute<NameId> {
    let value = Value::property(JsonText::string(&at.to_string()), false);
    let instance = Instance { value_type: Some("DateTime".into()), ..Instance::new(value) };
    Attribute::new(name, instance)
}

/// Reads a moment as files write it. What says no offset is taken as UTC, and a date as its beginning.
fn read_moment(text: &str) -> Option<Timestamp> {
    let text = text.trim().replacen(' ', "T", 1);
    let end = if text.len() == 10 { "T00:00:00Z" } else { "Z" };
    let moment = Timestamp::parse(&text).or_else(|_| Timestamp::parse(&format!("{text}{end}")));
    moment.ok()
}

fn placed(geometry: &RecordGeometry) -> Option<Attribute<NameId>> {
    let on_edge = onto_globe(&geometry.shape)
        .map(|shape| RecordGeometry { shape, heights: geometry.heights.clone() });
    let geometry = on_edge.as_ref().unwrap_or(geometry);
    let geometry = if geometry.heights.is_empty() {
        Geometry::from_shape(&geometry.shape)
    } else {
        Geometry::parse(&write_geometry(geometry))
    };
    let value = Value::geo(&geometry.ok()?);
    Some(Attribute::new(NameId::new(GEOMETRY), Instance::new(value)))
}

fn encoded(entity: &Entity<NameId>, place: u64) -> Record {
    // Nothing says when a feature came into its file.
    let moment = Timestamp::from_micros(0);
    let header = RecordHeader {
        seq: Seq::from_u64(place),
        created_at: moment,
        modified_at: moment,
        revision: Revision(0),
    };
    Record::encode(entity, header)
}
