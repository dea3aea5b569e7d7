//! Writing FlatGeobuf.

use std::io::{self, Write};

use flatbuffers::{FlatBufferBuilder, WIPOffset};
use flatgeobuf::{
    Column, ColumnArgs, ColumnType, Crs, CrsArgs, Feature, FeatureArgs, Geometry as Flat,
    GeometryArgs, GeometryType, Header, HeaderArgs,
    packed_r_tree::{NodeItem, PackedRTree, calc_extent, hilbert_sort},
};
use geo_types::{Coord, Geometry, LineString, Polygon};

use super::header::{MAGIC, malformed};
use crate::geometry::each_position;
use crate::{Fault, FieldKind, FieldSchema, FieldValue, Record, RecordGeometry};

/// Writes a file of features with a spatial index.
///
/// Features are kept until [`finish`](Self::finish), because the index stands
/// before them. An index needs a box of every feature, so a file with features
/// that have no geometry gets none.
#[derive(Debug)]
pub struct FlatGeobufWriter {
    name: String,
    epsg: Option<i32>,
    schema: Vec<FieldSchema>,
    features: Vec<Vec<u8>>,
    boxes: Vec<NodeItem>,
    kinds: Kinds,
}

/// Whether all geometries seen are of one type, and whether all have heights: what a header says of heights holds for
/// each feature, and GDAL reads no file with one that has none of those that were said. Those that there are stand in
/// their features all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kinds {
    None,
    One(GeometryType, bool),
    Mixed(bool),
}

impl Kinds {
    pub(crate) fn with(self, geometry: &RecordGeometry) -> Self {
        let kind = kind(&geometry.shape);
        let high = !geometry.heights.is_empty();
        match self {
            Self::None => Self::One(kind, high),
            Self::One(known, was) if known == kind => Self::One(kind, was && high),
            Self::One(_, was) | Self::Mixed(was) => Self::Mixed(was && high),
        }
    }

    /// What the header says of geometries: their type, and whether they have heights.
    pub(crate) fn declared(self) -> (GeometryType, bool) {
        match self {
            Self::None => (GeometryType::Unknown, false),
            Self::One(kind, high) => (kind, high),
            Self::Mixed(high) => (GeometryType::Unknown, high),
        }
    }
}

impl FlatGeobufWriter {
    /// Begins a file. Fields that the schema does not name are not written; of
    /// a kind that is not declared, values are written as JSON text.
    pub fn new(name: &str, epsg: Option<i32>, schema: Vec<FieldSchema>) -> Self {
        Self {
            name: name.to_owned(),
            epsg,
            schema,
            features: Vec::new(),
            boxes: Vec::new(),
            kinds: Kinds::None,
        }
    }

    /// Adds a feature.
    ///
    /// # Errors
    /// If a value is not of the kind that the schema declares.
    pub fn write(&mut self, record: &Record) -> Result<(), Fault> {
        if let Some(geometry) = &record.geometry {
            self.note(geometry);
        }
        let properties = self.properties(record)?;
        self.features.push(feature(record.geometry.as_ref(), &properties));
        Ok(())
    }

    fn note(&mut self, geometry: &RecordGeometry) {
        self.kinds = self.kinds.with(geometry);
        let mut node = NodeItem::create(self.features.len() as u64);
        each_position(&geometry.shape, &mut |position| node.expand_xy(position.x, position.y));
        self.boxes.push(node);
    }

    fn properties(&self, record: &Record) -> Result<Vec<u8>, Fault> {
        let mut bytes = Vec::new();
        for (column, value) in (0_u16..).zip(self.schema.iter().map(|c| record.field(&c.name))) {
            let Some(value) = value.filter(|value| !value.is_null()) else {
                continue;
            };
            bytes.extend(column.to_le_bytes());
            let declared = &self.schema[usize::from(column)];
            push_value(declared, value, &mut bytes)?;
        }
        Ok(bytes)
    }

    /// Writes the file.
    pub fn finish(mut self, out: &mut impl Write) -> io::Result<()> {
        let indexed = !self.features.is_empty() && self.boxes.len() == self.features.len();
        let extent = calc_extent(&self.boxes);
        out.write_all(&MAGIC)?;
        out.write_all(&self.header(indexed, &extent))?;
        if !indexed {
            return self.features.iter().try_for_each(|feature| out.write_all(feature));
        }
        hilbert_sort(&mut self.boxes, &extent);
        let order: Vec<usize> = self
            .boxes
            .iter()
            .map(|node| usize::try_from(node.offset).unwrap_or_default())
            .collect();
        let mut offset = 0;
        for (node, index) in self.boxes.iter_mut().zip(&order) {
            node.offset = offset;
            offset += self.features[*index].len() as u64;
        }
        let tree = PackedRTree::build(&self.boxes, &extent, PackedRTree::DEFAULT_NODE_SIZE)
            .map_err(io::Error::other)?;
        tree.stream_write(out)?;
        order.iter().try_for_each(|index| out.write_all(&self.features[*index]))
    }

    fn header(&self, indexed: bool, extent: &NodeItem) -> Vec<u8> {
        let columns = self.schema.iter().map(|field| (field.name.as_ref(), column_type(field)));
        Heading {
            name: &self.name,
            kinds: self.kinds,
            extent: indexed.then_some(extent),
            count: self.features.len() as u64,
            is_indexed: indexed,
            epsg: self.epsg,
        }
        .encode(columns)
    }
}

/// What the header of a file that is written says.
pub(crate) struct Heading<'a> {
    pub(crate) name: &'a str,
    pub(crate) kinds: Kinds,
    pub(crate) extent: Option<&'a NodeItem>,
    pub(crate) count: u64,
    pub(crate) is_indexed: bool,
    pub(crate) epsg: Option<i32>,
}

impl Heading<'_> {
    /// The header with its length before it.
    pub(crate) fn encode<'c>(
        &self,
        columns: impl Iterator<Item = (&'c str, ColumnType)>,
    ) -> Vec<u8> {
        let mut builder = FlatBufferBuilder::new();
        let name = builder.create_string(self.name);
        let columns: Vec<_> = columns
            .map(|(name, type_)| {
                let name = Some(builder.create_string(name));
                Column::create(&mut builder, &ColumnArgs { name, type_, ..ColumnArgs::default() })
            })
            .collect();
        let columns = builder.create_vector(&columns);
        let envelope = self.extent.map(|extent| {
            builder.create_vector(&[extent.min_x, extent.min_y, extent.max_x, extent.max_y])
        });
        let crs = self.epsg.map(|code| {
            let org = Some(builder.create_string("EPSG"));
            Crs::create(&mut builder, &CrsArgs { org, code, ..CrsArgs::default() })
        });
        let (geometry_type, has_z) = self.kinds.declared();
        let header = Header::create(
            &mut builder,
            &HeaderArgs {
                name: Some(name),
                envelope,
                geometry_type,
                has_z,
                columns: Some(columns),
                features_count: self.count,
                index_node_size: if self.is_indexed { PackedRTree::DEFAULT_NODE_SIZE } else { 0 },
                crs,
                ..HeaderArgs::default()
            },
        );
        builder.finish_size_prefixed(header, None);
        builder.finished_data().to_vec()
    }
}

/// A feature with its length before it.
pub(crate) fn feature(geometry: Option<&RecordGeometry>, properties: &[u8]) -> Vec<u8> {
    let mut builder = FlatBufferBuilder::new();
    let geometry = geometry.map(|geometry| flat(&mut builder, geometry));
    let properties = builder.create_vector(properties);
    let feature = Feature::create(
        &mut builder,
        &FeatureArgs { geometry, properties: Some(properties), columns: None },
    );
    builder.finish_size_prefixed(feature, None);
    builder.finished_data().to_vec()
}

fn column_type(field: &FieldSchema) -> ColumnType {
    match field.kind {
        FieldKind::Bool => ColumnType::Bool,
        FieldKind::Int => ColumnType::Long,
        FieldKind::Float => ColumnType::Double,
        FieldKind::Text => ColumnType::String,
        FieldKind::DateTime => ColumnType::DateTime,
        FieldKind::Binary | FieldKind::Any | FieldKind::Json => ColumnType::Json,
    }
}

fn push_value(
    declared: &FieldSchema,
    value: &FieldValue,
    bytes: &mut Vec<u8>,
) -> Result<(), Fault> {
    match (declared.kind, value) {
        (FieldKind::Bool, FieldValue::Bool(value)) => bytes.push(u8::from(*value)),
        (FieldKind::Int, FieldValue::Int(value)) => bytes.extend(value.to_le_bytes()),
        (FieldKind::Float, FieldValue::Float(_) | FieldValue::Int(_)) => {
            let value = value.as_f64().unwrap_or_default();
            bytes.extend(value.to_le_bytes());
        }
        (FieldKind::Text, FieldValue::Text(text) | FieldValue::DateTime(text))
        | (FieldKind::DateTime, FieldValue::DateTime(text)) => push_text(text, bytes)?,
        (FieldKind::Any | FieldKind::Json | FieldKind::Binary, value) => {
            let mut json = String::new();
            value.write_json(&mut json);
            push_text(&json, bytes)?;
        }
        (kind, value) => {
            return Err(malformed(format_args!(
                "field `{}` is declared as {kind:?} and holds {value:?}",
                declared.name
            )));
        }
    }
    Ok(())
}

pub(crate) fn push_text(text: &str, bytes: &mut Vec<u8>) -> Result<(), Fault> {
    let length = u32::try_from(text.len()).map_err(|_| malformed("a text beyond 4 GiB"))?;
    bytes.extend(length.to_le_bytes());
    bytes.extend_from_slice(text.as_bytes());
    Ok(())
}

pub(crate) fn kind(shape: &Geometry<f64>) -> GeometryType {
    match shape {
        Geometry::Point(_) => GeometryType::Point,
        Geometry::Line(_) | Geometry::LineString(_) => GeometryType::LineString,
        Geometry::Polygon(_) | Geometry::Rect(_) | Geometry::Triangle(_) => GeometryType::Polygon,
        Geometry::MultiPoint(_) => GeometryType::MultiPoint,
        Geometry::MultiLineString(_) => GeometryType::MultiLineString,
        Geometry::MultiPolygon(_) => GeometryType::MultiPolygon,
        Geometry::GeometryCollection(_) => GeometryType::GeometryCollection,
    }
}

fn flat<'b>(builder: &mut FlatBufferBuilder<'b>, geometry: &RecordGeometry) -> WIPOffset<Flat<'b>> {
    let mut heights = geometry.heights.as_slice();
    Parts { builder, heights: &mut heights }.geometry(&geometry.shape)
}

struct Parts<'p, 'b, 'h> {
    builder: &'p mut FlatBufferBuilder<'b>,
    heights: &'p mut &'h [f64],
}

impl<'b> Parts<'_, 'b, '_> {
    fn geometry(&mut self, shape: &Geometry<f64>) -> WIPOffset<Flat<'b>> {
        match shape {
            Geometry::MultiPolygon(polygons) => {
                let parts: Vec<_> = polygons.0.iter().map(|part| self.polygon(part)).collect();
                self.of_parts(GeometryType::MultiPolygon, &parts)
            }
            Geometry::GeometryCollection(members) => {
                let parts: Vec<_> = members.0.iter().map(|member| self.geometry(member)).collect();
                self.of_parts(GeometryType::GeometryCollection, &parts)
            }
            Geometry::Polygon(polygon) => self.polygon(polygon),
            Geometry::Rect(rect) => self.polygon(&rect.to_polygon()),
            Geometry::Triangle(triangle) => self.polygon(&triangle.to_polygon()),
            Geometry::MultiLineString(lines) => {
                let ends = ends(lines.0.iter());
                self.of_positions(shape, GeometryType::MultiLineString, &ends)
            }
            other => self.of_positions(other, kind(other), &[]),
        }
    }

    fn polygon(&mut self, polygon: &Polygon<f64>) -> WIPOffset<Flat<'b>> {
        let ends = ends(std::iter::once(polygon.exterior()).chain(polygon.interiors()));
        let shape = Geometry::Polygon(polygon.clone());
        self.of_positions(&shape, GeometryType::Polygon, &ends)
    }

    fn of_parts(
        &mut self,
        type_: GeometryType,
        parts: &[WIPOffset<Flat<'b>>],
    ) -> WIPOffset<Flat<'b>> {
        let parts = Some(self.builder.create_vector(parts));
        Flat::create(self.builder, &GeometryArgs { type_, parts, ..GeometryArgs::default() })
    }

    fn of_positions(
        &mut self,
        shape: &Geometry<f64>,
        type_: GeometryType,
        ends: &[u32],
    ) -> WIPOffset<Flat<'b>> {
        let mut positions: Vec<Coord<f64>> = Vec::new();
        each_position(shape, &mut |position| positions.push(position));
        let own = self.heights.len().min(positions.len());
        let (z, rest) = self.heights.split_at(own);
        *self.heights = rest;
        let z = (!z.is_empty()).then(|| self.builder.create_vector(z));
        let xy: Vec<f64> = positions.iter().flat_map(|p| [p.x, p.y]).collect();
        let xy = Some(self.builder.create_vector(&xy));
        let ends = (ends.len() > 1).then(|| self.builder.create_vector(ends));
        Flat::create(self.builder, &GeometryArgs { ends, xy, z, type_, ..GeometryArgs::default() })
    }
}

/// Where each line ends among the positions of all.
fn ends<'l>(lines: impl Iterator<Item = &'l LineString<f64>>) -> Vec<u32> {
    let mut end = 0_u32;
    lines
        .map(|line| {
            end = end.saturating_add(u32::try_from(line.0.len()).unwrap_or(u32::MAX));
            end
        })
        .collect()
}
