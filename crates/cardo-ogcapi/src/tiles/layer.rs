use std::hash::BuildHasher;

use cardo_engine::{Cell, Column, ColumnType, Row, Table};
use cardo_model::{EntityRef, MomentWriter};
use cardo_spatial::TileShape;
use foldhash::fast::FixedState;
use hashbrown::HashTable;

use super::wire::{self, Wire};
use super::{EXTENT, MOST_BYTES, PLAIN_BYTES};

/// The property of a merged feature that says how many it stands for. No column has a colon.
pub(crate) const COUNT: &str = "cardo:count";

/// A layer in the making (Mapbox Vector Tile 2.1, section 4.1).
pub(super) struct Layer<'a> {
    table: &'a Table,
    /// The columns that are shown, by place.
    is_shown: Vec<bool>,
    /// The keys of the columns that occur.
    keys_of: Vec<Option<u32>>,
    id_key: Option<u32>,
    count_key: Option<u32>,
    keys: Vec<u8>,
    keys_len: u32,
    values: Values,
    features: Vec<u8>,
    moments: MomentWriter,
    room: Room,
}

/// What is used again from feature to feature.
#[derive(Default)]
struct Room {
    tags: Vec<u8>,
    geometry: Vec<u8>,
    feature: Vec<u8>,
    value: Vec<u8>,
    text: Vec<u8>,
}

impl<'a> Layer<'a> {
    pub(super) fn new(table: &'a Table, is_shown: Vec<bool>) -> Self {
        Self {
            table,
            is_shown,
            keys_of: vec![None; table.columns.len()],
            id_key: None,
            count_key: None,
            keys: Vec::new(),
            keys_len: 0,
            values: Values::default(),
            features: Vec::new(),
            moments: MomentWriter::default(),
            room: Room::default(),
        }
    }

    /// Whether no more features are taken.
    pub(super) fn is_full(&self) -> bool {
        self.len() >= MOST_BYTES
    }

    fn len(&self) -> usize {
        self.features.len() + self.values.bytes.len()
    }

    /// Adds what stands for several features.
    pub(super) fn merged(&mut self, at: [i32; 2], count: u64) {
        let key = key(COUNT, &mut self.count_key, &mut self.keys, &mut self.keys_len);
        self.room.tags.clear();
        self.room.value.clear();
        wire::number(5, count, &mut self.room.value);
        self.tag_with(key);
        self.close(None, &TileShape::Points(vec![at]));
    }

    /// Adds an entity.
    pub(super) fn entity(&mut self, entity: &EntityRef<'_>, shape: &TileShape) {
        self.room.tags.clear();
        let key = key("id", &mut self.id_key, &mut self.keys, &mut self.keys_len);
        self.room.value.clear();
        wire::bytes(1, entity.id_bytes(), &mut self.room.value);
        // No other feature has this id, so there is nothing to look for.
        let place = self.values.push(&self.room.value);
        wire::varint(key.into(), &mut self.room.tags);
        wire::varint(place.into(), &mut self.room.tags);
        if self.len() < PLAIN_BYTES {
            self.table.read(entity, self);
        }
        self.close(Some(entity.seq().as_u64()), shape);
    }

    /// Says that the feature has the value in the room under a key.
    fn tag_with(&mut self, key: u32) {
        let place = self.values.place(&self.room.value);
        wire::varint(key.into(), &mut self.room.tags);
        wire::varint(place.into(), &mut self.room.tags);
    }

    fn close(&mut self, id: Option<u64>, shape: &TileShape) {
        let Room { tags, geometry, feature, .. } = &mut self.room;
        geometry.clear();
        let kind = write_geometry(shape, geometry);
        feature.clear();
        if let Some(id) = id {
            wire::number(1, id, feature);
        }
        wire::bytes(2, tags, feature);
        wire::number(3, kind, feature);
        wire::bytes(4, geometry, feature);
        wire::bytes(2, feature, &mut self.features);
    }

    /// Writes the layer into a tile; one without features is left out (section 4.1).
    pub(super) fn finish(self, tile: &mut Vec<u8>) {
        if self.features.is_empty() {
            return;
        }
        let mut layer = Vec::with_capacity(self.len() + self.keys.len() + 64);
        wire::number(15, 2, &mut layer);
        wire::bytes(1, self.table.name.as_bytes(), &mut layer);
        layer.extend_from_slice(&self.features);
        layer.extend_from_slice(&self.keys);
        layer.extend_from_slice(&self.values.bytes);
        wire::number(5, EXTENT.into(), &mut layer);
        wire::bytes(3, &layer, tile);
    }
}

impl<'r> Row<'r> for Layer<'_> {
    #[inline]
    fn cell(&mut self, column: usize, cell: Cell<'r>) {
        if !self.is_shown[column] {
            return;
        }
        let Column { name, datatype, .. } = &self.table.columns[column];
        let value = &mut self.room.value;
        value.clear();
        let has_value = match cell {
            Cell::Json(json) => write_json(json, *datatype, value),
            Cell::Shown(text) => write_json(text.as_bytes(), *datatype, value),
            Cell::Text(text) => {
                wire::bytes(1, text.as_bytes(), value);
                true
            }
            Cell::Time(moment) => {
                self.room.text.clear();
                self.moments.write(moment, &mut self.room.text);
                wire::bytes(1, &self.room.text, value);
                true
            }
        };
        if has_value {
            let own = &mut self.keys_of[column];
            let key = key(name, own, &mut self.keys, &mut self.keys_len);
            self.tag_with(key);
        }
    }
}

/// The number of a key, which is written when it is first used.
fn key(name: &str, own: &mut Option<u32>, keys: &mut Vec<u8>, len: &mut u32) -> u32 {
    *own.get_or_insert_with(|| {
        wire::bytes(3, name.as_bytes(), keys);
        *len += 1;
        *len - 1
    })
}

/// The values of a layer, each once.
#[derive(Default)]
struct Values {
    bytes: Vec<u8>,
    /// Where the message of each value lies in the bytes.
    places: Vec<(u32, u32)>,
    known: HashTable<u32>,
    hasher: FixedState,
}

impl Values {
    fn place(&mut self, value: &[u8]) -> u32 {
        let Self { bytes, places, known, hasher } = self;
        let at = |place: u32| {
            let (from, until) = places[place as usize];
            &bytes[from as usize..until as usize]
        };
        let hash = hasher.hash_one(value);
        if let Some(place) = known.find(hash, |place| at(*place) == value) {
            return *place;
        }
        let next = u32::try_from(places.len()).expect("a layer has a limit of bytes");
        known.insert_unique(hash, next, |place| hasher.hash_one(at(*place)));
        self.push(value)
    }

    fn push(&mut self, value: &[u8]) -> u32 {
        wire::bytes(4, value, &mut self.bytes);
        let until = u32::try_from(self.bytes.len()).expect("a layer has a limit of bytes");
        let len = u32::try_from(value.len()).expect("a value is shorter than a layer");
        self.places.push((until - len, until));
        u32::try_from(self.places.len() - 1).expect("a layer has a limit of bytes")
    }
}

/// Writes JSON as a value (section 4.4); `false` for null, which tiles do not know.
fn write_json(json: &[u8], datatype: ColumnType, out: &mut Vec<u8>) -> bool {
    match json {
        b"null" => return false,
        b"true" => wire::number(7, 1, out),
        b"false" => wire::number(7, 0, out),
        [b'"', inner @ .., b'"'] if !inner.contains(&b'\\') => wire::bytes(1, inner, out),
        [b'"', ..] => {
            let text: String = serde_json::from_slice(json).unwrap_or_default();
            wire::bytes(1, text.as_bytes(), out);
        }
        [b'-' | b'0'..=b'9', ..] => write_number(json, out),
        // Lists and objects stand as their JSON text; a list of relationships as in other formats.
        _ if datatype == ColumnType::Geometry => return false,
        _ => wire::bytes(1, json, out),
    }
    true
}

fn write_number(json: &[u8], out: &mut Vec<u8>) {
    let text = std::str::from_utf8(json).unwrap_or("0");
    if let Ok(whole) = text.parse::<u64>() {
        wire::number(5, whole, out);
    } else if let Ok(whole) = text.parse::<i64>() {
        wire::number(6, wire::zigzag(whole), out);
    } else {
        let number: f64 = text.parse().unwrap_or_default();
        wire::tag(3, Wire::Fixed64, out);
        out.extend_from_slice(&number.to_le_bytes());
    }
}

const MOVE_TO: u64 = 1;
const LINE_TO: u64 = 2;
const CLOSE_PATH: u64 = 7;

/// Writes the commands of a geometry (section 4.3); its kind.
fn write_geometry(shape: &TileShape, out: &mut Vec<u8>) -> u64 {
    let mut pen = Pen { at: [0, 0], out };
    match shape {
        TileShape::Empty => 0,
        TileShape::Points(points) => {
            pen.command(MOVE_TO, points.len());
            for at in points {
                pen.go(*at);
            }
            1
        }
        TileShape::Lines(lines) => {
            for line in lines {
                pen.line(line);
            }
            2
        }
        TileShape::Polygons(polygons) => {
            for ring in polygons.iter().flatten() {
                pen.line(ring);
                pen.command(CLOSE_PATH, 1);
            }
            3
        }
    }
}

struct Pen<'a> {
    at: [i32; 2],
    out: &'a mut Vec<u8>,
}

impl Pen<'_> {
    fn command(&mut self, command: u64, count: usize) {
        wire::varint(command | (count as u64) << 3, self.out);
    }

    fn go(&mut self, to: [i32; 2]) {
        for (to, from) in to.into_iter().zip(self.at) {
            wire::varint(wire::zigzag((to - from).into()), self.out);
        }
        self.at = to;
    }

    fn line(&mut self, line: &[[i32; 2]]) {
        let Some((first, rest)) = line.split_first() else { return };
        self.command(MOVE_TO, 1);
        self.go(*first);
        self.command(LINE_TO, rest.len());
        for at in rest {
            self.go(*at);
        }
    }
}
