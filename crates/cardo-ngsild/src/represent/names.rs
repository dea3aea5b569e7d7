use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::HeaderValue;
use cardo_jsonld::Context;
use cardo_model::{NameId, Names};
use parking_lot::RwLock;

use super::entity::write_string;

/// A context together with the short names it gives, ready to be copied.
pub(crate) struct Naming {
    context: Arc<Context>,
    link: Option<HeaderValue>,
    serial: u64,
    pieces: RwLock<Vec<Option<Box<[u8]>>>>,
}

/// The pieces of a [`Naming`] while something is written.
pub(crate) struct NameTable<'a> {
    pieces: &'a [Option<Box<[u8]>>],
    missing: Vec<NameId>,
}

const CONTEXT_REL: &str = "http://www.w3.org/ns/json-ld#context";

impl Naming {
    /// A naming that has learnt nothing yet.
    pub(crate) fn new(context: Arc<Context>) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let link = context.link().and_then(|url| context_link(url));
        let serial = NEXT.fetch_add(1, Ordering::Relaxed);
        Self { context, link, serial, pieces: RwLock::default() }
    }

    /// A number that no other naming of this process has, so that answers whose context is read
    /// anew are told from earlier ones.
    pub(crate) fn serial(&self) -> u64 {
        self.serial
    }

    /// The context.
    pub(crate) fn context(&self) -> &Arc<Context> {
        &self.context
    }

    /// The `Link` header of answers (clause 6.3.6), where one URL names the context.
    pub(crate) fn link(&self) -> Option<&HeaderValue> {
        self.link.as_ref()
    }

    /// Writes with the table of pieces. Where `write` meets names that the table does not hold
    /// yet, they are learnt and it is called once more.
    pub(crate) fn write(
        &self,
        names: &Names,
        capacity: usize,
        mut write: impl FnMut(&mut Vec<u8>, &mut NameTable<'_>),
    ) -> Vec<u8> {
        let mut out = Vec::with_capacity(capacity);
        loop {
            let missing = {
                let pieces = self.pieces.read();
                let mut table = NameTable { pieces: &pieces, missing: Vec::new() };
                write(&mut out, &mut table);
                table.missing
            };
            if missing.is_empty() {
                return out;
            }
            self.learn(names, &missing);
            out.clear();
        }
    }

    fn learn(&self, names: &Names, missing: &[NameId]) {
        let mut pieces = self.pieces.write();
        for id in missing {
            let mut piece = Vec::with_capacity(24);
            match names.name(*id) {
                Some(name) => write_string(&self.context.compact_iri(name.as_str()), &mut piece),
                None => piece.extend_from_slice(b"\"\""),
            }
            piece.push(b':');
            if pieces.len() <= id.as_index() {
                pieces.resize(id.as_index() + 1, None);
            }
            pieces[id.as_index()] = Some(piece.into());
        }
    }
}

/// A `Link` header that names a context.
fn context_link(url: &str) -> Option<HeaderValue> {
    let link = format!("<{url}>; rel=\"{CONTEXT_REL}\"; type=\"application/ld+json\"");
    HeaderValue::try_from(link).ok()
}

impl<'a> NameTable<'a> {
    /// The name in quotes with a colon behind it.
    #[inline]
    pub(crate) fn key(&mut self, id: NameId) -> &'a [u8] {
        if let Some(Some(piece)) = self.pieces.get(id.as_index()) {
            piece
        } else {
            self.missing.push(id);
            b"\"\":"
        }
    }

    /// The name in quotes.
    pub(crate) fn quoted(&mut self, id: NameId) -> &'a [u8] {
        let key = self.key(id);
        &key[..key.len() - 1]
    }
}
