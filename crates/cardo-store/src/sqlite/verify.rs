//! The check of everything, on demand.

use cardo_engine::StoreError;

use super::SqliteStore;
use super::file::DatabaseFile;

/// SQLite says no more than so many things about a file.
const MAX_FINDINGS: usize = 100;

impl SqliteStore {
    /// Reads both files wholly and says what is damaged; nothing where all is sound.
    ///
    /// SQLite checks the structure of the files, and the checksums of log rows and entities are
    /// compared. It changes nothing, and others may read and write meanwhile.
    pub async fn verify(&self) -> Result<Vec<String>, StoreError> {
        let mut found = quick_check(&self.log.file).await?;
        found.append(&mut quick_check(&self.state.file).await?);
        if found.is_empty() {
            found.append(&mut self.log.damages().await?);
            found.append(&mut self.state.damages().await?);
        }
        found.truncate(MAX_FINDINGS);
        Ok(found)
    }
}

async fn quick_check(file: &DatabaseFile) -> Result<Vec<String>, StoreError> {
    let mut reader = file.reader().await?;
    let lines: Vec<String> = sqlx::query_scalar("PRAGMA quick_check")
        .fetch_all(&mut *reader)
        .await
        .map_err(|e| file.error(&e))?;
    let findings = lines.into_iter().filter(|line| line != "ok");
    Ok(findings.map(|line| format!("{}: {line}", file.path().display())).collect())
}
