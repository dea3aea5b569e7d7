//! Fields that no mapping names become attributes of their own.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use cardo_formats::Record;
use cardo_model::{Attribute, Instance, Iri, Timestamp};

use super::attribute::{AttributePlan, plain_property};
use super::fault::MapFault;
use super::field::Scene;
use super::names::NameSpace;
use super::value::Reading;
use crate::naming;

/// More different fields than this are no columns, but values in the wrong place.
const MAX_FIELDS: usize = 2_000;
/// So many renamed fields are told of.
const MAX_NOTES: usize = 20;

/// Which attribute each field becomes.
#[derive(Debug)]
pub(crate) struct Rest {
    names: HashMap<Arc<str>, Option<Iri>>,
    taken: HashSet<String>,
    notes: Vec<String>,
}

impl Rest {
    /// Leaves out the fields that attributes name, and their own names.
    pub(crate) fn new(
        attributes: &[AttributePlan],
        location: Option<&str>,
        consumed: impl IntoIterator<Item = Arc<str>>,
    ) -> Self {
        let mut names = HashMap::new();
        for field in attributes.iter().flat_map(AttributePlan::fields).chain(consumed) {
            names.insert(field, None);
        }
        let mut taken: HashSet<String> = attributes.iter().map(|a| a.label.clone()).collect();
        taken.extend(location.map(str::to_owned));
        Self { names, taken, notes: Vec::new() }
    }

    /// Attributes for all fields that are left.
    pub(crate) fn fill(
        &mut self,
        record: &Record,
        scene: &Scene<'_>,
        (reading, space): (Reading, &NameSpace),
        observed_at: Option<Timestamp>,
        attributes: &mut Vec<Attribute>,
    ) -> Result<(), MapFault> {
        for (field, value) in &record.fields {
            let Some(name) = self.name(field, space)? else { continue };
            if scene.is_absent(value) {
                continue;
            }
            let Some(value) = plain_property(reading, field, value)? else { continue };
            let mut instance = Instance::new(value);
            instance.observed_at = observed_at;
            attributes.push(Attribute::new(name, instance));
        }
        Ok(())
    }

    fn name(&mut self, field: &Arc<str>, space: &NameSpace) -> Result<Option<Iri>, MapFault> {
        if let Some(known) = self.names.get(field) {
            return Ok(known.clone());
        }
        if self.names.len() >= MAX_FIELDS {
            return Err(MapFault::TooManyFields(MAX_FIELDS));
        }
        let name = self.choose(field);
        let iri = space.attribute(&name).ok();
        self.taken.insert(name);
        self.names.insert(Arc::clone(field), iri.clone());
        Ok(iri)
    }

    fn choose(&mut self, field: &str) -> String {
        let plain = naming::camel_case(field);
        let wanted = naming::reserved(&plain).map_or_else(|| plain.clone(), str::to_owned);
        let mut name = wanted.clone();
        let mut number = 2;
        while self.taken.contains(&name) {
            name = format!("{wanted}{number}");
            number += 1;
        }
        if (name != plain || plain.starts_with("field")) && self.notes.len() < MAX_NOTES {
            self.notes.push(format!("the field `{field}` became the attribute `{name}`"));
        }
        name
    }

    /// Which fields were given a name that one would not expect.
    pub(crate) fn notes(&self) -> &[String] {
        &self.notes
    }
}
