//! The fixtures in the repository are those that the tool makes.

use std::{collections::BTreeSet, fs, path::Path};

use cardo_formats::{Format, Limits, ReadOptions, gtfs_rt::Recording, open};
use cardo_testkit::fixtures;

fn city() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/helsinki"))
}

fn cql2() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/cql2"))
}

#[test]
fn making_the_fixtures_again_gives_the_same_bytes() {
    let Some(samples) = std::env::var_os("CARDO_SAMPLES") else {
        eprintln!("not run: CARDO_SAMPLES names no folder of sample files");
        return;
    };
    let samples = Path::new(&samples);
    for (folder, made) in
        [(city(), fixtures::make(samples)), (cql2(), fixtures::make_cql2(samples))]
    {
        for made in made.expect("the public data are there") {
            let kept = fs::read(folder.join(made.name)).expect("the fixture is in the repository");
            assert!(kept == made.bytes, "{} differs: run make-fixtures", made.name);
        }
    }
}

#[test]
fn every_fixture_reads_without_an_error_and_has_a_mapping() {
    let mut layers = BTreeSet::new();
    for file in fs::read_dir(city()).expect("the folder of the city is there") {
        let path = file.expect("a folder can be listed").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("names are plain");
        let Some((layer, extension)) = name.split_once('.') else { continue };
        layers.insert(layer.to_owned());
        if extension == "rec" {
            continue;
        }
        let bytes = fs::read(&path).expect("a fixture can be read");
        let format = Format::guess(name, &bytes).expect("a fixture has a known format");
        let input = std::io::Cursor::new(bytes);
        let reader = open(format, input, &ReadOptions::default()).expect("a fixture opens");
        let mut count = 0;
        for record in reader {
            record.unwrap_or_else(|error| panic!("{name}: {error}"));
            count += 1;
        }
        assert!(count > 0, "{name} is empty");
    }
    for layer in layers {
        let mapping = city().join("mappings").join(format!("{layer}.toml"));
        assert!(mapping.exists(), "{layer} has no mapping");
    }
}

#[test]
fn trams_move_at_the_speed_of_trams_and_the_recording_begins_where_it_ends() {
    let bytes = fs::read(city().join("trams.rec")).expect("the recording is in the repository");
    let messages: Vec<_> = Recording::new(&*bytes, Limits::default())
        .collect::<Result<_, _>>()
        .expect("the recording is whole");
    assert_eq!(messages.len(), 450);
    let again = messages.iter().skip(1).chain(messages.first());
    for (now, then) in messages.iter().zip(again) {
        assert!(now.entity.len() >= 12);
        for (from, to) in now.entity.iter().zip(&then.entity) {
            assert_eq!(from.id, to.id);
            let place = |entity: &cardo_formats::gtfs_rt::FeedEntity| {
                let position = entity.vehicle.as_ref()?.position?;
                Some((f64::from(position.longitude?), f64::from(position.latitude?)))
            };
            let (from, to) = (place(from).expect("a place"), place(to).expect("a place"));
            let (east, north) = ((to.0 - from.0) * 55_459.0, (to.1 - from.1) * 111_420.0);
            // Two seconds at 12 m/s, and a metre for what 32 bits round away.
            assert!(east.hypot(north) < 25.0, "{from:?} to {to:?}");
        }
    }
}
