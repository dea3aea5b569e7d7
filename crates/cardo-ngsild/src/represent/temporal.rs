//! The temporal representation of an entity (clauses 4.5.6 to 4.5.9).

use cardo_engine::{HistoryEvent, HistoryRow, ScopeChange};
use cardo_model::{InstanceRef, Kind, NameId, Record, Timestamp, write_json_string};
use cardo_query::TemporalProperty;

use super::entity::EntityWriter;

/// One line of an attribute's history, as it is written.
pub(crate) struct Point<'a> {
    pub(crate) name: NameId,
    pub(crate) row: &'a HistoryRow,
    /// The instance; none where one was deleted.
    pub(crate) instance: Option<InstanceRef<'a>>,
    /// The kind of what was deleted.
    pub(crate) kind: Kind,
}

impl<'a> Point<'a> {
    /// The points of a history, each deletion with the kind of what stood before it.
    pub(crate) fn all(rows: &'a [HistoryRow]) -> Vec<Self> {
        let mut points: Vec<Self> = Vec::with_capacity(rows.len());
        for row in rows {
            match &row.event {
                HistoryEvent::Instance { name, instance } => {
                    let Some(instance) = InstanceRef::from_bytes(instance) else { continue };
                    let kind = instance.kind();
                    points.push(Self { name: *name, row, instance: Some(instance), kind });
                }
                HistoryEvent::InstanceDeleted { name, .. } => {
                    let before = points.last().filter(|point| point.name == *name);
                    let kind = before.map_or(Kind::Property, |point| point.kind);
                    points.push(Self { name: *name, row, instance: None, kind });
                }
                HistoryEvent::Entity(_) | HistoryEvent::Deleted => {}
            }
        }
        points
    }

    /// The moment by which a temporal query judges the point.
    pub(crate) fn moment(&self, property: TemporalProperty) -> Option<Timestamp> {
        match (property, &self.instance) {
            (TemporalProperty::ObservedAt, Some(instance)) => instance.observed_at(),
            (TemporalProperty::CreatedAt, Some(instance)) => Some(instance.created_at()),
            (TemporalProperty::ModifiedAt, Some(instance)) => Some(instance.modified_at()),
            (TemporalProperty::DeletedAt | TemporalProperty::ModifiedAt, None) => {
                Some(self.row.time)
            }
            (TemporalProperty::DeletedAt, Some(_))
            | (TemporalProperty::ObservedAt | TemporalProperty::CreatedAt, None) => None,
        }
    }

    /// The dataset that the point belongs to.
    pub(crate) fn dataset_id(&self) -> Option<&str> {
        match (&self.instance, &self.row.event) {
            (Some(instance), _) => instance.dataset_id(),
            (None, HistoryEvent::InstanceDeleted { dataset_id, .. }) => {
                dataset_id.as_ref().map(cardo_model::Iri::as_str)
            }
            (None, _) => None,
        }
    }
}

/// Writes histories.
pub(crate) struct TemporalWriter<'w, 'a, 't> {
    pub(crate) writer: &'w mut EntityWriter<'a, 't>,
    /// Whether values and moments are written alone (clause 4.5.9).
    pub(crate) is_simplified: bool,
    /// Which moment stands beside a value then.
    pub(crate) property: TemporalProperty,
}

const NULL: &[u8] = b"\"urn:ngsi-ld:null\"";

impl TemporalWriter<'_, '_, '_> {
    /// Writes an entity with these points of its history.
    pub(crate) fn entity(
        &mut self,
        head: &Record,
        deleted_at: Option<Timestamp>,
        scopes: &[&ScopeChange],
        points: &[Point<'_>],
        in_body: bool,
    ) {
        let view = head.view();
        self.writer.out.push(b'{');
        if self.writer.shape.members.has_id() {
            self.writer.out.extend_from_slice(b"\"id\":\"");
            self.writer.out.extend_from_slice(view.id_bytes());
            self.writer.out.extend_from_slice(b"\",");
        }
        self.writer.types(view);
        if self.writer.shape.sys_attrs {
            self.writer.moment("createdAt", Some(view.created_at()));
            self.writer.moment("modifiedAt", Some(view.modified_at()));
            self.writer.moment("deletedAt", deleted_at);
        }
        if self.writer.shape.members.has_scope() {
            self.scopes(scopes);
        }
        let mut rest = points;
        while let Some(first) = rest.first() {
            let length = rest.iter().take_while(|point| point.name == first.name).count();
            let (series, behind) = rest.split_at(length);
            self.attribute(series);
            rest = behind;
        }
        if in_body {
            self.writer.context_member();
        }
        self.writer.close(b'}');
    }

    fn attribute(&mut self, series: &[Point<'_>]) {
        let key = self.writer.names.key(series[0].name);
        self.writer.out.extend_from_slice(key);
        if self.is_simplified {
            self.simplified(series);
        } else {
            self.writer.out.push(b'[');
            for point in series {
                self.instance(point);
                self.writer.out.push(b',');
            }
            self.writer.close(b']');
        }
        self.writer.out.push(b',');
    }

    fn instance(&mut self, point: &Point<'_>) {
        match point.instance {
            Some(instance) => self.writer.instance(&instance),
            None => self.deleted(point),
        }
        self.writer.out.pop();
        self.writer.out.extend_from_slice(b",\"instanceId\":\"urn:ngsi-ld:instance:");
        let mut digits = itoa::Buffer::new();
        self.writer.out.extend_from_slice(digits.format(point.row.revision.0).as_bytes());
        self.writer.out.push(b'-');
        self.writer.out.extend_from_slice(digits.format(point.row.ordinal).as_bytes());
        self.writer.out.push(b'-');
        self.writer.out.extend_from_slice(digits.format(point.name.as_u32()).as_bytes());
        if let Some(dataset) = point.instance.and_then(|instance| instance.dataset_id()) {
            self.writer.out.push(b'-');
            self.writer.out.extend_from_slice(digits.format(short_hash(dataset)).as_bytes());
        }
        self.writer.out.extend_from_slice(b"\"}");
    }

    /// Clause 4.5.7: NGSI-LD null, and when.
    fn deleted(&mut self, point: &Point<'_>) {
        let out = &mut *self.writer.out;
        out.extend_from_slice(b"{\"type\":\"");
        out.extend_from_slice(point.kind.as_str().as_bytes());
        out.extend_from_slice(b"\",\"");
        out.extend_from_slice(point.kind.value_member().as_bytes());
        out.extend_from_slice(b"\":");
        self.null(point.kind);
        self.writer.out.push(b',');
        if let Some(dataset_id) = point.dataset_id() {
            self.writer.out.extend_from_slice(b"\"datasetId\":");
            write_json_string(dataset_id, self.writer.out);
            self.writer.out.push(b',');
        }
        self.writer.moment("deletedAt", Some(point.row.time));
        self.writer.close(b'}');
    }

    fn null(&mut self, kind: Kind) {
        let out = &mut *self.writer.out;
        match kind {
            Kind::LanguageProperty => {
                out.extend_from_slice(b"{\"@none\":");
                out.extend_from_slice(NULL);
                out.push(b'}');
            }
            Kind::ListProperty | Kind::ListRelationship => {
                out.push(b'[');
                out.extend_from_slice(NULL);
                out.push(b']');
            }
            _ => out.extend_from_slice(NULL),
        }
    }

    fn simplified(&mut self, series: &[Point<'_>]) {
        let kind = series[0].kind;
        let member: &[u8] = match kind {
            Kind::Property | Kind::GeoProperty => b"values",
            Kind::Relationship => b"objects",
            Kind::LanguageProperty => b"languageMaps",
            Kind::VocabProperty => b"vocabs",
            Kind::JsonProperty => b"jsons",
            Kind::ListProperty => b"valueLists",
            Kind::ListRelationship => b"objectLists",
        };
        self.writer.out.extend_from_slice(b"{\"type\":\"");
        self.writer.out.extend_from_slice(kind.as_str().as_bytes());
        self.writer.out.extend_from_slice(b"\",\"");
        self.writer.out.extend_from_slice(member);
        self.writer.out.extend_from_slice(b"\":[");
        for point in series {
            self.writer.out.push(b'[');
            match point.instance {
                Some(instance) => self.writer.value(&instance),
                None => self.null(kind),
            }
            self.writer.out.extend_from_slice(b",\"");
            let moment = point.moment(self.property).unwrap_or(point.row.time);
            moment.write_to(self.writer.out);
            self.writer.out.extend_from_slice(b"\"],");
        }
        self.writer.close(b']');
        self.writer.out.push(b'}');
    }

    /// Clauses 4.5.6 and 4.18: scopes are reified here, with the times at which they were set; where
    /// they were removed stands NGSI-LD null.
    fn scopes(&mut self, changes: &[&ScopeChange]) {
        if changes.is_empty() {
            return;
        }
        self.writer.out.extend_from_slice(if self.is_simplified {
            b"\"scope\":{\"type\":\"Property\",\"values\":["
        } else {
            b"\"scope\":["
        });
        for change in changes {
            self.scope(change);
            self.writer.out.push(b',');
        }
        self.writer.close(b']');
        self.writer.out.extend_from_slice(if self.is_simplified { b"}," } else { b"," });
    }

    fn scope(&mut self, change: &ScopeChange) {
        let value = match change.scopes.as_slice() {
            [] => serde_json::json!("urn:ngsi-ld:null"),
            [one] => serde_json::json!(one),
            several => serde_json::json!(several),
        };
        let opening: &[u8] =
            if self.is_simplified { b"[" } else { b"{\"type\":\"Property\",\"value\":" };
        self.writer.out.extend_from_slice(opening);
        self.writer.out.extend_from_slice(value.to_string().as_bytes());
        self.writer.out.push(b',');
        if self.is_simplified {
            self.writer.out.push(b'"');
            change.since.write_to(self.writer.out);
            self.writer.out.extend_from_slice(b"\"]");
        } else {
            let moment = if change.scopes.is_empty() { "deletedAt" } else { "observedAt" };
            self.writer.moment(moment, Some(change.since));
            self.writer.close(b'}');
        }
    }
}

/// Tells the dataset ids of one attribute apart (FNV-1a).
fn short_hash(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
