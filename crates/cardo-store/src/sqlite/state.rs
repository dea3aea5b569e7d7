//! The state file: entities, documents and offsets as the log has left them.

use cardo_engine::{HistoryEvent, HistoryRow, Projected, Projection, StoreError};
use cardo_model::{DocumentChange, Record, Revision, Seq, SourceOffset, TwinId};
use futures_util::TryStreamExt;
use sqlx::{Connection, Row, SqliteConnection};
use tokio::sync::mpsc;

use super::error::damaged;
use super::file::DatabaseFile;
use super::statement::{Statements, Values};
use super::{amended, arrivals};
use crate::bytes::{hash, seal, unseal};
use crate::check;

/// How many entities are handed over at once while a twin is loaded.
const CHUNK: usize = 4_096;

const UPSERT: Values = Values {
    head: "INSERT INTO entities (twin, seq, record) VALUES ",
    columns: 3,
    tail: " ON CONFLICT (twin, seq) DO UPDATE SET record = excluded.record",
    sizes: &[250, 25, 1],
};

const DELETE: Values = Values {
    head: "DELETE FROM entities WHERE twin = ? AND seq IN (VALUES ",
    columns: 1,
    tail: ")",
    sizes: &[250, 25, 1],
};

/// State and history of all twins.
#[derive(Debug)]
pub(super) struct StateFile {
    pub(super) file: DatabaseFile,
    pub(super) statements: Statements,
    /// How much arrived history is compacted in one transaction.
    pub(super) compaction_bytes: u64,
}

/// How far a twin is projected and its history compacted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reached {
    pub(super) revision: i64,
    pub(super) next_run: i64,
    /// The last run of the compaction under way, 0 where there is none.
    pub(super) compacting: i64,
    /// The compaction has done the entities below this place.
    pub(super) cursor: i64,
    pub(super) next_block: i64,
}

impl Reached {
    const START: Self =
        Self { revision: 0, next_run: 1, compacting: 0, cursor: i64::MIN, next_block: 1 };

    pub(super) async fn read(
        connection: &mut SqliteConnection,
        twin: i64,
    ) -> Result<Option<Self>, sqlx::Error> {
        let sql = "SELECT revision, next_run, compacting, cursor, next_block FROM twins \
                   WHERE twin = ?1";
        let row = sqlx::query(sql).bind(twin).fetch_optional(connection).await?;
        Ok(row.map(|row| Self {
            revision: row.get(0),
            next_run: row.get(1),
            compacting: row.get(2),
            cursor: row.get(3),
            next_block: row.get(4),
        }))
    }

    pub(super) async fn write(
        self,
        connection: &mut SqliteConnection,
        twin: i64,
    ) -> Result<(), sqlx::Error> {
        let sql = "INSERT OR REPLACE INTO twins \
                   (twin, revision, next_run, compacting, cursor, next_block) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        sqlx::query(sql)
            .bind(twin)
            .bind(self.revision)
            .bind(self.next_run)
            .bind(self.compacting)
            .bind(self.cursor)
            .bind(self.next_block)
            .execute(connection)
            .await?;
        Ok(())
    }
}

/// What is read of a twin, in this order: how far it is, then its entities.
pub(super) enum Loaded {
    Projected(Projected),
    Entities(Vec<Record>),
}

impl StateFile {
    pub(super) fn new(file: DatabaseFile, compaction_bytes: u64) -> Self {
        Self { file, statements: Statements::default(), compaction_bytes }
    }

    /// Adds what files lack that were made before it was used. Older programs keep it up to date.
    /// Where the disk is full it waits for another start, since all is answered without it.
    pub(super) async fn complete(&self) -> Result<(), StoreError> {
        let mut writer = self.file.writer().await?;
        let sql = "CREATE INDEX IF NOT EXISTS blocks_by_time \
                   ON blocks (twin, entity, attribute, dataset, last, first)";
        match sqlx::query(sql).execute(writer.connection()).await {
            Ok(_) => Ok(()),
            Err(error) => match writer.fail(error).await {
                StoreError::Full(_) => Ok(()),
                other => Err(other),
            },
        }
    }

    /// The revision that state and history have reached.
    pub(super) async fn reached(&self, twin: i64) -> Result<Revision, StoreError> {
        let mut reader = self.file.reader().await?;
        let reached = Reached::read(&mut reader, twin).await.map_err(|e| self.file.error(&e))?;
        Ok(revision(reached.map_or(0, |reached| reached.revision)))
    }

    pub(super) async fn project(
        &self,
        twin: i64,
        name: &TwinId,
        projection: Projection,
    ) -> Result<(), StoreError> {
        let chunks = arrivals::seal_rows(twin, &projection.history);
        let is_amendment = |row: &HistoryRow| matches!(row.event, HistoryEvent::Amended(_));
        let has_amendments = projection.history.iter().any(is_amendment);
        let mut writer = self.file.writer().await?;
        let before = match Reached::read(writer.connection(), twin).await {
            Ok(before) => before.unwrap_or(Reached::START),
            Err(error) => return Err(writer.fail(error).await),
        };
        check::projection(name, revision(before.revision), &projection)?;
        let Ok(to) = i64::try_from(projection.to.0) else {
            return Err(StoreError::Failed(format!("revision {} is beyond all", projection.to)));
        };
        let after = Reached { revision: to, ..before };
        let written = (projection, chunks, has_amendments);
        match self.write(writer.connection(), twin, after, written).await {
            Ok(()) => Ok(()),
            Err(error) => Err(writer.fail(error).await),
        }
    }

    async fn write(
        &self,
        connection: &mut SqliteConnection,
        twin: i64,
        mut after: Reached,
        (projection, chunks, has_amendments): (Projection, Vec<arrivals::SealedChunk>, bool),
    ) -> Result<(), sqlx::Error> {
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        if has_amendments {
            amended::note(&mut transaction, twin, after.next_run).await?;
        }
        self.write_entities(&mut transaction, twin, projection.entities).await?;
        for document in projection.documents {
            write_document(&mut transaction, twin, document).await?;
        }
        for offset in projection.offsets {
            sqlx::query(
                "INSERT OR REPLACE INTO offsets (twin, source, offset) VALUES (?1, ?2, ?3)",
            )
            .bind(twin)
            .bind(&*offset.source)
            .bind(&*offset.offset)
            .execute(&mut *transaction)
            .await?;
        }
        if !chunks.is_empty() {
            arrivals::write(&mut transaction, &self.statements, (twin, after.next_run), chunks)
                .await?;
            after.next_run += 1;
        }
        after.write(&mut transaction, twin).await?;
        transaction.commit().await
    }

    async fn write_entities(
        &self,
        connection: &mut SqliteConnection,
        twin: i64,
        entities: Vec<(Seq, Option<Record>)>,
    ) -> Result<(), sqlx::Error> {
        let gone: Vec<i64> = entities
            .iter()
            .filter(|(_, record)| record.is_none())
            .map(|(seq, _)| seq.as_u64().cast_signed())
            .collect();
        let kept = entities.len() - gone.len();
        let mut kept_entities =
            entities.into_iter().filter_map(|(seq, record)| Some((seq, record?)));
        for (sql, count) in self.statements.split(&UPSERT, kept) {
            let mut query = sqlx::query(sql);
            for (seq, record) in kept_entities.by_ref().take(count) {
                let bytes = record.as_bytes();
                let mut sealed = Vec::with_capacity(bytes.len() + 4);
                sealed.extend_from_slice(bytes);
                seal(&mut sealed, place(twin, seq));
                query = query.bind(twin).bind(seq.as_u64().cast_signed()).bind(sealed);
            }
            query.execute(&mut *connection).await?;
        }
        let mut gone = gone.into_iter();
        for (sql, count) in self.statements.split(&DELETE, gone.len()) {
            let mut query = sqlx::query(sql).bind(twin);
            for seq in gone.by_ref().take(count) {
                query = query.bind(seq);
            }
            query.execute(&mut *connection).await?;
        }
        Ok(())
    }

    /// Takes away all that is kept of a twin, in parts.
    pub(super) async fn drop_twin(&self, twin: i64) -> Result<(), StoreError> {
        const PARTS: [&str; 6] = [
            "DELETE FROM arrivals WHERE id IN \
             (SELECT id FROM arrivals WHERE twin = ?1 ORDER BY run, first LIMIT 256)",
            "DELETE FROM blocks WHERE twin = ?1 AND (entity, sealed, number) IN \
             (SELECT entity, sealed, number FROM blocks WHERE twin = ?1 LIMIT 1000)",
            "DELETE FROM entities WHERE twin = ?1 AND seq IN \
             (SELECT seq FROM entities WHERE twin = ?1 LIMIT 4000)",
            "DELETE FROM documents WHERE twin = ?1 AND (kind, id) IN \
             (SELECT kind, id FROM documents WHERE twin = ?1 LIMIT 1000)",
            "DELETE FROM offsets WHERE twin = ?1",
            "DELETE FROM runs WHERE twin = ?1",
        ];
        // Without this row nothing of the twin is compacted any more.
        self.delete("DELETE FROM twins WHERE twin = ?1", twin).await?;
        for part in PARTS {
            while self.delete(part, twin).await? > 0 {}
        }
        Ok(())
    }

    async fn delete(&self, sql: &'static str, twin: i64) -> Result<u64, StoreError> {
        let mut writer = self.file.writer().await?;
        match sqlx::query(sql).bind(twin).execute(writer.connection()).await {
            Ok(done) => Ok(done.rows_affected()),
            Err(error) => Err(writer.fail(error).await),
        }
    }

    /// Reads a twin and sends it in pieces, decoding while the next ones are read.
    pub(super) async fn load(
        &self,
        twin: i64,
        pieces: &mpsc::Sender<Loaded>,
    ) -> Result<(), StoreError> {
        let error = |e: sqlx::Error| self.file.error(&e);
        let mut reader = self.file.reader().await?;
        let mut transaction = reader.begin().await.map_err(error)?;
        let reached = Reached::read(&mut transaction, twin).await.map_err(error)?;
        let projected = Projected {
            revision: revision(reached.map_or(0, |reached| reached.revision)),
            documents: self.read_documents(&mut transaction, twin).await?,
            offsets: read_offsets(&mut transaction, twin).await.map_err(error)?,
        };
        if pieces.send(Loaded::Projected(projected)).await.is_err() {
            return Ok(());
        }
        let sql = "SELECT seq, record FROM entities WHERE twin = ?1 ORDER BY seq";
        let mut rows = sqlx::query(sql).bind(twin).fetch(&mut *transaction);
        let mut chunk = Vec::with_capacity(CHUNK);
        while let Some(row) = rows.try_next().await.map_err(error)? {
            let seq = Seq::from_u64(row.get::<i64, _>(0).cast_unsigned());
            let record = decode_entity(twin, seq, row.get(1));
            chunk.push(record.ok_or_else(|| {
                damaged(self.file.path(), format!("entity {} of twin {twin}", seq.as_u64()))
            })?);
            if chunk.len() == CHUNK {
                let full = std::mem::replace(&mut chunk, Vec::with_capacity(CHUNK));
                if pieces.send(Loaded::Entities(full)).await.is_err() {
                    return Ok(());
                }
            }
        }
        if !chunk.is_empty() {
            // A receiver that is gone needs no more.
            let _ = pieces.send(Loaded::Entities(chunk)).await;
        }
        Ok(())
    }

    async fn read_documents(
        &self,
        connection: &mut SqliteConnection,
        twin: i64,
    ) -> Result<Vec<DocumentChange>, StoreError> {
        let sql =
            "SELECT kind, id, checksum, body FROM documents WHERE twin = ?1 ORDER BY kind, id";
        let rows = sqlx::query(sql).bind(twin).fetch_all(connection).await;
        let rows = rows.map_err(|e| self.file.error(&e))?;
        rows.iter()
            .map(|row| {
                let (kind, id, body): (&str, &str, &str) = (row.get(0), row.get(1), row.get(3));
                if row.get::<i64, _>(2) != document_checksum(kind, id, body) {
                    let what = format!("the {kind} {id:?} of twin {twin}");
                    return Err(damaged(self.file.path(), what));
                }
                Ok(DocumentChange { kind: kind.into(), id: id.into(), body: Some(body.into()) })
            })
            .collect()
    }

    /// Reads every entity and says which are damaged.
    pub(super) async fn damages(&self) -> Result<Vec<String>, StoreError> {
        let mut reader = self.file.reader().await?;
        let mut rows = sqlx::query("SELECT twin, seq, record FROM entities").fetch(&mut *reader);
        let mut found = Vec::new();
        while let Some(row) = rows.try_next().await.map_err(|e| self.file.error(&e))? {
            let twin: i64 = row.get(0);
            let seq = Seq::from_u64(row.get::<i64, _>(1).cast_unsigned());
            if decode_entity(twin, seq, row.get(2)).is_none() {
                found.push(format!("entity {} of twin {twin}", seq.as_u64()));
            }
        }
        Ok(found)
    }
}

fn place(twin: i64, seq: Seq) -> u64 {
    seq.as_u64() ^ twin.cast_unsigned().rotate_right(20)
}

fn decode_entity(twin: i64, seq: Seq, sealed: &[u8]) -> Option<Record> {
    Record::from_bytes(unseal(sealed, place(twin, seq))?).ok()
}

fn revision(number: i64) -> Revision {
    Revision(u64::try_from(number).unwrap_or(0))
}

fn document_checksum(kind: &str, id: &str, body: &str) -> i64 {
    let text = [kind, "\0", id, "\0", body].concat();
    hash(text.as_bytes()).cast_signed()
}

async fn write_document(
    connection: &mut SqliteConnection,
    twin: i64,
    document: DocumentChange,
) -> Result<(), sqlx::Error> {
    let (kind, id) = (&*document.kind, &*document.id);
    let query = match document.body.as_deref() {
        Some(body) => sqlx::query(
            "INSERT OR REPLACE INTO documents (twin, kind, id, checksum, body) \
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )
        .bind(twin)
        .bind(kind)
        .bind(id)
        .bind(document_checksum(kind, id, body))
        .bind(body),
        None => sqlx::query("DELETE FROM documents WHERE twin = ?1 AND kind = ?2 AND id = ?3")
            .bind(twin)
            .bind(kind)
            .bind(id),
    };
    query.execute(connection).await?;
    Ok(())
}

async fn read_offsets(
    connection: &mut SqliteConnection,
    twin: i64,
) -> Result<Vec<SourceOffset>, sqlx::Error> {
    let sql = "SELECT source, offset FROM offsets WHERE twin = ?1 ORDER BY source";
    let rows = sqlx::query(sql).bind(twin).fetch_all(connection).await?;
    let offset = |row: &sqlx::sqlite::SqliteRow| SourceOffset {
        source: row.get::<&str, _>(0).into(),
        offset: row.get::<&str, _>(1).into(),
    };
    Ok(rows.iter().map(offset).collect())
}
