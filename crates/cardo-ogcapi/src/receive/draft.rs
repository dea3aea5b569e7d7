use cardo_engine::{ColumnPart, Table};
use cardo_model::{
    Attribute, AttributeFragment, Instance, InstanceFragment, Iri, Kind, Names, Record, Timestamp,
    Value as Held, decode_instance,
};
use cardo_query::{Datasets, Path, Root};
use serde_json::Value;

use super::target::{Change, Target};
use super::value::Maker;
use crate::fault::Fault;
use crate::systems::System;

/// The attributes of an entity that change, each whole, as they are and as they are to be.
pub(crate) struct Draft<'a> {
    names: &'a Names,
    table: &'a Table,
    /// The address of the API.
    root: &'a str,
    /// The reference system of positions.
    system: &'a System,
    record: Option<&'a Record>,
    before: Vec<Attribute>,
    after: Vec<Attribute>,
}

/// Where an instance stands or is to stand.
type Place<'d> = (&'d mut Vec<Instance>, Option<usize>);

impl<'a> Draft<'a> {
    pub(crate) fn new(
        names: &'a Names,
        table: &'a Table,
        root: &'a str,
        (record, system): (Option<&'a Record>, &'a System),
    ) -> Self {
        Self { names, table, root, system, record, before: Vec::new(), after: Vec::new() }
    }

    /// Applies changes; `kind_of` tells of which kind an attribute is everywhere else.
    pub(crate) fn apply(
        &mut self,
        changes: &[Change],
        kind_of: &dyn Fn(&Iri) -> Option<Kind>,
    ) -> Result<(), Fault> {
        for Change { target, value } in changes {
            let (table, root, system) = (self.table, self.root, self.system);
            let maker = Maker { table, root, system, name: &target.name };
            self.change(target, value.as_ref(), &maker, kind_of)?;
        }
        tidy(&mut self.after);
        Ok(())
    }

    fn change(
        &mut self,
        target: &Target,
        value: Option<&Value>,
        maker: &Maker<'_>,
        kind_of: &dyn Fn(&Iri) -> Option<Kind>,
    ) -> Result<(), Fault> {
        let Root::Attribute(attribute) = &target.path.root else { return Ok(()) };
        self.take(attribute);
        let place = place(&mut self.after, attribute, &target.path);
        let Some((instances, at)) = place else {
            return value.map_or(Ok(()), |_| Err(without_value(target)));
        };
        let is_value = target.part == ColumnPart::Value;
        let (Some(at), Some(value)) = (at, value) else {
            match (at, value) {
                (Some(at), None) if is_value => {
                    instances.remove(at);
                }
                (Some(at), None) => return self::part(instances, at, target, None, maker),
                (None, None) => {}
                (_, Some(value)) => {
                    let is_own = target.path.attributes.is_empty();
                    let usual = target.usual.or_else(|| kind_of(attribute).filter(|_| is_own));
                    let mut instance = new_instance(target, value, usual, maker)?;
                    if let Datasets::Only(dataset) = &target.path.datasets
                        && is_own
                    {
                        instance.dataset_id = Some(dataset.clone());
                    }
                    instances.push(instance);
                }
            }
            return Ok(());
        };
        if !is_value {
            return self::part(instances, at, target, Some(value), maker);
        }
        let (held, value_type) = maker.value(value, target.datatype, Some(&instances[at]), None)?;
        instances[at].value = held;
        instances[at].value_type = value_type;
        Ok(())
    }

    /// Takes an attribute out of the record to change it.
    fn take(&mut self, name: &Iri) {
        if self.before.iter().any(|attribute| attribute.name == *name) {
            return;
        }
        let found = self.names.id(name.as_str()).and_then(|id| self.record?.view().attribute(id));
        let mut full = |id| self.names.name(id).expect("a record has names that are known");
        let instances = found.map(|attribute| {
            let decoded = attribute.instances().map(|instance| decode_instance(&instance));
            decoded.map(|instance| instance.map_names(&mut full)).collect()
        });
        let attribute = Attribute { name: name.clone(), instances: instances.unwrap_or_default() };
        self.before.push(attribute.clone());
        self.after.push(attribute);
    }

    /// The attributes as they are to be.
    pub(crate) fn into_attributes(self) -> Vec<Attribute> {
        self.after
    }

    /// What is to be updated: instances that differ, and those that are to go.
    pub(crate) fn into_fragments(self) -> Vec<AttributeFragment> {
        let mut fragments = Vec::new();
        for before in self.before {
            let after = self.after.iter().find(|attribute| attribute.name == before.name);
            let after = after.map_or(&[][..], |attribute| attribute.instances.as_slice());
            let mut instances: Vec<InstanceFragment> = Vec::new();
            for instance in after {
                if !before.instances.iter().any(|one| one.same_content(instance)) {
                    instances.push(instance.clone().into());
                }
            }
            for gone in before.instances {
                if !after.iter().any(|one| one.dataset_id == gone.dataset_id) {
                    let kind = gone.value.kind();
                    instances.push(InstanceFragment {
                        kind: Some(kind),
                        value: Some(Held::null(kind)),
                        dataset_id: gone.dataset_id,
                        ..InstanceFragment::default()
                    });
                }
            }
            if !instances.is_empty() {
                fragments.push(AttributeFragment { name: before.name, instances });
            }
        }
        fragments
    }
}

/// Where the instance of a path stands: which of the attribute, then the first of each attribute of
/// an attribute. Nowhere, where what it would be said of is missing.
fn place<'d>(all: &'d mut Vec<Attribute>, name: &Iri, path: &Path<Iri>) -> Option<Place<'d>> {
    let instances = instances_of(all, name);
    let at = match &path.datasets {
        Datasets::Only(dataset) => {
            instances.iter().position(|one| one.dataset_id.as_ref() == Some(dataset))
        }
        Datasets::Any | Datasets::Preferred => (!instances.is_empty()).then_some(0),
    };
    match path.attributes.split_first() {
        None => Some((instances, at)),
        Some((first, rest)) => below(&mut instances[at?].attributes, first, rest),
    }
}

fn below<'d>(all: &'d mut Vec<Attribute>, name: &Iri, rest: &[Iri]) -> Option<Place<'d>> {
    let instances = instances_of(all, name);
    let at = (!instances.is_empty()).then_some(0);
    match rest.split_first() {
        None => Some((instances, at)),
        Some((first, rest)) => below(&mut instances[at?].attributes, first, rest),
    }
}

fn instances_of<'d>(all: &'d mut Vec<Attribute>, name: &Iri) -> &'d mut Vec<Instance> {
    let at = all.iter().position(|attribute| attribute.name == *name).unwrap_or_else(|| {
        all.push(Attribute { name: name.clone(), instances: Vec::new() });
        all.len() - 1
    });
    &mut all[at].instances
}

fn new_instance(
    target: &Target,
    value: &Value,
    usual: Option<Kind>,
    maker: &Maker<'_>,
) -> Result<Instance, Fault> {
    match &target.part {
        ColumnPart::Value => {
            let (held, value_type) = maker.value(value, target.datatype, None, usual)?;
            Ok(Instance { value_type, ..Instance::new(held) })
        }
        ColumnPart::Language(language) => {
            let text = value.as_str().ok_or_else(|| maker.wrong(value, "a text"))?;
            Ok(Instance::new(maker.language_map(None, language, Some(text))?))
        }
        ColumnPart::ObservedAt | ColumnPart::UnitCode => Err(without_value(target)),
    }
}

/// Changes what is said of a value.
fn part(
    instances: &mut Vec<Instance>,
    at: usize,
    target: &Target,
    value: Option<&Value>,
    maker: &Maker<'_>,
) -> Result<(), Fault> {
    let text = |value: &Value| {
        value.as_str().map(str::to_owned).ok_or_else(|| maker.wrong(value, "a text"))
    };
    let instance = &mut instances[at];
    match &target.part {
        ColumnPart::Value => {}
        ColumnPart::ObservedAt => {
            let moment: Option<Timestamp> = value.map(|value| maker.instant(value)).transpose()?;
            instance.observed_at = moment;
        }
        ColumnPart::UnitCode => instance.unit_code = value.map(text).transpose()?.map(Into::into),
        ColumnPart::Language(language) => {
            let text = value.map(text).transpose()?;
            let held = maker.language_map(Some(instance), language, text.as_deref())?;
            if held.as_json() == "{}" {
                instances.remove(at);
            } else {
                instance.value = held;
            }
        }
    }
    Ok(())
}

fn without_value(target: &Target) -> Fault {
    let name = &target.name;
    Fault::unprocessable(format!("{name:?} is said of a value that the feature does not have"))
}

/// Leaves out attributes of which nothing is left.
fn tidy(attributes: &mut Vec<Attribute>) {
    attributes.retain(|attribute| !attribute.instances.is_empty());
    for instance in attributes.iter_mut().flat_map(|attribute| &mut attribute.instances) {
        tidy(&mut instance.attributes);
    }
}
