use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use cardo_engine::{Layer, Layers};
use cardo_formats::{FieldKind, FieldSchema, FieldValue, FlatGeobufWriter, Record, RecordGeometry};
use cardo_layers::{FileLayers, LayerFiles};
use cardo_model::TwinId;

/// Points with a number each.
pub(crate) fn write_points(path: &Path, epsg: i32, points: &[(f64, f64, i64)]) {
    let schema = |name: &str, kind| FieldSchema { name: name.into(), kind };
    let columns = vec![schema("height", FieldKind::Int), schema("name", FieldKind::Text)];
    let mut writer = FlatGeobufWriter::new("points", Some(epsg), columns);
    for (x, y, height) in points {
        let geometry = Some(RecordGeometry::flat(geo_types::Point::new(*x, *y)));
        let name = format!("no. {height}");
        let fields = vec![
            ("height".into(), FieldValue::Int(*height)),
            ("name".into(), FieldValue::Text(name)),
        ];
        writer.write(&Record { geometry, fields, ..Record::default() }).unwrap();
    }
    let mut bytes = Vec::new();
    writer.finish(&mut bytes).unwrap();
    std::fs::write(path, bytes).unwrap();
}

/// The layers of a folder, which is looked at each time.
pub(crate) fn of_folder(folder: &Path) -> FileLayers {
    let files = LayerFiles { folder: Some(folder.to_owned()), ..LayerFiles::default() };
    FileLayers::new(files, Duration::ZERO)
}

pub(crate) fn names(layers: &FileLayers) -> Vec<String> {
    let all = layers.of(&TwinId::default());
    all.iter().map(|layer| layer.description().table.name.to_string()).collect()
}

pub(crate) fn layer(layers: &FileLayers, name: &str) -> Arc<dyn Layer> {
    let all = layers.of(&TwinId::default());
    all.iter().find(|layer| &*layer.description().table.name == name).unwrap().clone()
}
