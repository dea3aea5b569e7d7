//! Vector tiles: what one costs that shows ten thousand sensors of a large city.

use std::fmt::Write as _;
use std::io;
use std::time::Duration;

use crate::city::{City, TYPES};
use crate::load::Question;
use crate::questions::reading;
use crate::reads::{Held, rate};
use crate::table::{Row, Target, number};

/// The key of the part.
pub(crate) const PART: &str = "tile";

/// What a tile is to show, and in how many milliseconds.
const SENSORS: f64 = 10_000.0;
const TARGET_MS: f64 = 10.0;

/// Where a position stands in the tile matrix of a level, in tiles.
pub(crate) fn place([lon, lat]: [f64; 2], zoom: i32) -> [f64; 2] {
    let count = 2.0_f64.powi(zoom);
    let north = lat.to_radians().tan().asinh() / std::f64::consts::TAU;
    [(lon + 180.0) / 360.0 * count, (0.5 - north) * count]
}

/// How many sensors of all types a tile of a level shows within the city.
fn shown(city: City, zoom: i32) -> f64 {
    let [left, bottom] = place(city.point(0.0, 0.0), zoom);
    let [right, top] = place(city.point(1.0, 1.0), zoom);
    f64::from(city.entities) / ((right - left) * (bottom - top)).max(1.0)
}

/// The level whose tiles show about as many as is asked for.
fn level(city: City) -> i32 {
    (0..=20).find(|zoom| shown(city, *zoom) <= 2.0 * SENSORS).unwrap_or(20)
}

/// A tile somewhere within the city with a layer for each of its types, in an order that was mostly
/// not asked for before, so that no kept tile answers.
pub(crate) fn question(city: City) -> Question {
    reading(move |random, out| {
        let zoom = level(city);
        let at = [random.f64(), random.f64()].map(|part| 0.25 + part / 2.0);
        write_tile(place(city.point(at[0], at[1]), zoom).map(f64::floor), zoom, out)?;
        let mut types = TYPES;
        random.shuffle(&mut types);
        write!(out, "&collections={}", types.join(","))
    })
}

/// One of the four tiles around the middle of the city, which soon was asked for before.
pub(crate) fn kept_question(city: City) -> Question {
    reading(move |random, out| {
        let zoom = level(city);
        let middle = place(city.point(0.5, 0.5), zoom);
        let [col, row] = middle.map(|at| (at - 0.5).floor() + f64::from(random.u8(0..2)));
        write_tile([col, row], zoom, out)
    })
}

fn write_tile([col, row]: [f64; 2], zoom: i32, out: &mut String) -> std::fmt::Result {
    write!(out, "/ogc/tiles/WebMercatorQuad/{zoom}/{row}/{col}?f=mvt")
}

/// What ten thousand points of a tile cost the server.
pub(crate) async fn points(held: &Held<'_>, time: Duration) -> io::Result<Vec<Row>> {
    const CLIENTS: u32 = 4;
    let question = question(held.city);
    rate(held.server, &question, CLIENTS, time / 4, 1).await?;
    let each = 1_000.0 / rate(held.server, &question, CLIENTS, time, 2).await?;
    let points = shown(held.city, level(held.city));
    Ok(vec![Row {
        work: format!(
            "Vector tile: {} points out of {}, with all properties",
            number(SENSORS),
            number(f64::from(held.city.entities)),
        ),
        measured: format!("{each:.1} ms for {}", number(points)),
        reference: String::new(),
        value: each / points * SENSORS,
        unit: "ms",
        target: Target::AtMost(TARGET_MS),
    }])
}
