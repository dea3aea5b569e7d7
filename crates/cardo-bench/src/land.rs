//! The land that maps are drawn of: trees and the buildings between them.

use std::fmt::Write as _;
use std::ops::Range;

use crate::city::{KM_PER_LAT, KM_PER_LON, point_in};

/// Of a square kilometre: a tile of level 14 has about 10,000 of both.
const FEATURES_PER_KM2: f64 = 6_767.0;

const SPECIES: [&str; 12] = [
    "Tilia × europaea",
    "Acer platanoides",
    "Betula pendula",
    "Quercus robur",
    "Pinus sylvestris",
    "Sorbus aucuparia",
    "Ulmus glabra",
    "Picea abies",
    "Fraxinus excelsior",
    "Populus tremula",
    "Alnus glutinosa",
    "Malus domestica",
];
const USES: [&str; 6] = ["residential", "office", "retail", "school", "industry", "garage"];

/// So many trees and buildings; each is made from its number alone, always the same.
#[derive(Clone, Copy, Debug)]
pub struct Land {
    /// How many trees there are.
    pub trees: u32,
    /// How many buildings there are.
    pub buildings: u32,
}

/// The collections of the land.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Tree,
    Building,
}

struct Tree {
    species: &'static str,
    height: f64,
    crown: f64,
    planted: u32,
    place: [f64; 2],
}

struct Building {
    used_for: &'static str,
    levels: u32,
    address: String,
    outline: [[f64; 2]; 7],
}

impl Land {
    pub(crate) fn features(self) -> u32 {
        self.trees + self.buildings
    }

    /// The length of a side in kilometres.
    fn side(self) -> f64 {
        (f64::from(self.features()) / FEATURES_PER_KM2).sqrt()
    }

    /// The point at these fractions of the sides.
    pub(crate) fn point(self, at: [f64; 2]) -> [f64; 2] {
        point_in(self.side(), at)
    }

    /// Which part of a side a square has that holds about so many features of a kind.
    pub(crate) fn part_of(self, kind: Kind, features: f64) -> f64 {
        (features / f64::from(self.count(kind))).sqrt()
    }

    pub(crate) fn count(self, kind: Kind) -> u32 {
        match kind {
            Kind::Tree => self.trees,
            Kind::Building => self.buildings,
        }
    }

    fn tree(self, number: u32) -> Tree {
        let mut random = fastrand::Rng::with_seed(0x7ee5 ^ u64::from(number));
        Tree {
            species: SPECIES[random.usize(0..SPECIES.len())],
            height: f64::from(random.u32(20..300)) / 10.0,
            crown: f64::from(random.u32(10..120)) / 10.0,
            planted: random.u32(1_880..2_026),
            place: self.point([random.f64(), random.f64()]),
        }
    }

    /// An outline has the shape of an L and stands at any angle.
    fn building(self, number: u32) -> Building {
        const L: [[f64; 2]; 7] =
            [[0.0, 0.0], [1.0, 0.0], [1.0, 0.5], [0.4, 0.5], [0.4, 1.0], [0.0, 1.0], [0.0, 0.0]];
        let mut random = fastrand::Rng::with_seed(0xb01d ^ u64::from(number));
        let [lon, lat] = self.point([random.f64(), random.f64()]);
        let (sine, cosine) = (random.f64() * std::f64::consts::TAU).sin_cos();
        let [wide, deep] = [random.f64(), random.f64()].map(|part| 0.010 + part * 0.025);
        let outline = L.map(|[x, y]| {
            let [x, y] = [x * wide, y * deep];
            let [east, north] = [x * cosine - y * sine, x * sine + y * cosine];
            [lon + east / KM_PER_LON, lat + north / KM_PER_LAT]
        });
        Building {
            used_for: USES[random.usize(0..USES.len())],
            levels: random.u32(1..12),
            address: format!("Street {} {}", random.u32(0..5_000), random.u32(1..200)),
            outline,
        }
    }

    /// A batch of entities as the body of a batch operation.
    pub(crate) fn batch(self, kind: Kind, numbers: Range<u32>) -> String {
        let mut body = String::with_capacity(numbers.len() * 700);
        for number in numbers {
            body.push(if body.is_empty() { '[' } else { ',' });
            self.write_json(kind, number, &mut body);
        }
        body.push(']');
        body
    }

    fn write_json(self, kind: Kind, number: u32, out: &mut String) {
        match kind {
            Kind::Tree => {
                let Tree { species, height, crown, planted, place: [lon, lat] } = self.tree(number);
                write!(
                    out,
                    r#"{{"id":"urn:ngsi-ld:Tree:{number:07}","type":"Tree","species":{{"type":"Property","value":"{species}"}},"height":{{"type":"Property","value":{height}}},"crown":{{"type":"Property","value":{crown}}},"planted":{{"type":"Property","value":{planted}}},"location":{{"type":"GeoProperty","value":{{"type":"Point","coordinates":[{lon:.7},{lat:.7}]}}}}}}"#,
                )
            }
            Kind::Building => {
                let Building { used_for, levels, address, outline } = self.building(number);
                let positions = outline.map(|[lon, lat]| format!("[{lon:.7},{lat:.7}]")).join(",");
                write!(
                    out,
                    r#"{{"id":"urn:ngsi-ld:Building:{number:07}","type":"Building","usedFor":{{"type":"Property","value":"{used_for}"}},"levels":{{"type":"Property","value":{levels}}},"streetAddress":{{"type":"Property","value":"{address}"}},"location":{{"type":"GeoProperty","value":{{"type":"Polygon","coordinates":[[{positions}]]}}}}}}"#,
                )
            }
        }
        .expect("a String takes all");
    }

    /// The same as a line of PostgreSQL's `COPY`.
    pub(crate) fn write_row(self, kind: Kind, number: u32, out: &mut String) {
        match kind {
            Kind::Tree => {
                let Tree { species, height, crown, planted, place: [lon, lat] } = self.tree(number);
                writeln!(
                    out,
                    "urn:ngsi-ld:Tree:{number:07}\t{species}\t{height}\t{crown}\t{planted}\tSRID=4326;POINT({lon:.7} {lat:.7})",
                )
            }
            Kind::Building => {
                let Building { used_for, levels, address, outline } = self.building(number);
                let positions = outline.map(|[lon, lat]| format!("{lon:.7} {lat:.7}")).join(",");
                writeln!(
                    out,
                    "urn:ngsi-ld:Building:{number:07}\t{used_for}\t{levels}\t{address}\tSRID=4326;POLYGON(({positions}))",
                )
            }
        }
        .expect("a String takes all");
    }
}
