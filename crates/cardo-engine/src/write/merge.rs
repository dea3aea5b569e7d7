use cardo_model::{
    Attribute, AttributeFragment, EntityId, Fragment, Instance, InstanceFragment, JsonText, Kind,
    NGSI_LD_NULL, NameId, Timestamp, Value,
};
use serde_json::Value as Json;

use super::Revising;
use super::edit::{Edit, stamp};
use crate::operation::{Done, MergeOptions, NotUpdated, OperationError};

impl Revising<'_> {
    /// Clause 5.6.17.
    pub(super) fn merge(
        &mut self,
        id: &EntityId,
        fragment: Fragment<NameId>,
        options: &MergeOptions,
    ) -> Result<Done, OperationError> {
        let (slot, old) = self.find(id)?;
        let mut edit = Edit::new(slot, old);
        edit.update_expiry(&fragment);
        for attribute in fragment.attributes {
            for instance in attribute.instances {
                self.merge_one(&mut edit, attribute.name, instance, options)?;
            }
        }
        edit.add_types(&fragment.types);
        match fragment.scopes {
            Some(scopes) if options.no_overwrite => edit.add_scopes(scopes),
            Some(scopes) => edit.set_scopes(scopes),
            None => {}
        }
        self.commit(edit)
    }

    fn merge_one(
        &self,
        edit: &mut Edit,
        name: NameId,
        mut fragment: InstanceFragment<NameId>,
        options: &MergeOptions,
    ) -> Result<(), OperationError> {
        let dataset = fragment.dataset_id.clone();
        let Some(before) = edit.instance(name, dataset.as_ref()) else {
            if fragment.value.as_ref().is_some_and(Value::is_null) {
                edit.refuse(name, NotUpdated::Missing);
                return Ok(());
            }
            let instance =
                complete(fragment).ok_or_else(|| OperationError::Incomplete(self.name(name)))?;
            edit.put(name, instance, self.time);
            return Ok(());
        };
        if options.no_overwrite {
            edit.refuse(name, NotUpdated::Exists);
            return Ok(());
        }
        if fragment.observed_at.is_none() && before.observed_at.is_some() {
            fragment.observed_at = options.observed_at;
        }
        take_over_kind(&mut fragment, &before, options.lang.as_deref());
        if fragment.kind.is_some_and(|kind| kind != before.value.kind()) {
            let instance =
                complete(fragment).ok_or_else(|| OperationError::Incomplete(self.name(name)))?;
            edit.put(name, instance, self.time);
            return Ok(());
        }
        edit.set(name, dataset, merge_instance(before, fragment, self.time));
        Ok(())
    }
}

/// A simplified value keeps the kind of the attribute that it is merged into (clause 5.6.17.4).
fn take_over_kind(
    fragment: &mut InstanceFragment<NameId>,
    before: &Instance<NameId>,
    lang: Option<&str>,
) {
    let stored = before.value.kind();
    let text_of = |value: &Value| serde_json::from_str::<Box<str>>(value.as_json()).ok();
    if stored == Kind::LanguageProperty
        && let (Some(lang), Some(value)) = (lang, &fragment.value)
        && !value.is_null()
        && let Some(text) = text_of(value)
    {
        let map = Json::Object([(lang.to_owned(), Json::from(&*text))].into_iter().collect());
        fragment.value = Some(Value::language_map(JsonText::from_value(&map)));
        fragment.kind = Some(stored);
        return;
    }
    if fragment.kind.is_none()
        && let Some(value) = &fragment.value
    {
        let is_touched = !matches!(stored, Kind::LanguageProperty | Kind::JsonProperty);
        let as_sent = fragment.simplified.take().filter(|_| !is_touched);
        let coerced = value.is_coerced() && is_touched;
        let json = as_sent.unwrap_or_else(|| JsonText::from_canonical(value.as_json()));
        let is_geometry = || cardo_model::Geometry::parse(json.as_str()).is_ok();
        if value.is_null() || stored != Kind::GeoProperty || is_geometry() {
            fragment.value = Some(Value::from_parts(stored, json, coerced));
        }
    }
}

/// The whole instance that a fragment gives, where it gives one.
pub(super) fn complete(fragment: InstanceFragment<NameId>) -> Option<Instance<NameId>> {
    let mut instance = Instance::new(fragment.value?);
    instance.dataset_id = fragment.dataset_id;
    instance.observed_at = fragment.observed_at;
    instance.unit_code = fragment.unit_code.filter(|unit| &**unit != NGSI_LD_NULL);
    instance.value_type = fragment.value_type;
    instance.object_types = fragment.object_types;
    instance.expires_at = fragment.expires_at;
    for attribute in fragment.attributes {
        let instances: Vec<Instance<NameId>> = attribute
            .instances
            .into_iter()
            .filter(|f| !f.value.as_ref().is_some_and(Value::is_null))
            .filter_map(complete)
            .collect();
        if !instances.is_empty() {
            instance.attributes.push(Attribute { name: attribute.name, instances });
        }
    }
    Some(instance)
}

/// Clause 5.5.8 on one instance: given members take the place of those that are; `None` where it
/// is deleted.
pub(super) fn update_instance(
    mut instance: Instance<NameId>,
    fragment: InstanceFragment<NameId>,
    time: Timestamp,
) -> Option<Instance<NameId>> {
    if let Some(value) = fragment.value.clone() {
        if value.is_null() {
            return None;
        }
        instance.value = value;
    }
    put_members(&mut instance, &fragment, time);
    for attribute in fragment.attributes {
        put_attribute(&mut instance.attributes, attribute, time, |_, fragment| complete(fragment));
    }
    Some(instance)
}

/// Clause 5.5.12 on one instance: members are merged to any depth; `None` where it is deleted.
fn merge_instance(
    mut instance: Instance<NameId>,
    fragment: InstanceFragment<NameId>,
    time: Timestamp,
) -> Option<Instance<NameId>> {
    if let Some(value) = &fragment.value {
        if value.is_null() {
            return None;
        }
        instance.value = merge_value(&instance.value, value);
    }
    put_members(&mut instance, &fragment, time);
    for attribute in fragment.attributes {
        put_attribute(&mut instance.attributes, attribute, time, |before, fragment| match before {
            Some(before) if fragment.kind.is_none_or(|kind| kind == before.value.kind()) => {
                merge_instance(before, fragment, time)
            }
            _ => complete(fragment),
        });
    }
    Some(instance)
}

fn put_members(
    instance: &mut Instance<NameId>,
    fragment: &InstanceFragment<NameId>,
    time: Timestamp,
) {
    instance.modified_at = time;
    if fragment.observed_at.is_some() || fragment.without_observed_at {
        instance.observed_at = fragment.observed_at;
    }
    if let Some(unit) = &fragment.unit_code {
        instance.unit_code = (&**unit != NGSI_LD_NULL).then(|| unit.clone());
    }
    if let Some(value_type) = &fragment.value_type {
        instance.value_type = (&**value_type != NGSI_LD_NULL).then(|| value_type.clone());
    }
    if !fragment.object_types.is_empty() {
        instance.object_types.clone_from(&fragment.object_types);
    }
    if fragment.expires_at.is_some() || fragment.without_expires_at {
        instance.expires_at = fragment.expires_at;
    }
}

/// Puts the parts of an attribute of an attribute where they belong.
fn put_attribute(
    attributes: &mut Vec<Attribute<NameId>>,
    given: AttributeFragment<NameId>,
    time: Timestamp,
    join: impl Fn(Option<Instance<NameId>>, InstanceFragment<NameId>) -> Option<Instance<NameId>>,
) {
    let at = attributes.iter().position(|a| a.name == given.name).unwrap_or_else(|| {
        attributes.push(Attribute { name: given.name, instances: Vec::new() });
        attributes.len() - 1
    });
    let instances = &mut attributes[at].instances;
    for fragment in given.instances {
        let place = instances.iter().position(|i| i.dataset_id == fragment.dataset_id);
        if fragment.value.as_ref().is_some_and(Value::is_null) {
            if let Some(place) = place {
                instances.remove(place);
            }
            continue;
        }
        let before = place.map(|place| instances[place].clone());
        let created_at = before.as_ref().map(|b| b.created_at);
        let Some(mut after) = join(before, fragment) else { continue };
        stamp(&mut after, time);
        after.created_at = created_at.unwrap_or(time);
        match place {
            Some(place) => instances[place] = after,
            None => instances.push(after),
        }
    }
    if instances.is_empty() {
        attributes.remove(at);
    }
}

/// Objects are merged by RFC 7396 with the NGSI-LD null in the place of null.
fn merge_value(before: &Value, given: &Value) -> Value {
    let is_deep =
        matches!(before.kind(), Kind::Property | Kind::LanguageProperty | Kind::JsonProperty);
    let are_objects = before.as_json().starts_with('{') && given.as_json().starts_with('{');
    if !(is_deep && are_objects) {
        return given.clone();
    }
    let parse = |value: &Value| serde_json::from_str::<Json>(value.as_json());
    let (Ok(mut target), Ok(patch)) = (parse(before), parse(given)) else { return given.clone() };
    merge_json(&mut target, patch);
    let coerced = before.is_coerced() || given.is_coerced();
    Value::from_parts(before.kind(), JsonText::from_value(&target), coerced)
}

fn merge_json(target: &mut Json, patch: Json) {
    let Json::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Json::Object(serde_json::Map::new());
    }
    let Json::Object(members) = target else { return };
    for (key, value) in patch {
        if value.as_str() == Some(NGSI_LD_NULL) {
            members.remove(&key);
        } else {
            merge_json(members.entry(key).or_insert(Json::Null), value);
        }
    }
}
