//! Large answers: what a million features in one answer take of the server beside its twin, in every
//! format that they can be had in, and what is left of downloads that were broken off.

use std::io;
use std::ops::Range;
use std::path::Path;
use std::time::Instant;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::city::{City, TYPES};
use crate::process::Server;
use crate::table::{Row, Target, number};
use crate::wire::request;
use crate::writes::load_all;

/// The key of this part.
pub(crate) const PART: &str = "streams";

/// What features can be had as.
const FORMATS: [(&str, &str); 6] = [
    ("json", "GeoJSON"),
    ("jsonfg", "JSON-FG"),
    ("csv", "CSV"),
    ("fgb", "FlatGeobuf"),
    ("gpkg", "GeoPackage"),
    ("parquet", "GeoParquet"),
];
/// The type that all sensors are of here.
const TYPE: &str = "Sensor";
const MEGABYTES: f64 = 1_048_576.0;
/// The most megabytes above those of the twin.
const MOST: f64 = 64.0;
/// How many downloads are broken off at once.
const BROKEN_OFF: usize = 12;
const ROUNDS: u32 = 3;

/// Loads a city of one type, and asks for all of it at once.
pub(crate) async fn measure(program: &Path, folder: &Path, city: City) -> io::Result<Vec<Row>> {
    let data = folder.join("streams");
    let server = Server::cardo(program, &data, "/health").await?;
    load_all(&server, city.entities, move |numbers| batch(city, numbers)).await?;
    server.stop().await?;
    // Nothing of the loading is in the memory of a server that starts.
    let path = format!("/ogc/collections/{TYPE}/items?limit=1");
    let server = Server::cardo(program, &data, &path).await?;
    server.settle().await;
    let mut twin = server.resident();
    let mut rows = Vec::new();
    for (name, format) in FORMATS {
        // What was left of the start, or of another answer, is no part of the twin.
        twin = twin.min(server.resident());
        rows.push(stream(&server, city, twin, name, format).await?);
    }
    rows.push(broken_off(&server, city, twin).await?);
    Ok(rows)
}

/// A batch of the city, all of one type.
fn batch(city: City, numbers: Range<u32>) -> String {
    let mut body = city.batch(numbers);
    for name in TYPES {
        body = body.replace(&format!(r#""type":"{name}""#), &format!(r#""type":"{TYPE}""#));
    }
    body
}

async fn stream(
    server: &Server,
    city: City,
    twin: u64,
    name: &str,
    format: &str,
) -> io::Result<Row> {
    server.forget_peak()?;
    let (cpu, start) = (server.cpu(), Instant::now());
    let mut download = Download::open(server, name).await?;
    while download.read().await? {}
    let bytes = download.end()?;
    let (elapsed, cpu) = (start.elapsed(), server.cpu() - cpu);
    let above = server.peak().saturating_sub(twin) as f64 / MEGABYTES;
    server.settle().await;
    Ok(Row {
        work: format!(
            "{} features in one answer as {format}: memory above the twin",
            number(f64::from(city.entities))
        ),
        measured: format!(
            "{} MB in {:.1} s, {cpu:.1} s of CPU",
            number(bytes as f64 / MEGABYTES),
            elapsed.as_secs_f64()
        ),
        reference: format!("the twin has {} MB", number(twin as f64 / MEGABYTES)),
        value: above,
        unit: "MB",
        target: Target::AtMost(MOST),
    })
}

/// Goes away in the middle of downloads of all sorts, again and again: what those of the first round
/// held serves those of the next.
async fn broken_off(server: &Server, city: City, twin: u64) -> io::Result<Row> {
    server.forget_peak()?;
    let mut peaks = Vec::new();
    for _ in 0..ROUNDS {
        let mut downloads = Vec::new();
        for (name, _) in FORMATS.iter().cycle().take(BROKEN_OFF) {
            let mut download = Download::open(server, name).await?;
            // A table is looked at before its first bytes come.
            download.read().await?;
            downloads.push(download);
        }
        drop(downloads);
        server.settle().await;
        peaks.push(server.peak().saturating_sub(twin) as f64 / MEGABYTES);
    }
    let growth = peaks.last().copied().unwrap_or_default() - peaks[0];
    Ok(Row {
        work: format!(
            "{BROKEN_OFF} such answers at once broken off at {} features, {ROUNDS} times: memory of the last round above \
             that of the first",
            number(f64::from(city.entities))
        ),
        measured: format!("{:.0} MB above the twin in the first round", peaks[0]),
        reference: format!("{:.1} MB for each answer", peaks[0] / BROKEN_OFF as f64),
        value: growth,
        unit: "MB",
        target: Target::AtMost(MOST),
    })
}

/// An answer under way, of which nothing is kept.
struct Download {
    stream: TcpStream,
    buffer: Vec<u8>,
    bytes: u64,
    /// What came last: where an answer is whole, it ends in an empty chunk.
    end: Vec<u8>,
}

impl Download {
    async fn open(server: &Server, name: &str) -> io::Result<Self> {
        let path = format!("/ogc/collections/{TYPE}/items?limit=1000000&f={name}");
        let mut stream = TcpStream::connect(server.address).await?;
        stream.write_all(&request("GET", &path, "connection: close\r\n", "")).await?;
        let mut download =
            Self { stream, buffer: Vec::with_capacity(256 << 10), bytes: 0, end: Vec::new() };
        download.read().await?;
        if !download.buffer.starts_with(b"HTTP/1.1 200") {
            let head = String::from_utf8_lossy(&download.buffer).into_owned();
            return Err(io::Error::other(head));
        }
        Ok(download)
    }

    /// Reads what is there; `false` where that was the last.
    async fn read(&mut self) -> io::Result<bool> {
        self.buffer.clear();
        let count = self.stream.read_buf(&mut self.buffer).await?;
        self.bytes += count as u64;
        self.end.extend_from_slice(&self.buffer[count.saturating_sub(5)..]);
        let surplus = self.end.len().saturating_sub(5);
        self.end.drain(..surplus);
        Ok(count > 0)
    }

    /// How many bytes came, where the answer is whole.
    fn end(self) -> io::Result<u64> {
        if self.end != b"0\r\n\r\n" {
            return Err(io::Error::other("an answer was broken off by the server"));
        }
        Ok(self.bytes)
    }
}
