//! A receiver of notifications that can go away and come back.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use serde_json::Value;

pub(super) struct Receiver {
    port: u16,
    received: Arc<Mutex<Vec<Value>>>,
    is_leaving: Arc<AtomicBool>,
    listening: Option<JoinHandle<()>>,
}

impl Receiver {
    pub(super) fn new() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut receiver =
            Self { port, received: Arc::default(), is_leaving: Arc::default(), listening: None };
        receiver.come_back();
        receiver
    }

    pub(super) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}/notify", self.port)
    }

    /// What it has received, each notification as it came.
    pub(super) fn received(&self) -> Vec<Value> {
        self.received.lock().unwrap().clone()
    }

    pub(super) fn values(&self) -> Vec<Value> {
        self.received().iter().map(|told| told["data"][0]["a"].clone()).collect()
    }

    pub(super) fn come_back(&mut self) {
        let listener = TcpListener::bind(("127.0.0.1", self.port)).unwrap();
        self.is_leaving.store(false, Ordering::SeqCst);
        let (received, is_leaving) = (self.received.clone(), self.is_leaving.clone());
        self.listening = Some(std::thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                if is_leaving.load(Ordering::SeqCst) {
                    return;
                }
                if let Some(body) = request(&stream) {
                    received.lock().unwrap().push(body);
                    let answer =
                        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
                    let _ = (&stream).write_all(answer);
                }
            }
        }));
    }

    pub(super) fn go_away(&mut self) {
        self.is_leaving.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        self.listening.take().unwrap().join().unwrap();
    }
}

/// The body of a request; none where it breaks off.
fn request(stream: &TcpStream) -> Option<Value> {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let line = line.trim_end().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    serde_json::from_slice(&body).ok()
}
