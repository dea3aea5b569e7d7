//! Twins, tokens and views as in every face.

use std::sync::Arc;

use axum::http::Method;
use cardo_engine::{Caller, Mask, Principal, Restriction, View};
use cardo_http::{Access, Authorize, Denied, Granted};
use cardo_model::TwinId;
use cardo_ogcapi::OgcOptions;
use cardo_query::Filter;

use crate::client::{client_of_town, client_with, iri, make, town};

#[tokio::test]
async fn a_tenant_is_named_by_header_or_path_and_links_keep_the_path() {
    let client = client_of_town().await;
    let tenant = Caller { twin: TwinId::of_tenant("a").unwrap(), ..Caller::local("test") };
    client.create_as(&tenant, vec![make("Tree", "1").value("height", "3").done()]).await;
    let by_header = [("ngsild-tenant", "a")];
    let reply = client.send(Method::GET, "/ogc/collections", &by_header).await.expect(200).json();
    assert_eq!(reply["collections"][0]["id"], "Tree");
    let path = "/tenants/a/ogc/collections";
    let reply = client.send(Method::GET, path, &[]).await.expect(200).json();
    assert_eq!(reply["links"][0]["href"], "http://city.example:8787/tenants/a/ogc/collections");
    let both = client.send(Method::GET, path, &[("ngsild-tenant", "b")]).await;
    both.expect(400);
    let unknown = client.send(Method::GET, "/tenants/nobody/ogc/collections", &[]).await;
    unknown.expect(404);
    let invalid = client.send(Method::GET, "/ogc", &[("ngsild-tenant", "a b")]).await;
    invalid.expect(400);
}

/// Lets those with a header see sensors without temperatures, and turns others away.
struct Guard;

impl Authorize for Guard {
    fn authorize(&self, access: &Access<'_>) -> Result<Granted, Denied> {
        match access.headers.get("authorization").and_then(|value| value.to_str().ok()) {
            None => Err(Denied::Unauthenticated),
            Some("Bearer wrong") => Err(Denied::Forbidden),
            Some(_) => Ok(Granted {
                principal: Principal::new("guest"),
                view: View::restricted(Restriction {
                    rows: Filter::Type(iri("Sensor")),
                    attributes: Mask::Without(vec![iri("temperature")]),
                }),
            }),
        }
    }
}

#[tokio::test]
async fn tokens_are_asked_for_and_a_view_hides_what_it_hides() {
    let options = OgcOptions { authorize: Arc::new(Guard), ..OgcOptions::default() };
    let client = client_with(options).await;
    client.create(town()).await;
    let reply = client.get("/collections").await.expect(401);
    assert_eq!(reply.header("www-authenticate"), "Bearer");
    let get = async |path: &str, token: &str| {
        client.send(Method::GET, &format!("/ogc{path}"), &[("authorization", token)]).await
    };
    get("/collections", "Bearer wrong").await.expect(403);
    let all = get("/collections", "Bearer x").await.expect(200).json();
    assert_eq!(all["collections"].as_array().unwrap().len(), 1);
    assert_eq!(all["collections"][0]["extent"]["temporal"], serde_json::Value::Null);
    let items = get("/collections/Sensor/items", "Bearer x").await.expect(200).json();
    assert_eq!(items["features"][0]["properties"].get("temperature"), None);
    get("/collections/Sensor/items?temperature=21.5", "Bearer x").await.expect(400);
    // Nobody was seen to be observed, so everybody matches.
    let items = get("/collections/Sensor/items?datetime=2001-01-01", "Bearer x").await.expect(200);
    assert_eq!(items.json()["numberMatched"], 6);
}
