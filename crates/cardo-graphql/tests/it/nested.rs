use serde_json::json;

use crate::city::{City, entity, error_of, ids, property, relationship, tree, trees};

#[tokio::test]
async fn relationships_are_nested_objects_in_both_directions() {
    let city = City::new().await;
    let data = city
        .data(
            "{ treeList(first: 3) { nodes { id locatedIn { name partOf { title districtByPartOf { \
             totalCount nodes { id } } } } } } district(id: \"urn:d:1\") { treeByLocatedIn(first: 2, \
             orderBy: [{ field: height, direction: DESC }], filter: { height: { lt: 10 } }) { \
             totalCount nodes { id height } pageInfo { hasNextPage } } } }",
        )
        .await;
    let nodes = data["treeList"]["nodes"].as_array().unwrap();
    for (at, node) in nodes.iter().enumerate() {
        assert_eq!(node["locatedIn"]["name"], format!("Area {at}"));
        let town = &node["locatedIn"]["partOf"];
        assert_eq!(town["title"], "Helsinki");
        assert_eq!(town["districtByPartOf"]["totalCount"], 3);
    }
    let page = &data["district"]["treeByLocatedIn"];
    assert_eq!(ids(page), trees([7, 4]));
    assert_eq!((&page["totalCount"], &page["pageInfo"]["hasNextPage"]), (&json!(3), &json!(true)));
}

#[tokio::test]
async fn the_pages_of_a_way_back_join_up() {
    let city = City::new().await;
    let first = city
        .data("{ district(id: \"urn:d:0\") { treeByLocatedIn(first: 3) { nodes { id } pageInfo { endCursor } } } }")
        .await;
    let page = &first["district"]["treeByLocatedIn"];
    assert_eq!(ids(page), trees([0, 3, 6]));
    let after = &page["pageInfo"]["endCursor"];
    let query = format!(
        "{{ district(id: \"urn:d:0\") {{ treeByLocatedIn(first: 3, after: {after}) {{ nodes {{ id }} }} }} }}"
    );
    assert_eq!(ids(&city.data(&query).await["district"]["treeByLocatedIn"]), trees([9]));
    let other = query.replace("urn:d:0", "urn:d:1");
    assert_eq!(city.error(&other).await.0, "BAD_CURSOR");
}

#[tokio::test]
async fn a_relationship_that_leads_to_nothing_is_null_and_keeps_its_id() {
    let city = City::new().await;
    let lost = entity("urn:t:99", "Tree", vec![("locatedIn", relationship("urn:d:gone"))]);
    city.create(vec![lost]).await;
    let data = city.data("{ tree(id: \"urn:t:99\") { locatedIn { id } locatedIn__ids } }").await;
    assert_eq!(data["tree"], json!({ "locatedIn": null, "locatedIn__ids": ["urn:d:gone"] }));
}

#[tokio::test]
async fn a_relationship_that_turns_out_mixed_is_told_and_learnt() {
    let city = City::new().await;
    let query = "{ tree(id: \"urn:t:50\") { id locatedIn { id __typename } } }";
    city.data("{ treeList { nodes { locatedIn { name } } } }").await;
    let park = entity("urn:t:50", "Tree", vec![("locatedIn", relationship("urn:c:1"))]);
    city.create(vec![park]).await;
    let answer = city.ask(query).await;
    let (code, message) = error_of(&answer);
    assert_eq!(code, "SCHEMA_CHANGED", "{message}");
    assert_eq!(answer["errors"][0]["path"], json!(["tree", "locatedIn"]));
    assert_eq!(answer["data"]["tree"], json!({ "id": "urn:t:50", "locatedIn": null }));
    let data = city.data(query).await;
    assert_eq!(data["tree"]["locatedIn"], json!({ "id": "urn:c:1", "__typename": "Town" }));
}

#[tokio::test]
async fn a_type_that_comes_into_the_twin_is_in_the_schema_at_once() {
    let city = City::new().await;
    assert_eq!(city.error("{ benchList { nodes { id } } }").await.0, "GRAPHQL_VALIDATION_FAILED");
    let bench = entity("urn:b:1", "Bench", vec![("seats", property(json!(3)))]);
    city.create(vec![bench, tree(40)]).await;
    let data = city.data("{ benchList { nodes { id seats } } }").await;
    assert_eq!(data["benchList"]["nodes"], json!([{ "id": "urn:b:1", "seats": 3 }]));
}
