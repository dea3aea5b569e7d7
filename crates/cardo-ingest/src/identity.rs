//! Which field tells the records of a source apart, where nobody has said it.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use cardo_formats::{Record, RecordReader};

use crate::mapping::{Identity, read_with_offset, short_type};

/// So many records are looked at.
const SAMPLE: usize = 10_000;

/// Usual names of keys; those that a tool numbers anew with every export come last.
const NAMES: [&str; 20] = [
    "id",
    "uuid",
    "guid",
    "global_id",
    "globalid",
    "identifier",
    "gml_id",
    "osm_id",
    "osmid",
    "code",
    "key",
    "ref",
    "gid",
    "fid",
    "objectid",
    "object_id",
    "ogc_fid",
    "nr",
    "number",
    "no",
];

/// Usual names of the moment of observation.
const MOMENTS: [&str; 2] = ["observedAt", "observed_at"];

/// What the first records of a source tell about all of them.
pub(crate) struct Findings {
    pub(crate) identity: Identity,
    /// A field that holds the moment of observation.
    pub(crate) observed_at: Option<String>,
}

struct Candidate {
    identity: Identity,
    seen: HashSet<u64>,
}

/// Looks for a key among the first records: present in all of them, and no value twice.
pub(crate) fn look(type_name: &str, reader: &mut (dyn RecordReader + Send)) -> Findings {
    let hasher = RandomState::new();
    let mut candidates: Vec<Candidate> = Vec::new();
    let mut observed_at = None;
    let mut is_first = true;
    for record in reader.take(SAMPLE) {
        let Ok(record) = record else { continue };
        if is_first {
            candidates = possible(type_name, &record);
            observed_at = moment(&record);
            is_first = false;
        }
        candidates.retain_mut(|candidate| {
            let key = candidate.identity.key(&record);
            key.is_some_and(|key| candidate.seen.insert(hasher.hash_one(key)))
        });
    }
    let best = candidates.into_iter().next();
    Findings { identity: best.map_or(Identity::Hash, |best| best.identity), observed_at }
}

fn possible(type_name: &str, record: &Record) -> Vec<Candidate> {
    let short = short_type(type_name).to_lowercase();
    let of_type = [format!("{short}_id"), format!("{short}id")];
    let names = of_type.iter().map(String::as_str).chain(NAMES);
    let fields = names.filter_map(|name| {
        let mut fields = record.fields.iter().map(|(field, _)| field);
        fields.find(|field| field.trim().eq_ignore_ascii_case(name))
    });
    let own = record.id.is_some().then_some(Identity::Own);
    let identities = own.into_iter().chain(fields.map(|field| Identity::Field(field.to_string())));
    identities.map(|identity| Candidate { identity, seen: HashSet::new() }).collect()
}

fn moment(record: &Record) -> Option<String> {
    let is_moment = |name: &&&str| {
        let value = record.field(name).and_then(|value| value.as_str());
        value.is_some_and(|text| read_with_offset(text.trim()).is_some())
    };
    MOMENTS.iter().find(is_moment).map(|name| (*name).to_owned())
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use cardo_formats::{Format, ReadOptions, open};

    use super::*;

    fn found(csv: &'static str) -> Identity {
        let mut reader = open(Format::Csv, Cursor::new(csv), &ReadOptions::default()).unwrap();
        look("Station", &mut *reader).identity
    }

    fn field(name: &str) -> Identity {
        Identity::Field(name.to_owned())
    }

    #[test]
    fn a_key_is_present_and_unique() {
        assert_eq!(found("FID,ID,Name\n1,501,a\n2,503,b\n"), field("ID"));
        assert_eq!(found("FID,ID,Name\n1,501,a\n2,501,b\n"), field("FID"));
        assert_eq!(found("id,code\n1,x\n,y\n"), field("code"));
        assert_eq!(found("station_id,id\n7,1\n8,2\n"), field("station_id"));
        assert_eq!(found("name,v\na,1\nb,2\n"), Identity::Hash);
        assert_eq!(found("name,v\n"), Identity::Hash);
    }
}
