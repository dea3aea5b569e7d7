use cardo_engine::HistoryRequest;
use cardo_ingest::{FileJob, IngestError, JobOptions, Silent};
use cardo_model::Iri;

use crate::{City, LOCATION, mapped, of_type, samples};

#[tokio::test]
async fn the_same_file_twice_changes_nothing() {
    let city = City::new().await;
    let csv = "id,name,lon,lat\n1,a,24.9,60.1\n2,b,24.9,99\n3,c,24.9,60.2\n";
    let first = city.take("t.csv", csv, &of_type("T")).await;
    assert_eq!((first.created, first.quarantined), (2, 1));
    let revision = city.revision().await;
    let second = city.take("t.csv", csv, &of_type("T")).await;
    assert_eq!((second.created, second.updated, second.unchanged), (0, 0, 2));
    assert_eq!(second.quarantined, 1);
    assert_eq!(city.revision().await, revision, "the log has grown");
}

#[tokio::test]
async fn a_file_that_was_taken_in_whole_need_not_be_read_again() {
    let city = City::new().await;
    let path = city.file("t.csv", "id,v\n1,2\n");
    let if_changed = async |type_name: &str| {
        let job = FileJob::new(&path, of_type(type_name));
        city.ingestor.run_file_if_changed(&city.caller, &job, &Silent).await.unwrap()
    };
    assert!(if_changed("T").await.is_some_and(|report| report.created == 1));
    assert!(if_changed("T").await.is_none());
    assert!(if_changed("U").await.is_some_and(|report| report.created == 1), "other options");
    city.file("t.csv", "id,v\n1,3\n");
    assert!(if_changed("U").await.is_some_and(|report| report.updated == 1));
}

#[tokio::test]
async fn a_mended_file_updates_what_changed_and_empties_the_quarantine() {
    let city = City::new().await;
    let csv = "id,name,lon,lat\n1,a,24.9,60.1\n2,b,24.9,99\n";
    city.take("t.csv", csv, &of_type("T")).await;
    let mended = "id,name,lon,lat\n1,a,24.9,60.1\n2,b,24.9,60\n";
    let report = city.take("t.csv", mended, &of_type("T")).await;
    assert_eq!((report.created, report.unchanged, report.released), (1, 1, 1), "{report}");
    assert!(city.quarantined().await.is_empty());
}

#[tokio::test]
async fn a_late_reading_goes_to_history_only() {
    let city = City::new().await;
    let mapping = "type='Sensor'\nkey='s'\nobserved_at='t'\n[attributes]\nlevel='v'\n";
    let readings = "s,t,v\n1,2026-01-01T10:00:00Z,5\n1,2026-01-01T09:00:00Z,4\n";
    let report = city.take("r.csv", readings, &mapped(mapping)).await;
    assert_eq!((report.created, report.history_only), (1, 1), "{report}");
    assert_eq!(city.value("urn:ngsi-ld:Sensor:1", "level").await.as_deref(), Some("5"));
    let request = HistoryRequest {
        entity: Iri::new("urn:ngsi-ld:Sensor:1").unwrap(),
        attributes: Vec::new(),
        omitted: Vec::new(),
        property: None,
        datasets: None,
        from: None,
        until: None,
        last: None,
        limit: 100,
    };
    let history = city.engine.history(&city.caller, &request).await.unwrap().unwrap();
    let times: Vec<String> = history.rows.iter().map(|row| row.time.to_string()).collect();
    assert!(times.contains(&"2026-01-01T09:00:00Z".to_owned()), "{times:?}");
    let revision = city.revision().await;
    city.take("r.csv", readings, &mapped(mapping)).await;
    assert_eq!(city.revision().await, revision);
}

#[tokio::test]
async fn quarantined_records_are_taken_in_after_the_mapping_was_mended() {
    let city = City::new().await;
    let rules = "type='Site'\nkey='id'\n[attributes.level]\nfrom='level'\ntype='number'\n";
    let csv = "id,level,x,y\n1,high,25496580.36,6673003.61\n2,3,25496580.36,6673003.61\n";
    let report = city.take("sites.csv", csv, &mapped(rules)).await;
    assert_eq!(report.quarantined, 2, "{report}");
    assert!(report.first_reasons[1].contains("--crs"), "{report}");

    let still_wrong = mapped(&format!("crs='EPSG:3879'\n{rules}"));
    let replay = |options: JobOptions| {
        let city = &city;
        async move {
            let (ingestor, caller) = (&city.ingestor, &city.caller);
            ingestor.replay_quarantine(caller, "sites.csv", &options, &Silent).await.unwrap()
        }
    };
    let report = replay(still_wrong).await;
    assert_eq!((report.created, report.released, report.quarantined), (1, 1, 1), "{report}");
    let mended = mapped(&format!("crs='EPSG:3879'\n{rules}values={{high=9}}\n"));
    let report = replay(mended.clone()).await;
    assert_eq!((report.created, report.quarantined), (1, 0), "{report}");
    assert_eq!(city.value("urn:ngsi-ld:Site:1", "level").await.as_deref(), Some("9"));
    assert!(city.quarantined().await.is_empty());
    let location = city.value("urn:ngsi-ld:Site:2", LOCATION).await.unwrap();
    let [lon, lat] = cardo_model::read_point(&location).unwrap();
    assert!((lon - 24.9384).abs() < 1e-4 && (lat - 60.1699).abs() < 1e-4, "{location}");
    let again = replay(mended).await;
    assert_eq!(again.records, 0);
}

#[tokio::test]
async fn replayed_records_have_the_ids_that_the_file_would_give_them() {
    let city = City::new().await;
    let csv = "code,name,x,y\nA1,a,25496580.36,6673003.61\nA2,b,25496580.36,6673003.61\n";
    city.take("sites.csv", csv, &of_type("Site")).await;
    let options = JobOptions { crs: Some("EPSG:3879".into()), ..of_type("Site") };
    let (ingestor, caller) = (&city.ingestor, &city.caller);
    let report = ingestor.replay_quarantine(caller, "sites.csv", &options, &Silent).await.unwrap();
    assert_eq!((report.created, report.released), (2, 2), "{report}");
    assert!(city.entity("urn:ngsi-ld:Site:A1").await.is_some());
    let again = city.take("sites.csv", csv, &options).await;
    assert_eq!((again.created, again.unchanged), (0, 2), "{again}");
}

#[tokio::test]
async fn an_interrupted_run_goes_on_where_it_stopped() {
    let city = City::new().await;
    let rows: Vec<String> = (0..5_000).map(|row| format!("{row},name {row}\n")).collect();
    let path = city.file("big.csv", format!("id,name\n{}", rows.concat()));
    let job = FileJob::new(&path, of_type("T"));
    let stop = async {
        loop {
            if city.engine.snapshot(&city.caller).await.is_ok_and(|twin| twin.len() >= 1_000) {
                city.store.set_full(true);
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    let (run, ()) = tokio::join!(city.ingestor.run_file(&city.caller, &job, &Silent), stop);
    let Err(error) = run else { panic!("the run was over before the disk was full") };
    assert!(matches!(error, IngestError::Write(_)), "{error}");
    let held = city.snapshot().await.len() as u64;
    assert!((1_000..5_000).contains(&held), "{held}");
    city.store.set_full(false);
    let report = city.ingestor.run_file(&city.caller, &job, &Silent).await.unwrap();
    assert_eq!(report.resumed_at, Some(held), "{report}");
    assert_eq!((report.created, report.unchanged), (5_000 - held, 0), "{report}");
    assert_eq!(city.snapshot().await.len(), 5_000);
}

#[tokio::test]
async fn without_a_mapping_names_are_made_and_what_is_unexpected_is_told() {
    let city = City::new().await;
    let csv = "FID,ID,Nimi (fi),type,Time [Local time],lon,lat\n\
               1,501,Koti,x,2025-03-01 08:03:38+02:00,24.9,60.1\n2,502,Työ,y,,24.9,60.1\n";
    let report = city.take("s.csv", csv, &of_type("Station")).await;
    assert_eq!(report.created, 2);
    let id = "urn:ngsi-ld:Station:501";
    let value = async |name: &str| city.value(id, name).await.unwrap_or_default();
    assert_eq!(value("nimiFi").await, "\"Koti\"");
    assert_eq!(value("kind").await, "\"x\"");
    assert_eq!(value("timeLocalTime").await, "\"2025-03-01T06:03:38Z\"");
    assert_eq!(value("fid").await, "1");
    assert_eq!(value("identifier").await, "501");
    let notes = report.notes.join("\n");
    assert!(notes.contains("field `ID`") && notes.contains("`type` became"), "{notes}");
}

#[tokio::test]
async fn records_without_a_key_have_ids_of_their_content() {
    let city = City::new().await;
    let csv = "name,lon,lat\na,24.9,60.1\na,24.9,60.2\na,24.9,60.1\n";
    let report = city.take("s.csv", csv, &of_type("Tree")).await;
    assert_eq!((report.created, report.unchanged), (2, 1), "{report}");
    let again = city.take("copy.csv", csv, &of_type("Tree")).await;
    assert_eq!((again.created, again.unchanged), (0, 3), "{again}");
}

#[tokio::test]
async fn heights_are_kept() {
    let city = City::new().await;
    let feature = r#"{"type":"Feature","id":"a","properties":null,"geometry":{"type":"LineString","coordinates":[[24.9,60.1,5],[24.91,60.1,7.5]]}}"#;
    city.take("a.geojson", feature, &of_type("Cable")).await;
    let value = city.value("urn:ngsi-ld:Cable:a", LOCATION).await.unwrap();
    assert!(value.contains("[24.9,60.1,5.0]") && value.contains("[24.91,60.1,7.5]"), "{value}");
}

#[tokio::test]
async fn heights_of_a_compound_system_are_brought_to_metres() {
    let city = City::new().await;
    let line = "[[2926603.831,526961.676,3937],[2926703.831,526961.676,0]]";
    let feature = format!(
        r#"{{"type":"Feature","id":"a","properties":null,"geometry":{{"type":"LineString","coordinates":{line}}}}}"#
    );
    // Maine, in feet of the survey.
    let options = JobOptions { crs: Some("EPSG:8746".into()), ..of_type("Cable") };
    city.take("a.geojson", &feature, &options).await;
    let value = city.value("urn:ngsi-ld:Cable:a", LOCATION).await.unwrap();
    assert!(value.contains("[-70.266") && value.contains(",1200.0]"), "{value}");
}

#[tokio::test]
async fn vehicle_positions_are_observed_when_the_feed_says() {
    let Some(samples) = samples() else { return };
    let city = City::new().await;
    let path = samples.join("helsinki/mobility/vehicle-positions-2025-04-28T1604.pb");
    let report = city.take_file(&path, &JobOptions::default()).await;
    assert!(report.created > 1_000 && report.quarantined == 0, "{report}");
    let revision = city.revision().await;
    let again = city.take_file(&path, &JobOptions::default()).await;
    assert_eq!((again.created, again.updated), (0, 0), "{again}");
    assert_eq!(city.revision().await, revision);
}

#[tokio::test]
async fn national_grids_land_in_helsinki() {
    let Some(samples) = samples() else { return };
    let city = City::new().await;
    let dogs = samples.join("helsinki/admin/dog-parks.geojson");
    let plans = samples.join("helsinki/mobility/traffic-control-plans.csv");
    let parks = city.take_file(&dogs, &of_type("DogPark")).await;
    assert_eq!((parks.created, parks.quarantined), (1, 0), "{parks}");
    let options = JobOptions { crs: Some("EPSG:3879".into()), ..of_type("TrafficPlan") };
    let report = city.take_file(&plans, &options).await;
    assert!(report.created > 1_500, "{report}");
    let types = city.snapshot().await.types();
    for info in types {
        let extents = info.attributes.iter().filter_map(|attribute| attribute.extent);
        for [west, south, east, north] in extents {
            assert!(west > 24.7 && east < 25.4 && south > 59.9 && north < 60.4, "{}", info.name);
        }
    }
}

#[tokio::test]
async fn files_of_a_city_need_no_mapping() {
    let Some(samples) = samples() else { return };
    let city = City::new().await;
    for (file, type_name, count) in [
        ("osm/buildings.geojson", "Building", 446),
        ("osm/streets.geojsonl", "Street", 2_417),
        ("osm/trees.geojson", "Tree", 649),
        ("mobility/citybike-stations.csv", "BikeStation", 457),
        ("sensors/fmi-stations.csv", "WeatherStation", 17),
        ("admin/postal-areas.geojson", "PostalArea", 84),
        ("stats/population-grid-250m.geojson", "Cell", 3_291),
    ] {
        let report =
            city.take_file(&samples.join("helsinki").join(file), &of_type(type_name)).await;
        assert_eq!((report.created, report.quarantined), (count, 0), "{file}: {report}");
    }
    let report =
        city.take_file(&samples.join("helsinki/osm/buildings.fgb"), &of_type("Building")).await;
    assert_eq!(report.quarantined, 0, "{report}");
}

#[tokio::test]
async fn json_is_reached_into_by_paths_and_lacks_a_place_where_a_coordinate_is_null() {
    let city = City::new().await;
    let mapping = "type='T'\nkey='who.id'\nformat='json'\n[geometry]\nx='at.x'\ny='at.y'\n[attributes]\nv='m.0.v'\n";
    let content = r#"[{"who":{"id":1},"at":{"x":24.9,"y":60.1},"m":[{"v":5}]},
        {"who":{"id":2},"at":{"x":null,"y":60.1},"m":[{"v":6}]},
        {"who":{},"m":[]}]"#;
    let report = city.take("a.json", content, &mapped(mapping)).await;
    assert_eq!((report.created, report.quarantined), (2, 1), "{report}");
    assert_eq!(city.value("urn:ngsi-ld:T:1", "v").await.as_deref(), Some("5"));
    assert!(city.value("urn:ngsi-ld:T:1", LOCATION).await.is_some_and(|v| v.contains("24.9")));
    assert_eq!(city.value("urn:ngsi-ld:T:2", "v").await.as_deref(), Some("6"));
    assert_eq!(city.value("urn:ngsi-ld:T:2", LOCATION).await, None);
}
