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
use tokio::time::{Instant, timeout};

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

fn courier(options: CourierOptions) -> Courier {
    Courier::new(
        Gate::new(EgressConfig { allow_loopback: true, ..EgressConfig::default() }),
        options,
    )
}

fn quick() -> CourierOptions {
    CourierOptions {
        attempts: 3,
        first_pause_ms: 2,
        longest_pause_ms: 10,
        ..CourierOptions::default()
    }
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
    let outcome = courier(quick()).deliver(delivery(receiver.serve().await, "a")).await.unwrap();
    assert_eq!((outcome.status.as_u16(), outcome.attempts), (204, 1));
    assert_eq!(receiver.received(), ["a"]);
}

#[tokio::test]
async fn a_receiver_in_trouble_is_tried_again() {
    let receiver = Receiver::answering(vec![
        StatusCode::SERVICE_UNAVAILABLE.into_response(),
        (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "0")]).into_response(),
    ]);
    let outcome = courier(quick()).deliver(delivery(receiver.serve().await, "a")).await.unwrap();
    assert_eq!(outcome.attempts, 3);
    assert_eq!(receiver.received(), ["a", "a", "a"]);
}

#[tokio::test]
async fn a_receiver_that_stays_in_trouble_is_given_up() {
    let troubles = || StatusCode::BAD_GATEWAY.into_response();
    let receiver = Receiver::answering(vec![troubles(), troubles(), troubles(), troubles()]);
    let failure =
        courier(quick()).deliver(delivery(receiver.serve().await, "a")).await.unwrap_err();
    assert!(failure.is_final());
    assert_eq!(failure.status().map(|s| s.as_u16()), Some(502));
    assert_eq!(receiver.received().len(), 3);
}

#[tokio::test]
async fn a_receiver_that_does_not_want_it_is_not_asked_again() {
    let receiver = Receiver::answering(vec![StatusCode::GONE.into_response()]);
    let to = receiver.serve().await;
    let failure = courier(quick()).deliver(delivery(to, "a")).await.unwrap_err();
    assert_eq!(failure.to_string(), format!("http://{to}/ answered 410 Gone after 1 attempts"));
    assert_eq!(receiver.received(), ["a"]);
}

#[tokio::test]
async fn a_receiver_may_answer_at_length() {
    let receiver = Receiver::answering(vec!["x".repeat(1_000_000).into_response()]);
    let outcome = courier(quick()).deliver(delivery(receiver.serve().await, "a")).await.unwrap();
    assert_eq!(outcome.status.as_u16(), 200);
}

#[tokio::test]
async fn an_address_that_is_not_allowed_fails_at_once_with_the_key_that_allows_it() {
    let courier = Courier::new(Gate::new(EgressConfig::default()), quick());
    let failure = courier.deliver(delivery(([127, 0, 0, 1], 9).into(), "a")).await.unwrap_err();
    assert!(matches!(failure, DeliveryFailure::Unreached { attempts: 1, .. }));
    assert!(failure.to_string().contains("egress.allow_loopback"), "{failure}");
}

#[tokio::test]
async fn a_slow_receiver_times_out_as_the_delivery_says() {
    let (receiver, _gate) = Receiver::held();
    let mut slow = delivery(receiver.serve().await, "a");
    slow.timeout = Some(Duration::from_millis(20));
    let failure =
        courier(CourierOptions { attempts: 1, ..quick() }).deliver(slow).await.unwrap_err();
    assert!(matches!(failure, DeliveryFailure::Unreached { .. }), "{failure}");
}

#[tokio::test]
async fn deliveries_of_a_queue_keep_their_order_through_failures() {
    let trouble = || StatusCode::INTERNAL_SERVER_ERROR.into_response();
    let receiver = Receiver::answering(vec![trouble(), trouble()]);
    let to = receiver.serve().await;
    let queue = courier(quick()).queue("subscription");
    let mut receipts = Vec::new();
    for i in 0..20 {
        receipts.push(queue.enqueue(delivery(to, &i.to_string())).await);
    }
    for receipt in receipts {
        receipt.await.unwrap();
    }
    let mut received = receiver.received();
    received.dedup();
    assert_eq!(received, (0..20).map(|i| i.to_string()).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_dead_receiver_delays_nobody_else() {
    let (dead, _gate) = Receiver::held();
    let alive = Receiver::default();
    let (dead_at, alive_at) = (dead.serve().await, alive.serve().await);
    let courier = courier(quick());
    let stuck = courier.queue("stuck");
    let _receipts: Vec<_> =
        (0..10).map(|i| stuck.try_enqueue(delivery(dead_at, &i.to_string())).unwrap()).collect();
    let started = Instant::now();
    for i in 0..10 {
        courier.deliver(delivery(alive_at, &i.to_string())).await.unwrap();
    }
    assert!(started.elapsed() < Duration::from_secs(2));
    assert_eq!(courier.depth().on_their_way, 1);
    assert_eq!(courier.depth().waiting, 9);
}

#[tokio::test]
async fn a_full_queue_says_so_and_makes_its_producer_wait() {
    let (receiver, gate) = Receiver::held();
    let to = receiver.serve().await;
    let courier = courier(CourierOptions { queue_length: 2, queue_bytes: 10, ..quick() });
    let by_count = courier.queue("count");
    let mut receipts = Vec::new();
    let full = loop {
        match by_count.try_enqueue(delivery(to, "x")) {
            Ok(receipt) => receipts.push(receipt),
            Err(full) => break full,
        }
        tokio::task::yield_now().await;
    };
    assert!(receipts.len() <= 3);
    assert_eq!(full.to_string(), "the queue \"count\" is full");
    assert_eq!(full.delivery.body, "x");

    let by_bytes = courier.queue("bytes");
    // Larger than all the room: accepted, as nothing else waits.
    receipts.push(by_bytes.try_enqueue(delivery(to, "0123456789abcdef")).unwrap());
    assert!(by_bytes.try_enqueue(delivery(to, "y")).is_err());

    let waiting = tokio::spawn({
        let queue = by_count.clone();
        async move { queue.deliver(delivery(to, "late")).await }
    });
    assert!(
        timeout(Duration::from_millis(30), async {
            while !waiting.is_finished() {
                tokio::task::yield_now().await;
            }
        })
        .await
        .is_err()
    );
    let opener = tokio::spawn(async move {
        loop {
            gate.notify_waiters();
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    waiting.await.unwrap().unwrap();
    for receipt in receipts {
        receipt.await.unwrap();
    }
    opener.abort();
}

#[tokio::test]
async fn a_shutdown_lets_what_is_being_sent_arrive_and_leaves_the_rest_undecided() {
    let (receiver, gate) = Receiver::held();
    let to = receiver.serve().await;
    let courier = courier(quick());
    let queue = courier.queue("subscription");
    let first = queue.enqueue(delivery(to, "first")).await;
    let second = queue.enqueue(delivery(to, "second")).await;
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
    assert!(first.await.is_ok());
    let undecided = second.await.unwrap_err();
    assert!(matches!(undecided, DeliveryFailure::Stopped) && !undecided.is_final());
    assert!(matches!(queue.deliver(delivery(to, "third")).await, Err(DeliveryFailure::Stopped)));
    assert_eq!(receiver.received(), ["first"]);
}

#[tokio::test]
async fn a_shutdown_ends_after_its_grace_whatever_receivers_do() {
    let (receiver, _gate) = Receiver::held();
    let to = receiver.serve().await;
    let courier = courier(quick());
    let queue = courier.queue("subscription");
    let stuck = queue.enqueue(delivery(to, "a")).await;
    while receiver.received().is_empty() {
        tokio::task::yield_now().await;
    }
    timeout(Duration::from_secs(2), courier.shutdown(Duration::from_millis(20))).await.unwrap();
    assert!(matches!(stuck.await, Err(DeliveryFailure::Stopped)));
}

#[tokio::test]
async fn queues_that_nobody_holds_are_forgotten_when_their_work_is_done() {
    let receiver = Receiver::default();
    let to = receiver.serve().await;
    let courier = courier(quick());
    let receipts: Vec<_> = {
        let queue = courier.queue("short");
        (0..5).map(|i| queue.try_enqueue(delivery(to, &i.to_string())).unwrap()).collect()
    };
    for receipt in receipts {
        receipt.await.unwrap();
    }
    assert_eq!(courier.depth().queues, 0);
    assert_eq!(receiver.received().len(), 5);
}
