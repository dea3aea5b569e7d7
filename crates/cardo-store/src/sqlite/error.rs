use std::path::Path;

use cardo_engine::StoreError;

const BUSY: i32 = 5;
const IO: i32 = 10;
const CORRUPT: i32 = 11;
const FULL: i32 = 13;
const NOT_A_DATABASE: i32 = 26;
/// The shared index of the write-ahead log could not grow.
const IO_SHARED_MEMORY_SIZE: i32 = IO | 19 << 8;
const IO_CORRUPT_FILE_SYSTEM: i32 = IO | 33 << 8;

/// What has to happen to a file after an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Consequence {
    /// Nothing was written; after its transaction is rolled back, writing may go on.
    NothingWritten,
    /// What is on the disk is uncertain; nothing may be written before the file is opened anew.
    Uncertain,
}

fn code(error: &sqlx::Error) -> Option<i32> {
    error.as_database_error()?.code()?.parse().ok()
}

/// What has to happen to a file on which a write failed in this way.
///
/// A page cache may drop what it failed to sync and report success the next time, so an error that
/// may stem from the disk makes the file unusable for writes.
pub(super) fn consequence(error: &sqlx::Error) -> Consequence {
    match code(error) {
        Some(IO_SHARED_MEMORY_SIZE) => Consequence::NothingWritten,
        Some(code) if matches!(code & 0xff, FULL | BUSY) => Consequence::NothingWritten,
        _ => Consequence::Uncertain,
    }
}

/// An error of SQLite in the terms of the port.
pub(super) fn translate(file: &Path, error: &sqlx::Error) -> StoreError {
    match code(error) {
        Some(IO_SHARED_MEMORY_SIZE) => full(file),
        Some(IO_CORRUPT_FILE_SYSTEM) => damaged(file, error),
        Some(code) => match code & 0xff {
            FULL => full(file),
            CORRUPT | NOT_A_DATABASE => damaged(file, error),
            _ => failed(file, error),
        },
        None => match error {
            sqlx::Error::PoolClosed => StoreError::Closed,
            _ => failed(file, error),
        },
    }
}

fn full(file: &Path) -> StoreError {
    StoreError::Full(format!("no room is left to write to {}", file.display()))
}

fn failed(file: &Path, error: &sqlx::Error) -> StoreError {
    StoreError::Failed(format!("{}: {error}", file.display()))
}

/// The advice for a file that is damaged in this way.
pub(super) fn damaged(file: &Path, what: impl std::fmt::Display) -> StoreError {
    StoreError::Damaged(format!(
        "{} is damaged: {what}; nothing in it was changed. Stop the server, keep a copy of the \
         directory, and restore it from a backup or give another directory",
        file.display()
    ))
}
