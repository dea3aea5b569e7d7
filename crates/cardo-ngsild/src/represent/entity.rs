use cardo_jsonld::{Context, compact_value, compact_vocab};
use cardo_model::{
    AttributeRef, EntityRef, InstanceRef, Kind, NameId, Timestamp, write_json_string,
};

use super::names::{NameTable, OPENED};
use super::shape::{Format, Shape};
use super::special::Special;

/// Writes entities of one shape under one context.
pub(crate) struct EntityWriter<'a, 't> {
    pub(crate) out: &'a mut Vec<u8>,
    pub(crate) names: &'a mut NameTable<'t>,
    pub(crate) context: &'a Context,
    pub(crate) shape: &'a Shape,
    /// The attribute that is being written, where linked entities may stand in it.
    pub(super) linking: Option<NameId>,
}

/// What stands between the name of an attribute and its value.
pub(super) const OPENINGS: [&[u8]; 8] = [
    b"{\"type\":\"Property\",\"value\":",
    b"{\"type\":\"Relationship\",\"object\":",
    b"{\"type\":\"GeoProperty\",\"value\":",
    b"{\"type\":\"LanguageProperty\",\"languageMap\":",
    b"{\"type\":\"VocabProperty\",\"vocab\":",
    b"{\"type\":\"JsonProperty\",\"json\":",
    b"{\"type\":\"ListProperty\",\"valueList\":",
    b"{\"type\":\"ListRelationship\",\"objectList\":",
];

/// Nearly all ids and values are no longer.
const SHORT: usize = 32;

const PROOF_KEY: &[u8] = b"\"ngsildproof\":";

const CONCISE_OPENINGS: [&[u8]; 8] = [
    b"{\"value\":",
    b"{\"object\":",
    b"{\"value\":",
    b"{\"languageMap\":",
    b"{\"vocab\":",
    b"{\"json\":",
    b"{\"valueList\":",
    b"{\"objectList\":",
];

impl<'a, 't> EntityWriter<'a, 't> {
    pub(crate) fn new(
        out: &'a mut Vec<u8>,
        names: &'a mut NameTable<'t>,
        context: &'a Context,
        shape: &'a Shape,
    ) -> Self {
        Self { out, names, context, shape, linking: None }
    }
}

impl EntityWriter<'_, '_> {
    /// Writes an entity; `in_body` says whether the `@context` is a member of it. Writes nothing and
    /// says so where the projection leaves nothing of it.
    pub(crate) fn entity(&mut self, entity: EntityRef<'_>, in_body: bool) -> bool {
        self.out.push(b'{');
        if self.shape.members.has_id() {
            self.out.extend_from_slice(b"\"id\":\"");
            entity.id_excerpt().append_to::<SHORT>(self.out);
            self.out.extend_from_slice(b"\",");
        }
        self.types(entity);
        self.scopes(entity);
        self.system_members(entity);
        for attribute in entity.attributes() {
            if self.shape.members.has_attribute(attribute.name()) {
                self.attribute(&attribute);
            }
        }
        if self.out.last() == Some(&b'{') {
            self.out.pop();
            return false;
        }
        if in_body {
            self.context_member();
        }
        self.close(b'}');
        true
    }

    /// Writes an entity as a GeoJSON feature (clause 4.5.16.2).
    pub(crate) fn feature(&mut self, entity: EntityRef<'_>, geometry: NameId, in_body: bool) {
        self.out.extend_from_slice(b"{\"type\":\"Feature\",\"id\":\"");
        self.out.extend_from_slice(entity.id_bytes());
        self.out.extend_from_slice(b"\",\"geometry\":");
        match self.geometry(entity, geometry) {
            Some(value) => self.out.extend_from_slice(value),
            None => self.out.extend_from_slice(b"null"),
        }
        self.out.extend_from_slice(b",\"properties\":{");
        self.types(entity);
        self.scopes(entity);
        self.system_members(entity);
        for attribute in entity.attributes() {
            if self.shape.members.has_attribute(attribute.name()) {
                self.attribute(&attribute);
            }
        }
        self.close(b'}');
        self.out.push(b',');
        if in_body {
            self.context_member();
        }
        self.close(b'}');
    }

    /// The value of the chosen GeoProperty: of the default instance, or of the one that the
    /// datasets name (clause 4.5.16.1).
    pub(crate) fn geometry<'r>(&self, entity: EntityRef<'r>, name: NameId) -> Option<&'r [u8]> {
        let attribute = entity.attribute(name)?;
        let is_chosen = |instance: &InstanceRef<'_>| {
            instance.kind() == Kind::GeoProperty && self.shape.datasets.has(instance.dataset_id())
        };
        let chosen = || attribute.instances().filter(is_chosen);
        let default = chosen().find(|instance| instance.dataset_id().is_none());
        let only = chosen().next().filter(|_| chosen().count() == 1);
        default.or(only).map(|instance| instance.value_bytes())
    }

    pub(crate) fn context_member(&mut self) {
        self.out.extend_from_slice(b"\"@context\":");
        self.out.extend_from_slice(self.context.member().as_bytes());
        self.out.push(b',');
    }

    /// Puts the bracket in the place of the last comma.
    pub(crate) fn close(&mut self, bracket: u8) {
        match self.out.last_mut() {
            Some(last) if *last == b',' => *last = bracket,
            _ => self.out.push(bracket),
        }
    }

    pub(crate) fn types(&mut self, entity: EntityRef<'_>) {
        if !self.shape.members.has_types() {
            return;
        }
        self.out.extend_from_slice(b"\"type\":");
        let mut types = entity.types();
        let Some(first) = types.next() else {
            self.out.extend_from_slice(b"[],");
            return;
        };
        let first = self.names.quoted(first);
        match types.next().filter(|_| self.shape.has_version(3)) {
            None => self.out.extend_from_slice(first),
            Some(second) => {
                self.out.push(b'[');
                self.out.extend_from_slice(first);
                for name in std::iter::once(second).chain(types) {
                    self.out.push(b',');
                    let name = self.names.quoted(name);
                    self.out.extend_from_slice(name);
                }
                self.out.push(b']');
            }
        }
        self.out.push(b',');
    }

    pub(crate) fn scopes(&mut self, entity: EntityRef<'_>) {
        let mut scopes = entity.scopes();
        let Some(first) = scopes.next() else { return };
        if !self.shape.members.has_scope() || !self.shape.has_version(4) {
            return;
        }
        self.out.extend_from_slice(b"\"scope\":");
        match scopes.next() {
            None => write_json_string(first, self.out),
            Some(second) => {
                self.out.push(b'[');
                write_json_string(first, self.out);
                for scope in std::iter::once(second).chain(scopes) {
                    self.out.push(b',');
                    write_json_string(scope, self.out);
                }
                self.out.push(b']');
            }
        }
        self.out.push(b',');
    }

    #[inline]
    pub(crate) fn moment(&mut self, member: &str, moment: Option<Timestamp>) {
        // A context source may not have told it.
        let Some(moment) = moment.filter(|moment| *moment != Timestamp::MIN) else { return };
        self.out.push(b'"');
        self.out.extend_from_slice(member.as_bytes());
        self.out.extend_from_slice(b"\":\"");
        self.names.moments.write(moment, self.out);
        self.out.extend_from_slice(b"\",");
    }

    /// `createdAt`, `modifiedAt` and `expiresAt` of an entity where they are wanted.
    #[inline]
    pub(crate) fn system_members(&mut self, entity: EntityRef<'_>) {
        if self.shape.sys_attrs {
            self.moment("createdAt", Some(entity.created_at()));
            self.moment("modifiedAt", Some(entity.modified_at()));
            self.expiry(entity.expires_at());
        }
    }

    /// `expiresAt`, which came with version 1.9.
    fn expiry(&mut self, moment: Option<Timestamp>) {
        if self.shape.has_version(9) {
            self.moment("expiresAt", moment);
        }
    }

    #[inline]
    fn text(&mut self, member: &str, text: Option<&str>) {
        let Some(text) = text else { return };
        self.out.push(b'"');
        self.out.extend_from_slice(member.as_bytes());
        self.out.extend_from_slice(b"\":");
        write_json_string(text, self.out);
        self.out.push(b',');
    }

    /// Writes an attribute with its name and a comma behind it; nothing where no instance is
    /// wanted. It is looked at where it stands: a copy of what was just written is waited for.
    #[inline]
    pub(crate) fn attribute(&mut self, attribute: &AttributeRef<'_>) {
        if let Some(special) = &self.shape.special {
            return self.special_attribute(attribute, special);
        }
        if self.shape.is_usual() && self.usual_attribute(attribute) {
            return;
        }
        let instances = attribute.instances();
        let is_one = instances.len() == 1;
        let mut wanted = instances.filter(|i| self.shape.datasets.has(i.dataset_id()));
        let Some(first) = wanted.next() else { return };
        let second = if is_one { None } else { wanted.next() };
        let Some(piece) = self.names.piece(attribute.name(), first.kind()) else { return };
        if piece.key() == PROOF_KEY {
            return self.proof(&first);
        }
        match (second, piece.opened(first.kind())) {
            (None, Some(opened)) if self.shape.format == Format::Normalized => {
                opened.append_to::<OPENED>(self.out);
                self.behind_opening(&first);
            }
            (None, _) => {
                self.out.extend_from_slice(piece.key());
                self.instance(&first);
            }
            (Some(second), _) => {
                self.out.extend_from_slice(piece.key());
                let all = [first, second].into_iter().chain(wanted);
                self.several(all.collect());
            }
        }
        self.out.push(b',');
    }

    /// The same of an attribute of one instance with a value that is copied, as nearly all have; whether it
    /// was one.
    #[inline]
    fn usual_attribute(&mut self, attribute: &AttributeRef<'_>) -> bool {
        let Some(single) = attribute.single() else { return false };
        if matches!(single.kind, Kind::VocabProperty | Kind::ListRelationship) {
            return false;
        }
        let Some(piece) = self.names.piece(attribute.name(), single.kind) else { return true };
        let opened = piece.opened(single.kind).filter(|_| piece.key() != PROOF_KEY);
        let Some(opened) = opened else { return false };
        opened.append_to::<OPENED>(self.out);
        single.value.append_to::<SHORT>(self.out);
        if single.observed_at.is_some() || single.unit_code.is_some() {
            self.out.push(b',');
            self.moment("observedAt", single.observed_at);
            self.text("unitCode", single.unit_code);
            self.close(b'}');
            self.out.push(b',');
        } else {
            self.out.extend_from_slice(b"},");
        }
        true
    }

    /// The same where anything departs from the plain way.
    fn special_attribute(&mut self, attribute: &AttributeRef<'_>, special: &Special) {
        let wanted = attribute.instances().filter(|i| self.shape.datasets.has(i.dataset_id()));
        let mut wanted: Vec<InstanceRef<'_>> = wanted.collect();
        if !special.version.has(3) {
            // The default instance stands first where there is one.
            wanted.truncate(1);
        }
        let Some(first) = wanted.first().copied() else { return };
        let Some(piece) = self.names.piece(attribute.name(), first.kind()) else { return };
        if piece.key() == PROOF_KEY {
            return self.proof(&first);
        }
        self.out.extend_from_slice(piece.key());
        self.linking = Some(attribute.name());
        match wanted.len() {
            1 => self.instance(&first),
            _ => self.several(wanted),
        }
        self.linking = None;
        self.out.push(b',');
    }

    fn several(&mut self, instances: Vec<InstanceRef<'_>>) {
        if self.shape.format == Format::Simplified {
            return self.datasets(instances.into_iter());
        }
        self.out.push(b'[');
        for instance in &instances {
            self.one_of_several(instance);
            self.out.push(b',');
        }
        self.close(b']');
    }

    /// Clause 4.5.4, examples 2, 13, 15 and 19.
    fn datasets<'r>(&mut self, instances: impl Iterator<Item = InstanceRef<'r>>) {
        self.out.extend_from_slice(b"{\"dataset\":{");
        for instance in instances {
            write_json_string(instance.dataset_id().unwrap_or("@none"), self.out);
            self.out.push(b':');
            self.simplified(&instance);
            self.out.push(b',');
        }
        self.close(b'}');
        self.out.push(b'}');
    }

    /// Writes one instance.
    #[inline]
    pub(crate) fn instance(&mut self, instance: &InstanceRef<'_>) {
        match self.shape.format {
            Format::Normalized => {
                let kind = self.shape.kind_of(instance.kind());
                self.out.extend_from_slice(OPENINGS[kind as usize]);
                self.behind_opening(instance);
            }
            Format::Concise => self.concise(instance, true),
            Format::Simplified => self.simplified(instance),
        }
    }

    /// Writes one instance of an attribute of the entity: by itself, or as one of several.
    pub(crate) fn instance_of(&mut self, name: NameId, instance: &InstanceRef<'_>, is_only: bool) {
        self.linking = self.shape.special.is_some().then_some(name);
        if is_only {
            self.instance(instance);
        } else {
            self.one_of_several(instance);
        }
        self.linking = None;
    }

    #[inline]
    fn behind_opening(&mut self, instance: &InstanceRef<'_>) {
        self.value(instance);
        if instance.is_bare() && !self.shape.sys_attrs && self.shape.special.is_none() {
            self.out.push(b'}');
        } else {
            self.out.push(b',');
            self.details(instance);
        }
    }

    /// An item of an array of instances, which is always an object.
    pub(crate) fn one_of_several(&mut self, instance: &InstanceRef<'_>) {
        match self.shape.format {
            Format::Concise => self.concise(instance, false),
            Format::Normalized | Format::Simplified => self.instance(instance),
        }
    }

    fn concise(&mut self, instance: &InstanceRef<'_>, is_only: bool) {
        let is_bare = is_only
            && instance.observed_at().is_none()
            && instance.unit_code().is_none()
            && instance.dataset_id().is_none()
            && instance.value_type().is_none()
            && instance.attributes().is_empty()
            && !self.shape.sys_attrs
            && self.shape.languages(instance).is_none();
        let kind = self.shape.kind_of(instance.kind());
        let opening_at = self.out.len();
        self.value(instance);
        // What a reader would take it for is decided by the names that are written.
        let (stands_alone, needs_type) = {
            let written = std::str::from_utf8(&self.out[opening_at..]).unwrap_or("{");
            let is_property = kind == Kind::Property;
            (stands_alone(kind, written), is_property && looks_like_geometry(written))
        };
        if is_bare && stands_alone {
            return;
        }
        let openings = if needs_type { &OPENINGS } else { &CONCISE_OPENINGS };
        let opening = openings[kind as usize];
        self.out.splice(opening_at..opening_at, opening.iter().copied());
        self.out.push(b',');
        self.details(instance);
    }

    /// The value of an instance by itself (clause 4.5.4).
    pub(crate) fn simplified(&mut self, instance: &InstanceRef<'_>) {
        if self.shape.special.is_some() && self.simplified_links(instance) {
            return;
        }
        let opening: &[u8] = match self.shape.kind_of(instance.kind()) {
            Kind::LanguageProperty => b"{\"languageMap\":",
            Kind::JsonProperty => b"{\"json\":",
            Kind::VocabProperty => b"{\"vocab\":",
            Kind::Property
            | Kind::Relationship
            | Kind::GeoProperty
            | Kind::ListProperty
            | Kind::ListRelationship => return self.value(instance),
        };
        self.out.extend_from_slice(opening);
        self.value(instance);
        self.out.push(b'}');
    }

    /// The value member's value.
    #[inline]
    pub(crate) fn value(&mut self, instance: &InstanceRef<'_>) {
        if let Some(languages) = self.shape.languages(instance) {
            let text = languages.choose(instance.value()).map_or("\"\"", |(_, text)| text.get());
            return self.out.extend_from_slice(text.as_bytes());
        }
        match instance.kind() {
            Kind::VocabProperty => compact_vocab(instance.value(), self.context, self.out),
            Kind::ListRelationship
                if self.shape.format == Format::Normalized && self.shape.has_version(8) =>
            {
                self.object_list(instance.value());
            }
            _ if instance.is_coerced() => compact_value(instance.value(), self.context, self.out),
            _ => self.out.extend_from_slice(instance.value_bytes()),
        }
    }

    /// `["urn:a","urn:b"]` becomes `[{"object":"urn:a"},{"object":"urn:b"}]` (clause 4.5.22.2).
    fn object_list(&mut self, list: &str) {
        self.out.push(b'[');
        // URIs hold neither commas in quotes nor quotes, so the quotes are the ends.
        for uri in list.split('"').skip(1).step_by(2) {
            self.out.extend_from_slice(b"{\"object\":\"");
            self.out.extend_from_slice(uri.as_bytes());
            self.out.extend_from_slice(b"\"},");
        }
        self.close(b']');
    }

    /// Everything behind the value, and the closing bracket.
    fn details(&mut self, instance: &InstanceRef<'_>) {
        if self.shape.has_version(3) {
            self.moment("observedAt", instance.observed_at());
            self.text("unitCode", instance.unit_code());
            self.text("datasetId", instance.dataset_id());
        }
        if let Some(name) = instance.value_type().filter(|_| self.shape.has_version(9)) {
            let context = self.context;
            self.text("valueType", Some(&context.compact_iri(name)));
        }
        if self.shape.has_version(8) {
            self.object_types(instance);
        }
        if self.shape.special.is_some() {
            self.special_details(instance);
        }
        if self.shape.sys_attrs {
            self.moment("createdAt", Some(instance.created_at()));
            self.moment("modifiedAt", Some(instance.modified_at()));
            self.expiry(instance.expires_at());
        }
        let linking = self.linking.take();
        for attribute in instance.attributes() {
            self.sub_attribute(attribute);
        }
        self.linking = linking;
        self.close(b'}');
    }

    /// Attributes of attributes are written whole, whatever datasets are asked for.
    fn sub_attribute(&mut self, attribute: AttributeRef<'_>) {
        let key = self.names.key(attribute.name());
        let mut instances = attribute.instances();
        match (key, instances.next()) {
            // The members of a proof have a context of their own, and two are not reified
            // (clause 4.5.2.2).
            (PROOF_KEY, Some(proof)) => return self.proof(&proof),
            (b"\"ngsi-ld:entityIdSealed\":", Some(id)) => {
                return self.sealed("entityIdSealed", &id);
            }
            (b"\"ngsi-ld:entityTypeSealed\":", Some(name)) => {
                return self.sealed("entityTypeSealed", &name);
            }
            _ => {}
        }
        self.out.extend_from_slice(key);
        let mut instances = attribute.instances();
        let is_one = instances.len() == 1;
        match instances.next() {
            Some(only) if is_one => self.instance(&only),
            first => {
                self.out.push(b'[');
                for instance in first.into_iter().chain(instances) {
                    self.one_of_several(&instance);
                    self.out.push(b',');
                }
                self.close(b']');
            }
        }
        self.out.push(b',');
    }

    fn proof(&mut self, proof: &InstanceRef<'_>) {
        let scoped = self.context.scoped("https://uri.etsi.org/ngsi-ld/ngsildproof");
        let context = scoped.as_deref().unwrap_or(self.context);
        self.out.extend_from_slice(PROOF_KEY);
        EntityWriter::new(self.out, self.names, context, self.shape).instance(proof);
        self.out.push(b',');
    }

    fn sealed(&mut self, member: &str, instance: &InstanceRef<'_>) {
        self.out.push(b'"');
        self.out.extend_from_slice(member.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.value(instance);
        self.out.push(b',');
    }

    fn object_types(&mut self, instance: &InstanceRef<'_>) {
        let Some(types) = instance.object_types() else { return };
        let types: smallvec::SmallVec<[NameId; 4]> = types.collect();
        self.out.extend_from_slice(b"\"objectType\":");
        let is_one = types.len() == 1;
        if !is_one {
            self.out.push(b'[');
        }
        for name in types {
            let name = self.names.quoted(name);
            self.out.extend_from_slice(name);
            self.out.push(b',');
        }
        if is_one {
            return;
        }
        self.close(b']');
        self.out.push(b',');
    }
}

/// Whether a concise attribute may be its value alone: read again, it has to mean the same.
fn stands_alone(kind: Kind, value: &str) -> bool {
    match kind {
        Kind::GeoProperty => true,
        Kind::Property => match value.as_bytes().first() {
            Some(b'{') => !has_telling_member(value),
            Some(b'[') => !value.contains('{'),
            _ => true,
        },
        _ => false,
    }
}

/// Whether an object has members by which it would be taken for an attribute.
fn has_telling_member(value: &str) -> bool {
    const TELLING: &[&str] = &[
        "type",
        "@type",
        "value",
        "object",
        "languageMap",
        "vocab",
        "json",
        "valueList",
        "objectList",
        "datasetId",
        "observedAt",
        "unitCode",
        "valueType",
        "objectType",
        "expiresAt",
        "dataset",
        "id",
    ];
    TELLING.iter().any(|member| value.contains(&format!("\"{member}\":")))
}

fn looks_like_geometry(value: &str) -> bool {
    value.starts_with('{') && value.contains("\"type\":") && value.contains("\"coordinates\":")
}
