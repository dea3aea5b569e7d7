use cardo_model::{JsonText, Timestamp};

/// Writes a JSON string.
pub(crate) fn write_quoted(text: &str, out: &mut Vec<u8>) {
    let is_plain = !text.bytes().any(|byte| byte < b' ' || matches!(byte, b'"' | b'\\'));
    if is_plain {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        out.extend_from_slice(JsonText::string(text).as_str().as_bytes());
    }
}

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
