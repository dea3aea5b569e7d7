//! Real files, from the folder that `CARDO_SAMPLES` names.

use std::{
    fs::File,
    path::{Path, PathBuf},
};

use cardo_formats::{FieldValue, Format, ReadOptions, Record, RecordGeometry, open};
use geo_types::Geometry;

use crate::{Outcome, read, read_with};

pub(crate) fn samples() -> Option<PathBuf> {
    let folder = std::env::var_os("CARDO_SAMPLES").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("not run: CARDO_SAMPLES names no folder of sample files");
    }
    folder
}

fn load(folder: &Path, name: &str) -> Outcome {
    let bytes = std::fs::read(folder.join(name)).unwrap();
    let format = Format::guess(name, &bytes).unwrap();
    read(format, bytes)
}

#[test]
fn files_of_a_city_are_read_whole() {
    let Some(folder) = samples() else { return };
    for (name, count) in [
        ("helsinki/osm/buildings.geojson", 446),
        ("helsinki/osm/buildings.fgb", 446),
        ("helsinki/osm/landuse.geojson", 302),
        ("helsinki/osm/pois.geojson", 1613),
        ("helsinki/osm/railways.geojson", 337),
        ("helsinki/osm/streets.geojsonl", 2417),
        ("helsinki/osm/transit-stops.geojson", 181),
        ("helsinki/osm/trees.geojson", 649),
        ("helsinki/admin/postal-areas.geojson", 84),
        ("helsinki/admin/dog-parks.geojson", 1),
        ("helsinki/buildings/kivela-buildings-heat.geojson", 969),
        ("helsinki/stats/population-grid-250m.geojson", 3291),
        ("helsinki/mobility/citybike-stations.csv", 457),
        ("helsinki/mobility/tram-15-viikki-2025-03-01.csv", 110),
        ("helsinki/sensors/weather-kumpula.csv", 2208),
        ("helsinki/sensors/fmi-stations.csv", 17),
        ("helsinki/mobility/vehicle-positions-2025-04-28T1604.pb", 1178),
        ("formats/geojson/places.json", 1249),
        ("formats/geojson/poly_landmarks.geojson", 85),
        ("helsinki/admin/major-districts.gpkg", 8),
        ("helsinki/admin/municipality.gpkg", 1),
        ("helsinki/osm/buildings-epsg3879.gpkg", 446),
        ("helsinki/stats/population-grid-centre-2020.gpkg", 92),
        ("helsinki/stats/travel-times-to-railway-station.gpkg", 13_231),
        ("formats/gpkg/broad-street-pump.gpkg", 1),
        ("formats/gpkg/buildings.gpkg", 158),
        ("formats/gpkg/curves.gpkg", 1),
        ("formats/gpkg/nospatial.gpkg", 1),
        ("helsinki/shapefile/addresses.zip", 35),
        ("helsinki/shapefile/metro.zip", 16),
        ("helsinki/shapefile/municipal-border.zip", 1),
        ("helsinki/shapefile/roads.zip", 181),
        ("formats/shapefile/nyc-boroughs-epsg2263.zip", 5),
        ("formats/shapefile/topographic-lakes-epsg3067.zip", 56),
        ("formats/flatgeobuf/empty.fgb", 0),
        ("formats/flatgeobuf/heterogeneous.fgb", 3),
        ("formats/flatgeobuf/unknown_feature_count.fgb", 1),
    ] {
        let outcome = load(&folder, name);
        let first = outcome.errors.first().map(ToString::to_string);
        assert_eq!((outcome.records.len(), first), (count, None), "{name}");
    }
}

#[test]
fn layers_of_a_geopackage_are_read_by_name() {
    let Some(folder) = samples() else { return };
    let name = "cql2/data/ne110m4cql2.gpkg";
    let refused = load(&folder, name).errors[0].to_string();
    for (layer, count) in [
        ("ne_110m_admin_0_countries", 177),
        ("ne_110m_populated_places_simple", 243),
        ("ne_110m_rivers_lake_centerlines", 13),
    ] {
        assert!(refused.contains(layer), "{refused}");
        let bytes = std::fs::read(folder.join(name)).unwrap();
        let options = ReadOptions { layer: Some(layer.into()), ..ReadOptions::default() };
        assert_eq!(read_with(Format::GeoPackage, &bytes, &options).clean().len(), count, "{layer}");
    }
}

#[test]
fn zips_that_hold_no_shapefile_are_refused_by_name() {
    let Some(folder) = samples() else { return };
    let outcome = load(&folder, "transit/gtfs/kuopio.zip");
    assert!(outcome.errors[0].to_string().contains("without a shapefile"));
}

#[test]
fn the_same_boundary_is_read_from_a_geopackage_and_a_shapefile() {
    let Some(folder) = samples() else { return };
    let [package, shapefile] = ["admin/municipality.gpkg", "shapefile/municipal-border.zip"]
        .map(|name| load(&folder, &format!("helsinki/{name}")).clean().remove(0));
    assert_eq!(package.field("NAMESWE"), shapefile.field("NAMESWE"));
    assert_eq!(package.field("GML_ID"), shapefile.field("GML_ID"));
    let [one, two] = [&package, &shapefile].map(|record| match &record.geometry {
        Some(RecordGeometry { shape: Geometry::Polygon(polygon), .. }) => {
            polygon.exterior().0.len()
        }
        other => panic!("{other:?}"),
    });
    assert_eq!(one, two);
}

#[test]
fn a_row_that_a_publisher_broke_leaves_its_neighbours() {
    let Some(folder) = samples() else { return };
    let outcome = load(&folder, "helsinki/mobility/traffic-control-plans.csv");
    assert_eq!(outcome.records.len(), 1580);
    let errors: Vec<String> = outcome.errors.iter().map(ToString::to_string).collect();
    let broken = "record 1256 at byte 1446700 (line 1258): the row has 9 cells and the header 5";
    assert_eq!(errors, [broken]);
    let plans = outcome.records.iter();
    assert!(plans.filter(|plan| plan.geometry.is_some()).count() > 1000);
}

#[test]
fn the_same_buildings_are_read_from_both_formats() {
    let Some(folder) = samples() else { return };
    let sorted = |name: &str| {
        let mut records = load(&folder, name).clean();
        let id = |record: &Record| record.field("osm_id").map(FieldValue::to_text);
        records.sort_by_key(id);
        records
    };
    let flat = sorted("helsinki/osm/buildings.fgb");
    let text = sorted("helsinki/osm/buildings.geojson");
    for (flat, text) in flat.iter().zip(&text) {
        assert_eq!(flat.field("name"), text.field("name"));
        assert_eq!(flat.geometry, text.geometry);
    }
}

#[test]
fn systems_that_the_files_name_are_known() {
    let Some(folder) = samples() else { return };
    for (name, crs) in [
        ("helsinki/admin/dog-parks.geojson", Some("3879")),
        ("helsinki/stats/population-grid-250m.geojson", Some("CRS84")),
        ("helsinki/osm/buildings.fgb", Some("EPSG:4326")),
        ("helsinki/osm/trees.geojson", None),
    ] {
        let outcome = load(&folder, name);
        match (outcome.crs.as_deref(), crs) {
            (Some(found), Some(part)) => assert!(found.contains(part), "{name}: {found}"),
            (found, expected) => assert_eq!(found, expected, "{name}"),
        }
    }
}

#[test]
fn every_column_type_is_read() {
    let Some(folder) = samples() else { return };
    let record = &load(&folder, "formats/flatgeobuf/alldatatypes.fgb").clean()[0];
    let names: Vec<&str> = record.fields.iter().map(|(name, _)| &**name).collect();
    assert!(names.len() >= 10, "{names:?}");
    assert!(record.fields.iter().all(|(_, value)| !value.is_null()));
}

#[test]
fn files_that_cannot_be_read_are_refused_with_a_reason() {
    let Some(folder) = samples() else { return };
    for (name, reason) in [
        ("formats/flatgeobuf/topp_states.fgb", "version"),
        ("transit/gtfs-rt/invalid.pb", "GTFS-Realtime"),
    ] {
        let outcome = load(&folder, name);
        let error = outcome.errors.last().unwrap();
        assert!(error.fatal && error.to_string().contains(reason), "{name}: {error}");
    }
}

#[test]
fn entities_other_than_vehicles_are_counted() {
    let Some(folder) = samples() else { return };
    for (name, count) in [("bart-trip-updates.pb", 91), ("bart-alerts.pb", 1)] {
        let file = File::open(folder.join("transit/gtfs-rt").join(name)).unwrap();
        let mut reader = open(Format::GtfsRealtime, file, &ReadOptions::default()).unwrap();
        assert!(reader.next().is_none());
        assert_eq!(reader.skipped(), count, "{name}");
    }
}

#[test]
fn positions_of_trams_lie_in_the_region() {
    let Some(folder) = samples() else { return };
    let name = "helsinki/mobility/vehicle-positions-2025-04-28T1604.pb";
    for record in load(&folder, name).clean() {
        let Some(Geometry::Point(point)) = record.geometry.map(|geometry| geometry.shape) else {
            panic!("a vehicle is a point");
        };
        assert!((23.0..27.0).contains(&point.x()) && (59.0..62.0).contains(&point.y()));
    }
}
