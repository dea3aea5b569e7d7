//! Settled history: entities of which there is little share chunks with their neighbours, as in the
//! runs that arrive, but in one run for all, whose number is 0. Most entities of a city that was
//! loaded are read and written a page at a time so, and not each as a block of its own.
//!
//! The chunks of a portion are written again with what is new only when that is at least a quarter
//! of them; else it goes into blocks.

use std::collections::HashMap;
use std::iter::Peekable;
use std::vec::IntoIter;

use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::arrivals::{place_of, seal_chunks, write_chunks};
use super::compact::{OpenBlock, PortionError, groups_of, is_of_one_entity};
use super::statement::Statements;
use crate::history::chunk::Packer;
use crate::history::row::Group;

/// The run of settled chunks.
pub(super) const SETTLED: i64 = 0;
/// An entity with more bytes does not settle.
const MOST_BYTES: usize = 2_048;
/// How many times as large as the news the chunks that they settle in may be.
const LARGEST: usize = 4;

/// A portion's settled chunks, written again where enough of the news settles in them.
pub(super) struct Settling<'a> {
    twin: i64,
    /// The places where the first and the last of the old chunks begin.
    old: Option<(i64, i64)>,
    settled: Peekable<IntoIter<Group<'a>>>,
    /// None where nothing settles.
    packer: Option<Packer>,
}

impl<'a> Settling<'a> {
    /// Begins with the settled chunks of a portion and all that is new in it, in order. Where
    /// something in them is to be put right they are written again `always`.
    pub(super) fn new(
        twin: i64,
        chunks: &'a [SqliteRow],
        news: &[Group<'_>],
        open: &HashMap<i64, Vec<OpenBlock>>,
        always: bool,
    ) -> Result<Self, PortionError> {
        let settled = groups_of(twin, chunks)?;
        let may_settle = |own: &&[Group<'_>]| {
            bytes_of(own) <= MOST_BYTES && !open.contains_key(&place_of(own[0].hash))
        };
        let new: usize = news.chunk_by(is_of_one_entity).filter(may_settle).map(bytes_of).sum();
        let pays = always || (new > 0 && new.saturating_mul(LARGEST) >= bytes_of(&settled));
        let old = chunks.first().zip(chunks.last()).map(|(a, b)| (a.get(0), b.get(0)));
        let settled = settled.into_iter().peekable();
        Ok(Self { twin, old, settled, packer: pays.then(Packer::default) })
    }

    /// Settles an entity; where that does not suit it, gives back all that is to go into blocks.
    pub(super) fn take(
        &mut self,
        own: &[Group<'a>],
        blocks: &[OpenBlock],
    ) -> Option<Vec<Group<'a>>> {
        if self.packer.is_none() {
            return Some(own.to_vec());
        }
        let all = self.with_settled(own);
        if bytes_of(&all) > MOST_BYTES || !blocks.is_empty() {
            return Some(all);
        }
        let rows: Vec<&[u8]> = all.iter().map(|group| group.bytes).collect();
        self.packer.as_mut()?.put(own[0].hash, own[0].id, &rows);
        None
    }

    /// Comes to an entity: what is settled of it, and what is new.
    pub(super) fn with_settled(&mut self, own: &[Group<'a>]) -> Vec<Group<'a>> {
        let first = &own[0];
        let comes_before = |group: &Group<'_>| (group.hash, group.id) < (first.hash, first.id);
        while let Some(group) = self.settled.next_if(comes_before) {
            if let Some(packer) = &mut self.packer {
                packer.put(group.hash, group.id, &[group.bytes]);
            }
        }
        let before = self.settled.next_if(|group| is_of_one_entity(group, first));
        before.into_iter().chain(own.iter().copied()).collect()
    }

    /// Settles the only group of the entity that was come to last; false where it is too large.
    pub(super) fn settle(&mut self, group: &Group<'_>) -> bool {
        match &mut self.packer {
            Some(packer) if group.bytes.len() <= MOST_BYTES => {
                packer.put(group.hash, group.id, &[group.bytes]);
                true
            }
            _ => false,
        }
    }

    /// Writes the chunks anew where something settled.
    pub(super) async fn finish(
        self,
        connection: &mut SqliteConnection,
        statements: &Statements,
    ) -> Result<(), sqlx::Error> {
        let Some(mut packer) = self.packer else { return Ok(()) };
        for group in self.settled {
            packer.put(group.hash, group.id, &[group.bytes]);
        }
        if let Some((first, last)) = self.old {
            let sql = "DELETE FROM arrivals WHERE twin = ?1 AND run = ?2 \
                       AND first BETWEEN ?3 AND ?4";
            let query = sqlx::query(sql).bind(self.twin).bind(SETTLED).bind(first).bind(last);
            query.execute(&mut *connection).await?;
        }
        sqlx::query("INSERT OR IGNORE INTO runs (twin, run, bytes) VALUES (?1, ?2, 0)")
            .bind(self.twin)
            .bind(SETTLED)
            .execute(&mut *connection)
            .await?;
        let chunks = seal_chunks(self.twin, packer.finish());
        write_chunks(connection, statements, (self.twin, SETTLED), chunks).await
    }
}

fn bytes_of(groups: &[Group<'_>]) -> usize {
    groups.iter().map(|group| group.bytes.len()).sum()
}
