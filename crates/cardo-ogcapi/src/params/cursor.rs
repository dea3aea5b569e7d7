use std::fmt;

use cardo_engine::PageStart;
use cardo_model::{Revision, Seq, Timestamp};
use cardo_query::SortKey;

use super::{ParamFault, shorten};

/// A place beside a feature of a question, and on which side of it the page lies: what the links to
/// other pages carry.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Cursor {
    pub(crate) side: Side,
    pub(crate) seq: Seq,
    /// The state of the twin that the page with the link was of.
    pub(crate) revision: Revision,
    /// The hash of the question.
    pub(crate) question: u64,
    /// What the feature was sorted by; nothing in the order of creation.
    pub(crate) keys: Vec<SortKey>,
    /// About how many features stand before the border of the page; kept where features are sorted.
    pub(crate) place: usize,
}

/// Where a page lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    After,
    Before,
}

/// Cursors of another version are refused, because they may mean something else.
const VERSION: &str = "1";

/// The longest text that a cursor carries as a key, in bytes.
const MAX_KEY: usize = 512;

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = match self.side {
            Side::After => 'n',
            Side::Before => 'p',
        };
        let (revision, seq, question) = (self.revision.0, self.seq.as_u64(), self.question);
        write!(f, "{VERSION}{side}.{revision:x}.{seq:x}.{question:x}")?;
        if self.keys.is_empty() {
            return Ok(());
        }
        write!(f, ".{:x}", self.place)?;
        self.keys.iter().try_for_each(|key| write_key(key, f))
    }
}

impl Cursor {
    /// Reads a cursor and checks that it belongs to a question, which sorts by so many keys.
    pub(crate) fn parse(text: &str, question: u64, keys: usize) -> Result<Self, ParamFault> {
        let broken = || ParamFault::Cursor(shorten(text));
        let mut parts = text.split('.');
        let head = parts.next().unwrap_or("");
        let (version, side) = match (head.strip_suffix('n'), head.strip_suffix('p')) {
            (Some(version), _) => (version, Side::After),
            (_, Some(version)) => (version, Side::Before),
            _ => return Err(broken()),
        };
        if version != VERSION {
            let is_version = !version.is_empty() && version.bytes().all(|b| b.is_ascii_digit());
            return Err(if is_version {
                ParamFault::CursorVersion(shorten(text))
            } else {
                broken()
            });
        }
        let mut number = || u64::from_str_radix(parts.next()?, 16).ok();
        let (Some(revision), Some(seq), Some(hash)) = (number(), number(), number()) else {
            return Err(broken());
        };
        if seq == u64::MAX {
            return Err(broken());
        }
        if hash != question {
            return Err(ParamFault::CursorQuestion(shorten(text)));
        }
        let place = if keys == 0 { Some(0) } else { number() };
        let place = place.and_then(|place| usize::try_from(place).ok()).ok_or_else(broken)?;
        let read: Option<Vec<SortKey>> = parts.map(read_key).collect();
        let keys = read.filter(|read| read.len() == keys).ok_or_else(broken)?;
        let (seq, revision) = (Seq::from_u64(seq), Revision(revision));
        Ok(Self { side, seq, revision, question, keys, place })
    }

    pub(crate) fn start(&self) -> PageStart {
        match self.side {
            Side::After => PageStart::After(self.seq),
            Side::Before => PageStart::Before(self.seq),
        }
    }

    /// Whether a cursor can carry such keys: addresses have a limit.
    pub(crate) fn can_carry(keys: &[SortKey]) -> bool {
        let texts = keys.iter().map(|key| match key {
            SortKey::Text(text) => text.len(),
            _ => 0,
        });
        texts.sum::<usize>() <= MAX_KEY
    }
}

/// A key is a letter for its sort and, in hexadecimal digits, its bits or its UTF-8.
fn write_key(key: &SortKey, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match key {
        // No order of this face ranks by clause 4.23 of NGSI-LD.
        SortKey::Missing | SortKey::Ranked(_) => f.write_str(".m"),
        SortKey::Bool(value) => write!(f, ".b{}", u8::from(*value)),
        SortKey::Number(number) => write!(f, ".d{:x}", number.to_bits()),
        SortKey::Time(time) => write!(f, ".t{:x}", time.to_bits()),
        SortKey::Text(text) => {
            f.write_str(".s")?;
            text.bytes().try_for_each(|byte| write!(f, "{byte:02x}"))
        }
    }
}

fn read_key(text: &str) -> Option<SortKey> {
    let digits = text.get(1..)?;
    let bits = || u64::from_str_radix(digits, 16).ok();
    Some(match text.as_bytes().first()? {
        b'm' if digits.is_empty() => SortKey::Missing,
        b'b' => SortKey::Bool(bits()? == 1),
        b'd' => SortKey::Number(f64::from_bits(bits()?)),
        b't' => SortKey::Time(Timestamp::from_bits(bits()?.cast_signed())),
        b's' if digits.len().is_multiple_of(2) => {
            let pairs = (0..digits.len()).step_by(2).map(|at| digits.get(at..at + 2));
            let bytes = pairs.map(|pair| u8::from_str_radix(pair?, 16).ok());
            let bytes: Vec<u8> = bytes.collect::<Option<_>>()?;
            SortKey::Text(String::from_utf8(bytes).ok()?.into())
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursor(keys: Vec<SortKey>) -> Cursor {
        let seq = Seq::new(Revision(7), 3);
        let place = if keys.is_empty() { 0 } else { 70 };
        Cursor { side: Side::Before, seq, revision: Revision(9), question: 0xabc, keys, place }
    }

    #[test]
    fn a_cursor_survives_text_and_belongs_to_its_question() {
        let cursor = cursor(Vec::new());
        let text = cursor.to_string();
        assert_eq!(Cursor::parse(&text, 0xabc, 0), Ok(cursor));
        assert_eq!(Cursor::parse(&text, 1, 0), Err(ParamFault::CursorQuestion(text)));
    }

    #[test]
    fn a_cursor_carries_what_its_feature_was_sorted_by() {
        let keys = vec![
            SortKey::Missing,
            SortKey::Bool(true),
            SortKey::Number(-1.5),
            SortKey::Time(Timestamp::from_seconds(-7)),
            SortKey::Text("Töölö.".into()),
        ];
        let cursor = cursor(keys);
        let text = cursor.to_string();
        assert_eq!(Cursor::parse(&text, 0xabc, 5), Ok(cursor));
        assert_eq!(Cursor::parse(&text, 0xabc, 4), Err(ParamFault::Cursor(text)));
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        let old = "0n.1.1.1".to_owned();
        assert_eq!(Cursor::parse(&old, 1, 0), Err(ParamFault::CursorVersion(old)));
        for text in ["", "1", "1n", "1n.1.1", "1x.1.1.1", "1n.1.zz.1", "1n.1.1.1.1", "n.1.1.1", "7"]
        {
            assert_eq!(Cursor::parse(text, 1, 0), Err(ParamFault::Cursor(text.into())), "{text}");
        }
        for key in ["", "x", "s1", "sff", "sé0", "dz", "m1", "d"] {
            let text = format!("1n.1.1.1.0.{key}");
            assert_eq!(Cursor::parse(&text, 1, 1), Err(ParamFault::Cursor(text)), "{key}");
        }
    }
}
