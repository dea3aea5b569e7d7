use cardo_engine::StoreError;

/// What is to fail.
#[derive(Debug, Default)]
pub(super) struct Faults {
    fails_next: bool,
    has_failed: bool,
    is_full: bool,
}

impl Faults {
    pub(super) fn fail_next(&mut self) {
        self.fails_next = true;
    }

    pub(super) fn set_full(&mut self, is_full: bool) {
        self.is_full = is_full;
    }

    pub(super) fn reopen(&mut self) {
        self.fails_next = false;
        self.has_failed = false;
    }

    /// Asked before every write.
    pub(super) fn check(&mut self) -> Result<(), StoreError> {
        if std::mem::take(&mut self.fails_next) {
            self.has_failed = true;
        }
        if self.has_failed {
            let text = "a write failed as it was told to; nothing is written until it is reopened";
            return Err(StoreError::Failed(text.to_owned()));
        }
        if self.is_full {
            return Err(StoreError::Full("the memory store was told to be full".to_owned()));
        }
        Ok(())
    }
}
