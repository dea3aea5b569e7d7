//! The same tiles from martin, which asks PostGIS for them.

use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::land::{Kind, Land};
use crate::load::{Load, Question, drive_asleep};
use crate::maps::{INNER, some_tile, tile_at};
use crate::process::{Server, cpu_seconds_of};
use crate::questions::reading;
use crate::reads::median_ratio;
use crate::table::{Row, Target, median, number};

/// How martin is run.
#[derive(Clone, Debug)]
pub struct Martin {
    /// Its program.
    pub program: PathBuf,
    /// A database with the extension PostGIS, in which the tables `tree` and `building` may be made anew.
    pub database: String,
}

/// How many clients ask at once.
const CLIENTS: u32 = 8;
/// How many times the tiles of martin.
const TARGET: f64 = 5.0;
/// Rows sent to the database together.
const CHUNK: u32 = 10_000;

const TABLES: &str = "
drop table if exists tree, building;
create table tree (id text primary key, species text, height float8, crown float8, planted int4, geom geometry(Point,4326));
create table building (id text primary key, used_for text, levels int4, street_address text, geom geometry(Polygon,4326));
";
/// As martin is fastest: in the system of the tiles, so that nothing is projected for them, and in the order
/// of the index.
const INDEXES: &str = "
alter table tree alter geom type geometry(Point,3857) using st_transform(geom,3857);
alter table building alter geom type geometry(Polygon,3857) using st_transform(geom,3857);
create index tree_geom on tree using gist (geom);
create index building_geom on building using gist (geom);
cluster tree using tree_geom;
cluster building using building_geom;
vacuum analyze tree;
vacuum analyze building;
";

impl Martin {
    /// Brings the land into the database.
    pub(crate) fn load(&self, land: Land) -> io::Result<()> {
        self.psql(&["-c", TABLES], |_| Ok(()))?;
        for (kind, table) in [(Kind::Tree, "tree"), (Kind::Building, "building")] {
            let copy = format!("copy {table} from stdin");
            self.psql(&["-c", &copy], |rows| {
                for from in (0..land.count(kind)).step_by(CHUNK as usize) {
                    let mut text = String::new();
                    for number in from..(from + CHUNK).min(land.count(kind)) {
                        land.write_row(kind, number, &mut text);
                    }
                    rows.write_all(text.as_bytes())?;
                }
                Ok(())
            })?;
        }
        for statement in INDEXES.trim().lines() {
            self.psql(&["-c", statement], |_| Ok(()))?;
        }
        Ok(())
    }

    fn psql(
        &self,
        arguments: &[&str],
        feed: impl FnOnce(&mut dyn io::Write) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut command = Command::new("psql");
        command.args(["-q", "-v", "ON_ERROR_STOP=1", "-d", &self.database]).args(arguments);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn()?;
        if let Some(mut input) = child.stdin.take() {
            feed(&mut input)?;
        }
        let status = child.wait()?;
        if status.success() {
            return Ok(());
        }
        Err(io::Error::other(format!("psql failed: {status}")))
    }

    async fn start(&self) -> io::Result<Server> {
        let mut command = Command::new(&self.program);
        command.args(["--cache-size", "0", "--pool-size", "16", "--auto-bounds", "skip"]);
        command.arg(&self.database).stderr(Stdio::null());
        Server::start_on(command, "--listen-addresses", "/health", None).await
    }

    /// Compares the tiles a second of both, level by level. All programs may use all cores, the load too.
    pub(crate) async fn compare(
        &self,
        cardo: &Server,
        land: Land,
        (levels, rounds, time): (&[i32], u32, Duration),
    ) -> io::Result<Vec<Row>> {
        let martin = self.start().await?;
        let mut rows = Vec::new();
        for &zoom in levels {
            let own = tile_at(land, zoom);
            let theirs = martin_tile_at(land, zoom);
            let mut seen = [Vec::new(), Vec::new()];
            for round in 0..=rounds {
                let cpu = || [cardo.cpu(), martin.cpu() + cpu_seconds_of("postgres")];
                for (at, (server, question)) in
                    [(cardo, &own), (&martin, &theirs)].into_iter().enumerate()
                {
                    let before = cpu()[at];
                    let rate = tiles_a_second(server, question, time, round).await?;
                    // The first round warms both up.
                    if round > 0 {
                        seen[at].push((rate, cpu()[at] - before));
                    }
                }
            }
            rows.push(row(zoom, &seen, time));
        }
        Ok(rows)
    }
}

fn row(zoom: i32, seen: &[Vec<(f64, f64)>; 2], time: Duration) -> Row {
    let rates = |at: usize| -> Vec<f64> { seen[at].iter().map(|(rate, _)| *rate).collect() };
    let each = |at: usize| {
        let of_one = seen[at].iter().map(|(rate, cpu)| cpu * 1e3 / (rate * time.as_secs_f64()));
        median(&mut of_one.collect::<Vec<f64>>())
    };
    let said = |at: usize| {
        let rate = number(median(&mut rates(at)));
        format!("{rate} tiles/s by the clock, {:.2} ms of CPU each", each(at))
    };
    Row {
        work: format!(
            "tiles of level {zoom} with trees and buildings, none kept, {CLIENTS} clients"
        ),
        measured: said(0),
        reference: format!("martin on PostGIS: {}", said(1)),
        value: median_ratio(&rates(0), &rates(1)),
        unit: "times",
        target: Target::AtLeast(TARGET),
    }
}

async fn tiles_a_second(
    server: &Server,
    question: &Question,
    time: Duration,
    round: u32,
) -> io::Result<f64> {
    let load = Load { address: server.address, connections: CLIENTS, time, rate: None };
    let driven = drive_asleep(load, question, 400 + u64::from(round)).await?;
    if let Some(refusal) = driven.first_refusal {
        return Err(io::Error::other(format!("a tile was refused: {refusal}")));
    }
    Ok(driven.answers as f64 / driven.elapsed.as_secs_f64())
}

fn martin_tile_at(land: Land, zoom: i32) -> Question {
    reading(move |random, out| {
        let [col, row] = some_tile(land, zoom, INNER, random);
        write!(out, "/tree,building/{zoom}/{col}/{row}")
    })
}
