//! Cursors of Relay: which entity of which question, and what it was ordered by.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cardo_model::{Seq, Timestamp};
use cardo_query::SortKey;

use crate::fault::{Code, Fault};

/// The form of cursors; raised when it changes, so that older ones are known as such.
const VERSION: u8 = 1;
/// The longest cursor that is read.
const MAX_TEXT: usize = 8_192;

/// A place in the answer to a question.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Cursor {
    pub(crate) seq: Seq,
    pub(crate) keys: Vec<SortKey>,
}

impl Cursor {
    /// The cursor as text; `question` tells questions apart.
    pub(crate) fn to_text(seq: Seq, keys: &[SortKey], question: u64) -> String {
        let mut bytes = vec![VERSION];
        bytes.extend(question.to_le_bytes());
        bytes.extend(seq.as_u64().to_le_bytes());
        for key in keys {
            put_key(&mut bytes, key);
        }
        URL_SAFE_NO_PAD.encode(bytes)
    }

    pub(crate) fn parse(text: &str, question: u64) -> Result<Self, Fault> {
        let shown: String = text.chars().take(60).collect();
        let bad = |why: &str| Fault::new(Code::BadCursor, format!("the cursor {shown:?} {why}"));
        let foreign = || bad("is not one of this server");
        if text.len() > MAX_TEXT {
            return Err(foreign());
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| foreign())?;
        let (version, rest) = bytes.split_first().ok_or_else(foreign)?;
        if *version != VERSION {
            return Err(bad(&format!(
                "is of version {version}, and this server reads version {VERSION}: ask for the \
                 first page again"
            )));
        }
        let mut reader = Reader(rest);
        let asked = u64::from_le_bytes(reader.take().ok_or_else(foreign)?);
        let seq = Seq::from_u64(u64::from_le_bytes(reader.take().ok_or_else(foreign)?));
        if asked != question {
            return Err(bad(
                "belongs to another query: its type, filter, order or tenant is another",
            ));
        }
        if seq.as_u64() == u64::MAX {
            return Err(foreign());
        }
        let mut keys = Vec::new();
        while !reader.0.is_empty() {
            keys.push(reader.key().ok_or_else(foreign)?);
        }
        Ok(Self { seq, keys })
    }
}

fn put_key(bytes: &mut Vec<u8>, key: &SortKey) {
    match key {
        // No order of this face ranks by clause 4.23 of NGSI-LD.
        SortKey::Missing | SortKey::Ranked(_) => bytes.push(0),
        SortKey::Bool(value) => bytes.extend([1, u8::from(*value)]),
        SortKey::Number(number) => {
            bytes.push(2);
            bytes.extend(number.to_le_bytes());
        }
        SortKey::Time(time) => {
            bytes.push(3);
            bytes.extend(time.to_bits().to_le_bytes());
        }
        SortKey::Text(text) => {
            bytes.push(4);
            bytes.extend(u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes());
            bytes.extend(text.as_bytes());
        }
    }
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    fn key(&mut self) -> Option<SortKey> {
        let [tag] = self.take()?;
        Some(match tag {
            0 => SortKey::Missing,
            1 => SortKey::Bool(self.take::<1>()? == [1]),
            2 => SortKey::Number(f64::from_le_bytes(self.take()?)),
            3 => SortKey::Time(Timestamp::from_bits(i64::from_le_bytes(self.take()?))),
            4 => {
                let length = usize::try_from(u32::from_le_bytes(self.take()?)).ok()?;
                let (text, rest) = self.0.split_at_checked(length)?;
                self.0 = rest;
                SortKey::Text(std::str::from_utf8(text).ok()?.into())
            }
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_was() {
        let keys = vec![
            SortKey::Missing,
            SortKey::Bool(true),
            SortKey::Number(-1.5),
            SortKey::Time(Timestamp::from_seconds(1_700_000_000)),
            SortKey::Text("Töölö".into()),
        ];
        let seq = Seq::from_u64(77);
        let text = Cursor::to_text(seq, &keys, 9);
        assert_eq!(Cursor::parse(&text, 9).unwrap(), Cursor { seq, keys });
    }

    #[test]
    fn a_cursor_of_another_query_or_version_says_so() {
        let text = Cursor::to_text(Seq::from_u64(77), &[], 9);
        let other = Cursor::parse(&text, 10).unwrap_err();
        assert!(other.message.contains("another query"), "{}", other.message);
        let mut bytes = URL_SAFE_NO_PAD.decode(&text).unwrap();
        bytes[0] = 0;
        let older = Cursor::parse(&URL_SAFE_NO_PAD.encode(bytes), 9).unwrap_err();
        assert!(older.message.contains("version 0"), "{}", older.message);
        for text in ["", "!!", "AQ", "YXJyYXk6MQ"] {
            assert_eq!(Cursor::parse(text, 9).unwrap_err().code, Code::BadCursor, "{text:?}");
        }
    }
}
