use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use cardo_engine::{Operation, Snapshot};
use cardo_model::{DocumentChange, Timestamp, TwinId};
use foldhash::fast::RandomState;
use hashbrown::HashMap;
use parking_lot::RwLock;
use serde_json::{Value, json};

use super::usage::{Known, Memo, Usage};
use crate::represent::Naming;

/// The kind of document under which a twin keeps the contexts that it serves, by local id.
pub(crate) const HOSTED_KIND: &str = "hosted-context";

const VERSION: u64 = 1;

/// How a context has come into the storage (clause 5.13.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StoredKind {
    Cached,
    Hosted,
    ImplicitlyCreated,
}

impl StoredKind {
    const ALL: [Self; 3] = [Self::Cached, Self::Hosted, Self::ImplicitlyCreated];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Cached => "Cached",
            Self::Hosted => "Hosted",
            Self::ImplicitlyCreated => "ImplicitlyCreated",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// A context that its tenant serves.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Hosted {
    pub(crate) id: Box<str>,
    pub(crate) kind: StoredKind,
    pub(crate) created_at: Timestamp,
    /// The value of its `@context`.
    pub(crate) context: Value,
}

impl Hosted {
    /// A new one, of this moment.
    pub(crate) fn new(kind: StoredKind, context: Value) -> Self {
        Self { id: new_id(), kind, created_at: Timestamp::now(), context }
    }

    /// The JSON-LD document that is served.
    pub(crate) fn document(&self) -> String {
        json!({ "@context": self.context }).to_string()
    }

    /// What keeps it in its twin.
    pub(crate) fn put(&self) -> Operation {
        let text = json!({
            "version": VERSION,
            "kind": self.kind.as_str(),
            "createdAt": self.created_at.to_string(),
            "@context": self.context,
        });
        change(&self.id, Some(text.to_string()))
    }

    fn from_text(id: &str, text: &str) -> Option<Self> {
        let Ok(Value::Object(mut members)) = serde_json::from_str(text) else { return None };
        if members.get("version")?.as_u64()? != VERSION {
            return None;
        }
        let kind = StoredKind::parse(members.get("kind")?.as_str()?)?;
        let created_at = Timestamp::parse(members.get("createdAt")?.as_str()?).ok()?;
        let context = members.shift_remove("@context")?;
        Some(Self { id: id.into(), kind, created_at, context })
    }

    /// The one of a local id in a twin.
    pub(crate) fn find(snapshot: &Snapshot, id: &str) -> Option<Self> {
        Self::from_text(id, &snapshot.document(HOSTED_KIND, id)?)
    }

    /// All of a twin.
    pub(crate) fn all(snapshot: &Snapshot) -> Vec<Self> {
        let documents = snapshot.documents(HOSTED_KIND);
        documents.iter().filter_map(|(id, text)| Self::from_text(id, text)).collect()
    }

    /// How many there are.
    pub(crate) fn count(snapshot: &Snapshot) -> usize {
        snapshot.documents(HOSTED_KIND).len()
    }

    /// An implicitly created one with this content.
    pub(crate) fn implicit(snapshot: &Snapshot, context: &Value) -> Option<Self> {
        let ending = format!("\"@context\":{context}}}");
        let documents = snapshot.documents(HOSTED_KIND);
        let mut alike = documents
            .iter()
            .filter(|(_, text)| text.ends_with(&ending))
            .filter_map(|(id, text)| Self::from_text(id, text));
        alike.find(|one| one.kind == StoredKind::ImplicitlyCreated && one.context == *context)
    }
}

/// What takes a context out of its twin.
pub(crate) fn removal(id: &str) -> Operation {
    change(id, None)
}

fn change(id: &str, body: Option<String>) -> Operation {
    let body = body.map(String::into_boxed_str);
    Operation::Document(DocumentChange { kind: HOSTED_KIND.into(), id: id.into(), body })
}

/// A local id that no context has yet.
pub(super) fn new_id() -> Box<str> {
    format!("urn:ngsi-ld:Context:{}", uuid::Uuid::new_v4()).into()
}

/// What is ready of the contexts that tenants host, apart from what they share.
#[derive(Default)]
pub(super) struct Spaces {
    by_twin: RwLock<HashMap<TwinId, Arc<Space>, RandomState>>,
    count: AtomicUsize,
}

/// That of one tenant.
#[derive(Default)]
pub(super) struct Space {
    pub(super) memo: RwLock<Memo>,
    usages: RwLock<HashMap<Box<str>, Arc<Usage>, RandomState>>,
}

impl Spaces {
    /// The space of a tenant that has used one of its contexts.
    #[inline]
    pub(super) fn get(&self, twin: &TwinId) -> Option<Arc<Space>> {
        if self.count.load(Ordering::Acquire) == 0 {
            return None;
        }
        self.by_twin.read().get(twin).cloned()
    }

    pub(super) fn of(&self, twin: &TwinId) -> Arc<Space> {
        if let Some(space) = self.get(twin) {
            return space;
        }
        let mut by_twin = self.by_twin.write();
        let space = by_twin.entry(twin.clone()).or_default().clone();
        self.count.store(by_twin.len(), Ordering::Release);
        space
    }

    /// The naming of a key, for a request that uses it.
    #[inline]
    pub(super) fn used(&self, twin: &TwinId, key: &[u8], now: u64) -> Option<Arc<Naming>> {
        Some(self.get(twin)?.memo.read().get(key)?.used(now).clone())
    }

    pub(super) fn known(&self, twin: &TwinId, key: &[u8]) -> Option<Arc<Known>> {
        self.get(twin)?.memo.read().get(key).cloned()
    }

    pub(super) fn clear(&self) {
        for space in self.by_twin.read().values() {
            space.memo.write().clear();
        }
    }
}

impl Space {
    /// The usage of a context that exists.
    pub(super) fn usage(&self, id: &str) -> Arc<Usage> {
        if let Some(usage) = self.usages.read().get(id) {
            return usage.clone();
        }
        self.usages.write().entry(id.into()).or_default().clone()
    }

    /// Forgets a context that was deleted.
    pub(super) fn forget(&self, id: &str) {
        self.usages.write().remove(id);
        self.memo.write().clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_of_a_context_is_read_again() {
        let hosted = Hosted::new(StoredKind::ImplicitlyCreated, json!(["https://e.org/a", {}]));
        let Operation::Document(change) = hosted.put() else { panic!("no document") };
        let text = change.body.unwrap();
        let read = Hosted::from_text(&hosted.id, &text).unwrap();
        assert_eq!(read.context, hosted.context);
        assert_eq!((&read.id, read.kind), (&hosted.id, hosted.kind));
        assert!(text.ends_with(&format!("\"@context\":{}}}", hosted.context)));
        assert_eq!(Hosted::from_text("a", "{}"), None);
        assert_eq!(Hosted::from_text("a", &text.replace("\"version\":1", "\"version\":2")), None);
    }
}
