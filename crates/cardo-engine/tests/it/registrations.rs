//! Registrations are documents of the twin, read once a change.

use std::sync::Arc;

use cardo_engine::{Engine, EngineOptions, Operation, REGISTRATION_KIND, SourceOperation, Wanted};
use cardo_model::{DocumentChange, Timestamp};

use crate::common::{engine, one};

fn put(number: u32, endpoint: Option<&str>) -> Operation {
    let id = format!("urn:ngsi-ld:ContextSourceRegistration:{number}");
    let body = endpoint.map(|endpoint| {
        format!(
            "{{\"registration\":{{\"id\":\"{id}\",\"type\":\"ContextSourceRegistration\",\"endpoint\":\"{endpoint}\",\
             \"information\":[{{\"entities\":[{{\"type\":\"urn:t:T\"}}]}}]}}}}"
        )
        .into()
    });
    Operation::Document(DocumentChange { kind: REGISTRATION_KIND.into(), id: id.into(), body })
}

#[tokio::test]
async fn registrations_are_shared_until_one_changes_and_survive_a_restart() {
    let (engine, store, caller) = engine().await;
    assert!(engine.registrations(&caller).await.unwrap().is_empty());
    one(&engine, &caller, put(1, Some("http://one.example"))).await.unwrap();
    let first = engine.registrations(&caller).await.unwrap();
    assert_eq!(first.len(), 1);
    assert!(Arc::ptr_eq(&first, &engine.registrations(&caller).await.unwrap()));
    let source = first.iter().next().unwrap().clone();
    source.progress.count(Timestamp::from_seconds(1), false);

    one(&engine, &caller, put(2, Some("http://two.example"))).await.unwrap();
    let both = engine.registrations(&caller).await.unwrap();
    assert_eq!(both.len(), 2);
    assert!(Arc::ptr_eq(&source, both.get(source.id.as_str()).unwrap()));
    let wanted = Wanted::to(SourceOperation::QueryEntity, Timestamp::now());
    assert_eq!(both.matching(&wanted).len(), 2);

    // What has come of a source stays when it is registered anew.
    one(&engine, &caller, put(1, Some("http://new.example"))).await.unwrap();
    let changed = engine.registrations(&caller).await.unwrap();
    let changed = changed.get(source.id.as_str()).unwrap();
    assert_eq!(&*changed.endpoint, "http://new.example");
    assert_eq!(changed.progress.state().times_failed, 1);

    one(&engine, &caller, put(2, None)).await.unwrap();
    assert_eq!(engine.registrations(&caller).await.unwrap().len(), 1);
    engine.project_all().await.unwrap();
    let again = Engine::open(store, EngineOptions::default()).await.unwrap();
    let again = again.registrations(&caller).await.unwrap();
    assert_eq!(&*again.iter().next().unwrap().endpoint, "http://new.example");
}
