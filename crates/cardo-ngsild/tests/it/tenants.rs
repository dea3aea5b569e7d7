use std::sync::Arc;

use axum::http::Method;
use cardo_engine::Principal;
use cardo_http::{Access, Authorize, Denied, Granted, Rights, bearer_token};
use cardo_ngsild::NgsildOptions;
use serde_json::json;

use crate::client::{client, client_with};

#[tokio::test]
async fn tenants_do_not_see_one_another() {
    let client = client().await;
    let entity = json!({ "id": "urn:x:1", "type": "T" });
    let ask = |method, path: &'static str, tenant: &'static str| {
        client.ask(method, path).header("ngsild-tenant", tenant)
    };
    let reply = ask(Method::GET, "/entities/urn:x:1", "north").send().await;
    assert_eq!(reply.header("ngsild-tenant"), "north");
    reply.expect_problem(404, "NonexistentTenant", "north");
    ask(Method::DELETE, "/entities/urn:x:1", "north").send().await.expect_problem(
        404,
        "NonexistentTenant",
        "north",
    );
    let reply = ask(Method::POST, "/entities", "north").json(&entity).send().await.expect(201);
    assert_eq!(reply.header("ngsild-tenant"), "north");
    ask(Method::GET, "/entities/urn:x:1", "north").send().await.expect(200);
    client.get("/entities/urn:x:1").await.expect_problem(404, "ResourceNotFound", "urn:x:1");
    ask(Method::GET, "/entities/urn:x:1", "a/b").send().await.expect_problem(
        400,
        "BadRequestData",
        "a/b",
    );
}

struct Tokens;

impl Authorize for Tokens {
    fn authorize(&self, access: &Access<'_>) -> Result<Granted, Denied> {
        match (bearer_token(access.headers), access.rights) {
            (Some("writer"), _) | (Some("reader"), Rights::Read) => Ok(Granted {
                principal: Principal::new("someone"),
                view: cardo_engine::View::all(),
            }),
            (Some("reader"), _) => Err(Denied::Forbidden),
            _ => Err(Denied::Unauthenticated),
        }
    }
}

#[tokio::test]
async fn tokens_say_who_may_read_and_write() {
    let options = NgsildOptions { authorize: Arc::new(Tokens), ..NgsildOptions::default() };
    let client = client_with(options).await;
    let entity = json!({ "id": "urn:x:1", "type": "T" });
    let post = |token: &'static str| {
        let asking = client.ask(Method::POST, "/entities").json(&entity);
        asking.header("authorization", token).send()
    };
    let reply = client.post("/entities", entity.clone()).await.expect(401);
    assert_eq!(reply.header("www-authenticate"), "Bearer");
    assert_eq!(reply.json()["status"], 401);
    post("Bearer reader").await.expect(403);
    post("Bearer nobody").await.expect(401);
    post("Bearer writer").await.expect(201);
    let get = client.ask(Method::GET, "/entities/urn:x:1").header("authorization", "Bearer reader");
    get.send().await.expect(200);
}
