//! Where bytes come from, and how far a source has been taken in.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use cardo_formats::{
    Format, ReadOptions, RecordError, RecordReader, ShapefileParts, ShapefileReader, open,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::IngestError;
use crate::options::{file_name, hex};

/// Bytes that can be read from the start as often as needed.
#[derive(Clone, Debug)]
pub(crate) enum Input {
    File(PathBuf),
    /// The body of an answer, and the name by which its format is guessed.
    Bytes {
        name: String,
        bytes: Arc<[u8]>,
    },
}

pub(crate) trait ReadSeek: Read + Seek + Send {}
impl<T: Read + Seek + Send> ReadSeek for T {}

/// What tells one version of a source from another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fingerprint {
    bytes: u64,
    /// A hash over all of a small file, and over samples of a large one.
    sample: String,
    /// When the file was changed last, in nanoseconds; no part of the content.
    modified: u64,
}

/// How far a source has come, as it stands in the log beside the data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Offset {
    pub(crate) of: Fingerprint,
    /// Which mapping and options it was taken with.
    pub(crate) plan: String,
    /// The first record that was not taken yet.
    pub(crate) next: u64,
    /// Whether the end was reached.
    pub(crate) done: bool,
}

/// Up to this size a file is hashed whole.
const WHOLE: u64 = 16 << 20;
const SAMPLE: u64 = 64 << 10;
const SAMPLES: u64 = 128;

impl Input {
    pub(crate) fn reader(&self) -> io::Result<Box<dyn ReadSeek>> {
        Ok(match self {
            Self::File(path) => Box::new(File::open(path)?),
            Self::Bytes { bytes, .. } => Box::new(Cursor::new(Arc::clone(bytes))),
        })
    }

    pub(crate) fn name(&self) -> String {
        match self {
            Self::File(path) => file_name(path),
            Self::Bytes { name, .. } => name.clone(),
        }
    }

    pub(crate) fn failed(&self, error: io::Error) -> IngestError {
        match self {
            Self::File(path) => IngestError::Open { path: path.clone(), error },
            Self::Bytes { name, .. } => IngestError::Open { path: name.into(), error },
        }
    }

    /// The format by name and first bytes.
    pub(crate) fn format(&self) -> Result<Format, IngestError> {
        let mut first = Vec::new();
        self.reader()
            .and_then(|reader| reader.take(64).read_to_end(&mut first))
            .map_err(|error| self.failed(error))?;
        Format::guess(&self.name(), &first).ok_or_else(|| IngestError::UnknownFormat(self.name()))
    }

    pub(crate) fn records(
        &self,
        format: Format,
        options: &ReadOptions,
    ) -> Result<Box<dyn RecordReader + Send>, IngestError> {
        let unreadable = |error: RecordError| IngestError::Unreadable {
            source_name: self.name(),
            format: format.name(),
            error,
        };
        if let Self::File(path) = self {
            match format {
                Format::Shapefile if is_plain_shape(path) => {
                    let parts = beside(path).map_err(|error| self.failed(error))?;
                    let reader = ShapefileReader::new(parts, options.limits);
                    return Ok(Box::new(reader.map_err(unreadable)?));
                }
                Format::GeoPackage if is_unfinished(path) => {
                    return Err(IngestError::Unfinished { path: path.clone() });
                }
                _ => {}
            }
        }
        let reader = self.reader().map_err(|error| self.failed(error))?;
        open(format, reader, options).map_err(unreadable)
    }

    pub(crate) fn fingerprint(&self) -> Result<Fingerprint, IngestError> {
        self.read_fingerprint().map_err(|error| self.failed(error))
    }

    fn read_fingerprint(&self) -> io::Result<Fingerprint> {
        let (bytes, modified) = match self {
            Self::File(path) => {
                let about = std::fs::metadata(path)?;
                let since = about.modified().ok().and_then(|m| m.duration_since(UNIX_EPOCH).ok());
                let nanos = since.and_then(|since| u64::try_from(since.as_nanos()).ok());
                (about.len(), nanos.unwrap_or_default())
            }
            Self::Bytes { bytes, .. } => (bytes.len() as u64, 0),
        };
        let mut hash = Sha256::new();
        let mut bytes_beside = 0;
        if let Self::File(path) = self
            && is_plain_shape(path)
        {
            // What changes of a shapefile is as often its table as its shapes.
            for end in ["dbf", "prj", "cpg"] {
                if let Some(part) = part(path, end)? {
                    bytes_beside += io::copy(&mut File::open(part)?, &mut hash)?;
                }
            }
        }
        let mut reader = self.reader()?;
        if bytes <= WHOLE {
            io::copy(&mut reader, &mut hash)?;
        } else {
            for sample in 0..=SAMPLES {
                let place = (u128::from(bytes - SAMPLE) * u128::from(sample)) / u128::from(SAMPLES);
                reader.seek(SeekFrom::Start(u64::try_from(place).unwrap_or(u64::MAX)))?;
                io::copy(&mut reader.by_ref().take(SAMPLE), &mut hash)?;
            }
        }
        let bytes = bytes + bytes_beside;
        Ok(Fingerprint { bytes, sample: hex(&hash.finalize()[..16]), modified })
    }
}

/// Whether a path is that of shapes with other files beside them, and not in a zip.
fn is_plain_shape(path: &Path) -> bool {
    path.extension().is_some_and(|end| end.eq_ignore_ascii_case("shp"))
}

/// A `.shp` with the files beside it.
fn beside(path: &Path) -> io::Result<ShapefileParts<'static>> {
    let small = |end: &str| part(path, end)?.map(std::fs::read).transpose();
    let mut parts = ShapefileParts::new(File::open(path)?);
    if let Some(table) = part(path, "dbf")? {
        parts.dbf = Some(Box::new(File::open(table)?));
    }
    parts.prj = small("prj")?;
    parts.cpg = small("cpg")?;
    Ok(parts)
}

/// The file of the same name with another ending, in letters of any case.
fn part(path: &Path, end: &str) -> io::Result<Option<PathBuf>> {
    let wanted = path.with_extension(end);
    if wanted.is_file() {
        return Ok(Some(wanted));
    }
    let name = file_name(&wanted);
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().eq_ignore_ascii_case(&name) {
            return Ok(Some(entry.path()));
        }
    }
    Ok(None)
}

/// Whether a database has changes beside it that are not in it yet.
fn is_unfinished(path: &Path) -> bool {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    std::fs::metadata(log).is_ok_and(|log| log.len() > 0)
}

impl Fingerprint {
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether the content is the same, whenever it was written.
    fn same_content(&self, other: &Self) -> bool {
        self.bytes == other.bytes && self.sample == other.sample
    }
}

impl Offset {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    pub(crate) fn to_text(&self) -> String {
        serde_json::to_string(self).expect("numbers and texts are always JSON")
    }

    /// Where a run goes on that was interrupted in this very version of the source.
    pub(crate) fn resume(&self, of: &Fingerprint, plan: &str) -> Option<u64> {
        // A large file is known by samples only, so its time of change has to be the same too.
        let is_same = self.of == *of || (of.bytes <= WHOLE && self.of.same_content(of));
        (!self.done && is_same && self.plan == plan && self.next > 0).then_some(self.next)
    }

    /// Whether both say the same of the same content, whenever it was written.
    pub(crate) fn says_the_same(&self, other: &Self) -> bool {
        self.of.same_content(&other.of)
            && self.plan == other.plan
            && self.next == other.next
            && self.done == other.done
    }

    /// Whether all of this content was taken in already, in this way.
    pub(crate) fn is_complete(&self, of: &Fingerprint, plan: &str) -> bool {
        self.done && self.of.same_content(of) && self.plan == plan
    }
}
