//! One run: what is measured, in which order, and what is written of it.

use std::io;
use std::path::{Path, PathBuf};

use cardo_model::Timestamp;

use crate::city::City;
use crate::machine::Machine;
use crate::process::{Server, make_empty};
use crate::reads::{self, Held, READS, Rounds};
use crate::table::{Row, Target, markdown, number};
use crate::{
    disturbed, graph, moments, snapshots, starts, streams, subscriptions, temporal, tiles, writes,
};

/// What is to be measured.
#[derive(Clone, Debug)]
pub struct Run {
    /// The server.
    pub program: PathBuf,
    /// Where data is put; it is emptied first.
    pub folder: PathBuf,
    /// The smaller city.
    pub small: City,
    /// The larger city.
    pub large: City,
    /// The parts to measure, by key; all where empty.
    pub only: Vec<String>,
    /// How rounds go.
    pub rounds: Rounds,
    /// How many tenants are made.
    pub tenants: u32,
    /// For how many seconds the long write goes on.
    pub minute: u32,
    /// How many instances of history are stored.
    pub instances: u32,
}

/// The keys of the parts that are no single question.
const PARTS: [&str; 14] = [
    "batch",
    tiles::PART,
    "memory",
    "patch",
    "minute",
    "updates",
    subscriptions::PART,
    "scans",
    snapshots::PART,
    "start",
    "tenants",
    temporal::PART,
    moments::PART,
    streams::PART,
];

/// Whether a key names a part.
pub fn is_part(key: &str) -> bool {
    PARTS.contains(&key) || graph::PARTS.contains(&key) || READS.iter().any(|read| read.key == key)
}

/// The keys of the parts that need the larger city.
const LARGE: [&str; 6] = ["batch", tiles::PART, "memory", "scans", snapshots::PART, "start"];

impl Run {
    fn wants(&self, key: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == key)
    }

    fn wants_reads(&self) -> bool {
        READS.iter().any(|read| self.wants(read.key))
    }

    /// Measures, and gives the report, which names the command that was run. Each row is printed
    /// as it comes; a part that fails does not keep the others from being measured.
    pub async fn measure(&self, command: &str) -> io::Result<String> {
        let (machine, rows) = self.measure_all().await?;
        Ok(self.report(&machine, &rows, command))
    }

    async fn measure_all(&self) -> io::Result<(Machine, Vec<Row>)> {
        make_empty(&self.folder)?;
        let machine = Machine::look(&self.folder)?;
        println!("{}", describe(&machine));
        let mut rows = Rows::default();
        let small = self.load("small", self.small, &mut rows).await?.0;
        let large = if self.wants_reads() || LARGE.iter().any(|part| self.wants(part)) {
            Some(self.load("large", self.large, &mut rows).await?)
        } else {
            None
        };
        self.reads(&small, large.as_ref().map(|(server, _)| server), &mut rows).await;
        self.writes(&small, machine.syncs, &mut rows).await;
        drop(small);
        if let Some((large, empty)) = large {
            self.of_large(large, empty, &mut rows).await;
        }
        if self.wants("tenants") {
            let new = starts::tenants(&self.program, &self.folder, self.tenants).await;
            rows.take("tenants", new);
        }
        if self.wants(temporal::PART) {
            let new = temporal::measure(&self.program, &self.folder, self.instances).await;
            rows.take(temporal::PART, new);
        }
        if self.wants(moments::PART) {
            let new = moments::measure(&self.program, &self.folder, self.small).await;
            rows.take(moments::PART, new);
        }
        if self.wants(streams::PART) {
            let new = streams::measure(&self.program, &self.folder, self.large).await;
            rows.take(streams::PART, new);
        }
        std::fs::remove_dir_all(&self.folder)?;
        Ok((machine, rows.0))
    }

    /// Starts a server and loads a city; also the memory that the server held before.
    async fn load(&self, name: &str, city: City, rows: &mut Rows) -> io::Result<(Server, u64)> {
        let server = Server::cardo(&self.program, &self.folder.join(name), "/health").await?;
        let empty = server.resident();
        let (rate, elapsed) = writes::load(&server, city).await?;
        if self.wants("batch") {
            rows.push(writes::batch_row(city, rate, elapsed));
        }
        Ok((server, empty))
    }

    async fn reads(&self, small: &Server, large: Option<&Server>, rows: &mut Rows) {
        let small = Held { server: small, city: self.small };
        let large = large.map(|server| Held { server, city: self.large });
        for read in READS.iter().filter(|read| self.wants(read.key)) {
            let new = reads::measure(read, &small, large.as_ref(), self.rounds, &self.folder);
            rows.take(read.key, new.await);
        }
    }

    async fn writes(&self, small: &Server, syncs: f64, rows: &mut Rows) {
        let held = Held { server: small, city: self.small };
        if self.wants("patch") {
            let new = writes::patch(&held, self.rounds, &self.folder, syncs).await;
            rows.take("patch", new.map(|row| vec![row]));
        }
        if self.wants("updates") {
            rows.take("updates", disturbed::while_updating(&held, self.rounds).await);
        }
        let time = self.rounds.time * 4;
        if self.wants("levels") {
            rows.take("levels", graph::three_levels(&held, time).await.map(|row| vec![row]));
        }
        if self.wants("news") {
            rows.take("news", graph::news(&held, time).await.map(|row| vec![row]));
        }
        if self.wants("minute") {
            let time = std::time::Duration::from_secs(self.minute.into());
            rows.take("minute", writes::minute(&held, time).await);
        }
        if self.wants(subscriptions::PART) {
            let time = self.rounds.time * 4;
            rows.take(subscriptions::PART, subscriptions::updates(&held, time).await);
        }
    }

    async fn of_large(&self, server: Server, empty: u64, rows: &mut Rows) {
        if self.wants("memory") {
            rows.push(memory_row(
                "after loading and the questions above",
                &server,
                empty,
                self.large,
            ));
        }
        if self.wants(tiles::PART) {
            let held = Held { server: &server, city: self.large };
            rows.take(tiles::PART, tiles::points(&held, self.rounds.time * 2).await);
        }
        if self.wants("scans") {
            let held = Held { server: &server, city: self.large };
            let new = disturbed::while_scanning(&held, self.rounds.time * 5).await;
            rows.take("scans", new.map(|row| vec![row]));
        }
        if self.wants(snapshots::PART) {
            let held = Held { server: &server, city: self.large };
            rows.take(snapshots::PART, snapshots::measure(&held).await);
        }
        if !self.wants("start") {
            return;
        }
        let data = self.folder.join("large");
        match starts::starts(&self.program, &data, server, self.large).await {
            Err(error) => rows.take("start", Err(error)),
            Ok((server, new)) => {
                rows.take("start", Ok(new));
                if self.wants("memory") {
                    server.settle().await;
                    rows.push(memory_row("after the last start", &server, empty, self.large));
                }
            }
        }
    }

    /// The text that stands in the repository.
    fn report(&self, machine: &Machine, rows: &[Row], command: &str) -> String {
        let mut moment = Vec::new();
        Timestamp::now().write_to(&mut moment);
        let day = String::from_utf8_lossy(moment.get(..10).unwrap_or(&moment)).into_owned();
        let (small, large) =
            (number(f64::from(self.small.entities)), number(f64::from(self.large.entities)));
        format!(
            "# Yardsticks, last measured\n\n\
             {day}, {}.\n\n\
             Repeat with `{command}`.\n\n\
             The limit is a bare axum handler that answers with the same bytes. The server runs on one core and the\n\
             load on another. Figures are requests a second of the server's own CPU time where they are not said to\n\
             be something else; ratios are medians of {} rounds in which the servers take turns. A city has {small} entities of\n\
             five attributes and a location where nothing else is said, the large one {large} at the same density.\n\
             Every request asks something else.\n\n{}",
            describe(machine),
            self.rounds.count,
            markdown(rows),
        )
    }
}

/// The rows so far; each is printed as it comes.
#[derive(Default)]
pub(crate) struct Rows(Vec<Row>);

impl Rows {
    pub(crate) fn push(&mut self, row: Row) {
        let text = markdown(std::slice::from_ref(&row));
        println!("{}", text.lines().last().unwrap_or_default());
        self.0.push(row);
    }

    pub(crate) fn markdown(&self) -> String {
        markdown(&self.0)
    }

    /// Takes the rows of a part, or a row that says why there are none.
    pub(crate) fn take(&mut self, part: &str, rows: io::Result<Vec<Row>>) {
        match rows {
            Ok(rows) => rows.into_iter().for_each(|row| self.push(row)),
            Err(error) => self.push(Row {
                work: part.to_owned(),
                measured: format!("failed: {error}"),
                reference: String::new(),
                value: f64::NAN,
                unit: "",
                target: Target::None,
            }),
        }
    }
}

fn memory_row(when: &str, server: &Server, empty: u64, city: City) -> Row {
    let each = server.resident().saturating_sub(empty) as f64 / f64::from(city.entities);
    Row {
        work: format!("RSS per entity at {}, {when}", number(f64::from(city.entities))),
        measured: format!(
            "{} MB in all",
            number(server.resident() as f64 / f64::from(1_u32 << 20))
        ),
        reference: format!("{} MB with none", number(empty as f64 / f64::from(1_u32 << 20))),
        value: each,
        unit: "B",
        target: Target::AtMost(2_048.0),
    }
}

fn describe(machine: &Machine) -> String {
    format!(
        "{} cores ({}), {:.0} GB of memory, {} fdatasync/s of 4 KiB",
        machine.cores,
        machine.model,
        machine.memory as f64 / 1e9,
        number(machine.syncs),
    )
}

/// Builds the server in release, and says where it is.
pub fn build_server() -> io::Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let status = std::process::Command::new(cargo)
        .args(["build", "--release", "-p", "cardo-server"])
        .current_dir(workspace)
        .status()?;
    if !status.success() {
        return Err(io::Error::other("the server could not be built"));
    }
    // It comes to lie beside this program.
    Ok(std::env::current_exe()?.with_file_name("cardo"))
}
