//! Entities of notifications that tell of what is no longer there, or of what it was (clause 5.8.6).

use cardo_model::{
    AttributeRef, InstanceChange, InstanceRef, Kind, NGSI_LD_NULL, NameId, Timestamp,
    decode_instance, write_json_string,
};

use super::matcher::News;
use crate::parse::previous_member;
use crate::represent::{EntityWriter, Format};

/// What is told of one entity.
pub(super) struct Told<'a> {
    pub(super) news: &'a News,
    /// Whether previous values are told (`showChanges`).
    pub(super) show_changes: bool,
}

/// An instance of an attribute that is told of.
enum Instance<'a> {
    There(InstanceRef<'a>, Option<&'a InstanceChange>),
    Gone(InstanceRef<'a>),
}

impl Instance<'_> {
    fn dataset_id(&self) -> Option<&str> {
        match self {
            Self::There(instance, _) | Self::Gone(instance) => instance.dataset_id(),
        }
    }
}

impl Told<'_> {
    /// Writes it as an entity.
    pub(super) fn entity(&self, writer: &mut EntityWriter<'_, '_>, in_body: bool) {
        writer.out.push(b'{');
        if writer.shape.members.has_id() {
            writer.out.extend_from_slice(b"\"id\":\"");
            writer.out.extend_from_slice(self.news.record.view().id_bytes());
            writer.out.extend_from_slice(b"\",");
        }
        self.members(writer);
        if in_body {
            writer.context_member();
        }
        writer.close(b'}');
    }

    /// Writes it as a feature, which has no geometry where the entity is gone.
    pub(super) fn feature(&self, writer: &mut EntityWriter<'_, '_>, geometry: NameId) {
        let view = self.news.record.view();
        writer.out.extend_from_slice(b"{\"type\":\"Feature\",\"id\":\"");
        writer.out.extend_from_slice(view.id_bytes());
        writer.out.extend_from_slice(b"\",\"geometry\":");
        let geometry = writer.geometry(view, geometry).filter(|_| !self.news.is_deleted);
        writer.out.extend_from_slice(geometry.unwrap_or(b"null"));
        writer.out.extend_from_slice(b",\"properties\":{");
        self.members(writer);
        writer.close(b'}');
        writer.out.push(b'}');
    }

    fn members(&self, writer: &mut EntityWriter<'_, '_>) {
        let view = self.news.record.view();
        writer.types(view);
        writer.scopes(view);
        writer.system_members(view);
        if self.news.is_deleted {
            writer.moment("deletedAt", Some(self.news.at));
        } else {
            for attribute in view.attributes() {
                let changes = self.changes_of(attribute.name());
                if changes.iter().any(|change| self.show_changes || change.is.is_none()) {
                    self.attribute(attribute.name(), &changes, writer);
                } else if writer.shape.members.has_attribute(attribute.name()) {
                    writer.attribute(&attribute);
                }
            }
        }
        self.gone(writer);
    }

    fn changes_of(&self, name: NameId) -> Vec<&InstanceChange> {
        self.news.changes.iter().filter(|change| change.name == name).collect()
    }

    /// Attributes of which nothing is left. Of a deleted entity only the time of its deletion is
    /// told, unless changes are to be shown, or the deletion of an attribute is what counts.
    fn gone(&self, writer: &mut EntityWriter<'_, '_>) {
        let is_deleted = self.news.is_deleted;
        if is_deleted && !self.show_changes && !self.news.attributes_are_told {
            return;
        }
        let mut names: Vec<NameId> = Vec::new();
        for change in &self.news.changes {
            let is_there = !is_deleted && self.news.record.view().attribute(change.name).is_some();
            if !is_there && !names.contains(&change.name) {
                names.push(change.name);
            }
        }
        for name in names {
            self.attribute(name, &self.changes_of(name), writer);
        }
    }

    /// Writes an attribute that has changes to be told.
    fn attribute(
        &self,
        name: NameId,
        changes: &[&InstanceChange],
        writer: &mut EntityWriter<'_, '_>,
    ) {
        if !writer.shape.members.has_attribute(name) {
            return;
        }
        let is_there = !self.news.is_deleted;
        let attribute = self.news.record.view().attribute(name).filter(|_| is_there);
        let there = attribute.iter().flat_map(AttributeRef::instances).map(|instance| {
            let is_own = |change: &&&InstanceChange| {
                change.is.is_some() && change.dataset_id() == instance.dataset_id()
            };
            Instance::There(instance, changes.iter().find(is_own).copied())
        });
        let gone = changes.iter().filter(|change| change.is.is_none());
        let gone = gone.filter_map(|change| change.was().map(Instance::Gone));
        let wanted = |instance: &Instance<'_>| writer.shape.datasets.has(instance.dataset_id());
        let instances: Vec<Instance<'_>> = there.chain(gone).filter(wanted).collect();
        if instances.is_empty() {
            return;
        }
        let key = writer.names.key(name);
        writer.out.extend_from_slice(key);
        match &*instances {
            [one] => self.instance(name, one, writer),
            all if self.is_gone_altogether(all, writer) => match writer.shape.format {
                Format::Normalized => deleted(all, self.news.at, writer),
                Format::Concise | Format::Simplified => null(writer),
            },
            several if writer.shape.format == Format::Simplified => datasets(name, several, writer),
            several => {
                writer.out.push(b'[');
                for instance in several {
                    self.instance_of_several(name, instance, writer);
                    writer.out.push(b',');
                }
                writer.close(b']');
            }
        }
        writer.out.push(b',');
    }

    fn instance(&self, name: NameId, instance: &Instance<'_>, writer: &mut EntityWriter<'_, '_>) {
        match instance {
            Instance::There(instance, None) => writer.instance_of(name, instance, true),
            Instance::Gone(was) if self.is_null_enough(was, writer) => null(writer),
            Instance::There(..) | Instance::Gone(_) => {
                self.instance_of_several(name, instance, writer);
            }
        }
    }

    fn instance_of_several(
        &self,
        name: NameId,
        instance: &Instance<'_>,
        writer: &mut EntityWriter<'_, '_>,
    ) {
        let was = match instance {
            Instance::There(instance, change) => {
                writer.instance_of(name, instance, false);
                change.and_then(InstanceChange::was)
            }
            Instance::Gone(was) => {
                deleted(std::slice::from_ref(instance), self.news.at, writer);
                Some(*was)
            }
        };
        // What a source has deleted is known without what it was.
        let is_known = |was: &InstanceRef<'_>| !decode_instance(was).value.is_null();
        if let Some(was) = was.filter(|was| self.show_changes && is_known(was)) {
            previous(&was, writer);
        }
    }

    /// Whether nothing more is to be said of a deleted attribute than that.
    fn is_null_enough(&self, was: &InstanceRef<'_>, writer: &EntityWriter<'_, '_>) -> bool {
        let shape = writer.shape;
        let is_whole = shape.format == Format::Normalized;
        was.dataset_id().is_none() && !shape.sys_attrs && !self.show_changes && !is_whole
    }

    /// Whether an attribute of several instances is gone, so that none of them needs to be named.
    fn is_gone_altogether(&self, all: &[Instance<'_>], writer: &EntityWriter<'_, '_>) -> bool {
        let is_gone = |instance: &Instance<'_>| matches!(instance, Instance::Gone(_));
        !self.show_changes && !writer.shape.sys_attrs && all.iter().all(is_gone)
    }
}

fn null(writer: &mut EntityWriter<'_, '_>) {
    write_json_string(NGSI_LD_NULL, writer.out);
}

/// The instances of a simplified attribute (clause 4.5.4).
fn datasets(name: NameId, instances: &[Instance<'_>], writer: &mut EntityWriter<'_, '_>) {
    writer.out.extend_from_slice(b"{\"dataset\":{");
    for instance in instances {
        write_json_string(instance.dataset_id().unwrap_or("@none"), writer.out);
        writer.out.push(b':');
        match instance {
            Instance::There(instance, _) => writer.instance_of(name, instance, true),
            Instance::Gone(_) => null(writer),
        }
        writer.out.push(b',');
    }
    writer.close(b'}');
    writer.out.push(b'}');
}

/// NGSI-LD null as an object, with what is said of a single instance.
fn deleted(gone: &[Instance<'_>], at: Timestamp, writer: &mut EntityWriter<'_, '_>) {
    let (Some(Instance::Gone(was)), is_one) = (gone.first(), gone.len() == 1) else { return };
    let kind = writer.shape.kind_of(was.kind());
    let value: &[u8] = match kind {
        Kind::LanguageProperty => b"{\"@none\":\"urn:ngsi-ld:null\"}",
        Kind::ListProperty | Kind::ListRelationship => b"[\"urn:ngsi-ld:null\"]",
        _ => b"\"urn:ngsi-ld:null\"",
    };
    let opening = format!("{{\"type\":\"{}\",\"{}\":", kind.as_str(), kind.value_member());
    writer.out.extend_from_slice(opening.as_bytes());
    writer.out.extend_from_slice(value);
    if let Some(dataset_id) = was.dataset_id().filter(|_| is_one) {
        writer.out.extend_from_slice(b",\"datasetId\":");
        write_json_string(dataset_id, writer.out);
    }
    if writer.shape.sys_attrs {
        writer.out.push(b',');
        writer.moment("createdAt", Some(was.created_at()));
        writer.moment("modifiedAt", Some(was.modified_at()));
        writer.moment("deletedAt", Some(at));
        writer.out.pop();
    }
    writer.out.push(b'}');
}

/// Adds the previous value to an instance that was just written as an object.
fn previous(was: &InstanceRef<'_>, writer: &mut EntityWriter<'_, '_>) {
    let member = previous_member(writer.shape.kind_of(was.kind()));
    if writer.out.last() == Some(&b'}') {
        writer.out.pop();
    }
    writer.out.extend_from_slice(format!(",\"{member}\":").as_bytes());
    writer.value(was);
    writer.out.push(b'}');
}
