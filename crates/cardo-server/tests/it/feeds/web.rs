//! A web server whose answers a test sets.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

#[derive(Clone, Default)]
struct Page {
    media: String,
    body: Vec<u8>,
    version: u64,
    status: u16,
}

#[derive(Default)]
struct State {
    pages: HashMap<String, Page>,
    /// Path and status of each answer.
    answered: Vec<(String, u16)>,
    /// A header without which nothing is answered but 403.
    key: Option<String>,
}

/// Answers until the test process ends. Each page has a tag and is not sent twice to who knows it.
#[derive(Clone)]
pub(super) struct Web {
    pub(super) address: String,
    state: Arc<Mutex<State>>,
}

impl Web {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let web = Self { address, state: Arc::default() };
        let state = Arc::clone(&web.state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&state);
                std::thread::spawn(move || while answer(&stream, &state).is_some() {});
            }
        });
        web
    }

    pub(super) fn set(&self, path: &str, body: impl Into<Vec<u8>>) {
        self.set_as(path, 200, "application/json", body);
    }

    pub(super) fn set_as(&self, path: &str, status: u16, media: &str, body: impl Into<Vec<u8>>) {
        let mut state = self.state.lock().unwrap();
        let page = state.pages.entry(path.to_owned()).or_default();
        let version = page.version + 1;
        *page = Page { media: media.to_owned(), body: body.into(), version, status };
    }

    /// Answers those alone who send this header, given as `name: value`.
    pub(super) fn ask_for(&self, key: &str) {
        self.state.lock().unwrap().key = Some(key.to_owned());
    }

    /// How often a path was answered with a status.
    pub(super) fn count(&self, path: &str, status: u16) -> usize {
        let state = self.state.lock().unwrap();
        state.answered.iter().filter(|(p, s)| p == path && *s == status).count()
    }
}

fn answer(stream: &TcpStream, state: &Mutex<State>) -> Option<()> {
    let mut lines = BufReader::new(stream).lines();
    let request = lines.next()?.ok()?;
    let path = request.split(' ').nth(1)?.to_owned();
    let (mut known, mut headers) = (None, Vec::new());
    loop {
        let line = lines.next()?.ok()?;
        if line.is_empty() {
            break;
        }
        headers.push(line.to_ascii_lowercase());
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("if-none-match")
        {
            known = Some(value.trim().to_owned());
        }
    }
    let mut state = state.lock().unwrap();
    let mut page =
        state.pages.get(&path).cloned().unwrap_or(Page { status: 404, ..Page::default() });
    if state.key.as_ref().is_some_and(|key| !headers.contains(key)) {
        page = Page { status: 403, ..Page::default() };
    }
    let tag = format!("\"{}\"", page.version);
    let is_known = page.status == 200 && known.as_deref() == Some(&tag);
    let status = if is_known { 304 } else { page.status };
    state.answered.push((path, status));
    drop(state);
    let body: &[u8] = if is_known { b"" } else { &page.body };
    let head = format!(
        "HTTP/1.1 {status} Said\r\nContent-Type: {}\r\nETag: {tag}\r\nContent-Length: {}\r\n\r\n",
        page.media,
        body.len()
    );
    let mut stream = stream;
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(body).ok()
}
