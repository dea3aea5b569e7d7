use std::sync::Arc;

use cardo_model::{LogRecord, Record, Revision};

use crate::ports::LogError;

/// Reads the log of a twin as it grows. A position that was saved resumes where it stopped.
pub struct Follower {}

/// One log record with the entities that it left behind.
#[derive(Clone, Debug)]
pub struct Followed {
    /// What happened.
    pub record: LogRecord,
    /// A place a change: the entity behind it, `None` where it is gone. Records that were read
    /// back from disk come with the entity as it is now.
    pub entities: Vec<Option<Record>>,
}

impl Follower {
    /// Waits for the next log record; each call goes one revision further.
    pub async fn next(&mut self) -> Result<Arc<Followed>, LogError> {
        unimplemented!()
    }

    /// The revision that was handed out last.
    pub fn position(&self) -> Revision {
        unimplemented!()
    }
}

impl Followed {
    /// What the entity of a change was before it; `None` where it did not exist.
    pub fn before(&self, _change: usize) -> Option<Record> {
        unimplemented!()
    }
}
