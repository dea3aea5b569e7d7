//! How parts of an archive are packed (chapter 3.3).

use std::io::Read;

use flate2::read::GzDecoder;

use super::malformed;
use crate::Fault;

/// How something is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// It stands as it is.
    None,
    /// gzip.
    Gzip,
    /// Zstandard.
    Zstd,
}

/// The largest window of Zstandard, as a power of two.
const WINDOW: u32 = 24;

impl Packing {
    pub(super) fn of(code: u8, what: &str) -> Result<Self, Fault> {
        Ok(match code {
            1 => Self::None,
            2 => Self::Gzip,
            4 => Self::Zstd,
            3 => return Err(Fault::Unsupported(format!("{what} packed by Brotli are not read"))),
            other => {
                let detail = format!("its header does not say how {what} are packed ({other})");
                return Err(Fault::Unsupported(detail));
            }
        })
    }

    /// Unpacks no more than so many bytes.
    pub(super) fn unpack(self, packed: Vec<u8>, most: usize) -> Result<Vec<u8>, Fault> {
        match self {
            Self::None if packed.len() > most => Err(too_long(most)),
            Self::None => Ok(packed),
            Self::Gzip => unpacked(GzDecoder::new(packed.as_slice()), most),
            Self::Zstd => {
                let mut reader = zstd::Decoder::with_buffer(packed.as_slice())?;
                reader.window_log_max(WINDOW)?;
                unpacked(reader, most)
            }
        }
    }
}

fn unpacked(packed: impl Read, most: usize) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::new();
    let read = packed.take(most as u64 + 1).read_to_end(&mut bytes);
    read.map_err(|error| malformed(format_args!("a part that cannot be unpacked: {error}")))?;
    if bytes.len() > most { Err(too_long(most)) } else { Ok(bytes) }
}

fn too_long(most: usize) -> Fault {
    malformed(format_args!("a part that is longer than {most} bytes when it is unpacked"))
}
