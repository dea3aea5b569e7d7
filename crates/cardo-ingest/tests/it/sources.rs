use std::time::Duration;

use cardo_egress::{EgressConfig, Gate};
use cardo_ingest::{SourceConfig, spawn_sources};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_util::sync::CancellationToken;

use crate::City;

/// Waits until something holds; fails after a while.
pub(crate) async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    for _ in 0..400 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("{what} did not come about");
}

fn source(text: &str) -> SourceConfig {
    toml::from_str(text).unwrap()
}

#[tokio::test]
async fn a_file_is_taken_in_again_when_it_changes() {
    let city = City::new().await;
    let path = city.file("live.csv", "id,v\n1,10\n");
    let config =
        source(&format!("name='live'\nfile={:?}\ntype='T'\nevery='100ms'", path.to_string_lossy()));
    let shutdown = CancellationToken::new();
    let mut tasks = spawn_sources(&city.ingestor, vec![config], None, &shutdown).unwrap();
    let value =
        async |wanted: &str| city.value("urn:ngsi-ld:T:1", "v").await.as_deref() == Some(wanted);
    until("the first value", async || value("10").await).await;
    let revision = city.revision().await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(city.revision().await, revision, "an unchanged file was written again");
    city.file("live.csv", "id,v\n1,11\n");
    until("the second value", async || value("11").await).await;
    shutdown.cancel();
    while tasks.join_next().await.is_some() {}
}

#[tokio::test]
async fn a_recording_is_replayed_as_of_now_and_marked_as_simulated() {
    let city = City::new().await;
    let recording = crate::fixtures::folder().join("trams.rec");
    let config = source(&format!(
        "name='trams'\nreplay={:?}\ntype='Tram'\nspeed=100",
        recording.to_string_lossy()
    ));
    let shutdown = CancellationToken::new();
    let begun = cardo_model::Timestamp::now();
    let mut tasks = spawn_sources(&city.ingestor, vec![config], None, &shutdown).unwrap();
    until("twenty messages", async || {
        let offset = city.engine.snapshot(&city.caller).await.unwrap().source_offset("trams");
        offset.is_some_and(|offset| offset.parse::<u64>().is_ok_and(|number| number > 20))
    })
    .await;
    shutdown.cancel();
    while tasks.join_next().await.is_some() {}
    let twin = city.snapshot().await;
    let info = twin.type_info("https://uri.etsi.org/ngsi-ld/default-context/Tram").unwrap();
    assert!(info.count > 5, "{info:?}");
    let simulated = info.attributes.iter().find(|a| a.name.as_str().ends_with("simulated"));
    assert_eq!(simulated.map(|attribute| attribute.count), Some(info.count));
    let (_, latest) = info.time.unwrap();
    assert!(latest.as_micros() >= begun.as_micros() - 2_000_000, "{latest} is long ago");
}

#[tokio::test]
async fn an_address_is_asked_through_the_gate() {
    let city = City::new().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let body = r#"{"type":"Feature","id":"a","properties":{"v":1},"geometry":null}"#;
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 2_048];
            let _ = stream.read(&mut request).await;
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            let _ = stream.write_all((head + body).as_bytes()).await;
        }
    });
    let config = source(&format!(
        "name='web'\nurl='http://{address}/stations.geojson'\ntype='T'\nevery='100ms'"
    ));
    let shutdown = CancellationToken::new();
    let refused = spawn_sources(&city.ingestor, vec![config.clone()], None, &shutdown);
    assert!(refused.unwrap_err().to_string().contains("web"));

    let closed = Gate::new(EgressConfig::default());
    let mut tasks =
        spawn_sources(&city.ingestor, vec![config.clone()], Some(closed), &shutdown).unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(city.engine.snapshot(&city.caller).await.unwrap().is_empty(), "loopback was asked");
    tasks.abort_all();

    let open = Gate::new(EgressConfig { allow_loopback: true, ..EgressConfig::default() });
    let mut tasks = spawn_sources(&city.ingestor, vec![config], Some(open), &shutdown).unwrap();
    until("the feature", async || city.entity("urn:ngsi-ld:T:a").await.is_some()).await;
    shutdown.cancel();
    while tasks.join_next().await.is_some() {}
}
