use std::collections::HashMap;
use std::sync::Arc;

use cardo_formats::{Directory, Piece};
use parking_lot::Mutex;

/// Directories of archives, within a number of bytes. What was not asked for while half of that came
/// in goes.
#[derive(Default)]
pub(crate) struct Directories {
    halves: Mutex<[Half; 2]>,
}

#[derive(Default)]
struct Half {
    known: HashMap<Key, Arc<Directory>>,
    bytes: usize,
}

/// The version of a file, and where the directory is in it.
type Key = (u64, Piece);

/// How many bytes the directories of all files may take.
const MOST_BYTES: usize = 64 << 20;

impl Directories {
    /// A directory that is known, else as it is read.
    pub(crate) fn get<E>(
        &self,
        key: Key,
        read: impl FnOnce() -> Result<Directory, E>,
    ) -> Result<Arc<Directory>, E> {
        if let Some(known) = self.known(&key) {
            return Ok(known);
        }
        // Whoever else asks for it meanwhile reads it too, and nobody waits for another file.
        let directory = Arc::new(read()?);
        insert(&mut self.halves.lock(), key, directory.clone());
        Ok(directory)
    }

    fn known(&self, key: &Key) -> Option<Arc<Directory>> {
        let mut halves = self.halves.lock();
        if let Some(young) = halves[0].known.get(key) {
            return Some(young.clone());
        }
        let old = halves[1].known.remove(key)?;
        halves[1].bytes = halves[1].bytes.saturating_sub(old.size());
        insert(&mut halves, *key, old.clone());
        Some(old)
    }
}

fn insert(halves: &mut [Half; 2], key: Key, directory: Arc<Directory>) {
    let size = directory.size();
    if halves[0].bytes + size > MOST_BYTES / 2 {
        halves[1] = std::mem::take(&mut halves[0]);
    }
    if halves[0].known.insert(key, directory).is_none() {
        halves[0].bytes += size;
    }
}
