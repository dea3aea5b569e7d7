use cardo_engine::{Match, Registration, SourceState};
use cardo_jsonld::Context;
use cardo_model::{NGSI_LD_NULL, Timestamp};
use serde_json::{Map, Value, json};

use crate::fault::Fault;
use crate::parse::expand_name;

type Members = Map<String, Value>;

/// A registration's document in the twin: what the client gave, with full names.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Stored {
    pub(crate) members: Members,
    pub(crate) created_at: Timestamp,
    pub(crate) modified_at: Timestamp,
}

const VERSION: u64 = 1;

/// Members that clients may send and that are not kept (tables 5.2.2-1 and 5.2.9-2).
const OUTPUT_ONLY: [&str; 8] = [
    "lastFailure",
    "lastSuccess",
    "status",
    "timesFailed",
    "timesSent",
    "createdAt",
    "modifiedAt",
    "deletedAt",
];

/// Members of a registration or of a fragment of one, with full names.
pub(crate) struct Given(pub(crate) Members);

impl Given {
    /// Takes what a body holds (clause 5.5.7).
    pub(crate) fn new(members: Members, context: &Context) -> Result<Self, Fault> {
        let mut own = Map::new();
        for (name, value) in members {
            let name = match name.as_str() {
                "@id" => "id".to_owned(),
                "@type" => "type".to_owned(),
                "@context" => continue,
                other if OUTPUT_ONLY.contains(&other) => continue,
                other if Registration::MEMBERS.contains(&other) => name,
                other => expand_name(other, context)?.as_str().to_owned(),
            };
            own.insert(name, value);
        }
        let mut wrong = None;
        rename(&mut own, &mut |name| match expand_name(name, context) {
            Ok(full) => full.as_str().to_owned(),
            Err(error) => {
                wrong.get_or_insert(error);
                name.to_owned()
            }
        });
        match wrong {
            Some(error) => Err(error.into()),
            None => Ok(Self(own)),
        }
    }

    /// Refuses what deletes members: nothing can be deleted from what does not exist yet (clause
    /// 5.5.4).
    pub(crate) fn refuse_nulls(&self) -> Result<(), Fault> {
        match self.0.iter().find(|(_, value)| value.as_str() == Some(NGSI_LD_NULL)) {
            Some((name, _)) => {
                Err(Fault::bad_data(format!("{name}: {NGSI_LD_NULL} deletes nothing here")))
            }
            None => Ok(()),
        }
    }
}

/// Reads what is to be kept (clause 5.2.9).
pub(crate) fn read(members: &Members) -> Result<Registration, Fault> {
    let registration = Registration::read(members)?;
    check_source_info(&registration)?;
    Ok(registration)
}

/// The pairs that have a meaning of their own (clause 4.3.6.6).
fn check_source_info(registration: &Registration) -> Result<(), Fault> {
    for (key, value) in &registration.source_info {
        let is_right = match &**key {
            "accept" | "contentType" => {
                matches!(&**value, "application/json" | "application/ld+json")
            }
            "jsonldContext" => value.starts_with("http://") || value.starts_with("https://"),
            "ngsildConformance" => is_version(value),
            _ => true,
        };
        if !is_right {
            return Err(Fault::bad_data(format!("contextSourceInfo: {value:?} is no {key}")));
        }
    }
    Ok(())
}

/// `major.minor`.
fn is_version(text: &str) -> bool {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    text.split_once('.').is_some_and(|(major, minor)| is_number(major) && is_number(minor))
}

impl Stored {
    /// The document's text.
    pub(crate) fn to_text(&self) -> String {
        json!({
            "version": VERSION,
            "registration": self.members,
            "createdAt": self.created_at.to_string(),
            "modifiedAt": self.modified_at.to_string(),
        })
        .to_string()
    }

    /// Reads a document; none where it is not one of a version that is known.
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        let Ok(Value::Object(mut document)) = serde_json::from_str(text) else { return None };
        if document.get("version")?.as_u64()? != VERSION {
            return None;
        }
        let moment = |name: &str| Timestamp::parse(document.get(name)?.as_str()?).ok();
        let (created_at, modified_at) = (moment("createdAt")?, moment("modifiedAt")?);
        let Value::Object(members) = document.remove("registration")? else { return None };
        Some(Self { members, created_at, modified_at })
    }

    /// Takes over a fragment (clause 5.5.8). What JSON-LD has no value for is deleted as well, as in
    /// the merge patch that the clause adapts.
    pub(crate) fn merge(&mut self, fragment: Given) -> Result<(), Fault> {
        for (name, value) in fragment.0 {
            if !value.is_null() && value.as_str() != Some(NGSI_LD_NULL) {
                self.members.insert(name, value);
            } else if matches!(name.as_str(), "id" | "type" | "information" | "endpoint") {
                return Err(Fault::bad_data(format!("{name} cannot be removed")));
            } else {
                self.members.remove(&name);
            }
        }
        Ok(())
    }

    /// The registration as a client sees it under its own context; only what matches of its
    /// information where that was asked for (clause 5.10.2.5).
    pub(crate) fn show(
        &self,
        reader: &Context,
        state: SourceState,
        matched: Option<&Match>,
        sys_attrs: bool,
    ) -> Value {
        let mut members = Map::new();
        for (name, value) in &self.members {
            let name = if name.contains(':') { reader.compact_iri(name) } else { name.into() };
            members.insert(name.into_owned(), value.clone());
        }
        if let (Some(matched), Some(Value::Array(all))) = (matched, members.get_mut("information"))
        {
            let mut number = 0;
            all.retain(|_| {
                number += 1;
                matched.information.iter().any(|info| info.number + 1 == number)
            });
        }
        rename(&mut members, &mut |name| reader.compact_iri(name).into_owned());
        add_state(&mut members, state);
        if sys_attrs {
            members.insert("createdAt".to_owned(), self.created_at.to_string().into());
            members.insert("modifiedAt".to_owned(), self.modified_at.to_string().into());
        }
        Value::Object(members)
    }
}

/// The members of table 5.2.9-2.
fn add_state(members: &mut Members, state: SourceState) {
    if let Some(has_failed) = state.has_failed {
        let status = if has_failed { "failed" } else { "ok" };
        members.insert("status".to_owned(), status.into());
        members.insert("timesSent".to_owned(), state.times_sent.into());
        members.insert("timesFailed".to_owned(), state.times_failed.into());
    }
    for (name, moment) in [("lastSuccess", state.last_success), ("lastFailure", state.last_failure)]
    {
        if let Some(moment) = moment {
            members.insert(name.to_owned(), moment.to_string().into());
        }
    }
}

/// Renames types and attributes in the information of a registration.
fn rename(members: &mut Members, name: &mut dyn FnMut(&str) -> String) {
    let Some(Value::Array(all)) = members.get_mut("information") else { return };
    for info in all.iter_mut().filter_map(Value::as_object_mut) {
        for list in ["propertyNames", "relationshipNames"] {
            if let Some(names) = info.get_mut(list) {
                rename_value(names, name);
            }
        }
        let Some(Value::Array(entities)) = info.get_mut("entities") else { continue };
        for entity in entities {
            if let Some(types) = entity.get_mut("type") {
                rename_value(types, name);
            }
        }
    }
}

fn rename_value(value: &mut Value, name: &mut dyn FnMut(&str) -> String) {
    match value {
        Value::String(text) => *text = name(text),
        Value::Array(items) => items.iter_mut().for_each(|item| rename_value(item, name)),
        _ => {}
    }
}
