use std::io;

use axum::body::Body;
use futures_util::stream;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::{Instant, timeout_at};

use super::Pieces;
use crate::face::Face;
use crate::fault::Fault;

/// A piece of an answer; none where it is whole.
type Sent = io::Result<Option<Vec<u8>>>;

/// An answer that a thread of its own writes, a piece ahead of its client. When the client goes away, the
/// thread ends behind the piece that it is at, and all that it held goes with it.
struct Written {
    pieces: mpsc::Receiver<Sent>,
    _permit: OwnedSemaphorePermit,
}

impl Face {
    /// A body like [`Face::stream`], for what may take long for a piece: an index is sorted, or a group of
    /// rows compressed, in one go, and meanwhile others are answered.
    pub(crate) fn stream_beside(&self, pieces: impl Pieces) -> Result<Body, Fault> {
        let permit = self.streams.clone().try_acquire_owned();
        let permit = permit.map_err(|_| Fault::busy("too many large answers are under way"))?;
        let (sender, receiver) = mpsc::channel(1);
        let (handle, deadline) =
            (Handle::current(), Instant::now() + self.options.limits.max_stream);
        std::thread::Builder::new()
            .name("large answer".to_owned())
            .spawn(move || write(pieces, &sender, &handle, deadline))
            .map_err(|error| Fault::failed(&error))?;
        let written = Written { pieces: receiver, _permit: permit };
        Ok(Body::from_stream(stream::try_unfold(written, async |mut written| {
            let sent = written.pieces.recv().await.unwrap_or_else(|| {
                let why = "the answer was under way for too long, and its snapshot is gone";
                Err(io::Error::new(io::ErrorKind::TimedOut, why))
            });
            match sent {
                Ok(piece) => Ok(piece.map(|piece| (piece, written))),
                Err(error) => {
                    tracing::warn!(%error, "a large answer was broken off");
                    Err(error)
                }
            }
        })))
    }
}

/// Writes until the answer is whole, its client is gone, or its time is over.
fn write(mut pieces: impl Pieces, sender: &mpsc::Sender<Sent>, handle: &Handle, deadline: Instant) {
    loop {
        if Instant::now() >= deadline || sender.is_closed() {
            return;
        }
        let mut piece = Vec::new();
        let sent = pieces.next(&mut piece).map(|more| more.then_some(piece));
        let is_last = !matches!(sent, Ok(Some(_)));
        // Much may have to be looked at before there is something to write.
        if matches!(&sent, Ok(Some(piece)) if piece.is_empty()) {
            continue;
        }
        let is_taken = handle.block_on(async { timeout_at(deadline, sender.send(sent)).await });
        if is_last || !matches!(is_taken, Ok(Ok(()))) {
            return;
        }
    }
}
