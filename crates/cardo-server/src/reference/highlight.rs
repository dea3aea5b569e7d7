//! Code as HTML, with its texts and words of the language marked.

use std::fmt::Write;

use super::page::escaped;

const WORDS: [&str; 15] = [
    "as", "await", "const", "curl", "False", "false", "if", "import", "new", "None", "null",
    "throw", "True", "true", "with",
];

pub(super) fn highlighted(code: &str) -> String {
    let mut html = String::with_capacity(code.len() * 2);
    let mut rest = code;
    while let Some(first) = rest.chars().next() {
        let (class, length) = match first {
            '"' | '\'' => ("s", quoted(rest, first)),
            _ if first.is_alphabetic() => {
                let word = word(rest);
                (if WORDS.contains(&&rest[..word]) { "w" } else { "" }, word)
            }
            '-' if rest.starts_with("--") => ("o", 2 + word(&rest[2..])),
            _ => ("", first.len_utf8()),
        };
        let (piece, behind) = rest.split_at(length);
        if class.is_empty() {
            html += &escaped(piece);
        } else {
            let _ = write!(html, "<span class=\"{class}\">{}</span>", escaped(piece));
        }
        rest = behind;
    }
    html
}

fn word(text: &str) -> usize {
    text.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '-').unwrap_or(text.len())
}

/// The length of a quoted text; a backslash in double quotes takes the next character with it.
fn quoted(text: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        if c == quote && !is_escaped {
            return at + 1;
        }
        is_escaped = quote == '"' && c == '\\' && !is_escaped;
    }
    text.len()
}
