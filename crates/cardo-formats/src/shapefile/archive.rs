//! Shapefiles inside a zip, unpacked while they are read.

use std::io::{self, Read, Seek, SeekFrom};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use flate2::read::DeflateDecoder;
use zip::{CompressionMethod, ZipArchive};

use super::malformed;
use super::reader::ShapefileParts;
use crate::{Fault, format::choose_layer};

/// A `.prj` or `.cpg` of more bytes is none.
const SMALL: u64 = 64 << 10;

/// An input that several members are read from at the same time.
#[derive(Debug)]
struct Shared<R> {
    input: Arc<Mutex<R>>,
    at: u64,
}

impl<R> Clone for Shared<R> {
    fn clone(&self) -> Self {
        Self { input: Arc::clone(&self.input), at: self.at }
    }
}

impl<R: Read + Seek> Read for Shared<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut input = self.input.lock().unwrap_or_else(PoisonError::into_inner);
        input.seek(SeekFrom::Start(self.at))?;
        let got = input.read(into)?;
        self.at += got as u64;
        Ok(got)
    }
}

impl<R: Read + Seek> Seek for Shared<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let mut input = self.input.lock().unwrap_or_else(PoisonError::into_inner);
        self.at = match to {
            SeekFrom::Current(by) => {
                self.at.checked_add_signed(by).ok_or(io::ErrorKind::InvalidInput)?
            }
            other => input.seek(other)?,
        };
        Ok(self.at)
    }
}

/// The packed bytes of a member; tells how many of them were read.
struct Packed<R> {
    from: io::Take<Shared<R>>,
    read: Arc<AtomicU64>,
}

impl<R: Read + Seek> Read for Packed<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let got = self.from.read(into)?;
        self.read.fetch_add(got as u64, Ordering::Relaxed);
        Ok(got)
    }
}

/// Unpacked bytes that may not become more than a limit, whatever the zip says of their number.
struct Bounded<R> {
    from: R,
    left: u64,
    limit: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let got = self.from.read(into)?;
        self.left = self.left.checked_sub(got as u64).ok_or_else(|| {
            io::Error::other(format!("a file in the zip is longer than {} bytes", self.limit))
        })?;
        Ok(got)
    }
}

/// A file in the zip.
#[derive(Clone, Copy, Debug)]
struct Member {
    start: u64,
    packed: u64,
    size: u64,
    method: CompressionMethod,
    is_encrypted: bool,
}

/// Opens a shapefile of a zip: the one that is wanted, or the only one.
pub(super) fn open<'a, R: Read + Seek + Send + 'a>(
    input: R,
    wanted: Option<&str>,
    limit: u64,
) -> Result<(ShapefileParts<'a>, String), Fault> {
    let shared = Shared { input: Arc::new(Mutex::new(input)), at: 0 };
    let members = members(shared.clone())?;
    let is_shape = |name: &&String| extension(name) == "shp";
    let shapes: Vec<&String> = members.iter().map(|(name, _)| name).filter(is_shape).collect();
    if shapes.is_empty() {
        return Err(Fault::Unsupported("a zip without a shapefile in it".to_owned()));
    }
    // Folders are told only where names repeat.
    let short = |path: &str| stem(path).rsplit('/').next().unwrap_or_default().to_owned();
    let is_unique =
        |path: &str| shapes.iter().filter(|other| short(other) == short(path)).count() == 1;
    let label = |path: &str| if is_unique(path) { short(path) } else { stem(path).to_owned() };
    let labels: Vec<String> = shapes.iter().map(|path| label(path)).collect();
    let layer = choose_layer("zip", &labels, wanted)?;
    let path = labels.iter().position(|label| *label == layer).map_or("", |at| shapes[at]);
    let part = |wanted: &str| {
        let mut parts =
            members.iter().filter(|(name, _)| stem(name).eq_ignore_ascii_case(stem(path)));
        parts.find(|(name, _)| extension(name) == wanted).map(|(_, member)| *member)
    };
    let read = Arc::new(AtomicU64::new(0));
    let unpack = |member: Member| unpacked(&shared, member, limit, &read);
    let small = |wanted: &str| {
        let Some(member) = part(wanted) else { return Ok(None) };
        let mut bytes = Vec::new();
        unpack(member)?.take(SMALL).read_to_end(&mut bytes)?;
        Ok::<_, Fault>(Some(bytes))
    };
    let shp = part("shp").ok_or_else(|| malformed("the zip has lost its .shp"))?;
    let parts = ShapefileParts {
        prj: small("prj")?,
        cpg: small("cpg")?.or(small("cst")?),
        dbf: part("dbf").map(unpack).transpose()?,
        shp: unpack(shp)?,
        read: Some(Arc::clone(&read)),
    };
    Ok((parts, layer))
}

fn members<R: Read + Seek>(input: Shared<R>) -> Result<Vec<(String, Member)>, Fault> {
    let broken = |error: zip::result::ZipError| Fault::malformed("zip", error);
    let mut archive = ZipArchive::new(input).map_err(broken)?;
    let mut members = Vec::new();
    for index in 0..archive.len() {
        let file = archive.by_index_raw(index).map_err(broken)?;
        let name = file.name().map_err(broken)?.replace('\\', "/");
        let base = name.rsplit('/').next().unwrap_or_default();
        // Finder puts a shadow beside each file.
        if !file.is_file() || base.starts_with("._") {
            continue;
        }
        let Some(start) = file.data_start() else { continue };
        let member = Member {
            start,
            packed: file.compressed_size(),
            size: file.size(),
            method: file.compression(),
            is_encrypted: file.encrypted(),
        };
        members.push((name, member));
    }
    Ok(members)
}

fn unpacked<'a, R: Read + Seek + Send + 'a>(
    shared: &Shared<R>,
    member: Member,
    limit: u64,
    read: &Arc<AtomicU64>,
) -> Result<Box<dyn Read + Send + 'a>, Fault> {
    if member.is_encrypted {
        return Err(Fault::Unsupported("an encrypted zip".to_owned()));
    }
    if member.size > limit {
        let size = member.size;
        return Err(Fault::Unsupported(format!(
            "a file of {size} bytes in the zip, where {limit} are read at most; unpack it first"
        )));
    }
    let from = Shared { at: member.start, ..shared.clone() }.take(member.packed);
    let packed = Packed { from, read: Arc::clone(read) };
    Ok(match member.method {
        CompressionMethod::Stored => Box::new(Bounded { from: packed, left: limit, limit }),
        CompressionMethod::DEFLATE => {
            Box::new(Bounded { from: DeflateDecoder::new(packed), left: limit, limit })
        }
        other => {
            return Err(Fault::Unsupported(format!("a zip packed by {other}; deflate is read")));
        }
    })
}

fn stem(path: &str) -> &str {
    path.rsplit_once('.').map_or(path, |(stem, _)| stem)
}

fn extension(path: &str) -> String {
    path.rsplit_once('.').map_or_else(String::new, |(_, end)| end.to_ascii_lowercase())
}
