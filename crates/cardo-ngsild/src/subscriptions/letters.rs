//! Notifications that could not be delivered, kept in the twin until they are dropped or told again.

use cardo_model::{DocumentChange, Revision, Timestamp};
use serde_json::{Value, json};

/// The kind of document under which dead letters are kept.
pub(crate) const LETTER_KIND: &str = "dead-letter";

const VERSION: u64 = 1;

/// A dead letter: which notification it was and why it did not arrive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Letter {
    /// The revision of the change that it tells of.
    pub(crate) revision: Revision,
    /// Which of the notifications about that change it is.
    pub(crate) part: u32,
    pub(crate) attempts: u32,
    pub(crate) reason: String,
    pub(crate) at: Timestamp,
}

impl Letter {
    pub(super) fn new(revision: Revision, part: u32, attempts: u32, reason: &str) -> Self {
        let reason = reason.chars().take(500).collect();
        Self { revision, part, attempts, reason, at: Timestamp::now() }
    }

    /// The id of its document; the letters of a subscription stand in the order of their revisions.
    pub(super) fn document_id(&self, subscription: &str) -> String {
        format!("{}{:020}.{}", prefix(subscription), self.revision.0, self.part)
    }

    pub(super) fn put(&self, subscription: &str) -> DocumentChange {
        let body = json!({
            "version": VERSION,
            "revision": self.revision.0,
            "part": self.part,
            "attempts": self.attempts,
            "reason": self.reason,
            "at": self.at.to_string(),
        });
        DocumentChange {
            kind: LETTER_KIND.into(),
            id: self.document_id(subscription).into(),
            body: Some(body.to_string().into()),
        }
    }

    pub(crate) fn from_text(text: &str) -> Option<Self> {
        let document: Value = serde_json::from_str(text).ok()?;
        if document.get("version")?.as_u64()? != VERSION {
            return None;
        }
        let number = |name: &str| u32::try_from(document.get(name)?.as_u64()?).ok();
        Some(Self {
            revision: Revision(document.get("revision")?.as_u64()?),
            part: number("part")?,
            attempts: number("attempts")?,
            reason: document.get("reason")?.as_str()?.to_owned(),
            at: Timestamp::parse(document.get("at")?.as_str()?).ok()?,
        })
    }
}

/// How the ids of a subscription's letters begin; an id of a subscription has no space in it.
pub(crate) fn prefix(subscription: &str) -> String {
    format!("{subscription} ")
}

/// The change that forgets a letter.
pub(crate) fn forget(document_id: &str) -> DocumentChange {
    DocumentChange { kind: LETTER_KIND.into(), id: document_id.into(), body: None }
}
