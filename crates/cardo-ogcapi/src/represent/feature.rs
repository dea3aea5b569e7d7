use std::borrow::Cow;
use std::sync::Arc;

use cardo_engine::{Cell, ColumnType, Row, Table};
use cardo_model::codec::Excerpt;
use cardo_model::{AttributeRef, EntityRef, MomentWriter, Timestamp, write_json_string};
use cardo_spatial::CrsError;

use super::text::write_moment;
use super::{Misplaced, Placer, Resolver, Shown, is_reference, right_handed};
use crate::params::Profile;

/// Writes entities as features of a collection.
pub(crate) struct FeatureWriter<'a> {
    pub(crate) out: &'a mut Vec<u8>,
    table: &'a Table,
    keys: Vec<Key>,
    moments: MomentWriter,
    texts: TextWriter,
    placer: Option<Placer>,
    is_right_handed: bool,
    references: Option<Arc<Resolver>>,
    profile: Profile,
}

/// Keys up to this length are copied with a copy of fixed size, which needs no call.
const SHORT: usize = 32;

/// What stands before the value of a column: a comma, the name in quotes and a colon.
struct Key {
    short: [u8; SHORT],
    len: usize,
    /// The whole key, where it is longer.
    long: Box<[u8]>,
    datatype: ColumnType,
    place: Place,
    /// Whether key and value are copied as they stand, among the properties.
    is_copied: bool,
}

/// Where the value of a column goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Property,
    Geometry,
    /// Among the properties, as a geometry by the right-hand rule in the system that is asked for.
    Placed,
    /// Among the properties, as addresses of other features.
    Reference,
    Nowhere,
}

impl Key {
    fn of(table: &Table, shown: &Shown, at: usize) -> Self {
        let column = &table.columns[at];
        // Names of columns are letters, digits and low lines.
        let parts = [b",\"", column.name.as_bytes(), b"\":"];
        let (mut short, mut len) = ([0; SHORT], 0);
        for part in parts {
            if let Some(place) = short.get_mut(len..len + part.len()) {
                place.copy_from_slice(part);
            }
            len += part.len();
        }
        let long = if len > SHORT { parts.concat().into() } else { Box::default() };
        let is_placed = column.datatype == ColumnType::Geometry;
        let place = match table.geometry == Some(at) {
            _ if !shown.shows(table, at) => Place::Nowhere,
            true => Place::Geometry,
            false if is_placed => Place::Placed,
            false if shown.references.is_some() && is_reference(column) => Place::Reference,
            false => Place::Property,
        };
        let datatype = column.datatype;
        let is_whole = len <= SHORT && datatype != ColumnType::Relationships;
        let is_copied = place == Place::Property && is_whole;
        Self { short, len, long, datatype, place, is_copied }
    }

    #[inline]
    fn write(&self, out: &mut Vec<u8>) {
        if self.len > SHORT {
            out.extend_from_slice(&self.long);
            return;
        }
        let end = out.len() + self.len;
        out.extend_from_slice(&self.short);
        out.truncate(end);
    }

    /// Writes a key that is short, and the value behind it, both at once where that is short too.
    #[expect(clippy::inline_always, reason = "a page writes thousands")]
    #[inline(always)]
    fn write_with(&self, value: Excerpt<'_>, out: &mut Vec<u8>) {
        let len = self.len.min(SHORT);
        let start = out.len();
        out.extend_from_slice(&[0; 2 * SHORT]);
        let room = &mut out[start..];
        room[..SHORT].copy_from_slice(&self.short);
        if let Some(text) = value.within::<SHORT>() {
            room[len..len + SHORT].copy_from_slice(text);
            out.truncate(start + len + value.len());
        } else {
            out.truncate(start + len);
            out.extend_from_slice(value.bytes());
        }
    }
}

impl<'a> FeatureWriter<'a> {
    pub(crate) fn new(out: &'a mut Vec<u8>, table: &'a Table, shown: &Shown) -> Self {
        let keys = (0..table.columns.len()).map(|at| Key::of(table, shown, at)).collect();
        let placer = Placer::of(&shown.system);
        let (references, profile) = (shown.references.clone(), Profile::Rfc7946);
        let moments = MomentWriter::default();
        let texts = TextWriter::default();
        let is_right_handed = shown.is_right_handed;
        Self { out, table, keys, moments, texts, placer, is_right_handed, references, profile }
    }

    /// The same in another profile of GeoJSON (OGC 21-045r1, clause 14).
    pub(crate) fn in_profile(mut self, profile: Profile) -> Self {
        self.profile = profile;
        self
    }

    /// Writes a feature without the bracket at its end, so that members can follow.
    pub(crate) fn open_feature(&mut self, entity: &EntityRef<'_>) -> Result<(), Misplaced> {
        let Self { out, table, keys, moments, texts, placer, is_right_handed, references, profile } =
            self;
        out.extend_from_slice(b"{\"type\":\"Feature\",\"id\":\"");
        // Ids are IRIs, which hold nothing that JSON would escape.
        entity.id_excerpt().append_to::<SHORT>(out);
        out.extend_from_slice(b"\",\"properties\":");
        let properties = out.len();
        let references = references.as_deref();
        let mut cells = CellWriter {
            out,
            keys,
            moments,
            texts,
            placer,
            references,
            geometry: None,
            fault: None,
        };
        table.read(entity, &mut cells);
        let mut fault = cells.fault;
        let geometry = cells.geometry.map(|geometry| match is_right_handed {
            true => Cow::Borrowed(geometry),
            false => right_handed(geometry),
        });
        let geometry = geometry.as_deref();
        // The comma before the first property is where the bracket goes.
        match out.get_mut(properties) {
            Some(comma) => *comma = b'{',
            None => out.push(b'{'),
        }
        out.extend_from_slice(b"},\"geometry\":");
        let is_fg = *profile != Profile::Rfc7946;
        // JSON-FG has what is not in WGS 84 elsewhere (/req/core/geometry-wgs84).
        if is_fg && placer.is_some() {
            let has_both = *profile == Profile::JsonFgPlus;
            out.extend_from_slice(geometry.filter(|_| has_both).unwrap_or(b"null"));
            out.extend_from_slice(b",\"place\":");
        }
        match (geometry, placer.as_mut()) {
            (Some(geometry), Some(placer)) => {
                fault = fault.or(placer.write(geometry, out).err());
            }
            (geometry, _) => out.extend_from_slice(geometry.unwrap_or(b"null")),
        }
        if is_fg {
            if placer.is_none() {
                // What is in WGS 84 has no other place (/req/core/place-geometries).
                out.extend_from_slice(b",\"place\":null");
            }
            out.extend_from_slice(b",\"time\":");
            match last_observed(entity) {
                Some(moment) => {
                    out.extend_from_slice(b"{\"timestamp\":\"");
                    moments.write(moment, out);
                    out.extend_from_slice(b"\"}");
                }
                None => out.extend_from_slice(b"null"),
            }
        }
        match (fault, placer) {
            (Some(why), Some(placer)) => {
                let (id, system) = (entity.id().to_owned(), placer.system.uri.clone());
                Err(Misplaced { id, system, why })
            }
            _ => Ok(()),
        }
    }

    /// Writes a feature.
    pub(crate) fn feature(&mut self, entity: &EntityRef<'_>) -> Result<(), Misplaced> {
        self.open_feature(entity)?;
        self.out.push(b'}');
        Ok(())
    }
}

/// The time of a feature: the latest of its observations, by which `datetime` asks for it.
fn last_observed(entity: &EntityRef<'_>) -> Option<Timestamp> {
    let of_attribute = |attribute: AttributeRef<'_>| {
        attribute.instances().filter_map(|instance| instance.observed_at()).max()
    };
    entity.attributes().filter_map(of_attribute).max()
}

/// Writes texts as JSON strings. Those of a column, such as units, are mostly the same, whose JSON is made once.
#[derive(Default)]
struct TextWriter {
    last: String,
    json: [u8; SHORT],
    len: usize,
}

impl TextWriter {
    #[inline]
    fn write(&mut self, text: &str, out: &mut Vec<u8>) {
        if self.len == 0 || self.last != text {
            let start = out.len();
            write_json_string(text, out);
            let json = &out[start..];
            if let Some(place) = self.json.get_mut(..json.len()) {
                place.copy_from_slice(json);
                self.len = json.len();
                text.clone_into(&mut self.last);
            }
            return;
        }
        let end = out.len() + self.len;
        out.extend_from_slice(&self.json);
        out.truncate(end);
    }
}

/// Writes the cells of an entity as members of its properties, each behind a comma.
struct CellWriter<'w, 'a> {
    out: &'w mut Vec<u8>,
    keys: &'w [Key],
    moments: &'w mut MomentWriter,
    texts: &'w mut TextWriter,
    placer: &'w mut Option<Placer>,
    references: Option<&'w Resolver>,
    geometry: Option<&'a [u8]>,
    fault: Option<CrsError>,
}

impl<'a> Row<'a> for CellWriter<'_, 'a> {
    fn cell(&mut self, column: usize, cell: Cell<'a>) {
        if let Cell::Json(json) = cell {
            self.json(column, json);
            return;
        }
        let key = &self.keys[column];
        if key.place == Place::Nowhere {
            return;
        }
        key.write(self.out);
        match cell {
            Cell::Time(moment) => {
                self.out.push(b'"');
                self.moments.write(moment, self.out);
                self.out.push(b'"');
            }
            Cell::Text(text) => self.texts.write(text, self.out),
            cell => cell_json(&cell, key.datatype, self.out),
        }
    }

    fn json(&mut self, column: usize, json: &'a [u8]) {
        let key = &self.keys[column];
        if key.place != Place::Property {
            match key.place {
                Place::Geometry => self.geometry = Some(json),
                Place::Placed => self.placed(column, json),
                Place::Reference => self.referenced(column, json),
                Place::Property | Place::Nowhere => {}
            }
            return;
        }
        key.write(self.out);
        value_json(json, key.datatype, self.out);
    }

    #[expect(clippy::inline_always, reason = "a page writes thousands")]
    #[inline(always)]
    fn excerpt(&mut self, column: usize, json: Excerpt<'a>) {
        let key = &self.keys[column];
        if key.is_copied {
            key.write_with(json, self.out);
        } else {
            self.json(column, json.bytes());
        }
    }
}

impl CellWriter<'_, '_> {
    /// Writes a geometry among the properties: all geometries are in the system that was asked for (requirement
    /// /req/crs/fc-crs-action).
    #[cold]
    fn placed(&mut self, column: usize, json: &[u8]) {
        self.keys[column].write(self.out);
        let json = right_handed(json);
        match self.placer.as_mut() {
            Some(placer) => {
                self.fault = self.fault.take().or(placer.write(&json, self.out).err());
            }
            None => self.out.extend_from_slice(&json),
        }
    }
}

impl CellWriter<'_, '_> {
    #[cold]
    fn referenced(&mut self, column: usize, json: &[u8]) {
        let key = &self.keys[column];
        key.write(self.out);
        match self.references {
            Some(references) => references.write(json, key.datatype, self.out),
            None => value_json(json, key.datatype, self.out),
        }
    }
}

/// Writes what stands in a cell as JSON.
#[inline]
pub(crate) fn cell_json(cell: &Cell<'_>, datatype: ColumnType, out: &mut Vec<u8>) {
    match cell {
        Cell::Json(json) => value_json(json, datatype, out),
        Cell::Shown(text) => out.extend_from_slice(text.as_bytes()),
        Cell::Text(text) => write_json_string(text, out),
        Cell::Time(moment) => write_moment(*moment, out),
    }
}

#[inline]
fn value_json(json: &[u8], datatype: ColumnType, out: &mut Vec<u8>) {
    match datatype {
        // A list of one id is held without its brackets.
        ColumnType::Relationships if json.starts_with(b"\"") => {
            out.push(b'[');
            out.extend_from_slice(json);
            out.push(b']');
        }
        ColumnType::Geometry => out.extend_from_slice(&right_handed(json)),
        _ => out.extend_from_slice(json),
    }
}
