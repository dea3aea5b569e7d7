//! Servers as child processes on a core of their own, and what the system says of them.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use rustix::thread::{CpuSet, sched_setaffinity};

use crate::wire::{Connection, request};

/// Clock ticks a second in `/proc`; the same on every Linux that Cardo runs on.
const TICKS: f64 = 100.0;
/// Where the servers run.
const SERVER_CORE: usize = 0;
/// Where the load comes from.
const LOAD_CORE: usize = 1;
/// How long a server may take to answer for the first time, or to stop.
const PATIENCE: Duration = Duration::from_secs(120);

/// The CPU time that a process has used, in user and kernel, in seconds.
pub fn cpu_seconds(process: u32) -> Option<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name in parentheses may hold spaces.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let kernel: u64 = fields.next()?.parse().ok()?;
    Some((user + kernel) as f64 / TICKS)
}

/// The memory that a process holds.
pub fn resident_bytes(process: u32) -> Option<u64> {
    status_bytes(process, "VmRSS:")
}

/// A size in what the system says of a process.
fn status_bytes(process: u32, name: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1_024)
}

/// The CPU time that all processes of a name have used.
pub(crate) fn cpu_seconds_of(name: &str) -> f64 {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let processes = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let is_named = |process: &u32| {
        std::fs::read_to_string(format!("/proc/{process}/comm")).is_ok_and(|own| own.trim() == name)
    };
    processes.filter(is_named).filter_map(cpu_seconds).sum()
}

/// Makes a folder, and what was in it goes.
pub(crate) fn make_empty(folder: &Path) -> io::Result<()> {
    if folder.exists() {
        std::fs::remove_dir_all(folder)?;
    }
    std::fs::create_dir_all(folder)
}

fn serving(program: &Path, data: &Path) -> Command {
    let mut command = Command::new(program);
    command.args(["serve", "--data"]).arg(data);
    // The receiver of notifications is on this machine.
    command.env("CARDO_EGRESS_ALLOW_LOOPBACK", "true");
    command
}

/// Keeps this thread, and what it starts from now on, on one core or on any. A machine with a single
/// core has no choice.
fn stay_on(core: Option<usize>) {
    let mut cores = CpuSet::new();
    match core {
        Some(core) => cores.set(core),
        None => (0..CpuSet::MAX_CPU).for_each(|core| cores.set(core)),
    }
    let _ = sched_setaffinity(None, &cores);
}

/// A server that runs as a child process; it is killed when this is dropped.
pub(crate) struct Server {
    child: Child,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// From the start of the process to its first answer.
    pub(crate) first_answer: Duration,
}

impl Server {
    /// Starts Cardo on a data directory, and waits until `path` is answered with success.
    pub(crate) async fn cardo(program: &Path, data: &Path, path: &str) -> io::Result<Self> {
        Self::start(serving(program, data), path).await
    }

    /// The same on all cores, and each tile is made anew.
    pub(crate) async fn cardo_without_kept_tiles(
        program: &Path,
        data: &Path,
        path: &str,
    ) -> io::Result<Self> {
        let mut command = serving(program, data);
        command.env("CARDO_LIMITS_TILE_MEMORY", "0MB");
        Self::start_on(command, "--listen", path, None).await
    }

    /// Starts the limit with the answers in a folder.
    pub(crate) async fn limit(answers: &Path) -> io::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["limit", "--answers"]).arg(answers);
        Self::start(command, "/ngsi-ld/v1/entities").await
    }

    async fn start(command: Command, path: &str) -> io::Result<Self> {
        Self::start_on(command, "--listen", path, Some(SERVER_CORE)).await
    }

    /// Starts a program that is told by an option where to listen, on one core or on all.
    pub(crate) async fn start_on(
        mut command: Command,
        option: &str,
        path: &str,
        core: Option<usize>,
    ) -> io::Result<Self> {
        // Free now; nobody else takes it in the moment until the child does.
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        command.arg(option).arg(address.to_string());
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let start = Instant::now();
        stay_on(core);
        let child = command.spawn();
        stay_on(Some(LOAD_CORE));
        let mut server = Self { child: child?, address, first_answer: Duration::ZERO };
        server.wait_for_answer(path, start).await?;
        server.first_answer = start.elapsed();
        Ok(server)
    }

    async fn wait_for_answer(&mut self, path: &str, start: Instant) -> io::Result<()> {
        let asked = request("GET", path, "", "");
        while start.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait()? {
                return Err(io::Error::other(format!("the server ended at its start: {status}")));
            }
            if let Ok(mut connection) = Connection::open(self.address).await
                && let Ok(answer) = connection.ask(&asked).await
                && (answer.is_success() || answer.status == 204)
            {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Err(io::Error::new(io::ErrorKind::TimedOut, format!("{path} is not answered")))
    }

    /// The CPU time that it has used, in seconds.
    pub(crate) fn cpu(&self) -> f64 {
        cpu_seconds(self.child.id()).unwrap_or(0.0)
    }

    /// The memory that it holds.
    pub(crate) fn resident(&self) -> u64 {
        resident_bytes(self.child.id()).unwrap_or(0)
    }

    /// The most memory that it held since that was last forgotten.
    pub(crate) fn peak(&self) -> u64 {
        status_bytes(self.child.id(), "VmHWM:").unwrap_or(0)
    }

    /// Lets the system count the most memory from now on.
    pub(crate) fn forget_peak(&self) -> io::Result<()> {
        std::fs::write(format!("/proc/{}/clear_refs", self.child.id()), "5")
    }

    /// Waits until the server does nothing of its own any more, such as projecting.
    pub(crate) async fn settle(&self) {
        let start = Instant::now();
        let (mut before, mut quiet) = (self.cpu(), 0);
        while quiet < 3 && start.elapsed() < PATIENCE {
            tokio::time::sleep(Duration::from_millis(500)).await;
            let now = self.cpu();
            quiet = if now - before < 0.015 && !self.is_behind().await { quiet + 1 } else { 0 };
            before = now;
        }
    }

    async fn is_behind(&self) -> bool {
        matches!(self.metric("cardo_unprojected_bytes").await, Ok(bytes) if bytes > 0.0)
    }

    /// A number of `/metrics`, summed over its labels.
    pub(crate) async fn metric(&self, name: &str) -> io::Result<f64> {
        let mut connection = Connection::open(self.address).await?;
        let answer = connection.ask(&request("GET", "/metrics", "", "")).await?;
        let text = String::from_utf8_lossy(answer.body);
        let values = text.lines().filter_map(|line| {
            let (sample, value) = line.rsplit_once(' ')?;
            let is_it = sample == name || sample.strip_prefix(name)?.starts_with('{');
            is_it.then(|| value.parse::<f64>().ok()).flatten()
        });
        Ok(values.sum())
    }

    /// Stops it in order and waits until it has ended.
    pub(crate) async fn stop(mut self) -> io::Result<()> {
        if let Some(pid) = Pid::from_raw(self.child.id().cast_signed()) {
            kill_process(pid, Signal::TERM)?;
        }
        let start = Instant::now();
        while self.child.try_wait()?.is_none() {
            if start.elapsed() > PATIENCE {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "the server does not stop"));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// Kills it at once, as a crash would.
    pub(crate) fn kill(mut self) -> io::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
