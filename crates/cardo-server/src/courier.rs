use async_trait::async_trait;
use axum::http::StatusCode;
use cardo_ngsild::{Courier, DeliveryError, Message};
use cardo_notify::{Delivery, DeliveryFailure, MqttOptions};

/// Carries the notifications of the NGSI-LD face, through the egress gate.
pub(crate) struct GateCourier(pub(crate) cardo_notify::Courier);

#[async_trait]
impl Courier for GateCourier {
    async fn deliver(&self, message: Message) -> Result<StatusCode, DeliveryError> {
        let Message { endpoint, headers, mqtt, body, timeout } = message;
        let mqtt = mqtt.unwrap_or_default();
        let mqtt = MqttOptions { version: mqtt.version, quality: mqtt.quality };
        let delivery = Delivery { endpoint, headers, mqtt, body, timeout };
        match self.0.deliver(&delivery).await {
            Ok(outcome) => Ok(outcome.status),
            Err(DeliveryFailure::Stopped) => Err(DeliveryError::Stopped),
            Err(failure) => {
                let pause = match &failure {
                    DeliveryFailure::Rejected { pause, .. } => *pause,
                    DeliveryFailure::Unreached { .. } | DeliveryFailure::Stopped => None,
                };
                let (reason, is_final) = (failure.to_string(), failure.is_final());
                Err(DeliveryError::Failed { reason, is_final, pause })
            }
        }
    }
}
