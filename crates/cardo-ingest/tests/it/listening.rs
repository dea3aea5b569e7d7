//! What a broker is told, and when: a broker of a few lines, so that the test sees every byte.

use cardo_egress::{EgressConfig, Gate};
use cardo_ingest::{SourceState, Sources};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use crate::City;

/// The body of a packet, which is short, with its first byte before it.
async fn packet(stream: &mut TcpStream) -> Vec<u8> {
    let mut head = [0; 2];
    stream.read_exact(&mut head).await.unwrap();
    let mut body = vec![0; usize::from(head[1])];
    stream.read_exact(&mut body).await.unwrap();
    [&head[..1], &body].concat()
}

/// Takes a client in and sends it a message that wants to be acknowledged.
async fn send(listener: &TcpListener, payload: &[u8]) -> TcpStream {
    let (mut stream, _) = listener.accept().await.unwrap();
    let connect = packet(&mut stream).await;
    assert_eq!(connect[0], 0x10);
    assert_eq!(connect[8] & 2, 0, "the session is to be kept");
    stream.write_all(&[0x20, 2, 1, 0]).await.unwrap();
    assert_eq!(packet(&mut stream).await, [0x82, 0, 1, 0, 3, b'a', b'/', b'+', 1]);
    let mut message =
        vec![0x32, u8::try_from(payload.len() + 7).unwrap(), 0, 3, b'a', b'/', b'b', 0, 7];
    message.extend_from_slice(payload);
    // The message may stand before the answer to the subscription, as that of a kept session does.
    stream.write_all(&message).await.unwrap();
    stream.write_all(&[0x90, 3, 0, 1, 1]).await.unwrap();
    stream
}

#[tokio::test]
async fn a_message_is_acknowledged_only_when_it_is_durable() {
    let city = City::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let text =
        format!("name='m'\nmqtt='mqtt://127.0.0.1:{port}'\ntopics=['a/{{where}}']\ntype='T'");
    let gate = Gate::new(EgressConfig { allow_loopback: true, ..EgressConfig::default() });
    let sources = Sources::new(city.ingestor.clone());
    let shutdown = CancellationToken::new();
    city.store.set_full(true);
    let config = toml::from_str(&text).unwrap();
    let mut tasks = sources.start(vec![config], Some(gate), &shutdown).unwrap();

    let payload = br#"{"id":"1","v":5}"#;
    let mut stream = send(&listener, payload).await;
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest, b"", "what could not be written was acknowledged");
    assert!(city.entity("urn:ngsi-ld:T:1").await.is_none());

    city.store.set_full(false);
    let mut stream = send(&listener, payload).await;
    assert_eq!(packet(&mut stream).await, [0x40, 0, 7]);
    assert_eq!(city.value("urn:ngsi-ld:T:1", "v").await.as_deref(), Some("5"));
    assert_eq!(city.value("urn:ngsi-ld:T:1", "where").await.as_deref(), Some("\"b\""));
    let status = sources.all()[0].status();
    assert_eq!((status.state, status.counts.failures), (SourceState::Running, 1));
    shutdown.cancel();
    while tasks.join_next().await.is_some() {}
}
