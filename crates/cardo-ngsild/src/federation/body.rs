//! What a source is told to write, as JSON in the normalized representation (clause 4.5.1).

use cardo_engine::{MergeOptions, Operation};
use cardo_jsonld::{Context, compact_value, compact_vocab};
use cardo_model::{
    Attribute, AttributeFragment, Entity, Fragment, Instance, InstanceFragment, Iri, Kind,
    MomentWriter, NGSI_LD_NULL, Scope, Timestamp, Value, write_json_string,
};

use crate::represent::{Special, Version};

/// Writes bodies in the terms of a context, as far as a version of the specification knows them
/// (clause 4.3.6.8).
pub(super) struct BodyWriter<'a> {
    context: &'a Context,
    version: Version,
    /// The URL of the context, where it is to be a member of the body.
    inline: Option<&'a str>,
    out: Vec<u8>,
    moments: MomentWriter,
}

impl<'a> BodyWriter<'a> {
    pub(super) fn new(context: &'a Context, version: Version, inline: Option<&'a str>) -> Self {
        let (out, moments) = (Vec::with_capacity(512), MomentWriter::default());
        Self { context, version, inline, out, moments }
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.out
    }

    /// An array of what each operation is.
    pub(super) fn array(&mut self, operations: &[&Operation]) {
        self.list(operations, |writer, operation| writer.operation(operation, true));
    }

    fn list<T>(&mut self, items: &[T], mut write: impl FnMut(&mut Self, &T)) {
        self.out.push(b'[');
        for (number, item) in items.iter().enumerate() {
            if number > 0 {
                self.out.push(b',');
            }
            write(self, item);
        }
        self.out.push(b']');
    }

    /// Opens the object that a document is.
    fn open(&mut self) {
        self.out.push(b'{');
        if let Some(url) = self.inline {
            self.text("@context", url);
        }
    }

    /// What an operation is; `with_id` says whether the id is a member.
    pub(super) fn operation(&mut self, operation: &Operation, with_id: bool) {
        match operation {
            Operation::Create(entity)
            | Operation::Replace(entity)
            | Operation::CreateOrReplace(entity)
            | Operation::CreateOrUpdate(entity) => self.entity(entity, with_id),
            Operation::Merge { id, fragment, .. } | Operation::Update { id, fragment } => {
                self.fragment(with_id.then_some(id), fragment);
            }
            Operation::Append { id, types, scopes, attributes, expires_at, .. } => {
                let (scopes, expires_at) = (scopes.clone(), *expires_at);
                let some = Fragment { scopes, expires_at, ..some(types, attributes) };
                self.fragment(with_id.then_some(id), &some);
            }
            Operation::Record { id, types, attributes, .. } => {
                self.fragment(with_id.then_some(id), &some(types, attributes));
            }
            Operation::PartialUpdate { fragment, .. } => self.attribute(fragment),
            Operation::ReplaceAttribute { instance, .. } => {
                self.attribute(&InstanceFragment::from(instance.clone()));
            }
            Operation::AmendInstance { name, by: Some(instance), .. } => {
                let instances = vec![Instance::clone(instance)];
                let attribute = Attribute { name: name.clone(), instances };
                self.fragment(None, &some(&[], &[attribute]));
            }
            Operation::Delete(id) => write_json_string(id.as_str(), &mut self.out),
            _ => self.out.extend_from_slice(b"{}"),
        }
    }

    fn entity(&mut self, entity: &Entity, with_id: bool) {
        let fragment = Fragment {
            scopes: (!entity.scopes.is_empty()).then(|| entity.scopes.clone()),
            expires_at: entity.expires_at,
            ..some(&entity.types, &entity.attributes)
        };
        self.fragment(with_id.then_some(&entity.id), &fragment);
    }

    fn fragment(&mut self, id: Option<&Iri>, fragment: &Fragment) {
        self.open();
        if let Some(id) = id {
            self.key("id");
            write_json_string(id.as_str(), &mut self.out);
        }
        self.types(&fragment.types);
        if let Some(scopes) = fragment.scopes.as_ref().filter(|_| self.version.has(4)) {
            self.scopes(scopes);
        }
        self.expiry(fragment.expires_at, fragment.without_expires_at);
        self.attributes(&fragment.attributes);
        self.out.push(b'}');
    }

    fn types(&mut self, types: &[Iri]) {
        let known = if self.version.has(3) { types } else { &types[..types.len().min(1)] };
        self.strings("type", known);
    }

    fn strings(&mut self, key: &str, names: &[Iri]) {
        if names.is_empty() {
            return;
        }
        self.key(key);
        let context = self.context;
        if let [one] = names {
            return write_json_string(&context.compact_iri(one.as_str()), &mut self.out);
        }
        self.list(names, |writer, name| {
            write_json_string(&context.compact_iri(name.as_str()), &mut writer.out);
        });
    }

    fn scopes(&mut self, scopes: &[Scope]) {
        self.key("scope");
        match scopes {
            [] => write_json_string(NGSI_LD_NULL, &mut self.out),
            [one] => write_json_string(one.as_str(), &mut self.out),
            several => self.list(several, |writer, scope| {
                write_json_string(scope.as_str(), &mut writer.out);
            }),
        }
    }

    fn attributes(&mut self, attributes: &[AttributeFragment]) {
        for AttributeFragment { name, instances } in attributes {
            let context = self.context;
            self.key(&context.compact_iri(name.as_str()));
            match &instances[..] {
                [one] => self.instance(one),
                several if self.version.has(3) => self.list(several, Self::instance),
                several => {
                    let default = several.iter().find(|one| one.dataset_id.is_none());
                    if let Some(one) = default.or(several.first()) {
                        self.instance(one);
                    }
                }
            }
        }
    }

    fn instance(&mut self, instance: &InstanceFragment) {
        // A simplified value is told as it was sent (clause 5.6.17.4).
        if let Some(sent) = &instance.simplified {
            return self.out.extend_from_slice(sent.as_str().as_bytes());
        }
        self.out.push(b'{');
        self.members(instance);
        self.out.push(b'}');
    }

    /// An attribute by itself, as a document.
    fn attribute(&mut self, instance: &InstanceFragment) {
        self.open();
        self.members(instance);
        self.out.push(b'}');
    }

    fn members(&mut self, instance: &InstanceFragment) {
        if let Some(kind) = instance.kind {
            self.text("type", self.known(kind).as_str());
        }
        if let Some(value) = &instance.value {
            self.key(self.known(value.kind()).value_member());
            self.value(value);
        }
        if self.version.has(3) {
            if let Some(dataset) = &instance.dataset_id {
                self.text("datasetId", dataset.as_str());
            }
            self.moment("observedAt", instance.observed_at, instance.without_observed_at);
            if let Some(unit) = &instance.unit_code {
                self.text("unitCode", unit);
            }
        }
        if let Some(datatype) = instance.value_type.as_ref().filter(|_| self.version.has(9)) {
            self.text("valueType", datatype);
        }
        if self.version.has(8) {
            self.strings("objectType", &instance.object_types);
        }
        self.expiry(instance.expires_at, instance.without_expires_at);
        self.attributes(&instance.attributes);
    }

    /// The kind as which the version knows an attribute (tables 4.3.6.8-2 and 4.3.6.8-3).
    fn known(&self, kind: Kind) -> Kind {
        Special { version: self.version, ..Special::default() }.kind_of(kind)
    }

    fn value(&mut self, value: &Value) {
        let (text, out) = (value.as_json(), &mut self.out);
        match value.kind() {
            _ if value.is_null() => out.extend_from_slice(text.as_bytes()),
            Kind::VocabProperty => compact_vocab(text, self.context, out),
            Kind::ListRelationship if self.version.has(8) => {
                // URIs hold no quotes, so those are the ends.
                let objects = text.split('"').skip(1).step_by(2);
                let objects: Vec<String> =
                    objects.map(|uri| format!("{{\"object\":\"{uri}\"}}")).collect();
                out.extend_from_slice(format!("[{}]", objects.join(",")).as_bytes());
            }
            _ if value.is_coerced() => compact_value(text, self.context, out),
            _ => out.extend_from_slice(text.as_bytes()),
        }
    }

    fn expiry(&mut self, at: Option<Timestamp>, is_removed: bool) {
        if self.version.has(9) {
            self.moment("expiresAt", at, is_removed);
        }
    }

    fn moment(&mut self, key: &str, at: Option<Timestamp>, is_removed: bool) {
        if is_removed {
            self.text(key, NGSI_LD_NULL);
        } else if let Some(at) = at {
            self.key(key);
            self.out.push(b'"');
            self.moments.write(at, &mut self.out);
            self.out.push(b'"');
        }
    }

    fn text(&mut self, key: &str, text: &str) {
        self.key(key);
        write_json_string(text, &mut self.out);
    }

    fn key(&mut self, key: &str) {
        if !matches!(self.out.last(), Some(b'{')) {
            self.out.push(b',');
        }
        write_json_string(key, &mut self.out);
        self.out.push(b':');
    }
}

/// Whether a merge is told in the simplified representation.
pub(super) fn is_simplified(operation: &Operation) -> bool {
    let Operation::Merge { fragment, .. } = operation else { return false };
    let mut instances = fragment.attributes.iter().flat_map(|attribute| &attribute.instances);
    instances.any(|instance| instance.simplified.is_some())
}

/// What holds for a whole merge, as parameters (clause 6.5.3.4).
pub(super) fn merge_parameters(options: &MergeOptions) -> Vec<(&'static str, String)> {
    let observed = options.observed_at.map(|at| ("observedAt", at.to_string()));
    let lang = options.lang.as_ref().map(|lang| ("lang", lang.to_string()));
    observed.into_iter().chain(lang).collect()
}

/// A fragment of some types and attributes.
fn some(types: &[Iri], attributes: &[Attribute]) -> Fragment {
    let attributes = attributes.iter().cloned().map(AttributeFragment::from).collect();
    Fragment { types: types.to_vec(), attributes, ..Fragment::default() }
}
