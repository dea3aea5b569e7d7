//! The shape of the machine that was measured on.

use std::fs::File;
use std::io::{self, Seek as _, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

/// What matters of a machine.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    /// How many cores it has.
    pub(crate) cores: usize,
    /// What kind they are.
    pub(crate) model: String,
    /// Its memory in bytes.
    pub(crate) memory: u64,
    /// How many writes of 4 KiB a second its disk makes durable, one after the other.
    pub(crate) syncs: f64,
}

impl Machine {
    /// Looks at this machine, and at the disk of a folder.
    pub(crate) fn look(folder: &Path) -> io::Result<Self> {
        let value_of = |file: &str, key: &str| {
            let text = std::fs::read_to_string(file).ok()?;
            let line = text.lines().find(|line| line.starts_with(key))?;
            Some(line.split_once(':')?.1.trim().to_owned())
        };
        let memory = value_of("/proc/meminfo", "MemTotal");
        let kilobytes: u64 = memory
            .and_then(|text| text.strip_suffix("kB")?.trim().parse().ok())
            .unwrap_or_default();
        Ok(Self {
            cores: std::thread::available_parallelism()?.get(),
            model: value_of("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown".into()),
            memory: kilobytes * 1_024,
            syncs: syncs(folder)?,
        })
    }
}

fn syncs(folder: &Path) -> io::Result<f64> {
    let path = folder.join("syncs");
    let mut file = File::create(&path)?;
    let block = [0x5a_u8; 4_096];
    let (start, mut done) = (Instant::now(), 0_u32);
    while start.elapsed() < Duration::from_secs(2) {
        file.seek(io::SeekFrom::Start(u64::from(done % 1_024) * 4_096))?;
        file.write_all(&block)?;
        file.sync_data()?;
        done += 1;
    }
    let rate = f64::from(done) / start.elapsed().as_secs_f64();
    std::fs::remove_file(path)?;
    Ok(rate)
}
