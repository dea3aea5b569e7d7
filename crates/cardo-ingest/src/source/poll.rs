//! Files and addresses that are looked at again and again.

use std::path::Path;
use std::sync::Arc;

use cardo_egress::Request;

use super::Source;
use crate::error::IngestError;
use crate::input::Input;
use crate::options::JobOptions;
use crate::progress::Silent;
use crate::report::Report;
use crate::run::Manner;

impl Source {
    pub(super) async fn poll(&self, options: &JobOptions) -> Result<(), IngestError> {
        let Some(every) = self.config.every else {
            return self.look(options).await;
        };
        let mut ticks = tokio::time::interval(every.as_duration());
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.look(options).await?;
        }
    }

    /// Takes the source in where it has changed since.
    async fn look(&self, options: &JobOptions) -> Result<(), IngestError> {
        let (name, manner) = (&self.config.name, Manner { is_polled: true });
        let input = self.input().await?;
        let report = self.ingestor.run(&self.caller, name, input, options, manner, &Silent).await?;
        if let Some(report) = report {
            self.tell(&report);
        }
        Ok(())
    }

    async fn input(&self) -> Result<Input, IngestError> {
        if let Some(path) = &self.config.file {
            return Ok(Input::File(path.clone()));
        }
        let url = self.config.url.clone().unwrap_or_default();
        let failed = |reason: String| IngestError::Download { url: url.clone(), reason };
        let Some(gate) = &self.gate else {
            return Err(failed("outgoing requests are not set up".to_owned()));
        };
        let response =
            gate.send(Request::get(&url)).await.map_err(|error| failed(error.to_string()))?;
        if !response.status.is_success() {
            return Err(failed(format!("the answer was {}", response.status)));
        }
        let name = Path::new(response.url.path()).file_name();
        let name = name.map_or_else(|| url.clone(), |name| name.to_string_lossy().into_owned());
        Ok(Input::Bytes { name, bytes: Arc::from(&*response.body) })
    }

    pub(super) fn tell(&self, report: &Report) {
        tracing::info!(
            source = %self.config.name,
            records = report.records,
            created = report.created,
            updated = report.updated,
            unchanged = report.unchanged,
            history_only = report.history_only,
            quarantined = report.quarantined,
            self_crossing = report.self_crossing,
            millis = u64::try_from(report.elapsed.as_millis()).unwrap_or(u64::MAX),
            "a source was taken in"
        );
        if let Some(reason) = report.first_reasons.first() {
            tracing::warn!(source = %self.config.name, first = %reason, "records are in quarantine");
        }
        if let Some(stopped) = &report.stopped {
            tracing::warn!(source = %self.config.name, reason = %stopped, "the source broke off");
        }
    }
}
