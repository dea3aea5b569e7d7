use std::fs;
use std::io;
use std::path::Path;

macro_rules! files {
    ($($name:literal),+ $(,)?) => {
        &[$(($name, include_bytes!(concat!("../../../../fixtures/helsinki/", $name)))),+]
    };
}

/// Every file of the demonstration city by its name.
const FILES: &[(&str, &[u8])] = files![
    "bike-stations.csv",
    "buildings.fgb",
    "districts.geojson",
    "land-use.geojson",
    "major-districts.geojson",
    "mappings/bike-stations.toml",
    "mappings/buildings.toml",
    "mappings/districts.toml",
    "mappings/land-use.toml",
    "mappings/major-districts.toml",
    "mappings/parks.toml",
    "mappings/places.toml",
    "mappings/population.toml",
    "mappings/stops.toml",
    "mappings/streets.toml",
    "mappings/tracks.toml",
    "mappings/traffic-plans.toml",
    "mappings/trams.toml",
    "mappings/trees.toml",
    "mappings/water.toml",
    "mappings/weather-kumpula.toml",
    "mappings/weather-stations.toml",
    "parks.geojson",
    "places.geojsonseq",
    "population.geojson",
    "stops.geojson",
    "streets.geojsonl",
    "tracks.geojson",
    "traffic-plans.csv",
    "trams.rec",
    "trees.csv",
    "water.geojson",
    "weather-kumpula.csv",
    "weather-stations.csv",
];

/// Writes the files into a folder, so that they can be read like any others; what is there already
/// is left alone.
pub(crate) fn unpack(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder.join("mappings"))?;
    for (name, bytes) in FILES {
        let path = folder.join(name);
        let is_there = fs::metadata(&path).is_ok_and(|found| found.len() == bytes.len() as u64);
        if !is_there || fs::read(&path)? != *bytes {
            fs::write(&path, bytes)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_fixture_is_in_the_binary() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/helsinki");
        let names = |folder: &str, prefix: &str| -> Vec<String> {
            fs::read_dir(folder)
                .unwrap()
                .map(|entry| entry.unwrap())
                .filter(|entry| entry.file_type().unwrap().is_file())
                .map(|entry| format!("{prefix}{}", entry.file_name().to_string_lossy()))
                .collect()
        };
        let mut there = names(folder, "");
        there.extend(names(&format!("{folder}/mappings"), "mappings/"));
        there.sort();
        let held: Vec<&str> = FILES.iter().map(|(name, _)| *name).collect();
        assert_eq!(there, held);
    }

    #[test]
    fn unpacking_twice_leaves_the_same_files() {
        let folder = tempfile::tempdir().unwrap();
        unpack(folder.path()).unwrap();
        fs::write(folder.path().join("trees.csv"), "broken").unwrap();
        unpack(folder.path()).unwrap();
        for (name, bytes) in FILES {
            assert!(fs::read(folder.path().join(name)).unwrap() == *bytes, "{name}");
        }
    }
}
