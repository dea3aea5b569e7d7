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
    const AHEAD: usize = 12;
    for record in records.iter().take(AHEAD) {
        call(record.borrow());
    }
    records.iter().enumerate().map(|(at, record)| {
        if let Some(later) = records.get(at + AHEAD) {
            call(later.borrow());
        }
        record
    })
}

/// Lets the lines of a record come into the cache without waiting for them.
#[cfg(target_arch = "x86_64")]
#[inline]
fn call(record: &Record) {
    let bytes = record.as_bytes();
    bytes.iter().step_by(LINE).chain(bytes.last()).for_each(safe_arch::prefetch_t0);
}

/// Other processors are left to look ahead by themselves.
#[cfg(not(target_arch = "x86_64"))]
fn call(_record: &Record) {}
