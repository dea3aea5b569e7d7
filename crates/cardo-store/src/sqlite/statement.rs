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
    /// How many values a row has.
    pub(super) columns: usize,
    /// The text behind the rows.
    pub(super) tail: &'static str,
    /// How many rows a statement may have, falling and ending with 1: few sizes, so that all of
    /// them stay prepared.
    pub(super) sizes: &'static [usize],
}

impl Values {
    /// The parameters have no numbers: SQLite looks up numbered ones one after the other, which
    /// takes most of the time where there are a thousand.
    fn sql(&self, rows: usize) -> String {
        let row = format!("({})", vec!["?"; self.columns].join(", "));
        let rows = vec![row; rows].join(", ");
        format!("{}{rows}{}", self.head, self.tail)
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
        // Fixed texts and parameters only.
        AssertSqlSafe(text.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sqlx::SqlSafeStr;

    const UPSERT: Values = Values {
        head: "INSERT INTO t (a, b, c) VALUES ",
        columns: 3,
        tail: " ON CONFLICT DO NOTHING",
        sizes: &[4, 2, 1],
    };

    #[test]
    fn every_row_has_its_values() {
        let sql = "INSERT INTO t (a, b, c) VALUES (?, ?, ?), (?, ?, ?) ON CONFLICT DO NOTHING";
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
