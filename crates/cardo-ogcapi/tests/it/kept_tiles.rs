//! Tiles that are kept are what they would be if they were made anew.

use std::collections::HashMap;

use cardo_engine::{Caller, Operation, Restriction};
use cardo_model::Entity;
use cardo_ogcapi::{OgcLimits, OgcOptions, router};
use cardo_query::Filter;
use proptest::prelude::*;

use crate::client::{Client, client, client_of_town, id, make};
use crate::tiles::{around, with_tag};

/// The same twin behind a face that keeps no tiles.
fn that_keeps_nothing(client: &Client) -> Client {
    let limits = OgcLimits { tile_bytes: 0, ..OgcLimits::default() };
    let options = OgcOptions { limits, ..OgcOptions::default() };
    Client { engine: client.engine.clone(), router: router(client.engine.clone(), options) }
}

const TYPES: [&str; 2] = ["Sensor", "Building"];

/// What a step of a test does to an entity.
#[derive(Debug, Clone)]
struct Step {
    kind: usize,
    name: u8,
    at: Option<(u8, u8)>,
    size: u8,
    value: u8,
    delete: bool,
}

fn step() -> impl Strategy<Value = Step> {
    let at = prop::option::weighted(0.9, (0_u8..100, 0_u8..100));
    (0..TYPES.len(), 0_u8..12, at, 0_u8..4, 0_u8..3, prop::bool::weighted(0.2)).prop_map(
        |(kind, name, at, size, value, delete)| Step { kind, name, at, size, value, delete },
    )
}

/// Somewhere within about a degree, or with the eastern end beyond the antimeridian.
fn entity(step: &Step) -> Entity {
    let name = step.name.to_string();
    let made = make(TYPES[step.kind], &name).value("v", &step.value.to_string());
    let Some((x, y)) = step.at else { return made.done() };
    let (lon, lat) = (179.4 + f64::from(x) / 100.0, 60.0 + f64::from(y) / 100.0);
    let lon = if lon > 180.0 { lon - 360.0 } else { lon };
    if step.size == 0 || lon > 179.9 {
        return made.at(lon, lat).done();
    }
    let (east, north) = (lon + f64::from(step.size) * 0.02, lat + 0.01);
    let ring =
        format!("[[{lon},{lat}],[{east},{lat}],[{east},{north}],[{lon},{north}],[{lon},{lat}]]");
    made.geometry("location", &format!("{{\"type\":\"Polygon\",\"coordinates\":[{ring}]}}")).done()
}

fn places() -> Vec<String> {
    let mut paths = Vec::new();
    for (lon, lat, zoom) in [
        (179.45, 60.1, 0),
        (179.45, 60.1, 5),
        (179.7, 60.5, 8),
        (179.7, 60.5, 11),
        (-179.9, 60.4, 9),
    ] {
        let place = around(lon, lat, zoom);
        paths.push(format!("/tiles/WebMercatorQuad/{place}"));
        paths.push(format!("/tiles/WebMercatorQuad/{place}?filter=v%3E0&properties=v"));
        paths.extend(TYPES.map(|t| format!("/collections/{t}/tiles/WebMercatorQuad/{place}")));
    }
    paths.push("/tiles/WorldCRS84Quad/9/85/1022".into());
    paths.push("/tiles/WorldCRS84Quad/4/2/0?collections=Sensor".into());
    paths
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn tl24_after_any_writes_a_kept_tile_is_what_a_new_one_would_be(
        writes in prop::collection::vec(prop::collection::vec(step(), 1..4), 1..12),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let keeping = client().await;
            let anew = that_keeps_nothing(&keeping);
            // Both types stay, whatever goes.
            let last = |kind: &str| make(kind, "last").value("v", "1").at(10.0, 10.0).done();
            keeping.create(TYPES.map(last).to_vec()).await;
            let mut seen: HashMap<(String, String), Vec<u8>> = HashMap::new();
            let me = Caller::local("test");
            for steps in writes {
                let mut known: Vec<String> = Vec::new();
                let mut operations = Vec::new();
                for step in steps {
                    let name = format!("{}:{}", TYPES[step.kind], step.name);
                    let exists = keeping.engine.snapshot(&me).await.unwrap();
                    let exists = exists.retrieve(id(&name).as_str()).is_some();
                    if known.contains(&name) {
                        continue;
                    }
                    known.push(name.clone());
                    match step.delete {
                        true if exists => operations.push(Operation::Delete(id(&name))),
                        true => {}
                        false => operations.push(Operation::CreateOrReplace(entity(&step))),
                    }
                }
                keeping.apply(&me, operations).await;
                for path in places() {
                    let reply = keeping.get(&path).await.expect(200);
                    let expected = anew.get(&path).await.expect(200);
                    assert_eq!(reply.bytes, expected.bytes, "{path}");
                    assert_eq!(reply.header("cardo-revision"), expected.header("cardo-revision"));
                    let tag = reply.header("etag").to_owned();
                    with_tag(&keeping, &path, &tag).await.expect(304);
                    let before = seen.entry((path.clone(), tag)).or_insert_with(|| reply.bytes.clone());
                    assert_eq!(*before, reply.bytes, "a tag is of one tile: {path}");
                }
            }
        });
    }
}

#[tokio::test]
async fn a_kept_tile_is_of_one_view_and_one_address() {
    let client = client_of_town().await;
    let path = "/collections/Sensor/tiles/WebMercatorQuad/0/0/0";
    let all = client.get(path).await.expect(200).bytes;
    let rows = Filter::Ids(vec![id("Sensor:a")]);
    let seen = client.seen_by(Restriction { rows, attributes: cardo_engine::Mask::All });
    let some = seen.get(path).await.expect(200).bytes;
    assert!(some.len() < all.len());
    assert_eq!(client.get(path).await.expect(200).bytes, all);
    assert_eq!(seen.get(path).await.expect(200).bytes, some);
    let named = client.get(&format!("{path}?properties=name")).await.expect(200).bytes;
    assert!(named != all && client.get(path).await.bytes == all);
    // What could not be asked for before cannot be asked for of a kept tile either.
    client.get(&format!("{path}?f=png")).await.expect(400);
}

#[tokio::test]
async fn a_tile_larger_than_what_is_kept_is_made_anew_and_old_ones_go() {
    let client = client_of_town().await;
    let limits = OgcLimits { tile_bytes: 8_192, ..OgcLimits::default() };
    let options = OgcOptions { limits, ..OgcOptions::default() };
    let small =
        Client { engine: client.engine.clone(), router: router(client.engine.clone(), options) };
    for _ in 0..2 {
        for (row, col) in (0..16).flat_map(|row| (0..16).map(move |col| (row, col))) {
            let path = format!("/tiles/WebMercatorQuad/4/{row}/{col}");
            let expected = client.get(&path).await.expect(200).bytes;
            assert_eq!(small.get(&path).await.expect(200).bytes, expected, "{path}");
        }
    }
}
