//! Fragments with everything in them become whole attributes.

use cardo_model::{Attribute, AttributeFragment, Instance, InstanceFragment};

use super::error::{DataFault, InvalidInput};

/// Whole attributes; an error where a value is missing.
pub(crate) fn complete_attributes(
    fragments: Vec<AttributeFragment>,
) -> Result<Vec<Attribute>, InvalidInput> {
    fragments.into_iter().map(complete_attribute).collect()
}

fn complete_attribute(fragment: AttributeFragment) -> Result<Attribute, InvalidInput> {
    let AttributeFragment { name, instances } = fragment;
    let mut whole = Vec::with_capacity(instances.len());
    for instance in instances {
        let instance = complete_instance(instance);
        whole.push(instance.map_err(|error| error.within(name.as_str()))?);
    }
    Ok(Attribute { name, instances: whole })
}

/// A whole instance; an error where its value is missing.
pub(crate) fn complete_instance(fragment: InstanceFragment) -> Result<Instance, InvalidInput> {
    let member = fragment.kind.map_or("value", |kind| kind.value_member());
    let value = fragment.value.ok_or(DataFault::Missing(member))?;
    let mut instance = Instance::new(value);
    instance.dataset_id = fragment.dataset_id;
    instance.observed_at = fragment.observed_at;
    instance.unit_code = fragment.unit_code;
    instance.value_type = fragment.value_type;
    instance.object_types = fragment.object_types;
    instance.expires_at = fragment.expires_at;
    instance.created_at = fragment.created_at.unwrap_or(instance.created_at);
    instance.modified_at = fragment.modified_at.unwrap_or(instance.modified_at);
    instance.attributes = complete_attributes(fragment.attributes)?;
    Ok(instance)
}
