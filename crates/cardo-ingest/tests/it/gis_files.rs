//! GeoPackages and shapefiles: their reference systems, layers and bad input.

use std::path::Path;

use cardo_egress::{EgressConfig, Gate};
use cardo_formats::Format;
use cardo_ingest::{
    FileJob, IngestError, JobOptions, Mapping, Silent, SourceConfig, spawn_sources, suggest_mapping,
};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_util::sync::CancellationToken;

use crate::{City, LOCATION, mapped, of_type, samples};

/// A `.shp` of points.
fn points(positions: &[(f64, f64)]) -> Vec<u8> {
    let mut bytes = vec![0; 100];
    bytes[..4].copy_from_slice(&9994_i32.to_be_bytes());
    let words = i32::try_from(50 + positions.len() * 14).unwrap();
    bytes[24..28].copy_from_slice(&words.to_be_bytes());
    bytes[28..32].copy_from_slice(&1000_i32.to_le_bytes());
    for (number, (x, y)) in (1_i32..).zip(positions) {
        bytes.extend([number.to_be_bytes(), 10_i32.to_be_bytes(), 1_i32.to_le_bytes()].concat());
        bytes.extend([x.to_le_bytes(), y.to_le_bytes()].concat());
    }
    bytes
}

/// A `.dbf` of one text column of four bytes.
fn table(column: &str, cells: &[&str]) -> Vec<u8> {
    let mut bytes = vec![0; 32];
    bytes[4..8].copy_from_slice(&u32::try_from(cells.len()).unwrap().to_le_bytes());
    bytes[8..12].copy_from_slice(&[65, 0, 5, 0]);
    let mut described = [0; 32];
    described[..column.len()].copy_from_slice(column.as_bytes());
    (described[11], described[16]) = (b'C', 4);
    bytes.extend(described);
    bytes.push(0x0D);
    for cell in cells {
        bytes.extend(format!(" {cell:4}").into_bytes());
    }
    bytes
}

/// A GeoPackage of one table of features in a reference system, each with a point or an arc.
async fn package(path: &Path, system: &str, features: &[&str]) {
    let rows: Vec<String> = features.iter().map(|blob| format!("(NULL, X'{blob}')")).collect();
    let statements = format!(
        "CREATE TABLE gpkg_spatial_ref_sys (srs_name TEXT, srs_id INTEGER PRIMARY KEY, organization TEXT,
            organization_coordsys_id INTEGER, definition TEXT);
         CREATE TABLE gpkg_contents (table_name TEXT PRIMARY KEY, data_type TEXT);
         CREATE TABLE gpkg_geometry_columns (table_name TEXT, column_name TEXT, srs_id INTEGER);
         CREATE TABLE areas (fid INTEGER PRIMARY KEY, geom GEOMETRY);
         INSERT INTO gpkg_spatial_ref_sys VALUES ('it', 7, {system});
         INSERT INTO gpkg_contents VALUES ('areas', 'features');
         INSERT INTO gpkg_geometry_columns VALUES ('areas', 'geom', 7);
         INSERT INTO areas VALUES {};",
        rows.join(",")
    );
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
    let mut connection: SqliteConnection = options.connect().await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(statements)).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().concat()
}

fn point_blob(x: f64, y: f64) -> String {
    format!(
        "4750000100000000{}{}{}",
        hex(&[1, 1, 0, 0, 0]),
        hex(&x.to_le_bytes()),
        hex(&y.to_le_bytes())
    )
}

/// A circular string of three positions.
fn arc_blob() -> String {
    let positions: String = [(24.9, 60.1), (24.95, 60.15), (25.0, 60.1)]
        .iter()
        .map(|(x, y): &(f64, f64)| hex(&x.to_le_bytes()) + &hex(&y.to_le_bytes()))
        .collect();
    format!("4750000100000000{}{positions}", hex(&[1, 8, 0, 0, 0, 3, 0, 0, 0]))
}

async fn refused(city: &City, path: &Path, options: JobOptions) -> IngestError {
    let job = FileJob::new(path, options);
    city.ingestor.run_file(&city.caller, &job, &Silent).await.unwrap_err()
}

async fn place(city: &City, id: &str) -> [f64; 2] {
    cardo_model::read_point(&city.value(id, LOCATION).await.unwrap()).unwrap()
}

const GRID: (f64, f64) = (25_496_580.36, 6_673_003.61);
const GK25: &str = "PROJCS[\"GK25\",GEOGCS[\"GCS_ETRS_1989\",DATUM[\"D_ETRS_1989\",SPHEROID[\"GRS_1980\",6378137.0,\
     298.257222101]],PRIMEM[\"Greenwich\",0.0],UNIT[\"Degree\",0.0174532925199433]],\
     PROJECTION[\"Transverse_Mercator\"],PARAMETER[\"False_Easting\",25500000.0],PARAMETER[\"False_Northing\",0.0],\
     PARAMETER[\"Central_Meridian\",25.0],PARAMETER[\"Scale_Factor\",1.0],PARAMETER[\"Latitude_Of_Origin\",0.0],\
     UNIT[\"Meter\",1.0]]";

#[tokio::test]
async fn a_plain_shapefile_is_read_with_the_files_beside_it() {
    let city = City::new().await;
    let path = city.file("sites.shp", points(&[GRID, GRID]));
    city.file("sites.DBF", table("code", &["a1", "b2"]));
    city.file("Sites.prj", GK25);
    let report = city.take_file(&path, &of_type("Site")).await;
    assert_eq!((report.created, report.quarantined), (2, 0), "{report}");
    let [lon, lat] = place(&city, "urn:ngsi-ld:Site:b2").await;
    assert!((lon - 24.9384).abs() < 1e-6 && (lat - 60.1699).abs() < 1e-6, "{lon} {lat}");
    let revision = city.revision().await;
    let again = city.take_file(&path, &of_type("Site")).await;
    assert_eq!((again.unchanged, city.revision().await), (2, revision));

    // The table alone has changed.
    city.file("sites.DBF", table("code", &["a1", "c3"]));
    let job = FileJob::new(&path, of_type("Site"));
    let changed = city.ingestor.run_file_if_changed(&city.caller, &job, &Silent).await.unwrap();
    assert_eq!(changed.unwrap().created, 1);
}

#[tokio::test]
async fn a_shapefile_without_a_prj_is_refused_unless_it_is_clearly_in_degrees() {
    let city = City::new().await;
    let grid = city.file("grid.shp", points(&[GRID]));
    let error = refused(&city, &grid, of_type("T")).await;
    assert!(matches!(error, IngestError::NoCrs { .. }));
    assert!(error.to_string().contains("give it as --crs"), "{error}");
    let options = JobOptions { crs: Some("EPSG:3879".into()), ..of_type("T") };
    assert_eq!(city.take_file(&grid, &options).await.created, 1);

    let plan = city.file("plan.shp", points(&[(10.0, 20.0), (30.0, 40.0)]));
    assert!(matches!(refused(&city, &plan, of_type("T")).await, IngestError::NoCrs { .. }));

    let degrees = city.file("degrees.shp", points(&[(24.94, 60.17)]));
    let report = city.take_file(&degrees, &of_type("D")).await;
    assert_eq!(report.created, 1, "{report}");
    assert!(report.notes.iter().any(|note| note.contains("longitude and latitude")), "{report}");
}

#[tokio::test]
async fn a_prj_that_lies_is_found_and_said() {
    let city = City::new().await;
    for (name, position, says) in [
        ("degrees", (24.94, 60.17), "look like longitude and latitude"),
        ("zone", (385_611.3, 6_672_118.4), "far outside"),
        ("swapped", (GRID.1, GRID.0), "far outside"),
    ] {
        let path = city.file(&format!("{name}.shp"), points(&[position, position]));
        city.file(&format!("{name}.prj"), GK25);
        let error = refused(&city, &path, of_type("T")).await;
        assert!(matches!(error, IngestError::WrongCrs { .. }));
        let error = error.to_string();
        assert!(error.contains("EPSG:3879") && error.contains(says), "{error}");
    }
    // A wrong position among many is the fault of that record.
    let path = city.file("most.shp", points(&[GRID, GRID, (24.94, 60.17)]));
    city.file("most.prj", GK25);
    let report = city.take_file(&path, &mapped("type='T'\nid='urn:x:{$ordinal}'")).await;
    assert_eq!((report.created, report.records), (2, 3), "{report}");
}

#[tokio::test]
async fn a_geopackage_of_an_unknown_reference_system_is_refused_and_can_be_told_it() {
    let city = City::new().await;
    let path = city.folder.path().join("own.gpkg");
    let own = "'NONE', 7, 'PROJCS[\"Harbour grid\",GEOGCS[\"h\",DATUM[\"h\",SPHEROID[\"h\",6370000,300]]]]'";
    package(&path, own, &[&point_blob(GRID.0, GRID.1)]).await;
    let error = refused(&city, &path, of_type("T")).await.to_string();
    assert!(error.contains("Harbour grid") && error.contains("--crs EPSG"), "{error}");
    let options = JobOptions { crs: Some("EPSG:3879".into()), ..of_type("T") };
    assert_eq!(city.take_file(&path, &options).await.created, 1);
    let [lon, lat] = place(&city, "urn:ngsi-ld:T:1").await;
    assert!((lon - 24.9384).abs() < 1e-6 && (lat - 60.1699).abs() < 1e-6, "{lon} {lat}");
}

#[tokio::test]
async fn a_geopackage_with_arcs_gives_the_others_and_keeps_the_reason() {
    let city = City::new().await;
    let path = city.folder.path().join("arcs.gpkg");
    package(
        &path,
        "'EPSG', 4326, 'GEOGCS[]'",
        &[&point_blob(24.9, 60.1), &arc_blob(), &point_blob(25.0, 60.2)],
    )
    .await;
    let report = city.take_file(&path, &of_type("T")).await;
    assert_eq!((report.records, report.created, report.quarantined), (3, 2, 1), "{report}");
    let held = city.quarantined().await;
    assert!(held[0].contains("record 1") && held[0].contains("circular arcs"), "{held:?}");
}

#[tokio::test]
async fn a_geopackage_that_another_program_has_open_is_refused() {
    let city = City::new().await;
    let path = city.folder.path().join("open.gpkg");
    package(&path, "'EPSG', 4326, 'GEOGCS[]'", &[&point_blob(24.9, 60.1)]).await;
    city.file("open.gpkg-wal", "pages to come");
    let error = refused(&city, &path, of_type("T")).await;
    assert!(matches!(error, IngestError::Unfinished { .. }), "{error}");
}

#[tokio::test]
async fn an_interrupted_run_over_a_geopackage_goes_on_where_it_stopped() {
    let city = City::new().await;
    let path = city.folder.path().join("many.gpkg");
    let blobs: Vec<String> =
        (0..12_000).map(|n| point_blob(24.0 + f64::from(n) / 1e4, 60.0)).collect();
    let blobs: Vec<&str> = blobs.iter().map(String::as_str).collect();
    package(&path, "'EPSG', 4326, 'GEOGCS[]'", &blobs).await;
    let job = FileJob::new(&path, of_type("T"));
    let stop = async {
        while !city.engine.snapshot(&city.caller).await.is_ok_and(|twin| twin.len() >= 1_000) {
            tokio::task::yield_now().await;
        }
        city.store.set_full(true);
    };
    let (run, ()) = tokio::join!(city.ingestor.run_file(&city.caller, &job, &Silent), stop);
    assert!(matches!(run, Err(IngestError::Write(_))), "{run:?}");
    let held = city.snapshot().await.len() as u64;
    city.store.set_full(false);
    let report = city.ingestor.run_file(&city.caller, &job, &Silent).await.unwrap();
    assert_eq!((report.resumed_at, report.created), (Some(held), 12_000 - held), "{report}");
}

#[tokio::test]
async fn a_source_of_the_configuration_may_name_a_layer() {
    let Some(samples) = samples() else { return };
    let city = City::new().await;
    let file = samples.join("cql2/data/ne110m4cql2.gpkg");
    let config: SourceConfig = toml::from_str(&format!(
        "name='rivers'\nfile={:?}\nlayer='ne_110m_rivers_lake_centerlines'\ntype='River'",
        file.to_string_lossy()
    ))
    .unwrap();
    let shutdown = CancellationToken::new();
    let mut tasks = spawn_sources(&city.ingestor, vec![config], None, &shutdown).unwrap();
    while tasks.join_next().await.is_some() {}
    assert_eq!(city.snapshot().await.len(), 13);
    let error = refused(&city, &file, of_type("T")).await.to_string();
    assert!(error.contains("--layer") && error.contains("ne_110m_admin_0_countries"), "{error}");
}

#[tokio::test]
async fn a_downloaded_geopackage_is_known_by_its_content() {
    let city = City::new().await;
    let path = city.folder.path().join("served.gpkg");
    package(&path, "'EPSG', 3879, 'PROJCS[]'", &[&point_blob(GRID.0, GRID.1)]).await;
    let body = std::fs::read(&path).unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 2_048];
            let _ = stream.read(&mut request).await;
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            let _ = stream.write_all(&[head.as_bytes(), &body].concat()).await;
        }
    });
    let config = format!("name='web'\nurl='http://{address}/download?id=7'\ntype='T'\nevery='1h'");
    let gate = Gate::new(EgressConfig { allow_loopback: true, ..EgressConfig::default() });
    let shutdown = CancellationToken::new();
    let config = toml::from_str(&config).unwrap();
    let mut tasks = spawn_sources(&city.ingestor, vec![config], Some(gate), &shutdown).unwrap();
    crate::sources::until("the feature", async || city.entity("urn:ngsi-ld:T:1").await.is_some())
        .await;
    let [lon, lat] = place(&city, "urn:ngsi-ld:T:1").await;
    assert!((lon - 24.9384).abs() < 1e-6 && (lat - 60.1699).abs() < 1e-6, "{lon} {lat}");
    shutdown.cancel();
    while tasks.join_next().await.is_some() {}
}

/// Counts by `ogrinfo`, and the first position of the first feature by `ogr2ogr -t_srs EPSG:4326`.
const REAL: [(&str, u64, [f64; 2]); 13] = [
    ("helsinki/shapefile/roads.zip", 181, [25.079_847_71, 60.253_187_29]),
    ("helsinki/shapefile/metro.zip", 16, [25.110_170_92, 60.238_892_01]),
    ("helsinki/shapefile/municipal-border.zip", 1, [25.190_249_96, 60.285_681_34]),
    ("helsinki/shapefile/addresses.zip", 35, [24.930_170_1, 60.168_373_1]),
    ("formats/shapefile/nyc-boroughs-epsg2263.zip", 5, [-74.050_508_06, 40.566_422_03]),
    ("formats/shapefile/topographic-lakes-epsg3067.zip", 56, [24.812_026_11, 60.302_170_18]),
    ("formats/gpkg/buildings.gpkg", 158, [-0.135_328_37, 51.515_314_81]),
    ("formats/gpkg/broad-street-pump.gpkg", 1, [-0.136_712_74, 51.513_302_18]),
    ("formats/gpkg/curves.gpkg", 1, [-128.968_021_94, 51.414_349_3]),
    ("helsinki/admin/municipality.gpkg", 1, [25.190_249_96, 60.285_681_34]),
    ("helsinki/admin/major-districts.gpkg", 8, [24.782_804_44, 60.099_960_96]),
    ("helsinki/osm/buildings-epsg3879.gpkg", 446, [24.951_032_9, 60.170_004_2]),
    ("helsinki/stats/travel-times-to-railway-station.gpkg", 13_231, [24.858_374_99, 60.398_855_52]),
];

#[tokio::test]
async fn real_files_have_the_counts_and_positions_that_gdal_gives() {
    let Some(samples) = samples() else { return };
    for (name, count, [lon, lat]) in REAL {
        let city = City::new().await;
        let options = mapped("type='T'\nid='urn:x:{$ordinal}'");
        let report = city.take_file(&samples.join(name), &options).await;
        assert_eq!((report.created, report.quarantined), (count, 0), "{name}: {report}");
        let location = city.value("urn:x:0", LOCATION).await.unwrap();
        let numbers =
            location.split(['[', ']', ',', '}']).filter_map(|part| part.parse::<f64>().ok());
        let first: Vec<f64> = numbers.take(2).collect();
        let east = (first[0] - lon) * 111_320.0 * lat.to_radians().cos();
        let north = (first[1] - lat) * 111_320.0;
        assert!(east.hypot(north) < 1.0, "{name}: {first:?} where GDAL has {lon} {lat}");
    }
}

#[tokio::test]
async fn suggested_mappings_work_as_they_are() {
    let city = City::new().await;
    let csv = "Station ID,Nimi,lon,lat,Height (m),id,timestamp,/odd,$odd\n\
               S1,Käpylä,24.95,60.21,12.5,x,2026-01-01T10:00:00Z,1,2\n\
               S2,Töölö,24.92,60.18,14,x,2026-01-01T11:00:00Z,1,2\n";
    let path = city.file("weather-stations.csv", csv);
    let text = suggest_mapping(&path, &JobOptions::default()).unwrap();
    for part in [
        "type = \"WeatherStation\"",
        "key = \"Station ID\"",
        "observed_at = \"timestamp\"",
        "name = \"Nimi\"",
        "heightM = { from = \"Height (m)\", type = \"number\", unit = \"MTR\" }",
        "# Käpylä | Töölö",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let report = city.take_file(&path, &mapped(&text)).await;
    assert_eq!((report.created, report.quarantined), (2, 0), "{report}");
    let id = "urn:ngsi-ld:WeatherStation:S1";
    assert_eq!(city.value(id, "name").await.as_deref(), Some("\"Käpylä\""));
    assert_eq!(city.value(id, "heightM").await.as_deref(), Some("12.5"));
    assert_eq!(city.value(id, "identifier").await.as_deref(), Some("\"x\""));
    assert_eq!(city.value(id, "odd").await.as_deref(), Some("1"));
    assert_eq!(city.value(id, "odd2").await.as_deref(), Some("2"));
    assert!(!report.notes.iter().any(|note| note.contains("no record has")), "{report}");
}

#[tokio::test]
async fn suggested_mappings_of_real_files_take_them_in_whole() {
    let Some(samples) = samples() else { return };
    for (name, count) in [
        ("helsinki/shapefile/addresses.zip", 35),
        ("helsinki/osm/buildings-epsg3879.gpkg", 446),
        ("helsinki/osm/trees.geojson", 649),
        ("helsinki/mobility/citybike-stations.csv", 457),
        ("helsinki/sensors/fmi-stations.csv", 17),
        ("helsinki/mobility/vehicle-positions-2025-04-28T1604.pb", 1178),
        ("formats/flatgeobuf/alldatatypes.fgb", 1),
    ] {
        let city = City::new().await;
        let text = suggest_mapping(&samples.join(name), &JobOptions::default()).unwrap();
        Mapping::parse(&text).unwrap();
        let report = city.take_file(&samples.join(name), &mapped(&text)).await;
        assert_eq!((report.records, report.quarantined), (count, 0), "{name}: {report}\n{text}");
        assert_eq!(report.created, count, "{name}: {report}\n{text}");
    }
}

#[test]
fn a_suggestion_says_what_the_file_and_its_user_have_said() {
    let Some(samples) = samples() else { return };
    let path = samples.join("cql2/data/ne110m4cql2.gpkg");
    let options = JobOptions {
        layer: Some("ne_110m_populated_places_simple".into()),
        crs: Some("EPSG:4326".into()),
        format: Some(Format::GeoPackage),
        ..of_type("Town")
    };
    let text = suggest_mapping(&path, &options).unwrap();
    for part in
        ["type = \"Town\"", "layer = \"ne_110m_populated_places_simple\"", "crs = \"EPSG:4326\""]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
}
