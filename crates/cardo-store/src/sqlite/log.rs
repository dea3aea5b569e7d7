//! The log file: names, twins, the change log, positions of followers.
//!
//! A row of the log holds the records that one group brought for one twin, so a group costs one
//! row a twin. Its key is the number of the twin and the last revision in the row.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};

use cardo_engine::{Append, Behind, EncodedRecord, LogError, StoreError};
use cardo_model::{Iri, NameId, Revision, TwinId};
use parking_lot::RwLock;
use sqlx::{Connection, Row, SqliteConnection};

use super::error::damaged;
use super::file::{DatabaseFile, Writer};
use super::statement::{Statements, Values};
use crate::bytes::{Reader, put_bytes, put_varint, seal, unseal};
use crate::check;

/// A revision of a key; [`cardo_model::Seq`] has as many bits for one.
const REVISION_BITS: u32 = 44;
const MAX_TWIN: i64 = (1 << (63 - REVISION_BITS)) - 1;
/// A longer run of records is kept in several rows, so that reading it needs little memory.
const MAX_ROW_BYTES: usize = 1 << 20;
/// How much of the log is dropped before appends get their turn again.
const CUT_BYTES: i64 = 4 << 20;
const CUT_ROWS: i64 = 4_096;

/// The statement that adds rows to the log.
const INSERT: Values = Values {
    head: "INSERT INTO log (key, records) VALUES ",
    columns: 2,
    tail: "",
    sizes: &[64, 8, 1],
};

/// The change log of all twins with what has to be as durable as it.
#[derive(Debug)]
pub(super) struct LogFile {
    pub(super) file: DatabaseFile,
    /// The twins that were asked for since the start.
    twins: RwLock<HashMap<TwinId, Known>>,
    next_twin: AtomicI64,
    statements: Statements,
}

/// What is known of a twin's log.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    pub(super) number: i64,
    pub(super) head: Revision,
    cut: Revision,
}

/// What an append group comes to.
#[derive(Default)]
struct Plan {
    results: Vec<Result<(), Behind>>,
    rows: Vec<(i64, Vec<u8>)>,
    /// With their numbers, and the revisions behind which their logs begin.
    new_twins: Vec<(i64, TwinId, Revision)>,
    heads: HashMap<TwinId, Known>,
}

impl LogFile {
    pub(super) async fn open(file: DatabaseFile) -> Result<Self, StoreError> {
        let mut writer = file.writer().await?;
        let query = sqlx::query_scalar("SELECT coalesce(max(number), 0) FROM twins");
        let last: i64 = match query.fetch_one(writer.connection()).await {
            Ok(last) => last,
            Err(error) => return Err(writer.fail(error).await),
        };
        drop(writer);
        Ok(Self {
            file,
            twins: RwLock::default(),
            next_twin: AtomicI64::new(last + 1),
            statements: Statements::default(),
        })
    }

    pub(super) async fn names(&self) -> Result<Vec<(NameId, Iri)>, StoreError> {
        let mut reader = self.file.reader().await?;
        let query = sqlx::query("SELECT id, name FROM names ORDER BY id");
        let rows = query.fetch_all(&mut *reader).await.map_err(|e| self.file.error(&e))?;
        let damage = |_| damaged(self.file.path(), "a name of its table is none");
        rows.iter()
            .map(|row| {
                let id = u32::try_from(row.get::<i64, _>(0)).map_err(|e| damage(e.to_string()))?;
                let name = Iri::new(row.get::<&str, _>(1)).map_err(|e| damage(e.to_string()))?;
                Ok((NameId::new(id), name))
            })
            .collect()
    }

    pub(super) async fn intern(&self, names: Vec<Iri>) -> Result<Vec<NameId>, StoreError> {
        let mut writer = self.file.writer().await?;
        match intern(writer.connection(), &names).await {
            Ok(ids) => Ok(ids),
            Err(error) => Err(writer.fail(error).await),
        }
    }

    pub(super) async fn twins(&self) -> Result<Vec<TwinId>, StoreError> {
        let mut reader = self.file.reader().await?;
        let query = sqlx::query("SELECT tenant, branch FROM twins ORDER BY tenant, branch");
        let rows = query.fetch_all(&mut *reader).await.map_err(|e| self.file.error(&e))?;
        rows.iter()
            .map(|row| {
                twin_id(row.get(0), row.get(1))
                    .ok_or_else(|| damaged(self.file.path(), "a twin of its table has no name"))
            })
            .collect()
    }

    /// What is known of a twin; `None` where it was never written to.
    pub(super) async fn known(&self, twin: &TwinId) -> Result<Option<Known>, StoreError> {
        if let Some(known) = self.twins.read().get(twin) {
            return Ok(Some(*known));
        }
        let mut writer = match self.file.writer().await {
            Ok(writer) => writer,
            Err(StoreError::Closed) => return Err(StoreError::Closed),
            // Nothing is written any more, so nothing that is read can change meanwhile.
            Err(_) => {
                let mut reader = self.file.reader().await?;
                return find_twin(&mut reader, twin).await.map_err(|e| self.file.error(&e));
            }
        };
        match self.find(&mut writer, twin).await {
            Ok(known) => Ok(known),
            Err(error) => Err(writer.fail(error).await),
        }
    }

    /// Looks a twin up while nothing is appended.
    async fn find(
        &self,
        writer: &mut Writer<'_>,
        twin: &TwinId,
    ) -> Result<Option<Known>, sqlx::Error> {
        if let Some(known) = self.twins.read().get(twin) {
            return Ok(Some(*known));
        }
        let found = find_twin(writer.connection(), twin).await?;
        if let Some(known) = found {
            self.twins.write().insert(twin.clone(), known);
        }
        Ok(found)
    }

    pub(super) async fn append(
        &self,
        appends: Vec<Append>,
    ) -> Result<Vec<Result<(), Behind>>, StoreError> {
        appends.iter().try_for_each(check::append)?;
        let mut writer = self.file.writer().await?;
        let mut plan = Plan::default();
        for append in appends {
            if let Err(error) = self.plan(&mut writer, &mut plan, append).await? {
                return Err(writer.fail(error).await);
            }
        }
        if let Err(error) = self.write(writer.connection(), &mut plan).await {
            // What is remembered of heads is read again from the disk.
            self.forget(plan.heads.keys());
            return Err(writer.fail(error).await);
        }
        let added = i64::try_from(plan.new_twins.len()).unwrap_or(i64::MAX);
        self.next_twin.fetch_add(added, Ordering::Relaxed);
        self.twins.write().extend(plan.heads);
        Ok(plan.results)
    }

    fn forget<'t>(&self, twins: impl Iterator<Item = &'t TwinId>) {
        let mut known = self.twins.write();
        for twin in twins {
            known.remove(twin);
        }
    }

    /// Adds one append to a plan, building on those before it.
    async fn plan(
        &self,
        writer: &mut Writer<'_>,
        plan: &mut Plan,
        append: Append,
    ) -> Result<Result<(), sqlx::Error>, StoreError> {
        let known = match plan.heads.get(&append.twin) {
            Some(known) => Some(*known),
            None => match self.find(writer, &append.twin).await {
                Ok(known) => known,
                Err(error) => return Ok(Err(error)),
            },
        };
        let head = known.map_or(Revision(0), |known| known.head);
        let is_behind = if append.begins { known.is_some() } else { head != append.expected_head };
        if is_behind {
            plan.results.push(Err(Behind { head }));
            return Ok(Ok(()));
        }
        plan.results.push(Ok(()));
        if append.records.is_empty() {
            return Ok(Ok(()));
        }
        let mut known = match known {
            Some(known) => known,
            None => self.number(plan, &append.twin, append.expected_head)?,
        };
        let mut records = append.records.as_slice();
        while !records.is_empty() {
            let (row, rest) = records.split_at(row_length(records));
            known.head = row.last().map_or(known.head, |record| record.revision);
            plan.rows.push((key(known.number, known.head)?, encode_row(row)));
            records = rest;
        }
        plan.heads.insert(append.twin, known);
        Ok(Ok(()))
    }

    /// Gives the next number to a new twin.
    fn number(&self, plan: &mut Plan, twin: &TwinId, begin: Revision) -> Result<Known, StoreError> {
        let added = i64::try_from(plan.new_twins.len()).unwrap_or(i64::MAX);
        let number = self.next_twin.load(Ordering::Relaxed).saturating_add(added);
        if number > MAX_TWIN {
            let text = format!("a store holds at most {MAX_TWIN} twins, so {twin} has no place");
            return Err(StoreError::Failed(text));
        }
        plan.new_twins.push((number, twin.clone(), begin));
        Ok(Known { number, head: begin, cut: begin })
    }

    /// One statement where that does, so that a group costs one turn of the writer's thread.
    async fn write(
        &self,
        connection: &mut SqliteConnection,
        plan: &mut Plan,
    ) -> Result<(), sqlx::Error> {
        let rows = std::mem::take(&mut plan.rows);
        if rows.is_empty() {
            return Ok(());
        }
        if plan.new_twins.is_empty() && rows.len() == 1 {
            return self.insert(connection, rows).await;
        }
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        for (number, twin, begin) in &plan.new_twins {
            sqlx::query("INSERT INTO twins (number, tenant, branch, cut) VALUES (?1, ?2, ?3, ?4)")
                .bind(number)
                .bind(twin.tenant())
                .bind(twin.branch())
                .bind(i64::try_from(begin.0).unwrap_or(i64::MAX))
                .execute(&mut *transaction)
                .await?;
        }
        self.insert(&mut transaction, rows).await?;
        transaction.commit().await
    }

    async fn insert(
        &self,
        connection: &mut SqliteConnection,
        rows: Vec<(i64, Vec<u8>)>,
    ) -> Result<(), sqlx::Error> {
        let mut rows = rows.into_iter();
        for (sql, count) in self.statements.split(&INSERT, rows.len()) {
            let mut query = sqlx::query(sql);
            for (key, mut bytes) in rows.by_ref().take(count) {
                seal(&mut bytes, key.cast_unsigned());
                query = query.bind(key).bind(bytes);
            }
            query.execute(&mut *connection).await?;
        }
        Ok(())
    }

    pub(super) async fn read(
        &self,
        twin: &TwinId,
        after: Revision,
        max_bytes: usize,
    ) -> Result<Vec<EncodedRecord>, LogError> {
        let Some(known) = self.known(twin).await? else {
            return Ok(Vec::new());
        };
        check_gone(known, after)?;
        let records = self.read_rows(known.number, after, max_bytes).await?;
        let is_gap = records.first().is_some_and(|first| first.revision != after.next());
        if is_gap || (records.is_empty() && after < known.head) {
            // It may have been cut meanwhile.
            if let Some(known) = self.known(twin).await? {
                check_gone(known, after)?;
            }
            let what = format!("the log of {twin} has a gap behind revision {after}");
            return Err(damaged(self.file.path(), what).into());
        }
        Ok(records)
    }

    async fn read_rows(
        &self,
        number: i64,
        after: Revision,
        max_bytes: usize,
    ) -> Result<Vec<EncodedRecord>, StoreError> {
        let mut reader = self.file.reader().await?;
        let mut records = Vec::new();
        let mut bytes = 0;
        let mut at = key(number, after)?;
        let end = (number + 1) << REVISION_BITS;
        loop {
            let sql =
                "SELECT key, records FROM log WHERE key > ?1 AND key < ?2 ORDER BY key LIMIT 8";
            let query = sqlx::query(sql).bind(at).bind(end);
            let rows = query.fetch_all(&mut *reader).await.map_err(|e| self.file.error(&e))?;
            if rows.is_empty() {
                return Ok(records);
            }
            for row in &rows {
                at = row.get(0);
                let is_sound = decode_row(at, row.get(1), |record| {
                    if record.revision > after && (bytes <= max_bytes || records.is_empty()) {
                        bytes = bytes.saturating_add(record.bytes.len());
                        if records.is_empty() || bytes <= max_bytes {
                            records.push(record);
                        }
                    }
                });
                if !is_sound {
                    let revision = at & ((1 << REVISION_BITS) - 1);
                    let what = format!("its row up to revision {revision} of twin {number}");
                    return Err(damaged(self.file.path(), what));
                }
                if bytes > max_bytes {
                    return Ok(records);
                }
            }
        }
    }

    pub(super) async fn cut(&self, twin: &TwinId, up_to: Revision) -> Result<(), StoreError> {
        let Some(known) = self.known(twin).await? else {
            return Ok(());
        };
        let up_to = up_to.min(known.head);
        if up_to <= known.cut {
            return Ok(());
        }
        let mut writer = self.file.writer().await?;
        let update = sqlx::query("UPDATE twins SET cut = max(cut, ?2) WHERE number = ?1");
        let update = update.bind(known.number).bind(revision_number(up_to)?);
        if let Err(error) = update.execute(writer.connection()).await {
            return Err(writer.fail(error).await);
        }
        if let Some(known) = self.twins.write().get_mut(twin) {
            known.cut = known.cut.max(up_to);
        }
        drop(writer);
        let end = key(known.number, up_to)?;
        loop {
            let mut writer = self.file.writer().await?;
            match drop_rows(writer.connection(), known.number << REVISION_BITS, end).await {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                Err(error) => return Err(writer.fail(error).await),
            }
        }
    }

    /// Forgets a twin whose state is gone already.
    pub(super) async fn drop_twin(&self, twin: &TwinId, number: i64) -> Result<(), StoreError> {
        loop {
            let mut writer = self.file.writer().await?;
            let (start, end) = (number << REVISION_BITS, ((number + 1) << REVISION_BITS) - 1);
            match drop_rows(writer.connection(), start, end).await {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => return Err(writer.fail(error).await),
            }
        }
        let mut writer = self.file.writer().await?;
        let delete = sqlx::query("DELETE FROM twins WHERE number = ?1").bind(number);
        if let Err(error) = delete.execute(writer.connection()).await {
            return Err(writer.fail(error).await);
        }
        self.twins.write().remove(twin);
        Ok(())
    }

    pub(super) async fn positions(
        &self,
        twin: &TwinId,
    ) -> Result<Vec<(Box<str>, Revision)>, StoreError> {
        let mut reader = self.file.reader().await?;
        let sql = "SELECT follower, revision FROM positions WHERE tenant = ?1 AND branch = ?2 \
                   ORDER BY follower";
        let query = sqlx::query(sql).bind(twin.tenant()).bind(twin.branch());
        let rows = query.fetch_all(&mut *reader).await.map_err(|e| self.file.error(&e))?;
        let position =
            |row: &sqlx::sqlite::SqliteRow| (row.get::<&str, _>(0).into(), revision(row.get(1)));
        Ok(rows.iter().map(position).collect())
    }

    pub(super) async fn save_positions(
        &self,
        twin: &TwinId,
        positions: &[(Box<str>, Option<Revision>)],
    ) -> Result<(), StoreError> {
        let number = |(follower, revision): &(Box<str>, Option<Revision>)| {
            Ok((follower.clone(), revision.map(revision_number).transpose()?))
        };
        let rows = positions.iter().map(number).collect::<Result<Vec<_>, StoreError>>()?;
        let mut writer = self.file.writer().await?;
        match write_positions(writer.connection(), twin, rows).await {
            Ok(()) => Ok(()),
            Err(error) => Err(writer.fail(error).await),
        }
    }

    /// Reads every row of the log and says which are damaged.
    pub(super) async fn damages(&self) -> Result<Vec<String>, StoreError> {
        let mut reader = self.file.reader().await?;
        let mut found = Vec::new();
        let mut at = -1_i64;
        loop {
            let sql = "SELECT key, records FROM log WHERE key > ?1 ORDER BY key LIMIT 64";
            let rows = sqlx::query(sql).bind(at).fetch_all(&mut *reader).await;
            let rows = rows.map_err(|e| self.file.error(&e))?;
            for row in &rows {
                at = row.get(0);
                if !decode_row(at, row.get(1), |_| ()) {
                    let (twin, last) = (at >> REVISION_BITS, at & ((1 << REVISION_BITS) - 1));
                    found.push(format!("the log row up to revision {last} of twin {twin}"));
                }
            }
            if rows.is_empty() {
                return Ok(found);
            }
        }
    }
}

fn check_gone(known: Known, after: Revision) -> Result<(), LogError> {
    if after < known.cut { Err(LogError::Gone { oldest: known.cut.next() }) } else { Ok(()) }
}

/// Drops some rows up to a key; false where none was left.
async fn drop_rows(
    connection: &mut SqliteConnection,
    start: i64,
    end: i64,
) -> Result<bool, sqlx::Error> {
    let sql = "SELECT key, length(records) FROM log WHERE key > ?1 AND key <= ?2 ORDER BY key \
               LIMIT ?3";
    let query = sqlx::query(sql).bind(start).bind(end).bind(CUT_ROWS);
    let mut bytes = 0;
    let mut last = None;
    for row in query.fetch_all(&mut *connection).await? {
        bytes += row.get::<i64, _>(1);
        last = Some(row.get::<i64, _>(0));
        if bytes >= CUT_BYTES {
            break;
        }
    }
    let Some(last) = last else {
        return Ok(false);
    };
    let delete = sqlx::query("DELETE FROM log WHERE key > ?1 AND key <= ?2");
    delete.bind(start).bind(last).execute(connection).await?;
    Ok(last < end)
}

async fn find_twin(
    connection: &mut SqliteConnection,
    twin: &TwinId,
) -> Result<Option<Known>, sqlx::Error> {
    let sql = "SELECT number, cut FROM twins WHERE tenant = ?1 AND branch = ?2";
    let query = sqlx::query(sql).bind(twin.tenant()).bind(twin.branch());
    let Some(row) = query.fetch_optional(&mut *connection).await? else {
        return Ok(None);
    };
    let (number, cut): (i64, i64) = (row.get(0), row.get(1));
    let query = sqlx::query_scalar("SELECT max(key) FROM log WHERE key >= ?1 AND key < ?2");
    let query = query.bind(number << REVISION_BITS).bind((number + 1) << REVISION_BITS);
    let last: Option<i64> = query.fetch_one(connection).await?;
    let in_log = last.map_or(0, |last| last - (number << REVISION_BITS));
    Ok(Some(Known { number, head: revision(in_log.max(cut)), cut: revision(cut) }))
}

async fn intern(
    connection: &mut SqliteConnection,
    names: &[Iri],
) -> Result<Vec<NameId>, sqlx::Error> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let mut ids = Vec::with_capacity(names.len());
    for name in names {
        let query = sqlx::query_scalar("SELECT id FROM names WHERE name = ?1").bind(name.as_str());
        let found: Option<i64> = query.fetch_optional(&mut *transaction).await?;
        let id = if let Some(id) = found {
            id
        } else {
            let sql = "INSERT INTO names (id, name) \
                       SELECT coalesce(max(id) + 1, 0), ?1 FROM names RETURNING id";
            sqlx::query_scalar(sql).bind(name.as_str()).fetch_one(&mut *transaction).await?
        };
        let id = u32::try_from(id).map_err(|e| sqlx::Error::Decode(e.into()))?;
        ids.push(NameId::new(id));
    }
    transaction.commit().await?;
    Ok(ids)
}

async fn write_positions(
    connection: &mut SqliteConnection,
    twin: &TwinId,
    rows: Vec<(Box<str>, Option<i64>)>,
) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    for (follower, revision) in rows {
        let sql = match revision {
            Some(_) => {
                "INSERT OR REPLACE INTO positions (tenant, branch, follower, revision) \
                 VALUES (?1, ?2, ?3, ?4)"
            }
            None => "DELETE FROM positions WHERE tenant = ?1 AND branch = ?2 AND follower = ?3",
        };
        let query = sqlx::query(sql).bind(twin.tenant()).bind(twin.branch()).bind(&*follower);
        let query = match revision {
            Some(revision) => query.bind(revision),
            None => query,
        };
        query.execute(&mut *transaction).await?;
    }
    transaction.commit().await
}

fn twin_id(tenant: &str, branch: &str) -> Option<TwinId> {
    let twin = match tenant {
        "" => TwinId::default(),
        tenant => TwinId::of_tenant(tenant).ok()?,
    };
    if twin.branch() == branch { Some(twin) } else { twin.with_branch(branch).ok() }
}

fn revision(number: i64) -> Revision {
    Revision(u64::try_from(number).unwrap_or(0))
}

fn revision_number(revision: Revision) -> Result<i64, StoreError> {
    i64::try_from(revision.0)
        .ok()
        .filter(|number| *number < 1 << REVISION_BITS)
        .ok_or_else(|| StoreError::Failed(format!("revision {revision} is beyond all logs")))
}

fn key(number: i64, revision: Revision) -> Result<i64, StoreError> {
    Ok(number << REVISION_BITS | revision_number(revision)?)
}

/// How many of the records go into one row.
fn row_length(records: &[EncodedRecord]) -> usize {
    let mut bytes = 0;
    for (count, record) in records.iter().enumerate() {
        bytes += record.bytes.len();
        if bytes > MAX_ROW_BYTES && count > 0 {
            return count;
        }
    }
    records.len()
}

/// `row = count (length record)*`; the revisions end with that of the key.
fn encode_row(records: &[EncodedRecord]) -> Vec<u8> {
    let size: usize = records.iter().map(|record| record.bytes.len() + 4).sum();
    let mut out = Vec::with_capacity(size + 16);
    put_varint(&mut out, records.len() as u64);
    for record in records {
        put_bytes(&mut out, &record.bytes);
    }
    out
}

/// Hands out the records of a row; false where it is damaged.
fn decode_row(key: i64, sealed: &[u8], mut take: impl FnMut(EncodedRecord)) -> bool {
    let read = || -> Option<()> {
        let mut reader = Reader::new(unseal(sealed, key.cast_unsigned())?);
        let count = reader.varint()?;
        let last = u64::try_from(key & ((1 << REVISION_BITS) - 1)).ok()?;
        let first = (last + 1).checked_sub(count)?;
        for revision in first..=last {
            let bytes = reader.bytes()?.to_vec();
            take(EncodedRecord { revision: Revision(revision), bytes });
        }
        reader.is_empty().then_some(())
    };
    let mut read = read;
    read().is_some()
}
