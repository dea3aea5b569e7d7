//! The geometry of a feature: a header of its own, then WKB (clause 2.1.3).

use super::malformed;
use crate::{Fault, RecordGeometry, wkb};

const EMPTY: u8 = 0b0001_0000;
const EXTENDED: u8 = 0b0010_0000;

/// Reads a geometry; none where it is empty.
pub(super) fn read(bytes: &[u8], depth: usize) -> Result<Option<RecordGeometry>, Fault> {
    let [b'G', b'P', _version, flags, _, _, _, _, rest @ ..] = bytes else {
        return Err(malformed("a geometry without its header"));
    };
    if flags & EXTENDED != 0 {
        return Err(Fault::Unsupported("a geometry in the form of an extension".to_owned()));
    }
    let envelope = match (flags >> 1) & 0b111 {
        0 => 0,
        1 => 32,
        2 | 3 => 48,
        4 => 64,
        kind => return Err(malformed(format_args!("an envelope of kind {kind}"))),
    };
    let body = rest.get(envelope..).ok_or_else(|| malformed("the geometry is cut off"))?;
    if flags & EMPTY != 0 {
        return Ok(None);
    }
    wkb::read(body, depth)
}
