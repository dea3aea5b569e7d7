//! Reads what strace has recorded: which process wrote what to which file, and what it synced.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Something that a process did to files, in the order of its completion.
#[derive(Debug)]
pub(crate) enum Event {
    /// A file was opened and made where it did not exist.
    Created(PathBuf),
    Written {
        path: PathBuf,
        at: u64,
        bytes: Vec<u8>,
    },
    Truncated {
        path: PathBuf,
        length: u64,
    },
    /// A sync began that will succeed; `number` tells syncs apart.
    SyncBegan {
        path: PathBuf,
        number: usize,
    },
    SyncEnded {
        number: usize,
    },
    Renamed {
        from: PathBuf,
        to: PathBuf,
    },
    Removed(PathBuf),
}

const CALLS: &str = "openat,lseek,write,pwrite64,ftruncate,fdatasync,fsync,unlink,rename";

/// The command that records what another one does, or `None` where strace is not installed.
pub(crate) fn recorder(output: &Path) -> Option<Command> {
    Command::new("strace").arg("--version").output().ok()?;
    let mut command = Command::new("strace");
    command.args(["-f", "--seccomp-bpf", "-y", "-xx", "-s", "4000000", "-e"]);
    command.arg(format!("trace={CALLS}")).arg("-o").arg(output);
    Some(command)
}

/// The command that lets the `when`-th sync of a file fail for another one.
pub(crate) fn saboteur(output: &Path, file: &Path, when: usize) -> Option<Command> {
    Command::new("strace").arg("--version").output().ok()?;
    let mut command = Command::new("strace");
    command.arg("-f").arg("-P").arg(file).arg("-o").arg(output);
    command.args(["-e", &format!("inject=fsync,fdatasync:error=EIO:when={when}")]);
    Some(command)
}

/// Says what to install; in CI a missing strace is an error.
pub(crate) fn report_missing() {
    let advice = "strace is missing: install it, on Debian with `apt-get install strace`";
    assert!(std::env::var_os("CI").is_none(), "{advice}");
    println!("did not run: {advice}");
}

/// Reads a recording, of which it keeps what concerns files below a directory.
pub(crate) fn read(recording: &str, below: &Path) -> Vec<Event> {
    let mut reader = Reader::new(below);
    for line in recording.lines() {
        reader.line(line);
    }
    reader.events
}

struct Reader<'a> {
    below: &'a Path,
    events: Vec<Event>,
    /// Calls that have begun, by process, with the number of the sync that each is.
    begun: HashMap<String, (String, Option<usize>)>,
    offsets: HashMap<String, u64>,
    syncs: usize,
}

impl<'a> Reader<'a> {
    fn new(below: &'a Path) -> Self {
        let (events, begun, offsets) = (Vec::new(), HashMap::new(), HashMap::new());
        Self { below, events, begun, offsets, syncs: 0 }
    }
}

impl Reader<'_> {
    fn line(&mut self, line: &str) {
        let Some((process, call)) = line.split_once(' ') else { return };
        let call = call.trim_start();
        if let Some(begin) = call.strip_suffix(" <unfinished ...>") {
            let sync = self.begin(begin);
            self.begun.insert(process.to_owned(), (begin.to_owned(), sync));
        } else if call.starts_with("<... ") {
            let Some((_, end)) = call.split_once(" resumed>") else { return };
            let Some((begin, sync)) = self.begun.remove(process) else { return };
            self.end(&format!("{begin}{end}"), sync);
        } else {
            let sync = self.begin(call);
            self.end(call, sync);
        }
    }

    fn is_below(&self, path: &Path) -> bool {
        path.starts_with(self.below)
    }

    fn begin(&mut self, call: &str) -> Option<usize> {
        let arguments = call.strip_prefix("fdatasync(").or_else(|| call.strip_prefix("fsync("))?;
        let (_, path) = descriptor(arguments)?;
        if !self.is_below(&path) {
            return None;
        }
        self.syncs += 1;
        self.events.push(Event::SyncBegan { path, number: self.syncs });
        Some(self.syncs)
    }

    fn end(&mut self, call: &str, sync: Option<usize>) {
        // strace puts blanks before the sign where a line is short.
        let Some((call, result)) = call.rsplit_once(" = ") else { return };
        let Some(call) = call.trim_end().strip_suffix(')') else { return };
        if result.starts_with('-') || result.starts_with('?') {
            return;
        }
        if let Some(number) = sync {
            self.events.push(Event::SyncEnded { number });
            return;
        }
        let Some((name, arguments)) = call.split_once('(') else { return };
        if let Some(event) = self.event(name, arguments, result) {
            self.events.push(event);
        }
    }

    fn event(&mut self, name: &str, arguments: &str, result: &str) -> Option<Event> {
        match name {
            "openat" => {
                let (fd, path) = descriptor(result)?;
                self.offsets.insert(fd, 0);
                let is_made = arguments.contains("O_CREAT") && self.is_below(&path);
                is_made.then_some(Event::Created(path))
            }
            "rename" => {
                let mut texts = arguments.split('"').skip(1).step_by(2).map(unhex);
                let (from, to) = (to_path(&texts.next()?), to_path(&texts.next()?));
                self.is_below(&from).then_some(Event::Renamed { from, to })
            }
            "unlink" => {
                let path = to_path(&unhex(arguments.split('"').nth(1)?));
                self.is_below(&path).then_some(Event::Removed(path))
            }
            _ => {
                let (fd, path) = descriptor(arguments)?;
                let is_gone = arguments.contains(">(deleted)");
                if !self.is_below(&path) || is_gone {
                    return None;
                }
                self.on_file(name, fd, path, arguments, result)
            }
        }
    }

    fn on_file(
        &mut self,
        name: &str,
        fd: String,
        path: PathBuf,
        arguments: &str,
        result: &str,
    ) -> Option<Event> {
        let number = result.split_whitespace().next()?.parse::<u64>().ok()?;
        let last = || arguments.rsplit(", ").next()?.trim().parse::<u64>().ok();
        let bytes = || Some(unhex(arguments.split('"').nth(1)?));
        match name {
            "lseek" => {
                self.offsets.insert(fd, number);
                None
            }
            "ftruncate" => Some(Event::Truncated { path, length: last()? }),
            "pwrite64" => Some(Event::Written { path, at: last()?, bytes: bytes()? }),
            "write" => {
                let at = self.offsets.entry(fd).or_default();
                let begin = *at;
                *at += number;
                Some(Event::Written { path, at: begin, bytes: bytes()? })
            }
            _ => None,
        }
    }
}

/// A file descriptor with the path that strace has put behind it.
fn descriptor(text: &str) -> Option<(String, PathBuf)> {
    let (fd, rest) = text.split_once('<')?;
    let (path, _) = rest.split_once('>')?;
    Some((fd.trim().to_owned(), to_path(&unhex(path))))
}

fn to_path(bytes: &[u8]) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(bytes).into_owned())
}

/// Reads `\x41\x42`.
fn unhex(text: &str) -> Vec<u8> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => byte - b'0',
        _ => (byte | 0x20) - b'a' + 10,
    };
    let pairs = text.as_bytes().chunks_exact(4);
    pairs.map(|pair| digit(pair[2]) << 4 | digit(pair[3])).collect()
}
