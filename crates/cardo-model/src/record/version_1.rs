//! Records as they were before times that say nothing were left out:
//!
//! ```text
//! record    = version flags seq created modified revision attributes-at [expires] id types scopes
//!             attributes
//! instance  = kind flags created modified ...
//! ```

use super::encode::{RecordHeader, note_attributes, put_attribute, put_header};
use super::view::{Attributes, FLAG_EXPIRES, walk_attributes, walk_head};
use super::{InstanceRef, Record, Revision, Seq};
use crate::Timestamp;
use crate::codec::{Reader, put_len};

pub(super) const VERSION_1: u8 = 1;
const FIXED: usize = 38;

/// The record as it is written today; `None` where the bytes are damaged.
pub(super) fn read(bytes: &[u8]) -> Option<Record> {
    let mut fixed = Reader::new(bytes.get(..FIXED)?);
    fixed.u8()?;
    let flags = fixed.u8()?;
    let header = RecordHeader {
        seq: Seq::from_u64(fixed.u64()?),
        created_at: Timestamp::from_bits(fixed.i64()?),
        modified_at: Timestamp::from_bits(fixed.i64()?),
        revision: Revision(fixed.u64()?),
    };
    let attributes_at = u32::from_le_bytes(*fixed.rest().first_chunk()?) as usize;
    let mut reader = Reader::new(&bytes[FIXED..]);
    let expires = if flags & FLAG_EXPIRES == 0 { None } else { Some(reader.i64()?) };
    let body = reader.rest();
    walk_head(&mut reader)?;
    let attributes = reader;
    if attributes_at != bytes.len() - attributes.rest().len() {
        return None;
    }
    walk_attributes(&mut reader, 0, false)?;
    if !reader.is_empty() {
        return None;
    }
    let mut out = Vec::with_capacity(bytes.len());
    put_header(&mut out, header, expires.map(Timestamp::from_bits));
    out.extend_from_slice(&body[..body.len() - attributes.rest().len()]);
    note_attributes(&mut out);
    let created = header.created_at;
    let attributes = Attributes::read(attributes, created.to_bits());
    put_len(&mut out, attributes.len());
    for attribute in attributes {
        let put = |out: &mut Vec<u8>, one: InstanceRef<'_>| one.put(out, Some(created));
        put_attribute(&mut out, attribute.name(), attribute.instances(), put);
    }
    Some(Record(out.into()))
}
