//! What a view hides does not exist: in no list, count, nested object, way back, filter or event.

use std::sync::Arc;

use axum::http::StatusCode;
use cardo_engine::{Mask, Operation, Principal, Restriction, View};
use cardo_graphql::GraphqlOptions;
use cardo_http::{Access, Authorize, Denied, Granted, Rights};
use cardo_model::EntityId;
use cardo_query::{Comparison, Datasets, Filter, Literal, Operand, Operator, Path};
use serde_json::{Value as Json, json};

use crate::city::{City, entity, error_of, ids, name, property, tree, trees};
use crate::socket::{Client, serve};

/// Guests read everything but maples and the district 1, and no species; others may do all.
struct Guard;

impl Authorize for Guard {
    fn authorize(&self, access: &Access<'_>) -> Result<Granted, Denied> {
        let token = access.headers.get("authorization").and_then(|value| value.to_str().ok());
        match (token, access.rights) {
            (Some("Bearer guest"), Rights::Read) => {
                Ok(Granted { principal: Principal::new("guest"), view: guest() })
            }
            (Some("Bearer guest"), _) => Err(Denied::Forbidden),
            (Some("Bearer gardener"), _) => {
                Ok(Granted { principal: Principal::new("gardener"), view: View::all() })
            }
            _ => Err(Denied::Unauthenticated),
        }
    }
}

fn guest() -> View {
    let mut path = Path::of_attribute(name("species"));
    path.datasets = Datasets::Preferred;
    let is_maple = Filter::Compare(Comparison {
        path,
        operator: Operator::Equal,
        operand: Operand::One(Literal::Text("Acer".into())),
    });
    let is_hidden = Filter::Or(vec![is_maple, Filter::Ids(vec![id("urn:d:1")])]);
    View::restricted(Restriction {
        rows: Filter::Not(Box::new(is_hidden)),
        attributes: Mask::Without(vec![name("species")]),
    })
}

fn id(text: &str) -> EntityId {
    EntityId::new(text.to_owned()).unwrap()
}

async fn guarded() -> City {
    let options = GraphqlOptions { authorize: Arc::new(Guard), ..GraphqlOptions::default() };
    City::under(options).await
}

async fn seen(city: &City, query: &str) -> Json {
    let (status, answer) = city.ask_as("guest", query).await;
    assert_eq!((status, &answer["errors"]), (StatusCode::OK, &Json::Null), "{answer}");
    answer["data"].clone()
}

#[tokio::test]
async fn hidden_rows_are_in_no_list_count_or_filter() {
    let city = guarded().await;
    let visible = trees([0, 2, 4, 6, 8, 10]);
    let query = "{ treeList { totalCount nodes { id } } entities(type: [\"Tree\", \"District\"]) { \
                 totalCount nodes { id } } tree(id: \"urn:t:1\") { id } entity(id: \"urn:t:1\") { id } \
                 node(id: \"urn:d:1\") { id } district(id: \"urn:d:1\") { id } }";
    let data = seen(&city, query).await;
    assert_eq!((&data["treeList"]["totalCount"], ids(&data["treeList"])), (&json!(6), visible));
    assert_eq!(data["entities"]["totalCount"], 8);
    assert!(!ids(&data["entities"]).contains(&"urn:d:1".to_owned()));
    for field in ["tree", "entity", "node", "district"] {
        assert_eq!(data[field], Json::Null, "{field}");
    }
    for (filter, expected) in [
        ("{ height: { ge: 5 } }", trees([6, 8, 10])),
        ("{ not: { height: { lt: 9 } } }", trees([10])),
        ("{ id: { in: [\"urn:t:1\", \"urn:t:2\"] } }", trees([2])),
        ("{ locatedIn: { eq: \"urn:d:1\" } }", trees([4, 10])),
        ("{ location: { near: { lon: 24.9, lat: 60.17, maxDistance: 130 } } }", trees([0, 2])),
    ] {
        let data = seen(
            &city,
            &format!("{{ treeList(filter: {filter}) {{ totalCount nodes {{ id }} }} }}"),
        )
        .await;
        assert_eq!(ids(&data["treeList"]), expected, "{filter}");
        assert_eq!(data["treeList"]["totalCount"], expected.len(), "{filter}");
    }
    let (_, all) = city.ask_as("gardener", "{ treeList { totalCount nodes { species } } }").await;
    assert_eq!(all["data"]["treeList"]["totalCount"], 12);
    let (status, _) = city.ask_as("nobody", "{ treeList { totalCount } }").await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_hidden_attribute_is_no_field_no_filter_and_no_order() {
    let city = guarded().await;
    // Somebody who sees all has asked before, and has a schema of their own.
    let (_, all) = city.ask_as("gardener", "{ tree(id: \"urn:t:1\") { species } }").await;
    assert_eq!(all["data"]["tree"]["species"], "Acer");
    for query in [
        "{ treeList { nodes { species } } }",
        "{ treeList(filter: { species: { eq: \"Tilia\" } }) { totalCount } }",
        "{ treeList(orderBy: [{ field: species }]) { totalCount } }",
    ] {
        let (_, answer) = city.ask_as("guest", query).await;
        assert_eq!(error_of(&answer).0, "GRAPHQL_VALIDATION_FAILED", "{query}");
    }
    let data = seen(&city, "{ __type(name: \"Tree\") { fields { name } } }").await;
    let fields = data["__type"]["fields"].as_array().unwrap();
    assert!(fields.contains(&json!({ "name": "height" })));
    assert!(!fields.contains(&json!({ "name": "species" })), "{data}");
}

#[tokio::test]
async fn hidden_entities_are_behind_no_relationship_in_either_direction() {
    let city = guarded().await;
    let query = "{ treeList { nodes { id locatedIn { id name } locatedIn__ids } } district(id: \"urn:d:0\") \
                 { treeByLocatedIn { totalCount nodes { id } } } town(id: \"urn:c:1\") { \
                 districtByPartOf { totalCount nodes { id treeByLocatedIn(filter: { height: { gt: 1 } }) { \
                 nodes { id } } } } } }";
    let data = seen(&city, query).await;
    let fourth = &data["treeList"]["nodes"][2];
    let expected = json!({ "id": "urn:t:4", "locatedIn": null, "locatedIn__ids": ["urn:d:1"] });
    assert_eq!(*fourth, expected);
    assert_eq!(data["treeList"]["nodes"][0]["locatedIn"]["name"], "Area 0");
    let back = &data["district"]["treeByLocatedIn"];
    assert_eq!((&back["totalCount"], ids(back)), (&json!(2), trees([0, 6])));
    let districts = &data["town"]["districtByPartOf"];
    assert_eq!(districts["totalCount"], 2);
    assert_eq!(ids(districts), ["urn:d:0", "urn:d:2"]);
    assert_eq!(ids(&districts["nodes"][1]["treeByLocatedIn"]), trees([2, 8]));
}

#[tokio::test]
async fn news_tell_of_nothing_that_is_hidden() {
    let city = guarded().await;
    let guest = json!({ "authorization": "Bearer guest" });
    let mut client = Client::begun_with(&serve(&city).await, guest).await;
    let query = "subscription { treeChanged { change changed entity { id height } } }";
    client.subscribe("1", query).await;
    let told = |change: &str, changed: Json, id: &str, height: f64| {
        let entity = json!({ "id": id, "height": height });
        json!({ "change": change, "changed": changed, "entity": entity })
    };
    let of_species = |species: &str, height: f64| {
        let attributes =
            vec![("height", property(json!(height))), ("species", property(json!(species)))];
        vec![entity("urn:t:14", "Tree", attributes)]
    };
    // A maple comes and goes unseen; a lime is seen, but not as what it is.
    city.create(vec![tree(13)]).await;
    city.create(of_species("Tilia", 14.0)).await;
    let event = client.event("1").await["data"]["treeChanged"].clone();
    assert_eq!(event, told("CREATED", json!(["height"]), "urn:t:14", 14.0));
    city.create(of_species("Quercus", 14.0)).await;
    city.apply(vec![Operation::Delete(id("urn:t:13"))]).await;
    city.create(of_species("Quercus", 15.0)).await;
    let event = client.event("1").await["data"]["treeChanged"].clone();
    assert_eq!(event, told("UPDATED", json!(["height"]), "urn:t:14", 15.0));
    // What becomes a maple is gone.
    city.create(of_species("Acer", 16.0)).await;
    let event = client.event("1").await["data"]["treeChanged"].clone();
    assert_eq!(event, told("DELETED", json!(["height"]), "urn:t:14", 15.0));
}

#[tokio::test]
async fn who_may_only_read_changes_nothing() {
    let city = guarded().await;
    let query = "mutation { deleteEntity(id: \"urn:t:1\") { id } }";
    let (status, answer) = city.ask_as("guest", query).await;
    assert_eq!((status, error_of(&answer).0.as_str()), (StatusCode::FORBIDDEN, "FORBIDDEN"));
    let (_, answer) = city.ask_as("gardener", query).await;
    assert_eq!(answer["data"]["deleteEntity"]["id"], "urn:t:1");
}
