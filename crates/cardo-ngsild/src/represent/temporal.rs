//! The temporal representation of an entity (clauses 4.5.6 to 4.5.9 and 4.5.19).

use std::fmt::Write as _;

use cardo_engine::{
    Aggregate, AggregateValue, AttributeAggregates, EntityHistory, HistoryEvent, HistoryRow,
    OF_SOURCES, ScopeChange, moment,
};
use cardo_model::{InstanceRef, Iri, Kind, NameId, write_json_string};
use cardo_query::TemporalProperty;

use super::entity::EntityWriter;

/// How histories are written.
#[derive(Clone, Copy)]
pub(crate) enum TemporalForm<'a> {
    /// Every instance whole.
    Normalized,
    /// Values alone, each with its moment of this property (clause 4.5.9).
    Simplified(TemporalProperty),
    /// What was made of the values (clause 4.5.19).
    Aggregated(&'a [AttributeAggregates]),
}

/// Writes histories.
pub(crate) struct TemporalWriter<'w, 'a, 't, 'f> {
    pub(crate) writer: &'w mut EntityWriter<'a, 't>,
    pub(crate) form: TemporalForm<'f>,
}

/// One line of an attribute's history, as it is written.
struct Point<'a> {
    name: NameId,
    row: &'a HistoryRow,
    /// The instance; none where one was deleted.
    instance: Option<InstanceRef<'a>>,
    kind: Kind,
}

const NULL: &[u8] = b"\"urn:ngsi-ld:null\"";

/// The id of an instance: the revision and the line that wrote it, the attribute and the dataset.
pub(crate) fn instance_id(row: &HistoryRow) -> Option<String> {
    // Those of sources cannot be addressed here.
    if row.revision == OF_SOURCES {
        return None;
    }
    let (name, dataset) = match &row.event {
        HistoryEvent::Instance { name, instance } => {
            (name, InstanceRef::from_bytes(instance)?.dataset_id())
        }
        HistoryEvent::InstanceDeleted { name, dataset_id } => {
            (name, dataset_id.as_ref().map(Iri::as_str))
        }
        _ => return None,
    };
    let (revision, ordinal, name) = (row.revision.0, row.ordinal, name.as_u32());
    let mut id = format!("urn:ngsi-ld:instance:{revision}-{ordinal}-{name}");
    if let Some(dataset) = dataset {
        let _ = write!(id, "-{}", short_hash(dataset));
    }
    Some(id)
}

impl<'a> Point<'a> {
    fn of(row: &'a HistoryRow, kind: Kind) -> Option<Self> {
        let (name, instance) = match &row.event {
            HistoryEvent::Instance { name, instance } => {
                (*name, Some(InstanceRef::from_bytes(instance)?))
            }
            HistoryEvent::InstanceDeleted { name, .. } => (*name, None),
            _ => return None,
        };
        Some(Self { name, row, instance, kind })
    }

    fn dataset_id(&self) -> Option<&str> {
        match (&self.instance, &self.row.event) {
            (Some(instance), _) => instance.dataset_id(),
            (None, HistoryEvent::InstanceDeleted { dataset_id, .. }) => {
                dataset_id.as_ref().map(Iri::as_str)
            }
            (None, _) => None,
        }
    }

    /// Whether the instance says that there was none (clause 4.5.7).
    fn is_null(&self) -> bool {
        self.instance.is_none_or(|instance| instance.value_bytes() == NULL)
    }
}

impl TemporalWriter<'_, '_, '_, '_> {
    /// Writes an entity with its history; writes nothing and says so where the projection leaves
    /// nothing of it.
    pub(crate) fn entity(
        &mut self,
        history: &EntityHistory,
        scopes: &[&ScopeChange],
        in_body: bool,
    ) -> bool {
        let view = history.head.view();
        let start = self.writer.out.len();
        self.writer.out.push(b'{');
        if self.writer.shape.members.has_id() {
            self.writer.out.extend_from_slice(b"\"id\":\"");
            self.writer.out.extend_from_slice(view.id_bytes());
            self.writer.out.extend_from_slice(b"\",");
        }
        self.writer.types(view);
        self.writer.system_members(view);
        if self.writer.shape.sys_attrs {
            let deleted_at = history.deleted_at.iter().max().copied();
            self.writer.moment("deletedAt", deleted_at.filter(|_| history.current.is_none()));
        }
        match self.form {
            TemporalForm::Aggregated(aggregates) => self.aggregates(aggregates),
            TemporalForm::Normalized | TemporalForm::Simplified(_) => {
                let shape = self.writer.shape;
                if shape.members.has_scope() && shape.has_version(4) {
                    self.scopes(scopes);
                }
                self.attributes(history);
            }
        }
        if self.writer.out.len() == start + 1 {
            self.writer.out.truncate(start);
            return false;
        }
        if in_body {
            self.writer.context_member();
        }
        self.writer.close(b'}');
        true
    }

    fn attributes(&mut self, history: &EntityHistory) {
        let rows = history.rows.iter().zip(&history.kinds);
        let points: Vec<Point<'_>> = rows
            .filter_map(|(row, kind)| Point::of(row, *kind))
            .filter(|point| self.writer.shape.members.has_attribute(point.name))
            .collect();
        for attribute in points.chunk_by(|a, b| a.name == b.name) {
            let key = self.writer.names.key(attribute[0].name);
            self.writer.out.extend_from_slice(key);
            match self.form {
                TemporalForm::Simplified(property) => self.all_simplified(attribute, property),
                TemporalForm::Normalized | TemporalForm::Aggregated(_) => {
                    self.writer.out.push(b'[');
                    for point in attribute {
                        self.instance(point);
                        self.writer.out.push(b',');
                    }
                    self.writer.close(b']');
                }
            }
            self.writer.out.push(b',');
        }
        // Other pages of the range of time have them.
        for name in &history.emptied {
            if self.writer.shape.members.has_attribute(*name) {
                let key = self.writer.names.key(*name);
                self.writer.out.extend_from_slice(key);
                self.writer.out.extend_from_slice(b"[],");
            }
        }
    }

    fn instance(&mut self, point: &Point<'_>) {
        match point.instance {
            Some(instance) if !point.is_null() => self.writer.instance(&instance),
            _ => self.deleted(point),
        }
        self.writer.out.pop();
        if let Some(id) = instance_id(point.row) {
            self.writer.out.extend_from_slice(b",\"instanceId\":\"");
            self.writer.out.extend_from_slice(id.as_bytes());
            self.writer.out.push(b'"');
        }
        self.writer.out.push(b'}');
    }

    /// Clause 4.5.7: NGSI-LD null, and when.
    fn deleted(&mut self, point: &Point<'_>) {
        let out = &mut *self.writer.out;
        let kind = self.writer.shape.kind_of(point.kind);
        out.extend_from_slice(b"{\"type\":\"");
        out.extend_from_slice(kind.as_str().as_bytes());
        out.extend_from_slice(b"\",\"");
        out.extend_from_slice(kind.value_member().as_bytes());
        out.extend_from_slice(b"\":");
        self.null(kind);
        self.writer.out.push(b',');
        if let Some(dataset_id) = point.dataset_id() {
            self.writer.out.extend_from_slice(b"\"datasetId\":");
            write_json_string(dataset_id, self.writer.out);
            self.writer.out.push(b',');
        }
        match point.instance {
            Some(instance) => {
                self.writer.moment("observedAt", instance.observed_at());
                self.writer.moment("deletedAt", Some(instance.time()));
            }
            None => self.writer.moment("deletedAt", Some(point.row.time)),
        }
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

    /// One object a dataset.
    fn all_simplified(&mut self, attribute: &[Point<'_>], property: TemporalProperty) {
        let same = |a: &Point<'_>, b: &Point<'_>| a.dataset_id() == b.dataset_id();
        let is_one = attribute.chunk_by(same).nth(1).is_none();
        if !is_one {
            self.writer.out.push(b'[');
        }
        for series in attribute.chunk_by(same) {
            self.simplified(series, property);
            self.writer.out.push(b',');
        }
        self.writer.out.pop();
        if !is_one {
            self.writer.out.push(b']');
        }
    }

    fn open(&mut self, kind: Kind, dataset_id: Option<&str>) {
        self.writer.out.extend_from_slice(b"{\"type\":\"");
        self.writer.out.extend_from_slice(kind.as_str().as_bytes());
        self.writer.out.extend_from_slice(b"\",");
        if let Some(dataset_id) = dataset_id {
            self.writer.out.extend_from_slice(b"\"datasetId\":");
            write_json_string(dataset_id, self.writer.out);
            self.writer.out.push(b',');
        }
    }

    fn simplified(&mut self, series: &[Point<'_>], property: TemporalProperty) {
        let kind = self.writer.shape.kind_of(series[0].kind);
        let member: &[u8] = match kind {
            Kind::Property | Kind::GeoProperty => b"\"values\":[",
            Kind::Relationship => b"\"objects\":[",
            Kind::LanguageProperty => b"\"languageMaps\":[",
            Kind::VocabProperty => b"\"vocabs\":[",
            Kind::JsonProperty => b"\"jsons\":[",
            Kind::ListProperty => b"\"valueLists\":[",
            Kind::ListRelationship => b"\"objectLists\":[",
        };
        self.open(kind, series[0].dataset_id());
        self.writer.out.extend_from_slice(member);
        for point in series {
            self.writer.out.push(b'[');
            match point.instance {
                Some(instance) if !point.is_null() => self.writer.simplified(&instance),
                _ => self.simplified_null(kind),
            }
            self.writer.out.extend_from_slice(b",\"");
            let moment = moment(point.row, property).unwrap_or(point.row.time);
            moment.write_to(self.writer.out);
            self.writer.out.extend_from_slice(b"\"],");
        }
        self.writer.close(b']');
        self.writer.out.push(b'}');
    }

    fn simplified_null(&mut self, kind: Kind) {
        let wrapper: &[u8] = match kind {
            Kind::LanguageProperty => b"{\"languageMap\":",
            Kind::JsonProperty => b"{\"json\":",
            Kind::VocabProperty => b"{\"vocab\":",
            _ => return self.null(kind),
        };
        self.writer.out.extend_from_slice(wrapper);
        self.null(kind);
        self.writer.out.push(b'}');
    }

    fn aggregates(&mut self, aggregates: &[AttributeAggregates]) {
        let members = &self.writer.shape.members;
        let shown: Vec<&AttributeAggregates> = aggregates
            .iter()
            .filter(|one| members.has_attribute(one.name) && !one.methods.is_empty())
            .collect();
        for attribute in shown.chunk_by(|a, b| a.name == b.name) {
            let key = self.writer.names.key(attribute[0].name);
            self.writer.out.extend_from_slice(key);
            if attribute.len() > 1 {
                self.writer.out.push(b'[');
            }
            for one in attribute {
                self.aggregated(one);
                self.writer.out.push(b',');
            }
            self.writer.out.pop();
            if attribute.len() > 1 {
                self.writer.out.push(b']');
            }
            self.writer.out.push(b',');
        }
    }

    fn aggregated(&mut self, one: &AttributeAggregates) {
        self.open(self.writer.shape.kind_of(one.kind), one.dataset_id.as_deref());
        for (method, periods) in &one.methods {
            self.writer.out.push(b'"');
            self.writer.out.extend_from_slice(method.as_str().as_bytes());
            self.writer.out.extend_from_slice(b"\":[");
            for period in periods {
                self.period(period);
                self.writer.out.push(b',');
            }
            self.writer.close(b']');
            self.writer.out.push(b',');
        }
        self.writer.close(b'}');
    }

    fn period(&mut self, period: &Aggregate) {
        let out = &mut *self.writer.out;
        out.push(b'[');
        match &period.value {
            AggregateValue::Number(number) => {
                out.extend_from_slice(serde_json::json!(number).to_string().as_bytes());
            }
            AggregateValue::Count(count) => {
                out.extend_from_slice(itoa::Buffer::new().format(*count).as_bytes());
            }
            AggregateValue::Text(text) => write_json_string(text, out),
            // Clause 4.5.0: null is no value in JSON-LD.
            AggregateValue::Nothing => out.extend_from_slice(NULL),
        }
        out.extend_from_slice(b",\"");
        period.start.write_to(out);
        out.extend_from_slice(b"\",\"");
        period.end.write_to(out);
        out.extend_from_slice(b"\"]");
    }

    /// Clauses 4.5.6 and 4.18: scopes are reified here, with the times at which they were set; where
    /// they were removed stands NGSI-LD null.
    fn scopes(&mut self, changes: &[&ScopeChange]) {
        if changes.is_empty() {
            return;
        }
        let is_simplified = matches!(self.form, TemporalForm::Simplified(_));
        self.writer.out.extend_from_slice(if is_simplified {
            b"\"scope\":{\"type\":\"Property\",\"values\":["
        } else {
            b"\"scope\":["
        });
        for change in changes {
            self.scope(change, is_simplified);
            self.writer.out.push(b',');
        }
        self.writer.close(b']');
        self.writer.out.extend_from_slice(if is_simplified { b"}," } else { b"," });
    }

    fn scope(&mut self, change: &ScopeChange, is_simplified: bool) {
        let value = match change.scopes.as_slice() {
            [] => serde_json::json!("urn:ngsi-ld:null"),
            [one] => serde_json::json!(one),
            several => serde_json::json!(several),
        };
        let opening: &[u8] =
            if is_simplified { b"[" } else { b"{\"type\":\"Property\",\"value\":" };
        self.writer.out.extend_from_slice(opening);
        self.writer.out.extend_from_slice(value.to_string().as_bytes());
        self.writer.out.push(b',');
        if is_simplified {
            self.writer.out.push(b'"');
            change.since.write_to(self.writer.out);
            self.writer.out.extend_from_slice(b"\"]");
        } else {
            let moment = if change.scopes.is_empty() { "deletedAt" } else { "observedAt" };
            self.writer.moment(moment, Some(change.since));
            if self.writer.shape.sys_attrs {
                self.writer.moment("createdAt", Some(change.since));
                self.writer.moment("modifiedAt", Some(change.since));
            }
            self.writer.close(b'}');
        }
    }
}

/// Tells the dataset ids of one attribute apart (FNV-1a).
fn short_hash(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
