//! Maps of a land of trees and buildings: pages of features in a box, tiles, and what martin makes of
//! the same.

use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::land::{Kind, Land};
use crate::load::Question;
use crate::martin::Martin;
use crate::process::{Server, make_empty};
use crate::questions::reading;
use crate::reads::{Rounds, in_turns, limit_of, median_ratio, per_second, rate, warm_up};
use crate::run::Rows;
use crate::table::{Row, Target, number};
use crate::tiles::place;
use crate::writes::{BATCH, load_all};

/// What is to be measured of maps.
#[derive(Clone, Debug)]
pub struct Maps {
    /// The server.
    pub program: PathBuf,
    /// Where data is put; it is emptied first.
    pub folder: PathBuf,
    /// What the maps are drawn of.
    pub land: Land,
    /// How rounds go.
    pub rounds: Rounds,
    /// Who else is to draw them.
    pub martin: Option<Martin>,
}

/// The level whose tiles have about 10,000 features.
const LEVEL: i32 = 14;
/// The levels at which martin is met.
const LEVELS: [i32; 3] = [14, 15, 16];

impl Maps {
    /// Measures, and gives the table.
    pub async fn measure(&self) -> io::Result<String> {
        make_empty(&self.folder)?;
        let land = self.land;
        let data = self.folder.join("land");
        let server = Server::cardo(&self.program, &data, "/health").await?;
        for kind in [Kind::Tree, Kind::Building] {
            load_all(&server, land.count(kind), move |numbers| land.batch(kind, numbers)).await?;
        }
        let mut rows = Rows::default();
        for (kind, work) in [(Kind::Tree, "trees"), (Kind::Building, "buildings")] {
            let work = format!("`items?bbox` of {work} (100 features of about 120)");
            let new = self.against_limit(&server, work, &in_a_box(land, kind), 0.3).await;
            rows.take("bbox", new);
        }
        let work = "a vector tile of about 10,000 features that was asked for before";
        let question = tile_within(land, LEVEL, 0.5);
        let new = self.against_limit(&server, work.into(), &question, 0.7).await;
        rows.take("kept tiles", new);
        server.stop().await?;
        let server = Server::cardo_without_kept_tiles(&self.program, &data, "/health").await?;
        rows.take("new tiles", self.new_tiles(&server).await);
        if let Some(martin) = &self.martin {
            martin.load(land)?;
            let new = martin.compare(&server, land, (&LEVELS, self.rounds.count, self.rounds.time));
            rows.take("martin", new.await);
        }
        std::fs::remove_dir_all(&self.folder)?;
        Ok(rows.markdown())
    }

    async fn against_limit(
        &self,
        server: &Server,
        work: String,
        question: &Question,
        target: f64,
    ) -> io::Result<Vec<Row>> {
        warm_up(server, question, self.rounds).await?;
        let limit = limit_of(server, question, &self.folder.join("answers")).await?;
        let rates = in_turns(&[(server, question), (&limit, question)], self.rounds).await?;
        Ok(vec![Row {
            work,
            measured: per_second(&rates[0]),
            reference: format!("limit {}", per_second(&rates[1])),
            value: median_ratio(&rates[0], &rates[1]),
            unit: "",
            target: Target::AtLeast(target),
        }])
    }

    async fn new_tiles(&self, server: &Server) -> io::Result<Vec<Row>> {
        let question = tile_at(self.land, LEVEL);
        let time = self.rounds.time.max(Duration::from_secs(1)) * 2;
        rate(server, &question, 4, time / 4, 1).await?;
        let each = 1_000.0 / rate(server, &question, 4, time, 2).await?;
        let all = number(self.land.features().into());
        Ok(vec![Row {
            work: format!("a new vector tile of 10,000 features out of {all}, with all properties"),
            measured: format!("{each:.1} ms of CPU"),
            reference: String::new(),
            value: each,
            unit: "ms",
            target: Target::AtMost(10.0),
        }])
    }
}

/// The questions of maps by key, for a land.
pub fn questions_of(land: Land) -> impl Iterator<Item = (String, Question)> {
    let boxes = [("box-trees", Kind::Tree), ("box-buildings", Kind::Building)]
        .map(|(key, kind)| (key.to_owned(), in_a_box(land, kind)));
    let tiles = LEVELS.map(|level| (format!("tile-{level}"), tile_at(land, level)));
    boxes.into_iter().chain(tiles)
}

/// Bodies of batch operations that make a land.
pub fn batches_of(land: Land) -> impl Iterator<Item = String> {
    [Kind::Tree, Kind::Building].into_iter().flat_map(move |kind| {
        let all = land.count(kind);
        (0..all)
            .step_by(BATCH as usize)
            .map(move |from| land.batch(kind, from..(from + BATCH).min(all)))
    })
}

/// A hundred features of a kind in a box that holds about 120 of them.
fn in_a_box(land: Land, kind: Kind) -> Question {
    let part = land.part_of(kind, 120.0);
    reading(move |random, out| {
        let [x, y] = [random.f64(), random.f64()].map(|at| at * (1.0 - part));
        let [west, south] = land.point([x, y]);
        let [east, north] = land.point([x + part, y + part]);
        write!(
            out,
            "/ogc/collections/{kind:?}/items?limit=100&bbox={west:.7},{south:.7},{east:.7},{north:.7}",
        )
    })
}

/// Some tile of a level within a square in the middle of the land, whose side is this part of its own: its
/// column and row.
pub(crate) fn some_tile(land: Land, zoom: i32, part: f64, random: &mut fastrand::Rng) -> [f64; 2] {
    let at = [random.f64(), random.f64()].map(|at| 0.5 + part * (at - 0.5));
    place(land.point(at), zoom).map(f64::floor)
}

/// So much of the land lies far enough from its border for tiles to be full.
pub(crate) const INNER: f64 = 0.8;

/// Some tile of a level with both layers.
pub(crate) fn tile_at(land: Land, zoom: i32) -> Question {
    tile_within(land, zoom, INNER)
}

fn tile_within(land: Land, zoom: i32, part: f64) -> Question {
    reading(move |random, out| {
        let [col, row] = some_tile(land, zoom, part, random);
        write!(out, "/ogc/tiles/WebMercatorQuad/{zoom}/{row}/{col}?f=mvt&collections=Tree,Building")
    })
}
