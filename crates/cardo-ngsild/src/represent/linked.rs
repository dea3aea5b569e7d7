//! Linked entities within the relationships that lead to them (clause 4.5.23.2), and texts of one
//! language (clause 4.15).

use cardo_model::{InstanceRef, Kind, write_json_string};

use super::entity::EntityWriter;
use super::special::targets;

impl EntityWriter<'_, '_> {
    /// What stands beside the value of an instance where anything departs from the plain way.
    pub(super) fn special_details(&mut self, instance: &InstanceRef<'_>) {
        if let Some(languages) = self.shape.languages(instance)
            && let Some((tag, _)) = languages.choose(instance.value())
        {
            self.out.extend_from_slice(b"\"lang\":");
            write_json_string(&tag, self.out);
            self.out.push(b',');
        }
        if self.linking.is_none() {
            return;
        }
        match instance.kind() {
            Kind::Relationship if targets(instance).nth(1).is_none() => {
                self.embedded_list(instance, b"\"entity\":", false);
            }
            Kind::Relationship => self.embedded_list(instance, b"\"entity\":", true),
            Kind::ListRelationship => self.embedded_list(instance, b"\"entityList\":", true),
            _ => {}
        }
    }

    fn embedded_list(&mut self, instance: &InstanceRef<'_>, member: &[u8], is_list: bool) {
        let start = self.out.len();
        self.out.extend_from_slice(member);
        if is_list {
            self.out.push(b'[');
        }
        let before = self.out.len();
        for id in targets(instance) {
            if self.embedded(id) {
                self.out.push(b',');
            }
        }
        if self.out.len() == before {
            self.out.truncate(start);
        } else if is_list {
            self.close(b']');
            self.out.push(b',');
        }
    }

    /// Writes a linked entity where it is to stand here; whether it did.
    fn embedded(&mut self, id: &str) -> bool {
        let (Some(name), Some(special)) = (self.linking, &self.shape.special) else { return false };
        let Some((record, shape)) = special.embedded(name, id) else { return false };
        let mut writer = EntityWriter::new(self.out, self.names, self.context, &shape);
        writer.entity(record.view(), false)
    }

    /// Writes the simplified relationship with entities in the place of ids (clause 4.5.23.2);
    /// whether it is one.
    pub(super) fn simplified_links(&mut self, instance: &InstanceRef<'_>) -> bool {
        if self.linking.is_none() || targets(instance).next().is_none() {
            return false;
        }
        let is_list = instance.value_bytes().first() == Some(&b'[');
        if is_list {
            self.out.push(b'[');
        }
        for id in targets(instance) {
            if !self.embedded(id) {
                write_json_string(id, self.out);
            }
            self.out.push(b',');
        }
        if is_list {
            self.close(b']');
        } else {
            self.out.pop();
        }
        true
    }
}
