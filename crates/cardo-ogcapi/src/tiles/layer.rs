use std::hash::BuildHasher;

use cardo_engine::{Cell, Column, ColumnType, Row, Table};
use cardo_model::codec::Excerpt;
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
    is_shown: &'a [bool],
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
    value: Vec<u8>,
    text: Vec<u8>,
}

impl<'a> Layer<'a> {
    pub(super) fn new(table: &'a Table, is_shown: &'a [bool]) -> Self {
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
        let place = self.values.place(&self.room.value);
        self.tag_as(key, place);
        self.close(None, Kind::Point, |pen| pen.points(&[at]));
    }

    /// Adds an entity that is a point, where there is room.
    pub(super) fn point(&mut self, entity: &EntityRef<'_>, at: [i32; 2]) {
        if self.is_full() {
            return;
        }
        self.tag(entity);
        self.close(Some(entity.seq().as_u64()), Kind::Point, |pen| pen.points(&[at]));
    }

    /// Adds an entity, where there is room and any of it is seen.
    pub(super) fn shape(&mut self, entity: &EntityRef<'_>, shape: &TileShape) {
        let kind = match shape {
            _ if self.is_full() => return,
            TileShape::Empty => return,
            TileShape::Points(_) => Kind::Point,
            TileShape::Lines(_) => Kind::LineString,
            TileShape::Polygons(_) => Kind::Polygon,
        };
        self.tag(entity);
        self.close(Some(entity.seq().as_u64()), kind, |pen| pen.shape(shape));
    }

    /// Gathers the properties of an entity.
    fn tag(&mut self, entity: &EntityRef<'_>) {
        self.room.tags.clear();
        let key = key("id", &mut self.id_key, &mut self.keys, &mut self.keys_len);
        // No other feature has this id, so there is nothing to look for.
        let place = self.values.push_text(entity.id_excerpt());
        self.tag_as(key, place);
        if self.len() < PLAIN_BYTES {
            self.table.read(entity, self);
        }
    }

    /// Says that the feature has the value at a place under a key.
    #[inline]
    fn tag_as(&mut self, key: u32, place: u32) {
        wire::varints([key.into(), place.into()], &mut self.room.tags);
    }

    /// The key of a column.
    fn key_of(&mut self, column: usize) -> u32 {
        let name = &self.table.columns[column].name;
        key(name, &mut self.keys_of[column], &mut self.keys, &mut self.keys_len)
    }

    /// Gives the feature a value, and says where that lies.
    #[inline(never)]
    fn take(&mut self, column: usize, cell: &Cell<'_>) -> Option<u32> {
        let Column { datatype, .. } = self.table.columns[column];
        let value = &mut self.room.value;
        value.clear();
        let has_value = match cell {
            Cell::Json(json) => write_json(json, datatype, value),
            Cell::Shown(text) => write_json(text.as_bytes(), datatype, value),
            Cell::Text(text) => {
                wire::bytes(1, text.as_bytes(), value);
                true
            }
            Cell::Time(moment) => {
                self.room.text.clear();
                self.moments.write(*moment, &mut self.room.text);
                wire::bytes(1, &self.room.text, value);
                true
            }
        };
        has_value.then(|| {
            let key = self.key_of(column);
            let place = self.values.place(&self.room.value);
            self.tag_as(key, place);
            place
        })
    }

    /// Writes the feature whose tags are in the room.
    fn close(&mut self, id: Option<u64>, kind: Kind, draw: impl FnOnce(&mut Pen<'_>)) {
        let Room { tags, geometry, .. } = &mut self.room;
        geometry.clear();
        draw(&mut Pen { at: [0, 0], out: geometry });
        let len = id.map_or(0, wire::number_len)
            + wire::bytes_len(tags)
            + wire::number_len(kind as u64)
            + wire::bytes_len(geometry);
        let out = &mut self.features;
        wire::tag(2, Wire::Bytes, out);
        wire::varint(len, out);
        if let Some(id) = id {
            wire::number(1, id, out);
        }
        wire::bytes(2, tags, out);
        wire::number(3, kind as u64, out);
        wire::bytes(4, geometry, out);
    }

    /// Writes the layer into a tile; one without features is left out (section 4.1).
    pub(super) fn finish(self, tile: &mut Vec<u8>) {
        if self.features.is_empty() {
            return;
        }
        let mut head = Vec::new();
        wire::number(15, 2, &mut head);
        wire::bytes(1, self.table.name.as_bytes(), &mut head);
        wire::number(5, EXTENT.into(), &mut head);
        let parts = [&head, &self.features, &self.keys, &self.values.bytes];
        let len = parts.iter().map(|part| part.len()).sum::<usize>();
        tile.reserve(len + 16);
        wire::tag(3, Wire::Bytes, tile);
        wire::varint(len as u64, tile);
        for part in parts {
            tile.extend_from_slice(part);
        }
    }
}

impl<'r> Row<'r> for Layer<'_> {
    #[expect(
        clippy::inline_always,
        reason = "a tile has thousands, and a call hands them over in memory"
    )]
    #[inline(always)]
    fn excerpt(&mut self, column: usize, json: Excerpt<'r>) {
        if !self.is_shown[column] {
            return;
        }
        let short = short_key(json);
        if let Some(place) = short.and_then(|short| self.values.known_as(short)) {
            let key = self.key_of(column);
            return self.tag_as(key, place);
        }
        let place = self.take(column, &Cell::Json(json.bytes()));
        if let (Some(short), Some(place)) = (short, place) {
            self.values.know_as(short, place);
        }
    }

    #[inline]
    fn cell(&mut self, column: usize, cell: Cell<'r>) {
        if self.is_shown[column] {
            self.take(column, &cell);
        }
    }
}

/// A short JSON text as numbers, filled with zeros, which no JSON text has.
type Short = [u64; SHORT_WORDS];
const SHORT_WORDS: usize = 3;

/// Which bits of each number are those of a text of so many bytes.
const MASKS: [Short; 8 * SHORT_WORDS + 1] = {
    let mut masks = [[0; SHORT_WORDS]; 8 * SHORT_WORDS + 1];
    let mut len = 0;
    while len < masks.len() {
        let mut byte = 0;
        while byte < len {
            masks[len][byte / 8] |= 0xff << (8 * (byte % 8));
            byte += 1;
        }
        len += 1;
    }
    masks
};

/// Most numbers and names of a collection are short, and few of them differ.
#[inline]
fn short_key(json: Excerpt<'_>) -> Option<Short> {
    let mask = MASKS.get(json.len())?;
    let Some(bytes) = json.with_rest().first_chunk::<{ 8 * SHORT_WORDS }>() else {
        return Some(last_short_key(json.bytes()));
    };
    // What lies behind the text is masked away.
    let (words, _) = bytes.as_chunks::<8>();
    let word = |at: usize| u64::from_le_bytes(words[at]) & mask[at];
    Some([word(0), word(1), word(2)])
}

/// The same where nearly nothing lies behind.
#[cold]
fn last_short_key(text: &[u8]) -> Short {
    let mut key = Short::default();
    for (at, byte) in text.iter().enumerate() {
        key[at / 8] |= u64::from(*byte) << (8 * (at % 8));
    }
    key
}

/// Few differ, so that little mixing is enough.
#[inline]
fn hash_of([first, second, third]: Short) -> u64 {
    let mixed = first ^ second.rotate_left(23) ^ third.rotate_left(46);
    let product = u128::from(mixed) * 0x9e37_79b9_7f4a_7c15_u128;
    #[expect(clippy::cast_possible_truncation, reason = "both halves are mixed")]
    let folded = product as u64 ^ (product >> 64) as u64;
    folded
}

/// Comparing the numbers leaves them where they are; comparing the lists brings them into memory first.
#[inline]
fn is_same(one: Short, other: Short) -> bool {
    (one[0] ^ other[0]) | (one[1] ^ other[1]) | (one[2] ^ other[2]) == 0
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
struct Values {
    bytes: Vec<u8>,
    /// Where the message of each value lies in the bytes.
    places: Vec<(u32, u32)>,
    known: HashTable<u32>,
    /// The places of values by their short JSON text, which then need not be written to be found.
    short: HashTable<(Short, u32)>,
    hasher: FixedState,
}

/// Most layers have so many short values and more.
const SHORT_VALUES: usize = 800;

impl Default for Values {
    fn default() -> Self {
        Self {
            bytes: Vec::new(),
            places: Vec::new(),
            known: HashTable::with_capacity(SHORT_VALUES),
            short: HashTable::with_capacity(SHORT_VALUES),
            hasher: FixedState::default(),
        }
    }
}

impl Values {
    #[inline]
    fn known_as(&self, short: Short) -> Option<u32> {
        let found = self.short.find(hash_of(short), |(known, _)| is_same(*known, short));
        found.map(|(_, place)| *place)
    }

    fn know_as(&mut self, short: Short, place: u32) {
        self.short.insert_unique(hash_of(short), (short, place), |(short, _)| hash_of(*short));
    }

    fn place(&mut self, value: &[u8]) -> u32 {
        let Self { bytes, places, known, hasher, .. } = self;
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
        wire::bytes(4, value, &mut self.bytes);
        self.placed(value.len() as u64)
    }

    /// Adds a text that is not there yet.
    fn push_text(&mut self, text: Excerpt<'_>) -> u32 {
        let len = wire::bytes_len(text.bytes());
        wire::tag(4, Wire::Bytes, &mut self.bytes);
        wire::varint(len, &mut self.bytes);
        wire::tag(1, Wire::Bytes, &mut self.bytes);
        wire::varint(text.bytes().len() as u64, &mut self.bytes);
        text.append_to::<32>(&mut self.bytes);
        self.placed(len)
    }

    /// Notes where the last value lies, which has so many bytes.
    fn placed(&mut self, len: u64) -> u32 {
        let until = u32::try_from(self.bytes.len()).expect("a layer has a limit of bytes");
        let len = u32::try_from(len).expect("a value is shorter than a layer");
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

/// The kinds of geometries (section 4.3.4).
#[derive(Clone, Copy)]
enum Kind {
    Point = 1,
    LineString = 2,
    Polygon = 3,
}

/// Writes the commands of a geometry (section 4.3).
struct Pen<'a> {
    at: [i32; 2],
    out: &'a mut Vec<u8>,
}

impl Pen<'_> {
    fn shape(&mut self, shape: &TileShape) {
        match shape {
            TileShape::Empty => {}
            TileShape::Points(points) => self.points(points),
            TileShape::Lines(lines) => lines.iter().for_each(|line| self.line(line)),
            TileShape::Polygons(polygons) => {
                for ring in polygons.iter().flatten() {
                    self.line(ring);
                    self.command(CLOSE_PATH, 1);
                }
            }
        }
    }

    fn points(&mut self, points: &[[i32; 2]]) {
        self.command(MOVE_TO, points.len());
        for at in points {
            self.go(*at);
        }
    }

    fn command(&mut self, command: u64, count: usize) {
        wire::varint(command | (count as u64) << 3, self.out);
    }

    fn go(&mut self, to: [i32; 2]) {
        let way = [to[0] - self.at[0], to[1] - self.at[1]];
        wire::varints(way.map(|axis| wire::zigzag(axis.into())), self.out);
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
