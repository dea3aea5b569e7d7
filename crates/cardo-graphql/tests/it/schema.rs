use cardo_engine::Caller;
use serde_json::json;

use crate::city::{City, entity, property};

#[tokio::test]
async fn names_that_collide_are_given_otherwise_and_still_answer() {
    let city = City::new().await;
    city.create(vec![
        entity("urn:x:1", "Query", vec![("and", property(json!(1))), ("or", property(json!("x")))]),
        entity("urn:x:2", "TreeFilter", vec![("height", property(json!(2)))]),
        entity("urn:x:3", "Node", vec![]),
        entity("urn:x:4", "PageInfo", vec![("true", property(json!(true)))]),
    ])
    .await;
    let data = city
        .data(
            "{ queryList(filter: { and_: { eq: 1 } }) { nodes { __typename and } } \
             treeFilterList { nodes { __typename height } } node_(id: \"urn:x:3\") { __typename } \
             treeList(first: 1, filter: { height: { eq: 2 } }) { nodes { id } } }",
        )
        .await;
    assert_eq!(data["queryList"]["nodes"][0], json!({ "__typename": "Query_", "and": 1 }));
    assert_eq!(data["treeFilterList"]["nodes"][0]["height"], 2);
    assert_eq!(data["node_"]["__typename"], "Node_");
    assert_eq!(data["treeList"]["nodes"][0]["id"], "urn:t:2");
}

#[tokio::test]
async fn the_schema_is_readable_and_introspection_within_its_limits() {
    let city = City::new().await;
    let sdl = cardo_graphql::sdl(&city.engine, &Caller::local("test")).await.unwrap();
    for part in [
        "type Tree implements Node & Entity",
        "height: Float",
        "locatedIn: District",
        "partOf: Town",
        "treeByLocatedIn(",
        "scalar Geometry",
    ] {
        assert!(sdl.contains(part), "{part} is missing in\n{sdl}");
    }
    let whole = include_str!("introspection.graphql");
    let data = city.data(whole).await;
    assert!(data["__schema"]["types"].as_array().unwrap().len() > 30);
}
