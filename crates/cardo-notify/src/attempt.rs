//! One attempt to deliver.

use std::time::Duration;

use cardo_egress::mqtt::{Endpoint, InvalidEndpoint, Publication};
use cardo_egress::{EgressError, Method, Request, Response, StatusCode, header};
use tokio::time::Instant;

use crate::courier::Shared;
use crate::delivery::{Delivery, DeliveryFailure, DeliveryOutcome};

/// What a receiver answers is read no further than this; nothing is done with it.
const MAX_ANSWER: usize = 64 * 1024;

/// Sends, or publishes where the URL names a topic of a broker.
pub(crate) async fn once(
    shared: &Shared,
    delivery: &Delivery,
) -> Result<DeliveryOutcome, DeliveryFailure> {
    let started = Instant::now();
    let is_topic = delivery.endpoint.starts_with("mqtt");
    let status =
        if is_topic { publish(shared, delivery).await? } else { send(shared, delivery).await? };
    Ok(DeliveryOutcome { status, duration: started.elapsed() })
}

async fn send(shared: &Shared, delivery: &Delivery) -> Result<StatusCode, DeliveryFailure> {
    let request = Request {
        headers: delivery.headers.clone(),
        body: delivery.body.clone(),
        timeout: Some(delivery.timeout.unwrap_or(shared.options.timeout)),
        max_response_bytes: Some(MAX_ANSWER),
        ..Request::new(Method::POST, delivery.endpoint.clone())
    };
    match shared.gate.send(request).await {
        Ok(response) if response.status.is_success() => Ok(response.status),
        Ok(response) => Err(DeliveryFailure::Rejected {
            endpoint: delivery.receiver(),
            status: response.status,
            pause: retry_after(&response),
        }),
        // It took the delivery, and has more to say about it than is read.
        Err(EgressError::TooLarge { status, .. }) if status.is_success() => Ok(status),
        Err(reason) => Err(unreached(delivery, reason)),
    }
}

async fn publish(shared: &Shared, delivery: &Delivery) -> Result<StatusCode, DeliveryFailure> {
    let invalid = |error: InvalidEndpoint| EgressError::Url {
        url: "the endpoint".to_owned(),
        reason: error.to_string(),
    };
    let endpoint = Endpoint::parse(&delivery.endpoint).map_err(invalid);
    let endpoint = endpoint.map_err(|reason| unreached(delivery, reason))?;
    let publication = Publication {
        endpoint: &endpoint,
        version: delivery.mqtt.version,
        quality: delivery.mqtt.quality,
        payload: &delivery.body,
        timeout: delivery.timeout.unwrap_or(shared.options.timeout),
    };
    let published = shared.publisher.publish(publication).await;
    published.map_err(|reason| unreached(delivery, reason))?;
    Ok(StatusCode::OK)
}

fn unreached(delivery: &Delivery, reason: EgressError) -> DeliveryFailure {
    DeliveryFailure::Unreached { endpoint: delivery.receiver(), reason }
}

/// The seconds that a receiver asks to wait; a date is not honoured.
fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}
