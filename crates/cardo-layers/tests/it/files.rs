use std::fs;
use std::time::Duration;

use cardo_engine::{Layers, View};
use cardo_layers::{FileLayers, LayerFiles};
use cardo_model::TwinId;
use tempfile::tempdir;

use crate::support::{layer, names, of_folder, write_points};

#[test]
fn what_lies_in_the_folder_is_a_layer_and_what_cannot_be_read_hinders_no_other() {
    let folder = tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let layers = of_folder(&at("none"));
    assert!(names(&layers).is_empty());
    write_points(&at("trees.fgb"), 4326, &[(24.9, 60.1, 1), (25.0, 60.2, 2)]);
    write_points(&at("unknown.fgb"), 9_999, &[(380_000.0, 6_670_000.0, 1)]);
    // The edges of a box around the pole do not tell what lies in it.
    write_points(&at("pole.fgb"), 3_995, &[(-100_000.0, -90_000.0, 1), (80_000.0, 110_000.0, 1)]);
    write_points(&at("far.fgb"), 4326, &[(380_000.0, 6_670_000.0, 1)]);
    write_points(&at("not a name.fgb"), 4326, &[(24.9, 60.1, 1)]);
    fs::write(at("broken.fgb"), b"fgb\x03fgb\x00 nothing more").unwrap();
    fs::write(at("empty.FGB"), b"").unwrap();
    fs::write(at("notes.txt"), b"hello").unwrap();
    let layers = of_folder(folder.path());
    assert_eq!(names(&layers), ["trees"]);
    let description = layer(&layers, "trees");
    let description = description.description();
    assert_eq!(description.info.count, 2);
    assert_eq!(description.info.attributes[0].extent, Some([24.9, 60.1, 25.0, 60.2]));
    let columns: Vec<&str> = description.table.columns.iter().map(|c| &*c.name).collect();
    assert_eq!(columns, ["height", "location", "name"]);
    assert!(layers.of(&TwinId::of_tenant("north").unwrap()).is_empty());
}

#[test]
fn noise_behind_the_edge_of_the_globe_keeps_no_file_out() {
    let folder = tempdir().unwrap();
    let places = [(180.000_000_000_000_03, -90.000_000_000_000_01, 1), (24.9, 60.1, 2)];
    write_points(&folder.path().join("world.fgb"), 4326, &places);
    let layers = of_folder(folder.path());
    let world = layer(&layers, "world");
    assert_eq!(world.description().info.attributes[0].extent, Some([24.9, -90.0, 180.0, 60.1]));
    let table = &world.description().table;
    let places = [0, 1].map(|place| {
        let record = world.feature(place).unwrap().unwrap();
        cardo_model::read_point(table.geometry_of(&record.view()).unwrap()).unwrap()
    });
    assert!(places.contains(&[180.0, -90.0]), "{places:?}");
}

#[test]
fn a_file_that_is_replaced_or_removed_is_noticed() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("trees.fgb");
    write_points(&path, 4326, &[(24.9, 60.1, 1)]);
    let layers = of_folder(folder.path());
    let before = layer(&layers, "trees");
    assert_eq!(before.description().version, layer(&layers, "trees").description().version);
    let other = folder.path().join("other");
    write_points(&other, 4326, &[(24.9, 60.1, 1), (24.9, 60.1, 2), (24.9, 60.1, 3)]);
    fs::rename(&other, &path).unwrap();
    let after = layer(&layers, "trees");
    assert_eq!(after.description().info.count, 3);
    assert_ne!(after.description().version, before.description().version);
    // Who still reads the old one reads it as it was.
    assert!(before.retrieve(&View::all(), "trees.0").unwrap().is_some());
    assert!(before.retrieve(&View::all(), "trees.1").unwrap().is_none());
    fs::remove_file(&path).unwrap();
    assert!(names(&layers).is_empty());
    write_points(&path, 4326, &[(24.9, 60.1, 1)]);
    assert_eq!(names(&layers), ["trees"]);
}

#[test]
fn a_file_that_shrinks_while_it_is_read_is_an_error_and_not_the_end() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("trees.fgb");
    let points: Vec<_> = (0..100).map(|n| (24.9, 60.1, n)).collect();
    write_points(&path, 4326, &points);
    let layers = of_folder(folder.path());
    let trees = layer(&layers, "trees");
    let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.set_len(600).unwrap();
    let error = trees.retrieve(&View::all(), "trees.99").unwrap_err();
    assert!(error.to_string().contains("\"trees\""), "{error}");
    assert!(names(&layers).is_empty());
}

#[test]
fn a_file_that_the_configuration_names_comes_before_one_of_the_folder() {
    let folder = tempdir().unwrap();
    let inside = folder.path().join("layers");
    fs::create_dir(&inside).unwrap();
    write_points(&inside.join("trees.fgb"), 4326, &[(24.9, 60.1, 1)]);
    let own = folder.path().join("elsewhere.fgb");
    write_points(&own, 4326, &[(24.9, 60.1, 1), (24.9, 60.1, 2)]);
    let named = [("trees", &own), ("missing", &folder.path().join("none.fgb"))];
    let named = named.map(|(name, path)| (name.to_owned(), path.clone())).into();
    let files = LayerFiles { folder: Some(inside), named };
    let layers = FileLayers::new(files, Duration::ZERO);
    assert_eq!(names(&layers), ["trees"]);
    assert_eq!(layer(&layers, "trees").description().info.count, 2);
}
