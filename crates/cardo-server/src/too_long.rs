//! Tells why an address is too long. The HTTP library refuses such a request itself, before any
//! face sees it and without a word; here its answer gets the reason.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A connection on which the bare refusal of an address gets a problem document.
pub(crate) struct Explained<S> {
    stream: S,
    /// What is left of an answer that stands in for another.
    answer: &'static [u8],
    /// How many bytes of the other that takes the place of.
    instead_of: usize,
}

const REFUSAL: &[u8] = b"HTTP/1.1 414 ";

/// Since it is not known which face was meant, the problem is of no protocol (RFC 7807).
const ANSWER: &[u8] = b"HTTP/1.1 414 URI Too Long\r\n\
content-type: application/problem+json\r\n\
content-length: 187\r\n\
connection: close\r\n\r\n\
{\"type\":\"about:blank\",\"title\":\"The address is too long.\",\
\"detail\":\"An address may have 65534 bytes; NGSI-LD and GraphQL take longer questions in the body of a POST request.\",\
\"status\":414}";

impl<S> Explained<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self { stream, answer: &[], instead_of: 0 }
    }
}

impl<S: AsyncWrite + Unpin> Explained<S> {
    /// Writes what stands in for the refusal; then says how much of that it was.
    fn explain(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        while !self.answer.is_empty() {
            let written = ready!(Pin::new(&mut self.stream).poll_write(context, self.answer))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.answer = &self.answer[written..];
        }
        Poll::Ready(Ok(std::mem::take(&mut self.instead_of)))
    }

    fn is_explaining(&mut self, bytes: &[u8]) -> bool {
        if self.instead_of == 0 && bytes.starts_with(REFUSAL) {
            self.answer = ANSWER;
            self.instead_of = bytes.len();
        }
        self.instead_of > 0
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Explained<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Explained<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.is_explaining(bytes) {
            return self.explain(context);
        }
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if pieces.first().is_some_and(|first| self.is_explaining(first)) {
            return self.explain(context);
        }
        Pin::new(&mut self.stream).poll_write_vectored(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn only_the_refusal_is_written_anew() {
        let (near, mut far) = tokio::io::duplex(64);
        let mut explained = Explained::new(near);
        let writer = tokio::spawn(async move {
            explained.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
            explained
                .write_all(b"HTTP/1.1 414 URI Too Long\r\ncontent-length: 0\r\n\r\n")
                .await
                .unwrap();
        });
        let mut text = String::new();
        far.read_to_string(&mut text).await.unwrap();
        writer.await.unwrap();
        let second = text.strip_prefix("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
        assert_eq!(second.as_bytes(), ANSWER);
        let (head, body) = second.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("content-length: {}", body.len())), "{}", body.len());
        let problem: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(problem["status"], 414);
    }
}
