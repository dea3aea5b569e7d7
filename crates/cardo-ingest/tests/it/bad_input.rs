use crate::{City, LOCATION, mapped, of_type};

#[tokio::test]
async fn a_ragged_row_goes_to_the_quarantine_and_its_neighbours_go_on() {
    let city = City::new().await;
    let csv = "id,name,lon,lat\n1,a,24.9,60.1\n2,b,24.9\n3,c,24.9,60.2\n";
    let report = city.take("trees.csv", csv, &of_type("Tree")).await;
    assert_eq!((report.records, report.created, report.quarantined), (3, 2, 1));
    let held = city.quarantined().await;
    let offset = "id,name,lon,lat\n1,a,24.9,60.1\n".len();
    assert!(
        held[0].contains(&format!("trees.csv, record 1 at byte {offset} (line 3)")),
        "{held:?}"
    );
    assert!(held[0].contains("3 cells"), "{held:?}");
    assert!(city.entity("urn:ngsi-ld:Tree:3").await.is_some());
}

#[tokio::test]
async fn positions_that_are_none_are_quarantined() {
    let city = City::new().await;
    let csv = "id,lon,lat\n1,NaN,60\n2,inf,60\n3,24.9,90.5\n4,-180.5,0\n5,24.9,60.1\n6,,\n7,x,1\n";
    let report = city.take("a.csv", csv, &of_type("T")).await;
    assert_eq!((report.created, report.quarantined), (2, 5), "{report}");
    assert_eq!(city.value("urn:ngsi-ld:T:6", LOCATION).await, None);
}

#[tokio::test]
async fn noise_behind_the_edge_of_the_globe_is_taken_away() {
    let city = City::new().await;
    let csv = "id,lon,lat\n1,180.00000000000003,-90.00000000000001\n2,180.001,0\n";
    let report = city.take("a.csv", csv, &of_type("T")).await;
    assert_eq!((report.created, report.quarantined), (1, 1), "{report}");
    let stored = city.value("urn:ngsi-ld:T:1", LOCATION).await.unwrap();
    assert!(stored.contains("[180.0,-90.0]"), "{stored}");
}

#[tokio::test]
async fn text_that_is_not_utf8_is_quarantined_with_its_bytes() {
    let city = City::new().await;
    let csv = b"id,name\n1,a\n2,\xff\xfe\n3,c\n";
    let report = city.take("a.csv", csv, &of_type("T")).await;
    assert_eq!((report.created, report.quarantined), (2, 1));
    let held = city.ingestor.quarantined(&city.caller, Some("a.csv")).await.unwrap();
    assert!(held[0].reason.contains("UTF-8"), "{}", held[0]);
    assert!(held[0].hex.as_deref().is_some_and(|hex| hex.contains("fffe")));
}

#[tokio::test]
async fn an_open_ring_is_refused_and_a_crossing_one_is_stored_and_counted() {
    let city = City::new().await;
    let feature = |id: u8, ring: &str| {
        format!(
            r#"{{"type":"Feature","id":{id},"properties":{{}},"geometry":{{"type":"Polygon","coordinates":[{ring}]}}}}"#
        )
    };
    let crossing = "[[0,0],[1,1],[1,0],[0,1],[0,0]]";
    let features = [
        feature(1, "[[0,0],[1,0],[1,1],[0,1]]"),
        feature(2, crossing),
        feature(3, "[[0,0],[1,0],[1,1],[0,0]]"),
    ];
    let collection =
        format!(r#"{{"type":"FeatureCollection","features":[{}]}}"#, features.join(","));
    let report = city.take("areas.geojson", collection, &of_type("Area")).await;
    assert_eq!((report.created, report.quarantined, report.self_crossing), (2, 1, 1));
    assert!(report.first_reasons[0].contains("open ring"), "{report}");
    let stored = city.value("urn:ngsi-ld:Area:2", LOCATION).await.unwrap();
    assert!(stored.contains("[[0.0,0.0],[1.0,1.0],[1.0,0.0],[0.0,1.0],[0.0,0.0]]"), "{stored}");
    assert!(report.to_string().contains("self-crossing"));
}

#[tokio::test]
async fn a_geometry_collection_is_no_geo_property() {
    let city = City::new().await;
    let feature = r#"{"type":"Feature","id":1,"properties":{},"geometry":{"type":"GeometryCollection","geometries":[{"type":"Point","coordinates":[1,2]}]}}"#;
    let report = city.take("a.geojson", feature, &of_type("T")).await;
    assert_eq!((report.created, report.quarantined), (0, 1));
    assert!(report.first_reasons[0].contains("GeometryCollection"), "{report}");
}

#[tokio::test]
async fn what_stands_before_the_cut_of_a_file_is_taken_in() {
    let city = City::new().await;
    let whole = std::fs::read(crate::fixtures::folder().join("buildings.fgb")).unwrap();
    let report = city.take("cut.fgb", &whole[..whole.len() * 2 / 3], &of_type("Building")).await;
    assert!(report.created > 10 && report.created < 446, "{report}");
    assert!(report.stopped.is_some(), "{report}");
    let before = city.revision().await;
    let again = city.take("cut.fgb", &whole[..whole.len() * 2 / 3], &of_type("Building")).await;
    assert!(again.stopped.is_some() && again.created == 0, "{again}");
    assert_eq!(city.revision().await, before);
    let mended = city.take("cut.fgb", &whole, &of_type("Building")).await;
    assert_eq!(report.created + mended.created, 446, "{mended}");
    assert_eq!(city.quarantined().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_file_that_is_not_of_its_format_is_an_error_with_its_name() {
    let city = City::new().await;
    for (name, content) in [("a.fgb", "no such bytes"), ("a.xyz", "what is it")] {
        let job = cardo_ingest::FileJob::new(city.file(name, content), of_type("T"));
        let run = city.ingestor.run_file(&city.caller, &job, &cardo_ingest::Silent).await;
        let message = run.unwrap_err().to_string();
        assert!(message.contains(name), "{message}");
    }
}

#[tokio::test]
async fn values_that_break_a_rule_are_quarantined_with_the_attribute() {
    let city = City::new().await;
    let mapping = "type='T'\nkey='id'\n[attributes.level]\nfrom='level'\ntype='number'\n";
    let report = city.take("a.csv", "id,level\n1,high\n2,3\n,4\n", &mapped(mapping)).await;
    assert_eq!((report.created, report.quarantined), (1, 2));
    assert!(report.first_reasons[0].contains("`level`"), "{report}");
    assert!(report.first_reasons[1].contains("`id`"), "{report}");
}

#[tokio::test]
async fn the_quarantine_of_a_source_is_bounded() {
    let city = City::new().await;
    let rows: Vec<String> = (0..3_000).map(|row| format!("{row},24.9,91\n")).collect();
    let report = city.take("a.csv", format!("id,lon,lat\n{}", rows.concat()), &of_type("T")).await;
    assert_eq!((report.quarantined, report.not_kept), (3_000, 2_000));
    assert_eq!(city.quarantined().await.len(), 1_000);
}
