//! Statements that write many rows at once.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use sqlx::AssertSqlSafe;

/// A statement with a list of rows as its values.
#[derive(Debug)]
pub(super) struct Values {
    /// The text before the rows.
    pub(super) head: &'static str,
    /// How many values a row has of its own.
    pub(super) columns: usize,
    /// How many values are bound before those of the rows.
    pub(super) before: usize,
    /// How many of the values bound before begin every row.
    pub(super) shared: usize,
    /// The text behind the rows.
    pub(super) tail: &'static str,
    /// How many rows a statement may have, falling and ending with 1: few sizes, so that all of
    /// them stay prepared.
    pub(super) sizes: &'static [usize],
}

impl Values {
    fn sql(&self, rows: usize) -> String {
        let mut sql = String::from(self.head);
        let mut parameter = self.before;
        for row in 0..rows {
            sql.push_str(if row == 0 { "(" } else { ", (" });
            let shared = 1..=self.shared;
            let own = parameter + 1..=parameter + self.columns;
            let parameters: Vec<String> = shared.chain(own).map(|p| format!("?{p}")).collect();
            sql.push_str(&parameters.join(", "));
            sql.push(')');
            parameter += self.columns;
        }
        sql.push_str(self.tail);
        sql
    }
}

/// Keeps the texts of statements that were made.
#[derive(Debug, Default)]
pub(super) struct Statements {
    texts: Mutex<HashMap<(&'static str, usize), Arc<str>>>,
}

impl Statements {
    /// The statements that write so many rows, each with its number of rows.
    pub(super) fn split(
        &self,
        values: &Values,
        mut rows: usize,
    ) -> Vec<(AssertSqlSafe<Arc<str>>, usize)> {
        let mut statements = Vec::new();
        for size in values.sizes {
            while rows >= *size {
                statements.push((self.statement(values, *size), *size));
                rows -= size;
            }
        }
        statements
    }

    fn statement(&self, values: &Values, rows: usize) -> AssertSqlSafe<Arc<str>> {
        let mut texts = self.texts.lock();
        let text = texts.entry((values.head, rows)).or_insert_with(|| values.sql(rows).into());
        // Fixed texts and numbered parameters only.
        AssertSqlSafe(text.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sqlx::SqlSafeStr;

    const UPSERT: Values = Values {
        head: "INSERT INTO t (a, b, c) VALUES ",
        columns: 2,
        before: 1,
        shared: 1,
        tail: " ON CONFLICT DO NOTHING",
        sizes: &[4, 2, 1],
    };

    #[test]
    fn rows_share_their_first_values() {
        let sql =
            "INSERT INTO t (a, b, c) VALUES (?1, ?2, ?3), (?1, ?4, ?5) ON CONFLICT DO NOTHING";
        assert_eq!(UPSERT.sql(2), sql);
    }

    #[test]
    fn rows_are_split_into_few_sizes() {
        let statements = Statements::default();
        let sizes: Vec<usize> = statements.split(&UPSERT, 11).iter().map(|(_, n)| *n).collect();
        assert_eq!(sizes, [4, 4, 2, 1]);
        let (sql, _) = statements.split(&UPSERT, 1).remove(0);
        assert_eq!(sql.into_sql_str().as_str(), UPSERT.sql(1));
    }
}
