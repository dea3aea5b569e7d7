use std::borrow::Borrow;

use cardo_model::Record;

const LINE: usize = 64;

/// Looks at every line of memory of some records, which lie anywhere: looks that do not depend on
/// one another wait at the same time, those of a writer of records one after the other.
pub(crate) fn fetch<'r>(records: impl Iterator<Item = &'r Record>) {
    let mut seen = 0;
    for bytes in records.map(Record::as_bytes) {
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            seen ^= byte;
            at += LINE;
        }
        seen ^= bytes.last().unwrap_or(&0);
    }
    std::hint::black_box(seen);
}

/// Goes through records that lie anywhere in memory, while those further on are on their way already:
/// for those who do so much with each that they need not wait for any.
pub fn ahead<R: Borrow<Record>>(records: &[R]) -> impl Iterator<Item = &R> {
    const TOGETHER: usize = 128;
    records.chunks(TOGETHER).flat_map(ahead_among)
}

fn ahead_among<R: Borrow<Record>>(records: &[R]) -> impl Iterator<Item = &R> {
    const AHEAD: usize = 12;
    // Finding a page of memory takes as long as waiting for what is on it: several are found at the same
    // time where nothing else is done between.
    for record in records {
        call_start(record.borrow());
    }
    let mut called = 0;
    records.iter().enumerate().map(move |(at, record)| {
        // A few at a time, since no more than a few lines can be on their way.
        let until = (called + 2).min(at + 1 + AHEAD).min(records.len());
        while called < until {
            call(records[called].borrow());
            called += 1;
        }
        record
    })
}

/// Lets the lines of a record come into the cache without waiting for them.
#[inline]
fn call(record: &Record) {
    let bytes = record.as_bytes();
    bytes.iter().step_by(LINE).chain(bytes.last()).for_each(call_one);
}

#[inline]
fn call_start(record: &Record) {
    record.as_bytes().first().into_iter().for_each(call_one);
}

/// The same of whatever stands somewhere.
#[cfg(target_arch = "x86_64")]
#[inline]
pub(super) fn call_one<T>(one: &T) {
    safe_arch::prefetch_t0(one);
}

/// Other processors are left to look ahead by themselves.
#[cfg(not(target_arch = "x86_64"))]
#[inline]
pub(super) fn call_one<T>(_one: &T) {}

#[cfg(test)]
mod tests {
    use cardo_model::{Entity, Iri, NameId, RecordHeader, Revision, Seq, Timestamp};

    use super::*;

    #[test]
    fn those_who_look_ahead_come_by_every_record_in_its_order() {
        let record = |number: u32| {
            let id = Iri::new(format!("urn:ngsi-ld:Thing:{number}")).unwrap();
            let (created_at, revision) = (Timestamp::from_seconds(1), Revision(1));
            let seq = Seq::new(revision, number);
            let header = RecordHeader { seq, created_at, modified_at: created_at, revision };
            Record::encode(&Entity::<NameId>::new(id, NameId::new(1)), header)
        };
        let records: Vec<Record> = (0..400).map(record).collect();
        for len in [0, 1, 2, 11, 12, 13, 127, 128, 129, 255, 256, 257, 400] {
            let seen: Vec<&Record> = ahead(&records[..len]).collect();
            assert_eq!(seen, records[..len].iter().collect::<Vec<_>>(), "{len}");
        }
    }
}
