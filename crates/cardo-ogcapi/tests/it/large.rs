//! Answers that are too large to be held in memory as a whole.

use std::time::Duration;

use axum::http::Method;
use cardo_engine::{Caller, Operation};
use cardo_ogcapi::{OgcLimits, OgcOptions};
use http_body_util::BodyExt;
use serde_json::Value;

use crate::client::{Client, client, client_with, id, make};

const ALL: &str = "/ogc/collections/Tree/items?limit=1000000";

/// A face of some thousands of trees.
async fn wood(client: Client, trees: usize) -> Client {
    let tree = |n: usize| {
        let name = format!("\"a tree with a name that is long enough: {n}\"");
        let place = f64::from(u32::try_from(n).unwrap()) / 1e4;
        make("Tree", &n.to_string()).value("n", &n.to_string()).value("name", &name).at(place, 1.0)
    };
    client.create((0..trees).map(|n| tree(n).done()).collect()).await;
    client
}

async fn wood_with(limits: OgcLimits, trees: usize) -> Client {
    wood(client_with(OgcOptions { limits, ..OgcOptions::default() }).await, trees).await
}

#[tokio::test]
async fn f20_to_f26_a_large_page_comes_in_pieces_and_is_the_small_pages_together() {
    let client = wood(client().await, 3_000).await;
    let mut body = client.open(Method::GET, ALL, &[]).await.into_body();
    let (mut text, mut pieces) = (Vec::new(), 0);
    while let Some(frame) = body.frame().await {
        let piece = frame.unwrap().into_data().unwrap();
        assert!(piece.len() < 128 * 1_024, "{} bytes at once", piece.len());
        text.extend_from_slice(&piece);
        pieces += 1;
    }
    assert!(pieces > 3, "{pieces} pieces");
    let large: Value = serde_json::from_slice(&text).unwrap();
    assert_eq!((&large["numberMatched"], &large["numberReturned"]), (&3_000.into(), &3_000.into()));
    let mut small = Vec::new();
    for offset in [0, 1_000, 2_000] {
        let path = format!("/collections/Tree/items?limit=1000&offset={offset}");
        small.extend(client.json(&path).await["features"].as_array().unwrap().clone());
    }
    assert_eq!(large["features"].as_array().unwrap(), &small);
    assert!(large["links"].as_array().unwrap().iter().all(|link| link["rel"] != "next"));
}

#[tokio::test]
async fn f24_f25_large_pages_lead_to_one_another() {
    let client = wood(client().await, 3_000).await;
    let link = |page: &Value, rel: &str| {
        let links = page["links"].as_array().unwrap();
        links.iter().find(|link| link["rel"] == rel).map(|link| link["href"].clone())
    };
    let first = client.json("/collections/Tree/items?limit=1500&bbox=0,0,0.2,2").await;
    assert_eq!((&first["numberMatched"], &first["numberReturned"]), (&2_001.into(), &1_500.into()));
    let second = client.follow(link(&first, "next").unwrap().as_str().unwrap()).await;
    assert_eq!(second["numberReturned"], 501);
    assert_eq!(second["features"][0]["properties"]["n"], 1_500);
    assert_eq!(link(&second, "next"), None);
    let back = client.follow(link(&second, "prev").unwrap().as_str().unwrap()).await;
    assert_eq!(back["features"], first["features"]);
}

#[tokio::test]
async fn a_large_page_is_of_the_moment_in_which_it_began() {
    let client = wood(client().await, 3_000).await;
    let body = client.open(Method::GET, ALL, &[]).await.into_body();
    let gone = (1_000..3_000).map(|n| Operation::Delete(id(&format!("Tree:{n}"))));
    client.apply(&Caller::local("test"), gone.collect()).await;
    let text = body.collect().await.unwrap().to_bytes();
    let page: Value = serde_json::from_slice(&text).unwrap();
    assert_eq!(page["features"].as_array().unwrap().len(), 3_000);
    assert_eq!(client.ids("Tree", "?limit=1000000").await.1, 1_000);
}

#[tokio::test]
async fn there_is_room_for_so_many_large_answers_and_who_goes_away_makes_some() {
    let client = wood_with(OgcLimits { streams: 1, ..OgcLimits::default() }, 1_500).await;
    let first = client.open(Method::GET, ALL, &[]).await;
    assert_eq!(first.status(), 200);
    let refused = client.send(Method::GET, ALL, &[]).await.expect(503);
    assert_eq!(refused.header("retry-after"), "1");
    assert_eq!(client.ids("Tree", "?limit=1000").await.1, 1_500);
    drop(first);
    client.send(Method::GET, ALL, &[]).await.expect(200);
    client.send(Method::GET, ALL, &[]).await.expect(200);
}

#[tokio::test]
async fn who_goes_away_from_a_table_makes_room_at_once() {
    let client = wood_with(OgcLimits { streams: 1, ..OgcLimits::default() }, 9_000).await;
    for name in ["csv", "fgb", "gpkg", "parquet"] {
        let path = format!("{ALL}&f={name}");
        let mut body = client.open(Method::GET, &path, &[]).await.into_body();
        client.send(Method::GET, &path, &[]).await.expect(503);
        body.frame().await.unwrap().unwrap();
        drop(body);
        client.send(Method::GET, &path, &[]).await.expect(200);
    }
}

#[tokio::test]
async fn a_table_that_takes_too_long_is_broken_off() {
    let longest = Duration::from_millis(1);
    let client = wood_with(OgcLimits { max_stream: longest, ..OgcLimits::default() }, 1_500).await;
    for name in ["csv", "fgb", "gpkg", "parquet"] {
        let body = client.open(Method::GET, &format!("{ALL}&f={name}"), &[]).await.into_body();
        // A piece may wait for its client; the end of the answer has not come by then.
        tokio::time::sleep(10 * longest).await;
        assert!(body.collect().await.is_err(), "{name}");
    }
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_broken_off_and_holds_no_state_any_more() {
    let longest = Duration::from_millis(1);
    let client = wood_with(OgcLimits { max_stream: longest, ..OgcLimits::default() }, 1_500).await;
    let mut body = client.open(Method::GET, ALL, &[]).await.into_body();
    tokio::time::sleep(10 * longest).await;
    assert!(body.frame().await.unwrap().is_err());
}

#[tokio::test]
async fn f26_a_page_for_people_stays_small() {
    let client = wood(client().await, 1_500).await;
    let page = client.page("/collections/Tree/items?limit=1000000").await;
    assert!(page.contains("these are the first 1,000"));
}

#[tokio::test]
async fn a_survey_of_all_values_waits_for_no_large_answer_and_is_refused_beside_too_many() {
    let limits = OgcLimits { streams: 1, ..OgcLimits::default() };
    let client = wood_with(limits, 3_000).await;
    let path = "/collections/Tree/schema?profile=actual-domain";
    assert_eq!(client.json(path).await["properties"]["n"]["maximum"], 2_999.0);
    let body = client.open(Method::GET, ALL, &[]).await.into_body();
    let refused = client.get(path).await.expect(503);
    assert!(refused.text.contains("large answers are under way"), "{}", refused.text);
    client.json("/collections/Tree/schema").await;
    // So is one of texts that may all be times; where the first ones tell, or there are few, there is room.
    let of_features = "/collections/Tree/schema?type=feature";
    client.json(of_features).await;
    let noted = |n: usize| make("Note", &n.to_string()).value("day", "\"2026-01-31\"").done();
    client.create((0..3).map(noted).collect()).await;
    let small = "/collections/Note/schema?type=feature";
    let day = "/properties/properties/allOf/0/properties/day/format";
    assert_eq!(client.json(small).await.pointer(day), Some(&"date".into()));
    client.create((3..1_100).map(noted).collect()).await;
    client.get(small).await.expect(503);
    drop(body);
    client.json(path).await;
    assert_eq!(client.json(small).await.pointer(day), Some(&"date".into()));
}
