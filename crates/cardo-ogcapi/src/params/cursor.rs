use std::fmt;

use cardo_engine::PageStart;
use cardo_model::{Revision, Seq};

use super::{ParamFault, shorten};

/// A place beside a feature of a question, and on which side of it the page lies: what the links to
/// other pages carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cursor {
    pub(crate) side: Side,
    pub(crate) seq: Seq,
    /// The state of the twin that the page with the link was of.
    pub(crate) revision: Revision,
    /// The hash of the question.
    pub(crate) question: u64,
}

/// Where a page lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    After,
    Before,
}

/// Cursors of another version are refused, because they may mean something else.
const VERSION: &str = "1";

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = match self.side {
            Side::After => 'n',
            Side::Before => 'p',
        };
        let (revision, seq, question) = (self.revision.0, self.seq.as_u64(), self.question);
        write!(f, "{VERSION}{side}.{revision:x}.{seq:x}.{question:x}")
    }
}

impl Cursor {
    /// Reads a cursor and checks that it belongs to a question.
    pub(crate) fn parse(text: &str, question: u64) -> Result<Self, ParamFault> {
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
        if parts.next().is_some() || seq == u64::MAX {
            return Err(broken());
        }
        if hash != question {
            return Err(ParamFault::CursorQuestion(shorten(text)));
        }
        Ok(Self { side, seq: Seq::from_u64(seq), revision: Revision(revision), question })
    }

    pub(crate) fn start(&self) -> PageStart {
        match self.side {
            Side::After => PageStart::After(self.seq),
            Side::Before => PageStart::Before(self.seq),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_text_and_belongs_to_its_question() {
        let seq = Seq::new(Revision(7), 3);
        let cursor = Cursor { side: Side::Before, seq, revision: Revision(9), question: 0xabc };
        let text = cursor.to_string();
        assert_eq!(Cursor::parse(&text, 0xabc), Ok(cursor));
        assert_eq!(Cursor::parse(&text, 1), Err(ParamFault::CursorQuestion(text)));
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        let old = "0n.1.1.1".to_owned();
        assert_eq!(Cursor::parse(&old, 1), Err(ParamFault::CursorVersion(old)));
        for text in ["", "1", "1n", "1n.1.1", "1x.1.1.1", "1n.1.zz.1", "1n.1.1.1.1", "n.1.1.1", "7"]
        {
            assert_eq!(Cursor::parse(text, 1), Err(ParamFault::Cursor(text.into())), "{text}");
        }
    }
}
