//! Layers of ready tiles: PMTiles, sound and damaged.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use cardo_engine::{Layers, TileContent, TileForm, TileLayer};
use cardo_formats::{Directory, Fault, Packing, PmTiles, tile_id};
use cardo_layers::{FileLayers, LayerFiles};
use cardo_model::TwinId;
use cardo_testkit::pmtiles::PmTilesWriter;
use proptest::prelude::*;
use serde_json::json;
use tempfile::tempdir;

use crate::support::{names, of_folder, write_points};

fn tile_names(layers: &FileLayers) -> Vec<String> {
    let all = layers.tiles_of(&TwinId::default());
    all.iter().map(|layer| layer.description().name.clone()).collect()
}

fn tile_layer(layers: &FileLayers, name: &str) -> Arc<dyn TileLayer> {
    let all = layers.tiles_of(&TwinId::default());
    all.iter().find(|layer| layer.description().name == name).unwrap().clone()
}

fn roads() -> PmTilesWriter {
    let layer = json!({
        "id": "roads", "description": "All of them", "minzoom": 1, "maxzoom": 30,
        "fields": { "lanes": "Number", "name": "The name on signs" },
    });
    PmTilesWriter::of_vectors(&json!([layer]))
}

/// A tile as a reader without a cache finds it.
fn read(
    archive: &PmTiles<Vec<u8>>,
    [zoom, column, row]: [u32; 3],
) -> Result<Option<Vec<u8>>, Fault> {
    let id = tile_id(zoom.try_into().unwrap(), column, row).unwrap();
    let found = archive.find(id, &mut |piece| archive.directory(piece))?;
    found.map(|piece| archive.tile(piece)).transpose()
}

fn open(bytes: Vec<u8>) -> Result<PmTiles<Vec<u8>>, Fault> {
    let length = bytes.len() as u64;
    PmTiles::open(bytes, length)
}

fn packing() -> impl Strategy<Value = Packing> {
    prop::sample::select(vec![Packing::None, Packing::Gzip, Packing::Zstd])
}

/// Some tiles; content repeats, so that there are runs.
fn tiles() -> impl Strategy<Value = BTreeMap<(u8, u32, u32), Vec<u8>>> {
    let place = (0_u8..6, 0_u32..64, 0_u32..64)
        .prop_map(|(zoom, x, y)| (zoom, x & ((1 << zoom) - 1), y & ((1 << zoom) - 1)));
    let content = prop_oneof![
        3 => Just(b"sea".to_vec()),
        1 => prop::collection::vec(any::<u8>(), 1..200),
    ];
    prop::collection::btree_map(place, content, 1..400)
}

fn archive_of(
    tiles: &BTreeMap<(u8, u32, u32), Vec<u8>>,
    internal: Packing,
    packing: Packing,
    most_entries: usize,
) -> Vec<u8> {
    let mut writer = PmTilesWriter { internal, packing, most_entries, ..roads() };
    for ((zoom, column, row), content) in tiles {
        writer.tile(*zoom, *column, *row, content.clone());
    }
    writer.finish()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn every_tile_of_an_archive_is_found_and_no_other(
        tiles in tiles(),
        (internal, packing) in (packing(), packing()),
        most_entries in prop::sample::select(vec![12_usize, 40, 1_000]),
    ) {
        let folder = tempdir().unwrap();
        let path = folder.path().join("city.pmtiles");
        fs::write(&path, archive_of(&tiles, internal, packing, most_entries)).unwrap();
        let layers = of_folder(folder.path());
        let layer = tile_layer(&layers, "city");
        for zoom in 0_u8..7 {
            for column in 0..1_u32 << zoom {
                for row in 0..1_u32 << zoom {
                    let found = layer.find([zoom.into(), column, row]).unwrap();
                    let found = found.map(|place| layer.read(place, TileForm::Plain).unwrap());
                    prop_assert_eq!(found.as_ref(), tiles.get(&(zoom, column, row)));
                }
            }
        }
    }

    #[test]
    fn no_damage_makes_an_archive_more_than_an_error(
        tiles in tiles(),
        (internal, packing) in (packing(), packing()),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12),
        is_near_the_start in any::<bool>(),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = archive_of(&tiles, internal, packing, 12);
        let room = if is_near_the_start { 300.min(bytes.len()) } else { bytes.len() };
        for (at, byte) in damage {
            bytes[at.index(room)] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        if let Ok(archive) = open(bytes) {
            let _ = archive.metadata();
            for (zoom, column, row) in tiles.keys() {
                let _ = read(&archive, [(*zoom).into(), *column, *row]);
            }
        }
    }
}

#[test]
fn what_the_file_says_of_itself_is_what_the_layer_is() {
    let folder = tempdir().unwrap();
    let mut writer = PmTilesWriter { bounds: [24.5, 60.0, 25.5, 60.5], ..roads() };
    writer.tile(2, 2, 1, "near");
    writer.tile(9, 291, 148, "far");
    fs::write(folder.path().join("roads.pmtiles"), writer.finish()).unwrap();
    fs::write(folder.path().join("no_box.pmtiles"), {
        PmTilesWriter { bounds: [0.0; 4], ..writer }.finish()
    })
    .unwrap();
    let layers = of_folder(folder.path());
    assert!(names(&layers).is_empty());
    assert_eq!(tile_names(&layers), ["no_box", "roads"]);
    let roads = tile_layer(&layers, "roads");
    let said = roads.description();
    assert_eq!((said.title.as_deref(), said.zooms), (Some("a test"), [2, 9]));
    assert_eq!((said.bounds.min, said.bounds.max), ([24.5, 60.0], [25.5, 60.5]));
    assert_eq!(said.center, ([25.0, 60.25], 2));
    let TileContent::Vector(vector) = &said.content else { panic!("{said:?}") };
    assert_eq!((vector[0].id.as_str(), vector[0].zooms), ("roads", [2, 9]));
    let fields = [("lanes", "Number"), ("name", "The name on signs")];
    assert_eq!(vector[0].fields, fields.map(|(name, says)| (name.to_owned(), says.to_owned())));
    let no_box = tile_layer(&layers, "no_box");
    assert!(no_box.description().bounds.min[0] < -179.0, "the world, where there is no box");
    assert!(layers.tiles_of(&TwinId::of_tenant("north").unwrap()).is_empty());
}

#[test]
fn an_archive_that_is_replaced_or_removed_is_noticed() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("roads.pmtiles");
    let write = |content: &str| {
        let mut writer = roads();
        writer.tile(0, 0, 0, content);
        let other = folder.path().join("other");
        fs::write(&other, writer.finish()).unwrap();
        fs::rename(&other, &path).unwrap();
    };
    write("before");
    let layers = of_folder(folder.path());
    let before = tile_layer(&layers, "roads");
    let read = |layer: &dyn TileLayer| {
        let place = layer.find([0, 0, 0]).unwrap().unwrap();
        layer.read(place, TileForm::Plain).unwrap()
    };
    assert_eq!(read(&*before), b"before");
    write("behind it");
    let after = tile_layer(&layers, "roads");
    assert_eq!(read(&*after), b"behind it");
    assert_ne!(after.description().version, before.description().version);
    assert_eq!(read(&*before), b"before", "who still reads the old one reads it as it was");
    fs::remove_file(&path).unwrap();
    assert!(tile_names(&layers).is_empty());
}

#[test]
fn of_two_files_with_one_name_the_configured_one_is_the_layer_and_then_that_with_features() {
    let folder = tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let mut writer = roads();
    writer.tile(0, 0, 0, "x");
    fs::write(at("trees.pmtiles"), writer.finish()).unwrap();
    write_points(&at("trees.fgb"), 4326, &[(24.9, 60.1, 1)]);
    let layers = of_folder(folder.path());
    assert_eq!((names(&layers), tile_names(&layers)), (vec!["trees".to_owned()], Vec::new()));
    // A file is what it begins with, however it is called.
    fs::rename(at("trees.pmtiles"), at("other.bin")).unwrap();
    let named = [("trees".to_owned(), at("other.bin"))].into();
    let files = LayerFiles { folder: Some(folder.path().to_owned()), named };
    let layers = FileLayers::new(files, Duration::ZERO);
    assert_eq!((names(&layers), tile_names(&layers)), (Vec::new(), vec!["trees".to_owned()]));
}

/// An archive of one tile, unpacked, whose root directory is these numbers of a byte each.
fn with_root(root: &[u8]) -> Vec<u8> {
    let mut writer = PmTilesWriter { internal: Packing::None, packing: Packing::None, ..roads() };
    writer.tile(0, 0, 0, "a tile");
    let mut bytes = writer.finish();
    // The root directory goes to the end, where there is room for it.
    let at = bytes.len() as u64;
    bytes[8..16].copy_from_slice(&at.to_le_bytes());
    bytes[16..24].copy_from_slice(&(root.len() as u64).to_le_bytes());
    bytes.extend(root);
    bytes
}

#[test]
fn a_damaged_directory_is_an_error_that_says_what_is_wrong() {
    // The number of entries, then their tiles, runs, lengths and offsets.
    for (root, says) in [
        (&[0][..], "0 entries"),
        (&[0xff, 0xff, 0xff, 0xff, 0x0f, 0, 1, 6, 1], "4294967295 entries"),
        (&[2, 0, 0, 1, 1, 6, 6, 1, 0], "no order"),
        (&[1, 0, 1, 0, 1], "length of 0"),
        (&[1, 0, 1, 6, 0], "first entry"),
        (&[1, 0, 1, 7, 1], "a tile of 7 bytes at 0"),
        (&[1, 0, 1, 6, 2], "a tile of 6 bytes at 1"),
        (&[1, 0, 1, 0xff, 0xff, 0xff, 0xff, 0x0f, 1], "a tile of 4294967295 bytes"),
        (&[1, 0, 1, 0xff, 0xff, 0xff, 0xff, 0x1f, 1], "a length of"),
        (
            &[1, 0, 1, 6, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
            "an offset of 18446744073709551614",
        ),
        (
            &[1, 0, 1, 6, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
            "more than 64 bits",
        ),
        (&[1, 0, 0, 6, 1], "a leaf directory"),
        (&[1, 0, 1], "0 bytes"),
    ] {
        let archive = open(with_root(root)).unwrap();
        let error = read(&archive, [0, 0, 0]).unwrap_err().to_string();
        let is_short = error.contains("directory of 1 entries in 3 bytes");
        assert!(error.contains(says) || (root.len() == 3 && is_short), "{root:?}: {error}");
    }
    let archive = open(with_root(&[1, 0, 1, 6, 1])).unwrap();
    assert_eq!(read(&archive, [0, 0, 0]).unwrap().unwrap(), b"a tile", "this one is sound");
}

#[test]
fn directories_that_lead_to_each_other_come_to_an_end() {
    let root = [1, 0, 0, 5, 1];
    let mut bytes = with_root(&root);
    // The section of leaf directories is the root directory once more.
    let part: [u8; 16] = bytes[8..24].try_into().unwrap();
    bytes[40..56].copy_from_slice(&part);
    let archive = open(bytes).unwrap();
    let mut count = 0;
    let read = |piece| {
        count += 1;
        archive.directory(piece)
    };
    let error = archive.find::<Directory>(0, &mut { read }).unwrap_err().to_string();
    assert!(error.contains("from one to the other"), "{error}");
    assert_eq!(count, 4);
}

#[test]
fn a_header_that_cannot_be_is_refused_with_the_reason() {
    let sound = with_root(&[1, 0, 1, 6, 1]);
    let changed = |at: usize, bytes: &[u8]| {
        let mut archive = sound.clone();
        archive[at..at + bytes.len()].copy_from_slice(bytes);
        archive
    };
    let huge = u64::MAX.to_le_bytes();
    for (bytes, says) in [
        (changed(0, b"MBTiles"), "magic bytes"),
        (changed(7, &[2]), "version 2"),
        (changed(8, &huge), "the root directory"),
        (changed(16, &huge), "the root directory"),
        (changed(32, &huge), "the metadata"),
        (changed(64, &huge), "the tiles"),
        (changed(97, &[3]), "directories packed by Brotli"),
        (changed(98, &[3]), "tiles packed by Brotli"),
        (changed(98, &[0]), "how tiles are packed"),
        (changed(99, &[6]), "MapLibre tiles"),
        (changed(99, &[0]), "what its tiles are"),
        (changed(100, &[9]), "zoom levels from 9 to 0"),
        (changed(101, &[40]), "zoom levels from 0 to 40"),
        (sound[..100].to_vec(), "ends"),
        (sound[..140].to_vec(), "in a file of 140 bytes"),
    ] {
        let error = open(bytes).unwrap_err().to_string();
        assert!(error.contains(says), "{says}: {error}");
    }
}

#[test]
fn what_grows_beyond_all_measure_when_it_is_unpacked_is_refused() {
    for packing in [Packing::Gzip, Packing::Zstd] {
        let mut writer = PmTilesWriter { packing, internal: packing, ..roads() };
        writer.tile(0, 0, 0, vec![0; 17 << 20]);
        writer.metadata = format!("{{\"name\":\"{}\"}}", " ".repeat(9 << 20));
        let archive = open(writer.finish()).unwrap();
        let error = read(&archive, [0, 0, 0]).unwrap_err().to_string();
        assert!(error.contains("longer than 16777216 bytes"), "{error}");
        let error = archive.metadata().unwrap_err().to_string();
        assert!(error.contains("longer than 8388608 bytes"), "{error}");
    }
}

#[test]
fn metadata_that_say_nothing_of_layers_are_refused() {
    let folder = tempdir().unwrap();
    for (name, metadata) in
        [("none", "{}"), ("text", "no JSON"), ("odd", "{\"vector_layers\": [{\"fields\": {}}]}")]
    {
        let mut writer = PmTilesWriter { metadata: metadata.to_owned(), ..roads() };
        writer.tile(0, 0, 0, "x");
        fs::write(folder.path().join(format!("{name}.pmtiles")), writer.finish()).unwrap();
    }
    // Images have no layers.
    let mut image = PmTilesWriter { metadata: "{}".to_owned(), kind: 2, ..roads() };
    image.tile(0, 0, 0, "a picture");
    fs::write(folder.path().join("image.pmtiles"), image.finish()).unwrap();
    assert_eq!(tile_names(&of_folder(folder.path())), ["image"]);
}
