//! The twin for the suites of the OGC: they skip what they find nothing for, so it has something for all they ask.

use std::path::Path;

use tempfile::tempdir;

use crate::support::{Server, cardo, output};

const COLLECTIONS: [(&str, &str, u64); 3] =
    [("stations", "Station", 125), ("zones", "Zone", 51), ("routes", "Route", 50)];

#[test]
fn the_twin_for_the_suites_has_features_wherever_they_look() {
    let folder = tempdir().unwrap();
    let data = folder.path().join("data");
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/certification");
    for (name, _, _) in COLLECTIONS {
        let mut ingest = cardo(&["ingest"]);
        ingest.arg(fixture.join(format!("{name}.geojson")));
        ingest.arg("--mapping").arg(fixture.join(format!("mappings/{name}.toml")));
        ingest.arg("--data").arg(&data);
        assert!(output(ingest).status.success(), "{name}");
    }
    let server = Server::start(&data);
    let matched = |collection: &str, rest: &str| {
        let page = server.get(&format!("/ogc/collections/{collection}/items?limit=1{rest}"));
        page["numberMatched"].as_u64().unwrap()
    };
    let nowhere = matched("Station", "&filter=location%20IS%20NULL");
    assert_eq!(nowhere, 5);
    for (_, collection, all) in COLLECTIONS {
        assert_eq!(matched(collection, ""), all);
        let nowhere = if collection == "Station" { nowhere } else { 0 };
        // Features 1.10, FeaturesBBox: the meridian, the equator, the antimeridian and the poles.
        for bbox in [
            "-1.5,50,1.5,53",
            "-80,-5,-70,5",
            "177,65,-177,70",
            "-180,85,180,90",
            "-180,-90,180,-85",
        ] {
            let inside = matched(collection, &format!("&bbox={bbox}"));
            assert!(nowhere < inside && inside < all, "{collection} in {bbox}: {inside}");
        }
        for tile in 0..16 {
            let (row, col) = (tile / 4, tile % 4);
            let path = format!("/ogc/collections/{collection}/tiles/WebMercatorQuad/2/{row}/{col}");
            let answer = server.send("GET", &path, None);
            assert_eq!(answer.status, 200, "{path}");
            assert!(collection != "Station" || !answer.body.is_empty(), "{path}");
        }
    }
    server.stop();
}
