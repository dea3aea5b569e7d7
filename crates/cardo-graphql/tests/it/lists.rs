use serde_json::json;

use crate::city::{City, ids, tree, trees};

#[tokio::test]
async fn a_list_has_typed_fields_and_counts_only_where_asked() {
    let city = City::new().await;
    let data = city
        .data(
            "{ treeList(first: 2) { totalCount pageInfo { hasNextPage hasPreviousPage } nodes { id \
             type height height__unitCode height__observedAt species healthy location locatedIn__ids \
             createdAt __typename } } }",
        )
        .await;
    let page = &data["treeList"];
    assert_eq!(page["totalCount"], 12);
    assert_eq!(page["pageInfo"], json!({ "hasNextPage": true, "hasPreviousPage": false }));
    let second = &page["nodes"][1];
    assert_eq!(second["height"], 1.0);
    assert_eq!(second["height__unitCode"], "MTR");
    assert_eq!(second["height__observedAt"], "2023-11-14T22:13:21Z");
    assert_eq!(second["species"], "Acer");
    assert_eq!(second["healthy"], false);
    assert_eq!(second["type"], json!(["Tree"]));
    assert_eq!(second["__typename"], "Tree");
    assert_eq!(second["locatedIn__ids"], json!(["urn:d:1"]));
    assert_eq!(second["location"]["type"], "Point");
    assert_eq!(page["nodes"][0]["healthy"], json!(null));
}

#[tokio::test]
async fn every_field_can_be_filtered() {
    let city = City::new().await;
    for (filter, expected) in [
        ("{ height: { ge: 10 } }", trees([10, 11])),
        ("{ height: { gt: 2, lt: 5 } }", trees([3, 4])),
        ("{ height: { in: [1, 7] } }", trees([1, 7])),
        ("{ height: { ne: 3, le: 4 } }", trees([0, 1, 2, 4])),
        ("{ height: { eq: 3 } }", trees([3])),
        ("{ species: { eq: \"Acer\" }, height: { le: 3 } }", trees([1, 3])),
        ("{ species: { like: \"Ti%a\" }, height: { lt: 3 } }", trees([0, 2])),
        ("{ species: { matches: \"^A.er$\" }, height: { lt: 3 } }", trees([1])),
        ("{ healthy: { exists: false } }", trees([0, 4, 8])),
        ("{ healthy: { eq: true } }", trees([3, 6, 9])),
        ("{ locatedIn: { eq: \"urn:d:2\" } }", trees([2, 5, 8, 11])),
        ("{ id: { in: [\"urn:t:3\", \"urn:t:1\"] } }", trees([1, 3])),
        ("{ id: { matches: \":1.$\" } }", trees([10, 11])),
        ("{ height__observedAt: { ge: \"2023-11-14T22:13:30Z\" } }", trees([10, 11])),
        ("{ height__unitCode: { ne: \"MTR\" } }", vec![]),
        ("{ or: [{ height: { lt: 1 } }, { height: { gt: 10 } }] }", trees([0, 11])),
        ("{ not: { height: { lt: 11 } } }", trees([11])),
        ("{ and: [{ height: { gt: 3 } }, { height: { lt: 5 } }] }", trees([4])),
        ("{ createdAt: { lt: \"2000-01-01T00:00:00Z\" } }", vec![]),
    ] {
        let data =
            city.data(&format!("{{ treeList(filter: {filter}) {{ nodes {{ id }} }} }}")).await;
        assert_eq!(ids(&data["treeList"]), expected, "{filter}");
    }
}

#[tokio::test]
async fn space_can_be_asked_for() {
    let city = City::new().await;
    let area = "{type: \"Polygon\", coordinates: [[[24.9005,60],[24.9025,60],[24.9025,61],[24.9005,61],[24.9005,60]]]}";
    for (condition, expected) in [
        (format!("within: {area}"), trees([1, 2])),
        (format!("intersects: {area}"), trees([1, 2])),
        ("bbox: [24.8995, 60, 24.9015, 61]".to_owned(), trees([0, 1])),
        ("bbox: [24.9105, 60, -170, 61]".to_owned(), trees([11])),
        ("near: { lon: 24.9, lat: 60.17, maxDistance: 60 }".to_owned(), trees([0, 1])),
        (
            "near: { lon: 24.9, lat: 60.17, minDistance: 50, maxDistance: 120 }".to_owned(),
            trees([1, 2]),
        ),
        ("exists: false".to_owned(), vec![]),
    ] {
        let query = format!(
            "{{ treeList(filter: {{ location: {{ {condition} }} }}) {{ nodes {{ id }} }} }}"
        );
        assert_eq!(ids(&city.data(&query).await["treeList"]), expected, "{condition}");
    }
}

#[tokio::test]
async fn lists_have_orders_and_their_pages_join_up_both_ways() {
    let city = City::new().await;
    let order = "orderBy: [{ field: healthy }, { field: height, direction: DESC }]";
    let expected = trees([11, 10, 7, 5, 2, 1, 9, 6, 3, 8, 4, 0]);
    let mut found = Vec::new();
    let mut after = String::new();
    loop {
        let data = city
            .data(&format!(
                "{{ treeList(first: 5 {order} {after}) {{ nodes {{ id }} pageInfo {{ hasNextPage endCursor }} }} }}"
            ))
            .await;
        let page = &data["treeList"];
        found.extend(ids(page));
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = format!("after: {}", page["pageInfo"]["endCursor"]);
    }
    assert_eq!(found, expected);

    let mut found = Vec::new();
    let mut before = String::new();
    loop {
        let data = city
            .data(&format!(
                "{{ treeList(last: 5 {order} {before}) {{ edges {{ cursor node {{ id }} }} nodes {{ id }} \
                 pageInfo {{ hasPreviousPage startCursor }} }} }}"
            ))
            .await;
        let page = &data["treeList"];
        found.splice(0..0, ids(page));
        assert_eq!(page["edges"][0]["cursor"], page["pageInfo"]["startCursor"]);
        if page["pageInfo"]["hasPreviousPage"] == false {
            break;
        }
        before = format!("before: {}", page["pageInfo"]["startCursor"]);
    }
    assert_eq!(found, expected);
}

#[tokio::test]
async fn entities_of_any_type_stand_in_one_list() {
    let city = City::new().await;
    let data = city
        .data(
            "{ entities(type: [\"District\", \"Town\"]) { totalCount nodes { __typename id ... on \
             District { name name__fi } ... on Town { title } } } node(id: \"urn:t:1\") { id } \
             entity(id: \"urn:nobody\") { id } tree(id: \"urn:d:1\") { id } }",
        )
        .await;
    assert_eq!(data["entities"]["totalCount"], 4);
    assert_eq!(data["entities"]["nodes"][0]["title"], "Helsinki");
    let area = &data["entities"]["nodes"][1];
    assert_eq!((&area["name"], &area["name__fi"]), (&json!("Area 0"), &json!("Alue 0")));
    assert_eq!(data["node"]["id"], "urn:t:1");
    assert_eq!(data["entity"], json!(null));
    assert_eq!(data["tree"], json!(null));
}

#[tokio::test]
async fn entities_of_any_type_can_be_asked_for_by_place() {
    let city = City::new().await;
    let ids_in = async |filter: &str| {
        let question = format!("{{ entities(filter: {filter}) {{ nodes {{ id }} }} }}");
        ids(&city.data(&question).await["entities"])
    };
    let of_type = async |bbox: &str| {
        let question =
            format!("{{ treeList(filter: {{ location: {{ {bbox} }} }}) {{ nodes {{ id }} }} }}");
        ids(&city.data(&question).await["treeList"])
    };
    let bbox = "bbox: [24.8995, 60, 24.9015, 61]";
    let all = ids_in(&format!("{{ location: {{ {bbox} }} }}")).await;
    let trees: Vec<_> = all.iter().filter(|id| id.starts_with("urn:t:")).cloned().collect();
    assert_eq!(trees, of_type(bbox).await);
    assert!(!trees.is_empty() && trees.len() < 12);
    let with = ids_in("{ location: { exists: true } }").await;
    let without = ids_in("{ not: { location: { exists: true } } }").await;
    assert!(all.iter().all(|id| with.contains(id)), "{all:?}");
    assert!(!without.iter().any(|id| with.contains(id)), "{without:?}");
    assert!(ids_in(&format!("{{ location: {{ {bbox}, exists: false }} }}")).await.is_empty());
}

#[tokio::test]
async fn what_an_entity_has_not_is_null_whatever_the_scalar() {
    let city = City::new().await;
    let query = "mutation { createTree(id: \"urn:t:bare\", input: { species: \"Ulmus\" }) { species height \
                 height__observedAt location locatedIn { id } expiresAt } }";
    let expected = json!({
        "species": "Ulmus", "height": null, "height__observedAt": null, "location": null,
        "locatedIn": null, "expiresAt": null
    });
    assert_eq!(city.data(query).await["createTree"], expected);
}

#[tokio::test]
async fn a_question_is_answered_the_same_however_often_and_follows_the_twin() {
    let city = City::new().await;
    let query = "{ a: treeList(first: 2, orderBy: [{ field: height, direction: DESC }]) { __typename \
                 totalCount rows: nodes { __typename key: id type createdAt height height__unitCode \
                 height__observedAt species healthy location locatedIn__ids } pageInfo { __typename \
                 hasNextPage hasPreviousPage startCursor endCursor } edges { __typename cursor node { id \
                 } } } b: districtList(last: 1) { nodes { name name__fi expiresAt scope } } }";
    let first = city.data(query).await;
    assert_eq!(first["a"]["rows"][0]["key"], "urn:t:11");
    city.create(vec![tree(50)]).await;
    let second = city.data(query).await;
    assert_eq!(second["a"]["rows"][0]["key"], "urn:t:50");
    assert_eq!((&first["a"]["totalCount"], &second["a"]["totalCount"]), (&json!(12), &json!(13)));
    assert_eq!(second["b"]["nodes"][0]["name__fi"], "Alue 2");

    // A page behind a cursor is refused as before once the cursor is of another question.
    let cursor = &second["a"]["pageInfo"]["endCursor"];
    let after = format!("{{ treeList(first: 2, after: {cursor}) {{ nodes {{ id }} }} }}");
    for _ in 0..2 {
        assert_eq!(city.error(&after).await.0, "BAD_CURSOR");
    }
    // What a question has no plan for is answered as well: fields that are merged, and directives.
    let query = "{ treeList(first: 1) { nodes { id } nodes { height @skip(if: true) species } } }";
    let expected = json!({ "nodes": [{ "id": "urn:t:0", "species": "Tilia" }] });
    assert_eq!(city.data(query).await["treeList"], expected);
}
