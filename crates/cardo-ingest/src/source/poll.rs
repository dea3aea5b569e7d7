//! Files and addresses that are looked at again and again.

use std::path::Path;
use std::sync::Arc;

use super::Source;
use super::fetch::{Validators, fetch, shown};
use crate::error::IngestError;
use crate::input::Input;
use crate::options::JobOptions;
use crate::progress::Silent;
use crate::report::Report;
use crate::run::Manner;

/// What a look has found.
enum Found {
    Unchanged,
    Input(Input, Validators),
}

impl Source {
    pub(super) async fn poll(&self, options: &JobOptions) -> Result<(), IngestError> {
        let mut known = Validators::default();
        let Some(every) = self.config.every else {
            return self.look(options, &mut known).await;
        };
        let mut ticks = tokio::time::interval(every.as_duration());
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.look(options, &mut known).await?;
            self.status.waiting(every.as_duration());
        }
    }

    /// Takes the source in where it has changed since.
    async fn look(&self, options: &JobOptions, known: &mut Validators) -> Result<(), IngestError> {
        let (input, validators) = match self.find(known).await? {
            Found::Unchanged => return Ok(()),
            Found::Input(input, validators) => (input, validators),
        };
        self.status.running();
        let name = &self.config.name;
        let manner = Manner { is_polled: true, clock_ahead: self.config.clock_ahead() };
        let report = self.ingestor.run(&self.caller, name, input, options, manner, &Silent).await?;
        let is_whole = report.as_ref().is_none_or(|report| report.stopped.is_none());
        if let Some(report) = report {
            self.tell(&report);
        }
        if is_whole {
            *known = validators;
        }
        Ok(())
    }

    async fn find(&self, known: &Validators) -> Result<Found, IngestError> {
        if let Some(path) = &self.config.file {
            return Ok(Found::Input(Input::File(path.clone()), Validators::default()));
        }
        let url = self.config.url.as_deref().unwrap_or_default();
        let Some(fetched) = fetch(self.gate()?, &self.config, url, known).await? else {
            return Ok(Found::Unchanged);
        };
        let name = Path::new(fetched.url.path()).file_name();
        let name = name.map_or_else(|| shown(url), |name| name.to_string_lossy().into_owned());
        Ok(Found::Input(
            Input::Bytes { name, bytes: Arc::from(&*fetched.body) },
            fetched.validators,
        ))
    }

    fn tell(&self, report: &Report) {
        self.status.count(report);
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
            self.status.complain(stopped);
            tracing::warn!(source = %self.config.name, reason = %stopped, "the source broke off");
        }
    }
}
