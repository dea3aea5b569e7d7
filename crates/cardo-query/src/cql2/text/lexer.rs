//! Texts in tokens (OGC 21-065r2, annex B).

use crate::cql2::error::shorten;
use crate::cql2::{Cql2Error, Place};

/// A piece of a text.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// A name or a keyword.
    Name(Box<str>),
    /// A name in double quotes.
    Quoted(Box<str>),
    /// A text in quotes.
    Text(Box<str>),
    /// A number without a sign.
    Number(f64),
    /// An operator, a parenthesis or a comma.
    Sign(&'static str),
    /// Behind the last one.
    End,
}

/// A token and where it begins, in characters from 1.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    pub(super) token: Token,
    pub(super) at: usize,
}

/// Longer ones before those that they begin with.
const SIGNS: [&str; 14] = ["<>", "<=", ">=", "=", "<", ">", "(", ")", ",", "+", "-", "*", "/", "%"];

/// The tokens of a text; the last one is [`Token::End`].
pub(super) fn tokens(text: &str) -> Result<Vec<Placed>, Cql2Error> {
    let mut lexer = Lexer { rest: text, at: 1 };
    let mut tokens = Vec::new();
    loop {
        lexer.skip_spaces();
        let at = lexer.at;
        let token = lexer.token()?;
        let is_end = token == Token::End;
        tokens.push(Placed { token, at });
        if is_end {
            return Ok(tokens);
        }
    }
}

struct Lexer<'a> {
    rest: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.rest = &self.rest[c.len_utf8()..];
        self.at += 1;
        Some(c)
    }

    fn skip_spaces(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.next();
        }
    }

    /// Takes characters as long as they are of a kind.
    fn run(&mut self, is_part: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let (run, rest) = self.rest.split_at(end);
        self.rest = rest;
        self.at += run.chars().count();
        run
    }

    fn token(&mut self) -> Result<Token, Cql2Error> {
        let Some(first) = self.peek() else { return Ok(Token::End) };
        match first {
            '\'' => self.text(),
            '"' => self.quoted(),
            '0'..='9' => self.number(),
            '.' if self.rest[1..].starts_with(|c: char| c.is_ascii_digit()) => self.number(),
            c if begins_name(c) => Ok(Token::Name(self.run(continues_name).into())),
            '^' => {
                self.next();
                Ok(Token::Sign("^"))
            }
            _ => {
                let sign = SIGNS.into_iter().find(|sign| self.rest.starts_with(sign));
                let Some(sign) = sign else {
                    return Err(self.wrong("a name, a constant or an operator"));
                };
                self.rest = &self.rest[sign.len()..];
                self.at += sign.len();
                Ok(Token::Sign(sign))
            }
        }
    }

    fn wrong(&self, expected: &'static str) -> Cql2Error {
        let found = format!("{:?}", shorten(self.rest));
        Cql2Error::Syntax { place: Place::Character(self.at), expected, found }
    }

    /// A quote within is written twice or behind a backslash; any other backslash is itself.
    fn text(&mut self) -> Result<Token, Cql2Error> {
        let unclosed = self.wrong("a text that ends with a quote");
        self.next();
        let mut text = String::new();
        loop {
            match self.next() {
                None => return Err(unclosed),
                Some('\\' | '\'') if self.peek() == Some('\'') => {
                    self.next();
                    text.push('\'');
                }
                Some('\'') => return Ok(Token::Text(text.into())),
                Some(c) => text.push(c),
            }
        }
    }

    fn quoted(&mut self) -> Result<Token, Cql2Error> {
        let wrong = self.wrong("a name that ends with a double quote");
        self.next();
        let mut name = String::new();
        loop {
            match self.next() {
                None => return Err(wrong),
                Some('"') if self.peek() == Some('"') => {
                    self.next();
                    name.push('"');
                }
                Some('"') if name.is_empty() => return Err(wrong),
                Some('"') => return Ok(Token::Quoted(name.into())),
                Some(c) => name.push(c),
            }
        }
    }

    fn number(&mut self) -> Result<Token, Cql2Error> {
        let wrong = self.wrong("a number");
        let start = self.rest;
        let is_digit = |c: char| c.is_ascii_digit();
        self.run(is_digit);
        if self.peek() == Some('.') {
            self.next();
            self.run(is_digit);
        }
        let mut behind = self.rest.chars();
        if matches!(behind.next(), Some('e' | 'E')) {
            let rest = behind.as_str();
            let digits = rest.strip_prefix(['+', '-']).unwrap_or(rest);
            if digits.starts_with(is_digit) {
                self.next();
                if self.rest.starts_with(['+', '-']) {
                    self.next();
                }
                self.run(is_digit);
            }
        }
        let text = &start[..start.len() - self.rest.len()];
        let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
        number.map(Token::Number).ok_or(wrong)
    }
}

/// Rule `identifierStart`.
pub(super) fn begins_name(c: char) -> bool {
    matches!(c,
        ':' | '_' | 'A'..='Z' | 'a'..='z'
        | '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{2FF}'
        | '\u{370}'..='\u{37D}' | '\u{37F}'..='\u{1FFE}' | '\u{200C}'..='\u{200D}'
        | '\u{2070}'..='\u{218F}' | '\u{2C00}'..='\u{2FEF}' | '\u{3001}'..='\u{D7FF}'
        | '\u{F900}'..='\u{FDCF}' | '\u{FDF0}'..='\u{FFFD}' | '\u{10000}'..='\u{EFFFF}')
        && !c.is_whitespace()
}

/// Rule `identifierPart`.
pub(super) fn continues_name(c: char) -> bool {
    begins_name(c) || matches!(c, '.' | '0'..='9' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
}
