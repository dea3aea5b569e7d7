use cardo_model::Timestamp;

/// Writes a moment as a JSON string.
pub(crate) fn write_moment(moment: Timestamp, out: &mut Vec<u8>) {
    out.push(b'"');
    moment.write_to(out);
    out.push(b'"');
}

/// A moment as text.
pub(crate) fn quoted(moment: Timestamp) -> String {
    let mut out = Vec::with_capacity(28);
    moment.write_to(&mut out);
    String::from_utf8(out).unwrap_or_default()
}
