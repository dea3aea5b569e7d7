use std::time::Duration as StdDuration;

use cardo_engine::Duration;
use cardo_model::{Iri, NGSI_LD_NULL, Timestamp};
use serde_json::{Map, Value, json};

use crate::fault::Fault;

/// Members that clients may send and that are not kept (table 5.2.41-2).
const OUTPUT_ONLY: [&str; 7] = [
    "snapshotStatus",
    "snapshotQueriesDetails",
    "snapshotTemporalQueriesDetails",
    "createdAt",
    "modifiedAt",
    "expiresAt",
    "lastUsedAt",
];
/// The status of a snapshot that is being made.
pub(crate) const PREPARING: &str = "preparing";
/// A snapshot lasts so long where nobody says how long.
const USUAL_MICROS: i64 = 24 * 3_600 * 1_000_000;
/// Queries of one snapshot, and items of `receiverInfo`.
const MOST: usize = 100;

/// For which operation a document is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Create,
    Clone,
    Update,
}

/// A Snapshot (clause 5.2.41), or a fragment of one, that was checked.
#[derive(Debug)]
pub(crate) struct Given {
    pub(crate) id: Option<Iri>,
    pub(crate) members: Map<String, Value>,
}

/// What is kept of a snapshot.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) id: Box<str>,
    /// The members that clients set.
    pub(crate) members: Map<String, Value>,
    pub(crate) status: String,
    /// A place a query: how it went.
    pub(crate) details: Vec<Value>,
    pub(crate) temporal_details: Vec<Value>,
    pub(crate) created_at: Timestamp,
    pub(crate) modified_at: Timestamp,
    pub(crate) expires_at: Timestamp,
}

impl Given {
    /// Checks a document (clauses 5.16.1.4, 5.16.2.4 and 5.16.4.4).
    pub(crate) fn read(document: Map<String, Value>, mode: Mode) -> Result<Self, Fault> {
        let mut given = Self { id: None, members: Map::new() };
        let mut has_type = mode == Mode::Update;
        for (name, value) in document {
            let is_removed = mode == Mode::Update && (value.is_null() || value == NGSI_LD_NULL);
            match name.as_str() {
                "@context" => {}
                "type" | "@type" => {
                    has_type = true;
                    if value != "Snapshot" {
                        return Err(Fault::bad_data(format!("type: {value} is not Snapshot")));
                    }
                }
                "id" | "@id" => {
                    let text = value.as_str().ok_or_else(|| wrong(&name, &value, "a URI"))?;
                    given.id = Some(Iri::new(text.to_owned())?);
                }
                known if OUTPUT_ONLY.contains(&known) => {}
                _ if is_removed && is_optional(&name) => {
                    given.members.insert(name, Value::Null);
                }
                _ => {
                    check(&name, &value, mode)?;
                    given.members.insert(name, value);
                }
            }
        }
        if !has_type {
            return Err(Fault::bad_data("the member \"type\" is missing; it is Snapshot"));
        }
        let has = |name: &str| given.members.contains_key(name);
        if mode == Mode::Create && !has("snapshotQueries") && !has("snapshotTemporalQueries") {
            let why = "one of snapshotQueries and snapshotTemporalQueries is needed";
            return Err(Fault::bad_data(why));
        }
        Ok(given)
    }
}

fn is_optional(name: &str) -> bool {
    matches!(name, "snapshotLifetime" | "snapshotPriority" | "endpoint" | "receiverInfo")
}

fn wrong(name: &str, value: &Value, expected: &str) -> Fault {
    let given: String = value.to_string().chars().take(80).collect();
    Fault::bad_data(format!("{name}: {given} is not {expected}"))
}

fn check(name: &str, value: &Value, mode: Mode) -> Result<(), Fault> {
    match name {
        "snapshotQueries" | "snapshotTemporalQueries" if mode == Mode::Create => {
            let is_list = |list: &Vec<Value>| {
                (1..=MOST).contains(&list.len()) && list.iter().all(Value::is_object)
            };
            if !value.as_array().is_some_and(is_list) {
                return Err(wrong(name, value, "a list of at most 100 queries"));
            }
        }
        "snapshotQueries" | "snapshotTemporalQueries" => {
            return Err(Fault::bad_data(format!("{name} is set when a snapshot is created")));
        }
        "snapshotLifetime" => {
            let text = value.as_str().ok_or_else(|| wrong(name, value, "a duration"))?;
            Duration::parse(text).map_err(|error| Fault::bad_data(format!("{name}: {error}")))?;
        }
        "snapshotPriority" => {
            if !value.as_u64().is_some_and(|priority| (1..=10).contains(&priority)) {
                return Err(wrong(name, value, "a whole number between 1 and 10"));
            }
        }
        "endpoint" => {
            let text = value.as_str().unwrap_or("");
            let is_web = text.starts_with("http://") || text.starts_with("https://");
            if !is_web || Iri::new(text.to_owned()).is_err() {
                return Err(wrong(name, value, "a URL of http or https"));
            }
        }
        "receiverInfo" => {
            let is_pair = |pair: &Value| pair["key"].is_string() && pair["value"].is_string();
            let is_list = |list: &Vec<Value>| list.len() <= MOST && list.iter().all(is_pair);
            if !value.as_array().is_some_and(is_list) {
                return Err(wrong(name, value, "a list of pairs of key and value"));
            }
        }
        _ => return Err(Fault::bad_data(format!("{name:?} is no member of a snapshot"))),
    }
    Ok(())
}

impl Stored {
    /// A new snapshot.
    pub(crate) fn new(
        id: &str,
        members: Map<String, Value>,
        now: Timestamp,
        longest: StdDuration,
    ) -> Self {
        let expires_at = end(&members, now, longest);
        Self {
            id: id.into(),
            members,
            status: PREPARING.to_owned(),
            details: Vec::new(),
            temporal_details: Vec::new(),
            created_at: now,
            modified_at: now,
            expires_at,
        }
    }

    /// Puts members of a fragment in the place of those that are (clause 5.5.8).
    pub(crate) fn merge(
        &mut self,
        fragment: Map<String, Value>,
        now: Timestamp,
        longest: StdDuration,
    ) {
        let has_lifetime = fragment.contains_key("snapshotLifetime");
        for (name, value) in fragment {
            if value.is_null() {
                self.members.remove(&name);
            } else {
                self.members.insert(name, value);
            }
        }
        self.modified_at = now;
        if has_lifetime {
            self.expires_at = end(&self.members, now, longest);
        }
    }

    pub(crate) fn priority(&self) -> u64 {
        self.members.get("snapshotPriority").and_then(Value::as_u64).unwrap_or(5)
    }

    /// The Snapshot as clause 5.2.41 has it.
    pub(crate) fn show(&self, last_used: Option<Timestamp>) -> Map<String, Value> {
        let mut shown = Map::new();
        shown.insert("id".to_owned(), json!(self.id));
        shown.insert("type".to_owned(), json!("Snapshot"));
        shown.extend(self.members.clone());
        shown.insert("snapshotPriority".to_owned(), self.priority().into());
        shown.insert("snapshotStatus".to_owned(), json!(self.status));
        let lists = [
            ("snapshotQueriesDetails", &self.details),
            ("snapshotTemporalQueriesDetails", &self.temporal_details),
        ];
        for (name, details) in lists {
            if !details.is_empty() {
                shown.insert(name.to_owned(), details.clone().into());
            }
        }
        let times = [
            ("createdAt", self.created_at),
            ("modifiedAt", self.modified_at),
            ("expiresAt", self.expires_at),
            ("lastUsedAt", last_used.map_or(self.created_at, |used| used.max(self.created_at))),
        ];
        shown.extend(times.map(|(name, time)| (name.to_owned(), time.to_string().into())));
        shown
    }

    pub(crate) fn to_text(&self) -> String {
        let times = [self.created_at, self.modified_at, self.expires_at].map(Timestamp::to_bits);
        json!({
            "id": self.id, "members": self.members, "status": self.status, "times": times,
            "details": self.details, "temporalDetails": self.temporal_details,
        })
        .to_string()
    }

    pub(crate) fn from_text(text: &str) -> Option<Self> {
        let Value::Object(mut stored) = serde_json::from_str(text).ok()? else { return None };
        let mut list = |name: &str| match stored.remove(name) {
            Some(Value::Array(list)) => list,
            _ => Vec::new(),
        };
        let (details, temporal_details) = (list("details"), list("temporalDetails"));
        let times: Vec<i64> = list("times").iter().filter_map(Value::as_i64).collect();
        let [created_at, modified_at, expires_at] =
            <[i64; 3]>::try_from(times).ok()?.map(Timestamp::from_bits);
        let Some(Value::Object(members)) = stored.remove("members") else { return None };
        Some(Self {
            id: stored["id"].as_str()?.into(),
            members,
            status: stored["status"].as_str()?.to_owned(),
            details,
            temporal_details,
            created_at,
            modified_at,
            expires_at,
        })
    }
}

/// When a snapshot with these members ends (clause 5.16.1.4).
fn end(members: &Map<String, Value>, now: Timestamp, longest: StdDuration) -> Timestamp {
    let wanted = members.get("snapshotLifetime").and_then(Value::as_str);
    let wanted = wanted.and_then(|text| Duration::parse(text).ok());
    let end = wanted.map_or(now.plus_micros(USUAL_MICROS), |lifetime| lifetime.after(now));
    end.min(now.plus_micros(i64::try_from(longest.as_micros()).unwrap_or(i64::MAX)))
}
