//! The courier against receivers on the loopback address.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use cardo_egress::{EgressConfig, Gate, HeaderMap};
use cardo_notify::{Courier, CourierOptions, Delivery, DeliveryFailure, MqttOptions};
use tokio::sync::Notify;
use tokio::time::timeout;

/// What a receiver does with its first requests; after them it accepts.
#[derive(Clone, Default)]
struct Receiver {
    received: Arc<Mutex<Vec<String>>>,
    answers: Arc<Mutex<Vec<Response>>>,
    gate: Option<Arc<Notify>>,
}

impl Receiver {
    fn answering(answers: Vec<Response>) -> Self {
        let answers = answers.into_iter().rev().collect();
        Self { answers: Arc::new(Mutex::new(answers)), ..Self::default() }
    }

    /// Answers nothing until it is let.
    fn held() -> (Self, Arc<Notify>) {
        let gate = Arc::new(Notify::new());
        (Self { gate: Some(Arc::clone(&gate)), ..Self::default() }, gate)
    }

    fn received(&self) -> Vec<String> {
        self.received.lock().expect("no test panics here").clone()
    }

    async fn serve(&self) -> SocketAddr {
        let app = Router::new().route("/", post(receive)).with_state(self.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        tokio::spawn(async move { axum::serve(listener, app).await });
        address
    }
}

async fn receive(State(receiver): State<Receiver>, body: Bytes) -> Response {
    receiver
        .received
        .lock()
        .expect("no test panics here")
        .push(String::from_utf8_lossy(&body).into_owned());
    if let Some(gate) = &receiver.gate {
        gate.notified().await;
    }
    let answer = receiver.answers.lock().expect("no test panics here").pop();
    answer.unwrap_or_else(|| StatusCode::NO_CONTENT.into_response())
}

fn courier() -> Courier {
    let gate = Gate::new(EgressConfig { allow_loopback: true, ..EgressConfig::default() });
    Courier::new(gate, CourierOptions { at_an_endpoint: 2, ..CourierOptions::default() })
}

fn delivery(to: SocketAddr, body: &str) -> Delivery {
    Delivery {
        endpoint: format!("http://{to}/"),
        headers: HeaderMap::new(),
        mqtt: MqttOptions::default(),
        body: Bytes::copy_from_slice(body.as_bytes()),
        timeout: None,
    }
}

#[tokio::test]
async fn a_delivery_that_is_accepted_says_with_what_status() {
    let receiver = Receiver::default();
    let outcome = courier().deliver(&delivery(receiver.serve().await, "a")).await.unwrap();
    assert_eq!(outcome.status.as_u16(), 204);
    assert_eq!(receiver.received(), ["a"]);
}

#[tokio::test]
async fn a_receiver_in_trouble_may_take_it_later_and_says_when() {
    let receiver = Receiver::answering(vec![
        StatusCode::BAD_GATEWAY.into_response(),
        (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "7")]).into_response(),
        StatusCode::UNAUTHORIZED.into_response(),
        StatusCode::NOT_FOUND.into_response(),
    ]);
    let (courier, to) = (courier(), receiver.serve().await);
    let mut pauses = Vec::new();
    for _ in 0..4 {
        let failure = courier.deliver(&delivery(to, "a")).await.unwrap_err();
        assert!(!failure.is_final(), "{failure}");
        let DeliveryFailure::Rejected { pause, .. } = failure else { panic!("{failure}") };
        pauses.push(pause);
    }
    assert_eq!(pauses, [None, Some(Duration::from_secs(7)), None, None]);
    assert!(courier.deliver(&delivery(to, "a")).await.is_ok());
}

#[tokio::test]
async fn what_a_receiver_condemns_it_will_not_take_later() {
    for status in [StatusCode::BAD_REQUEST, StatusCode::GONE, StatusCode::UNPROCESSABLE_ENTITY] {
        let receiver = Receiver::answering(vec![status.into_response()]);
        let to = receiver.serve().await;
        let failure = courier().deliver(&delivery(to, "a")).await.unwrap_err();
        assert!(failure.is_final());
        assert_eq!(failure.to_string(), format!("http://{to}/ answered {status}"));
        assert_eq!(receiver.received(), ["a"]);
    }
}

#[tokio::test]
async fn a_receiver_may_answer_at_length() {
    let receiver = Receiver::answering(vec!["x".repeat(1_000_000).into_response()]);
    let outcome = courier().deliver(&delivery(receiver.serve().await, "a")).await.unwrap();
    assert_eq!(outcome.status.as_u16(), 200);
}

#[tokio::test]
async fn an_address_that_is_not_allowed_fails_at_once_with_the_key_that_allows_it() {
    let courier = Courier::new(Gate::new(EgressConfig::default()), CourierOptions::default());
    let failure = courier.deliver(&delivery(([127, 0, 0, 1], 9).into(), "a")).await.unwrap_err();
    assert!(failure.is_final() && matches!(failure, DeliveryFailure::Unreached { .. }));
    assert!(failure.to_string().contains("egress.allow_loopback"), "{failure}");
}

#[tokio::test]
async fn secrets_of_an_address_are_not_told_with_a_failure() {
    let to = Delivery {
        endpoint: "mqtt://user:secret@127.0.0.1:9/topic".to_owned(),
        ..delivery(([127, 0, 0, 1], 9).into(), "a")
    };
    let failure = courier().deliver(&to).await.unwrap_err();
    assert!(!failure.is_final());
    let told = failure.to_string();
    assert!(told.contains("mqtt://127.0.0.1:9/topic") && !told.contains("secret"), "{told}");
}

#[tokio::test]
async fn a_slow_receiver_times_out_as_the_delivery_says() {
    let (receiver, _gate) = Receiver::held();
    let mut slow = delivery(receiver.serve().await, "a");
    slow.timeout = Some(Duration::from_millis(20));
    let failure = courier().deliver(&slow).await.unwrap_err();
    assert!(matches!(failure, DeliveryFailure::Unreached { .. }) && !failure.is_final());
}

#[tokio::test]
async fn a_receiver_that_hangs_delays_nobody_else_however_many_wait_for_it() {
    let (dead, _gate) = Receiver::held();
    let to = dead.serve().await;
    let courier = courier();
    let waiting: Vec<_> = (0..10)
        .map(|_| {
            let courier = courier.clone();
            tokio::spawn(async move { courier.deliver(&delivery(to, "a")).await })
        })
        .collect();
    while dead.received().len() < 2 {
        tokio::task::yield_now().await;
    }
    let living = Receiver::default();
    let to_living = delivery(living.serve().await, "b");
    timeout(Duration::from_secs(5), courier.deliver(&to_living)).await.unwrap().unwrap();
    assert_eq!((dead.received().len(), courier.on_their_way()), (2, 2));
    waiting.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test]
async fn a_shutdown_lets_what_is_being_sent_arrive_and_leaves_the_rest_undecided() {
    let (receiver, gate) = Receiver::held();
    let to = receiver.serve().await;
    let courier = courier();
    let first = tokio::spawn({
        let courier = courier.clone();
        async move { courier.deliver(&delivery(to, "first")).await }
    });
    while receiver.received().is_empty() {
        tokio::task::yield_now().await;
    }
    let stopping = tokio::spawn({
        let courier = courier.clone();
        async move { courier.shutdown(Duration::from_secs(5)).await }
    });
    tokio::task::yield_now().await;
    gate.notify_waiters();
    stopping.await.unwrap();
    assert!(first.await.unwrap().is_ok());
    let undecided = courier.deliver(&delivery(to, "second")).await.unwrap_err();
    assert!(matches!(undecided, DeliveryFailure::Stopped) && !undecided.is_final());
    assert_eq!(receiver.received(), ["first"]);
}

#[tokio::test]
async fn a_shutdown_ends_after_its_grace_whatever_receivers_do() {
    let (receiver, _gate) = Receiver::held();
    let to = receiver.serve().await;
    let courier = courier();
    let stuck = tokio::spawn({
        let courier = courier.clone();
        async move { courier.deliver(&delivery(to, "a")).await }
    });
    while receiver.received().is_empty() {
        tokio::task::yield_now().await;
    }
    timeout(Duration::from_secs(2), courier.shutdown(Duration::from_millis(20))).await.unwrap();
    assert!(matches!(stuck.await.unwrap(), Err(DeliveryFailure::Stopped)));
}
