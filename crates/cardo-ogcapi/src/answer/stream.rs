use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use futures_util::stream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::JoinHandle;

use crate::face::Face;
use crate::fault::Fault;

/// How large pieces are, about.
pub(crate) const PIECE: usize = 64 * 1_024;

/// What writes a large answer piece by piece.
pub(crate) trait Pieces: Send + 'static {
    /// Appends the next piece; `false` where there is none any more.
    fn next(&mut self, out: &mut Vec<u8>) -> io::Result<bool>;
}

/// An answer under way. It is dropped with its snapshot when its client goes away, and its snapshot
/// when it has been held for too long, however slow the client is.
struct Held {
    pieces: Arc<Mutex<Option<Box<dyn Pieces>>>>,
    watch: JoinHandle<()>,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.watch.abort();
    }
}

impl Held {
    fn next(&self) -> io::Result<Option<Vec<u8>>> {
        let mut pieces = self.pieces.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(pieces) = pieces.as_mut() else {
            let why = "the answer was under way for too long, and its snapshot is gone";
            return Err(io::Error::new(io::ErrorKind::TimedOut, why));
        };
        let mut piece = Vec::new();
        Ok(pieces.next(&mut piece)?.then_some(piece))
    }
}

/// A small answer as a whole.
pub(crate) fn whole(mut pieces: impl Pieces) -> io::Result<Vec<u8>> {
    let (mut out, mut piece) = (Vec::new(), Vec::new());
    while pieces.next(&mut piece)? {
        out.append(&mut piece);
    }
    Ok(out)
}

impl Face {
    /// A body that is written as fast as its client takes it. What fails in the middle breaks the
    /// connection off, so that no client takes a part for the whole.
    pub(crate) fn stream(&self, pieces: impl Pieces) -> Result<Body, Fault> {
        let permit = self.streams.clone().try_acquire_owned();
        let permit = permit.map_err(|_| Fault::busy("too many large answers are under way"))?;
        let pieces: Arc<Mutex<Option<Box<dyn Pieces>>>> =
            Arc::new(Mutex::new(Some(Box::new(pieces))));
        let (watched, longest) = (pieces.clone(), self.options.limits.max_stream);
        let watch = tokio::spawn(async move {
            tokio::time::sleep(longest).await;
            watched.lock().unwrap_or_else(PoisonError::into_inner).take();
        });
        let held = Held { pieces, watch, _permit: permit };
        Ok(Body::from_stream(stream::try_unfold(held, async |held| {
            loop {
                // Others come first between two pieces.
                tokio::task::yield_now().await;
                match held.next() {
                    // Much may have to be looked at before there is something to write.
                    Ok(Some(piece)) if piece.is_empty() => {}
                    Ok(piece) => return Ok(piece.map(|piece| (piece, held))),
                    Err(error) => {
                        tracing::warn!(%error, "a large answer was broken off");
                        return Err(error);
                    }
                }
            }
        })))
    }
}
