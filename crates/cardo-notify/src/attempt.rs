//! One delivery, tried until it succeeds, fails for good or the courier stops.

use std::time::Duration;

use cardo_egress::mqtt::{Endpoint, InvalidEndpoint, Publication};
use cardo_egress::{EgressError, Method, Request, Response, StatusCode, header};
use tokio::time::Instant;

use crate::courier::Shared;
use crate::delivery::{Delivery, DeliveryFailure, DeliveryOutcome};
use crate::options::CourierOptions;

/// What a receiver answers is read no further than this; nothing is done with it.
const MAX_ANSWER: usize = 64 * 1024;

/// Tries a delivery as often as the options say. No new attempt begins once the courier stops.
pub(crate) async fn deliver(
    shared: &Shared,
    delivery: &Delivery,
) -> Result<DeliveryOutcome, DeliveryFailure> {
    let Shared { options, stopping, .. } = shared;
    let mut attempts = 0;
    loop {
        if stopping.is_cancelled() {
            return Err(DeliveryFailure::Stopped);
        }
        attempts += 1;
        let started = Instant::now();
        let answer = Answer::of(once(shared, delivery).await);
        let (failure, asked_pause) = match answer {
            Answer::Accepted(status) => {
                return Ok(DeliveryOutcome { status, duration: started.elapsed(), attempts });
            }
            Answer::Failed { transient, failure, pause } => {
                let failure = failure.after(delivery, attempts);
                if !transient || attempts >= options.attempts.max(1) {
                    tracing::warn!(endpoint = delivery.receiver(), attempts, %failure, "a delivery has failed");
                    return Err(failure);
                }
                (failure, pause)
            }
        };
        let pause = options
            .pause(attempts)
            .max(asked_pause.unwrap_or_default())
            .min(options.longest_pause());
        tracing::debug!(endpoint = delivery.receiver(), attempts, %failure, ?pause, "a delivery is tried again");
        tokio::select! {
            () = stopping.cancelled() => return Err(DeliveryFailure::Stopped),
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Sends, or publishes where the URL names a topic of a broker.
async fn once(shared: &Shared, delivery: &Delivery) -> Result<StatusCode, NotTaken> {
    let options = &shared.options;
    if !delivery.endpoint.starts_with("mqtt") {
        let response = shared.gate.send(request(options, delivery)).await?;
        return if response.status.is_success() {
            Ok(response.status)
        } else {
            Err(NotTaken::Response(response))
        };
    }
    let invalid = |error: InvalidEndpoint| EgressError::Url {
        url: "the endpoint".to_owned(),
        reason: error.to_string(),
    };
    let endpoint = Endpoint::parse(&delivery.endpoint).map_err(invalid)?;
    let publication = Publication {
        endpoint: &endpoint,
        version: delivery.mqtt.version,
        quality: delivery.mqtt.quality,
        payload: &delivery.body,
        timeout: delivery.timeout.unwrap_or_else(|| options.timeout()),
    };
    shared.publisher.publish(publication).await?;
    Ok(StatusCode::OK)
}

/// Why one attempt did not succeed.
enum NotTaken {
    Response(Response),
    Egress(EgressError),
}

impl From<EgressError> for NotTaken {
    fn from(error: EgressError) -> Self {
        Self::Egress(error)
    }
}

fn request(options: &CourierOptions, delivery: &Delivery) -> Request {
    Request {
        headers: delivery.headers.clone(),
        body: delivery.body.clone(),
        timeout: Some(delivery.timeout.unwrap_or_else(|| options.timeout())),
        max_response_bytes: Some(MAX_ANSWER),
        ..Request::new(Method::POST, delivery.endpoint.clone())
    }
}

/// How one attempt ended.
enum Answer {
    Accepted(StatusCode),
    Failed { transient: bool, failure: Failure, pause: Option<Duration> },
}

enum Failure {
    Status(StatusCode),
    Egress(EgressError),
}

impl Failure {
    fn after(self, delivery: &Delivery, attempts: u32) -> DeliveryFailure {
        let endpoint = delivery.receiver();
        match self {
            Self::Status(status) => DeliveryFailure::Rejected { endpoint, status, attempts },
            Self::Egress(reason) => DeliveryFailure::Unreached { endpoint, attempts, reason },
        }
    }
}

impl Answer {
    fn of(result: Result<StatusCode, NotTaken>) -> Self {
        match result {
            Ok(status) => Self::Accepted(status),
            Err(NotTaken::Response(response)) => Self::Failed {
                transient: is_transient(response.status),
                failure: Failure::Status(response.status),
                pause: retry_after(&response),
            },
            // It took the delivery, and has more to say about it than is read.
            Err(NotTaken::Egress(EgressError::TooLarge { status, .. })) if status.is_success() => {
                Self::Accepted(status)
            }
            Err(NotTaken::Egress(error)) => Self::Failed {
                transient: error.is_transient(),
                failure: Failure::Egress(error),
                pause: None,
            },
        }
    }
}

/// Whether a receiver may answer the same request otherwise a little later.
fn is_transient(status: StatusCode) -> bool {
    status.is_server_error()
        || matches!(
            status,
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS
        )
}

/// The seconds that a receiver asks to wait; a date is not honoured.
fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}
