use crate::fault::{Code, Fault};

/// How deep brackets may stand in one another.
const MAX_NESTING: usize = 64;

/// Counts tokens and the nesting of brackets (GraphQL, section 2.1), so that the parser is never
/// given what would keep it busy.
pub(super) fn check(text: &str, limit: usize) -> Result<(), Fault> {
    let bytes = text.as_bytes();
    let (mut at, mut tokens, mut nesting) = (0, 0_usize, 0_usize);
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' | b',' | 0xEF | 0xBB | 0xBF => {
                at += 1;
                continue;
            }
            b'#' => {
                at += length_while(&bytes[at..], |b| b != b'\n' && b != b'\r');
                continue;
            }
            b'"' => at += string_length(&bytes[at..]),
            b'{' | b'[' | b'(' => {
                nesting += 1;
                at += 1;
            }
            b'}' | b']' | b')' => {
                nesting = nesting.saturating_sub(1);
                at += 1;
            }
            b'_' | b'-' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => {
                at += length_while(&bytes[at..], |b| {
                    b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'+' | b'.')
                });
            }
            _ => at += 1,
        }
        tokens += 1;
        if tokens > limit {
            let message =
                format!("the document has more than the {limit} tokens that are accepted");
            return Err(Fault::new(Code::DocumentTooLarge, message).with("limit", limit));
        }
        if nesting > MAX_NESTING {
            let message = format!(
                "brackets stand in one another deeper than the {MAX_NESTING} levels that are accepted"
            );
            return Err(Fault::new(Code::TooDeep, message).with("limit", MAX_NESTING));
        }
    }
    Ok(())
}

fn length_while(bytes: &[u8], holds: impl Fn(u8) -> bool) -> usize {
    bytes.iter().position(|byte| !holds(*byte)).unwrap_or(bytes.len()).max(1)
}

fn string_length(bytes: &[u8]) -> usize {
    let is_block = bytes.starts_with(b"\"\"\"");
    let mut at = if is_block { 3 } else { 1 };
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' if !is_block => return at + 1,
            b'"' if bytes[at..].starts_with(b"\"\"\"") => return at + 3,
            b'\n' if !is_block => return at,
            _ => at += 1,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_counted_outside_of_strings_and_comments() {
        let text = "# { { { \n{ a(b: \"{{{\\\"\", c: [1, -2.5e+3]) ...F }";
        // { a ( b : "…" c : [ 1 -2.5e+3 ] ) . . . F }
        assert!(check(text, 18).is_ok());
        assert!(check(text, 17).is_err());
        assert!(check("\"\"\" \" { \"\"\" a", 2).is_ok());
    }

    #[test]
    fn deep_brackets_are_refused() {
        let text = "[".repeat(1_000);
        assert_eq!(check(&text, 10_000).unwrap_err().code, Code::TooDeep);
    }
}
