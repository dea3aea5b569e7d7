use super::{MAX_NESTING, MAX_TERMS, MAX_TEXT_BYTES, QError};

/// How much of an offending text a message quotes, in characters.
const QUOTED_CHARS: usize = 40;

/// A place in a text, with the limits of what may still be read.
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
    terms: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str) -> Result<Self, QError> {
        if text.len() > MAX_TEXT_BYTES {
            return Err(QError::TooLong(text.len()));
        }
        Ok(Self { text, at: 0, terms: 0 })
    }

    pub(super) fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Goes over so many bytes, which end at the border of a character.
    pub(super) fn skip(&mut self, bytes: usize) -> &'a str {
        let skipped = &self.rest()[..bytes];
        self.at += bytes;
        skipped
    }

    pub(super) fn skip_spaces(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    /// Takes as many characters as satisfy the condition.
    pub(super) fn take_while(&mut self, is_wanted: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c| !is_wanted(c)).unwrap_or(rest.len());
        self.skip(end)
    }

    /// Takes the token if it stands here.
    pub(super) fn eat(&mut self, token: &str) -> bool {
        let is_here = self.rest().starts_with(token);
        if is_here {
            self.at += token.len();
        }
        is_here
    }

    /// Takes one of the characters if it stands here.
    pub(super) fn eat_any(&mut self, wanted: &[char]) -> bool {
        match self.peek() {
            Some(c) if wanted.contains(&c) => {
                self.at += c.len_utf8();
                true
            }
            _ => false,
        }
    }

    /// Counts a term or a constant.
    pub(super) fn count_term(&mut self) -> Result<(), QError> {
        self.terms += 1;
        if self.terms > MAX_TERMS { Err(QError::TooManyTerms) } else { Ok(()) }
    }

    pub(super) fn check_depth(&self, depth: usize) -> Result<(), QError> {
        if depth > MAX_NESTING {
            return Err(QError::TooDeep { position: self.position(self.at) });
        }
        Ok(())
    }

    /// The number of the character at a byte, from 1.
    pub(super) fn position(&self, at: usize) -> usize {
        self.text[..at].chars().count() + 1
    }

    /// What is wrong here.
    pub(super) fn expected(&self, expected: &'static str) -> QError {
        self.expected_at(self.at, expected)
    }

    /// What is wrong at a byte.
    pub(super) fn expected_at(&self, at: usize, expected: &'static str) -> QError {
        let rest = &self.text[at..];
        let found = match rest.char_indices().nth(QUOTED_CHARS) {
            _ if rest.is_empty() => "the end".to_owned(),
            Some((end, _)) => format!("{:?}…", &rest[..end]),
            None => format!("{rest:?}"),
        };
        QError::Syntax { position: self.position(at), expected, found }
    }
}
