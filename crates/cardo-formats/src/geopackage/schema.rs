//! What a `CREATE TABLE` says about the columns of a table.

use std::sync::Arc;

use super::sqlite::Cell;
use crate::Fault;

/// A column of a table.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Column {
    pub(super) name: Arc<str>,
    /// The declared type in upper case, without its length.
    pub(super) declared: String,
    /// Whether it is the id of the row, which is not stored among its values.
    pub(super) is_row_id: bool,
    /// Whether rows have a place for it; generated columns may have none.
    pub(super) is_stored: bool,
    /// What rows hold that are older than the column.
    pub(super) default: Cell,
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    /// A word or a number as it stands.
    Word(String),
    /// A name in quotation marks of any kind.
    Quoted(String),
    Sign(char),
}

impl Token {
    fn is(&self, word: &str) -> bool {
        matches!(self, Self::Word(own) if own.eq_ignore_ascii_case(word))
    }

    fn text(&self) -> Option<&str> {
        match self {
            Self::Word(text) | Self::Quoted(text) => Some(text),
            Self::Sign(_) => None,
        }
    }
}

/// Words with which the constraints of a column begin, and so its type ends.
const CONSTRAINTS: [&str; 10] = [
    "CONSTRAINT",
    "PRIMARY",
    "NOT",
    "NULL",
    "UNIQUE",
    "CHECK",
    "DEFAULT",
    "COLLATE",
    "REFERENCES",
    "GENERATED",
];

/// The columns in their order.
pub(super) fn columns(table: &str, sql: &str) -> Result<Vec<Column>, Fault> {
    let unreadable =
        || Fault::Unsupported(format!("the definition of the table `{table}` is not understood"));
    let tokens = tokens(sql);
    let open = tokens.iter().position(|token| *token == Token::Sign('(')).ok_or_else(unreadable)?;
    let (items, end) = items(&tokens[open + 1..]).ok_or_else(unreadable)?;
    if tokens[open + 1 + end..].iter().any(|token| token.is("WITHOUT")) {
        return Err(Fault::Unsupported(format!("the table `{table}` has no row ids")));
    }
    let mut columns: Vec<Column> = Vec::new();
    for item in items {
        match item {
            [first @ Token::Word(_), ..]
                if ["CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"]
                    .iter()
                    .any(|word| first.is(word)) =>
            {
                key_of_table(item, &mut columns);
            }
            [name, rest @ ..] => columns.push(column(name.text().ok_or_else(unreadable)?, rest)),
            [] => return Err(unreadable()),
        }
    }
    Ok(columns)
}

/// The parts between commas, to the closing bracket, and where that stands.
fn items(tokens: &[Token]) -> Option<(Vec<&[Token]>, usize)> {
    let (mut items, mut depth, mut begin) = (Vec::new(), 0_usize, 0);
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Sign('(') => depth += 1,
            Token::Sign(')') if depth == 0 => {
                items.push(&tokens[begin..at]);
                return Some((items, at));
            }
            Token::Sign(')') => depth -= 1,
            Token::Sign(',') if depth == 0 => {
                items.push(&tokens[begin..at]);
                begin = at + 1;
            }
            _ => {}
        }
    }
    None
}

/// `PRIMARY KEY (fid)` behind the columns.
fn key_of_table(item: &[Token], columns: &mut [Column]) {
    let Some(at) = item.windows(2).position(|two| two[0].is("PRIMARY") && two[1].is("KEY")) else {
        return;
    };
    let [Token::Sign('('), name, Token::Sign(')'), ..] = &item[at + 2..] else { return };
    for column in columns {
        let is_named = name.text().is_some_and(|name| name.eq_ignore_ascii_case(&column.name));
        column.is_row_id |= is_named && column.declared == "INTEGER";
    }
}

fn column(name: &str, rest: &[Token]) -> Column {
    let is_constraint =
        |token: &&Token| CONSTRAINTS.iter().any(|word| token.is(word)) || token.is("AS");
    let mut declared = String::new();
    for word in rest.iter().take_while(|token| !is_constraint(token)).map_while(Token::text) {
        if !declared.is_empty() {
            declared.push(' ');
        }
        declared.push_str(&word.to_ascii_uppercase());
    }
    let has = |word: &str| rest.iter().any(|token| token.is(word));
    let is_key = rest.windows(2).any(|two| two[0].is("PRIMARY") && two[1].is("KEY"));
    Column {
        name: name.into(),
        is_row_id: is_key && declared == "INTEGER",
        is_stored: !has("AS") || has("STORED"),
        declared,
        default: default(rest),
    }
}

fn default(rest: &[Token]) -> Cell {
    let Some(at) = rest.iter().position(|token| token.is("DEFAULT")) else { return Cell::Null };
    let (negative, value) = match &rest[at + 1..] {
        [Token::Sign('-'), value, ..] => (true, value),
        [Token::Sign('(' | '+'), value, ..] | [value, ..] => (false, value),
        [] => return Cell::Null,
    };
    let sign = if negative { -1 } else { 1 };
    match value {
        Token::Quoted(text) => Cell::Text(text.clone()),
        Token::Word(word) if word.eq_ignore_ascii_case("true") => Cell::Int(1),
        Token::Word(word) if word.eq_ignore_ascii_case("false") => Cell::Int(0),
        Token::Word(word) => match (word.parse::<i64>(), word.parse::<f64>()) {
            (Ok(number), _) => Cell::Int(sign * number),
            (_, Ok(number)) if number.is_finite() => Cell::Real(sign as f64 * number),
            _ => Cell::Null,
        },
        Token::Sign(_) => Cell::Null,
    }
}

fn tokens(sql: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        if rest.starts_with("--") {
            rest = rest.split_once('\n').map_or("", |(_, after)| after);
        } else if rest.starts_with("/*") {
            rest = rest.split_once("*/").map_or("", |(_, after)| after);
        } else if matches!(first, '"' | '\'' | '`' | '[') {
            let (text, after) = quoted(rest, if first == '[' { ']' } else { first });
            tokens.push(Token::Quoted(text));
            rest = after;
        } else if first.is_alphanumeric() || matches!(first, '_' | '$') {
            let is_end = |c: char| !(c.is_alphanumeric() || matches!(c, '_' | '$' | '.'));
            let length = rest.find(is_end).unwrap_or(rest.len());
            tokens.push(Token::Word(rest[..length].to_owned()));
            rest = &rest[length..];
        } else {
            if !first.is_whitespace() {
                tokens.push(Token::Sign(first));
            }
            rest = &rest[first.len_utf8()..];
        }
    }
    tokens
}

/// A text in quotation marks, which stand in it doubled, and what comes behind it.
fn quoted(text: &str, mark: char) -> (String, &str) {
    let mut out = String::new();
    let mut rest = &text[1..];
    loop {
        let Some((before, after)) = rest.split_once(mark) else {
            out.push_str(rest);
            return (out, "");
        };
        out.push_str(before);
        match after.strip_prefix(mark) {
            Some(more) if mark != ']' => {
                out.push(mark);
                rest = more;
            }
            _ => return (out, after),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(sql: &str) -> Vec<(String, String, bool)> {
        let columns = columns("t", sql).unwrap();
        columns.into_iter().map(|c| (c.name.to_string(), c.declared, c.is_row_id)).collect()
    }

    fn column(name: &str, declared: &str, is_row_id: bool) -> (String, String, bool) {
        (name.to_owned(), declared.to_owned(), is_row_id)
    }

    #[test]
    fn columns_are_read_however_they_are_written() {
        let sql = "CREATE TABLE \"a(b\" (fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, -- the id, (of it)\n\
                   [two words] TEXT(30) DEFAULT 'a,)' , \"it\"\"s\" DOUBLE PRECISION CHECK (x IN (1,2)),`d` /* , */ )";
        assert_eq!(
            names(sql),
            [
                column("fid", "INTEGER", true),
                column("two words", "TEXT", false),
                column("it\"s", "DOUBLE PRECISION", false),
                column("d", "", false),
            ]
        );
        let sql = "CREATE TABLE t(a integer, b TEXT NOT NULL, PRIMARY KEY(\"a\"), FOREIGN KEY (b) REFERENCES c(d))";
        assert_eq!(names(sql), [column("a", "INTEGER", true), column("b", "TEXT", false)]);
    }

    #[test]
    fn defaults_and_generated_columns_are_known() {
        let sql = "CREATE TABLE t(a INT DEFAULT -3, b TEXT DEFAULT 'x', c AS (a+1), d AS (a) STORED, e REAL DEFAULT (2.5))";
        let columns = columns("t", sql).unwrap();
        let defaults: Vec<&Cell> = columns.iter().map(|c| &c.default).collect();
        assert_eq!(defaults[0], &Cell::Int(-3));
        assert_eq!(defaults[1], &Cell::Text("x".into()));
        assert_eq!(defaults[4], &Cell::Real(2.5));
        let stored: Vec<bool> = columns.iter().map(|c| c.is_stored).collect();
        assert_eq!(stored, [true, true, false, true, true]);
    }

    #[test]
    fn what_is_no_table_is_refused() {
        for sql in
            ["", "CREATE TABLE t", "CREATE TABLE t(", "CREATE TABLE t(a,", "CREATE TABLE t(,)"]
        {
            assert!(columns("t", sql).is_err(), "{sql}");
        }
        assert!(columns("t", "CREATE TABLE t(a PRIMARY KEY) WITHOUT ROWID").is_err());
    }
}
