use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::HeaderValue;
use cardo_jsonld::Context;
use cardo_model::codec::Excerpt;
use cardo_model::{Kind, MomentWriter, NameId, Names, write_json_string};
use parking_lot::RwLock;

use super::entity::OPENINGS;

/// A context together with the short names it gives, ready to be copied.
pub(crate) struct Naming {
    context: Arc<Context>,
    link: Option<HeaderValue>,
    serial: u64,
    pieces: RwLock<Vec<Option<Piece>>>,
}

/// What is ready of a name.
#[derive(Clone)]
pub(crate) struct Piece {
    /// The name in quotes with a colon behind it, and what opens an attribute of the kind; then room for
    /// [`Excerpt::append_to`].
    text: Box<[u8]>,
    key: usize,
    len: usize,
    /// The kind with which the name was met first; names of types have none.
    kind: Option<Kind>,
}

/// The pieces of a [`Naming`] while something is written.
pub(crate) struct NameTable<'a> {
    pieces: &'a [Option<Piece>],
    missing: Vec<(NameId, Option<Kind>)>,
    pub(crate) moments: MomentWriter,
}

/// Nearly all names with the opening of their attribute are no longer.
pub(super) const OPENED: usize = 64;

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
                let mut table = NameTable::of(&pieces);
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

    fn learn(&self, names: &Names, missing: &[(NameId, Option<Kind>)]) {
        let mut pieces = self.pieces.write();
        for (id, kind) in missing {
            let mut text = Vec::with_capacity(64);
            match names.name(*id) {
                Some(name) => {
                    write_json_string(&self.context.compact_iri(name.as_str()), &mut text);
                }
                None => text.extend_from_slice(b"\"\""),
            }
            text.push(b':');
            let key = text.len();
            text.extend_from_slice(kind.map_or(b"", |kind| OPENINGS[kind as usize]));
            let len = text.len();
            text.extend_from_slice(&[0; OPENED]);
            if pieces.len() <= id.as_index() {
                pieces.resize(id.as_index() + 1, None);
            }
            let place = &mut pieces[id.as_index()];
            if kind.is_some() || place.is_none() {
                *place = Some(Piece { text: text.into(), key, len, kind: *kind });
            }
        }
    }
}

impl Piece {
    /// The name in quotes with a colon behind it.
    #[inline]
    pub(crate) fn key(&self) -> &[u8] {
        &self.text[..self.key]
    }

    /// The same with the opening of a normalized attribute, where it is ready for its kind.
    #[inline]
    pub(crate) fn opened(&self, kind: Kind) -> Option<Excerpt<'_>> {
        if self.kind == Some(kind) { Excerpt::new(&self.text, self.len) } else { None }
    }
}

/// A `Link` header that names a context.
fn context_link(url: &str) -> Option<HeaderValue> {
    let link = format!("<{url}>; rel=\"{CONTEXT_REL}\"; type=\"application/ld+json\"");
    HeaderValue::try_from(link).ok()
}

impl<'a> NameTable<'a> {
    fn of(pieces: &'a [Option<Piece>]) -> Self {
        Self { pieces, missing: Vec::new(), moments: MomentWriter::default() }
    }

    /// What is ready for an attribute of a kind; `None` where it is still to be learnt, and all is
    /// written again.
    #[inline]
    pub(crate) fn piece(&mut self, id: NameId, kind: Kind) -> Option<&'a Piece> {
        match self.pieces.get(id.as_index()) {
            Some(Some(piece)) if piece.kind.is_some() => Some(piece),
            _ => {
                self.missing.push((id, Some(kind)));
                None
            }
        }
    }

    /// The name in quotes with a colon behind it.
    #[inline]
    pub(crate) fn key(&mut self, id: NameId) -> &'a [u8] {
        if let Some(Some(piece)) = self.pieces.get(id.as_index()) {
            piece.key()
        } else {
            self.missing.push((id, None));
            b"\"\":"
        }
    }

    /// The name in quotes.
    pub(crate) fn quoted(&mut self, id: NameId) -> &'a [u8] {
        let key = self.key(id);
        &key[..key.len() - 1]
    }
}
