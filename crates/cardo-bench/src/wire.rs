//! A small HTTP/1.1 client for loads: a connection that is kept, one request at a time.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const READ_AT_ONCE: usize = 64 << 10;

/// A connection that is kept from request to request.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    answered: usize,
}

/// What came back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answer<'a> {
    /// The status.
    pub(crate) status: u16,
    /// Status line and headers, with the empty line behind them.
    pub(crate) head: &'a [u8],
    /// The body.
    pub(crate) body: &'a [u8],
}

impl Answer<'_> {
    /// Whether the request succeeded.
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

impl Connection {
    /// Connects.
    pub(crate) async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(READ_AT_ONCE), answered: 0 })
    }

    /// Sends a whole request and reads its whole answer.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> io::Result<Answer<'_>> {
        self.buffer.drain(..self.answered);
        self.stream.write_all(request).await?;
        let head = loop {
            if let Some(end) = find(&self.buffer, b"\r\n\r\n") {
                break end + 4;
            }
            self.read_more().await?;
        };
        let (status, length) = read_head(&self.buffer[..head])?;
        self.answered = head + length;
        while self.buffer.len() < self.answered {
            self.read_more().await?;
        }
        let (head, body) = self.buffer[..self.answered].split_at(head);
        Ok(Answer { status, head, body })
    }

    async fn read_more(&mut self) -> io::Result<()> {
        self.buffer.reserve(READ_AT_ONCE);
        match self.stream.read_buf(&mut self.buffer).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}

/// The status and the length of the body.
fn read_head(head: &[u8]) -> io::Result<(u16, usize)> {
    let unreadable =
        || io::Error::new(io::ErrorKind::InvalidData, "the head of an answer is unreadable");
    let text = std::str::from_utf8(head).map_err(|_| unreadable())?;
    let mut lines = text.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).ok_or_else(unreadable)?;
    let status: u16 = status.parse().map_err(|_| unreadable())?;
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        if name.eq_ignore_ascii_case("content-length") {
            let length = value.trim().parse().map_err(|_| unreadable())?;
            return Ok((status, length));
        }
        if name.eq_ignore_ascii_case("transfer-encoding") {
            let reason = "the client of the bench reads answers of known length alone";
            return Err(io::Error::new(io::ErrorKind::Unsupported, reason));
        }
    }
    Ok((status, 0))
}

/// The text of a request.
pub(crate) fn request(method: &str, target: &str, headers: &str, body: &str) -> Vec<u8> {
    let mut text = Vec::with_capacity(200 + body.len());
    write_request(&mut text, method, target, headers, body);
    text
}

/// Writes a request; `headers` are whole lines.
pub(crate) fn write_request(
    out: &mut Vec<u8>,
    method: &str,
    target: &str,
    headers: &str,
    body: &str,
) {
    use std::io::Write as _;
    let length = body.len();
    write!(
        out,
        "{method} {target} HTTP/1.1\r\nhost: localhost\r\naccept: application/json\r\n{headers}"
    )
    .and_then(|()| match method {
        "GET" | "DELETE" => Ok(()),
        _ => write!(out, "content-type: application/json\r\ncontent-length: {length}\r\n"),
    })
    .and_then(|()| write!(out, "\r\n{body}"))
    .expect("a Vec takes all");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_tells_the_status_and_the_length_of_the_body() {
        let head = b"HTTP/1.1 200 OK\r\nContent-Length: 17\r\nx: y\r\n\r\n";
        assert_eq!(read_head(head).expect("it is well-formed"), (200, 17));
        assert_eq!(read_head(b"HTTP/1.1 204 No Content\r\n\r\n").expect("it is"), (204, 0));
    }

    #[test]
    fn an_answer_without_known_length_is_an_error() {
        assert!(read_head(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").is_err());
        assert!(read_head(b"nonsense\r\n\r\n").is_err());
    }

    #[test]
    fn a_request_says_how_long_its_body_is() {
        let text = request("PATCH", "/x", "a: b\r\n", "{}");
        let text = String::from_utf8(text).expect("it is text");
        assert!(text.starts_with("PATCH /x HTTP/1.1\r\nhost: localhost\r\n"));
        assert!(
            text.ends_with("a: b\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}")
        );
    }
}
