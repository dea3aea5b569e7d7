//! A sharing system: several files, each asked for when its time to live is over.

use std::time::Duration;

use cardo_formats::gbfs::{
    Discovery, Header, Stations, System, discovery, stations, system, vehicles,
};
use cardo_formats::{Fault, Format, Limits, Record, RecordError};
use tokio::time::Instant;

use super::Source;
use super::config::GbfsFeed;
use super::fetch::{Validators, fetch, shown};
use super::intake::{Habit, Intake, Item};
use crate::error::IngestError;
use crate::options::JobOptions;

/// No file is asked for more often than so, where the configuration says nothing.
const FLOOR: Duration = Duration::from_secs(10);
/// A file that is good for longer is asked for after a day all the same.
const CEILING: Duration = Duration::from_secs(86_400);

/// A file that is kept up to date.
struct Kept<T> {
    url: String,
    known: Validators,
    due: Instant,
    pause: Duration,
    content: Option<T>,
}

impl<T> Kept<T> {
    fn new() -> Self {
        Self {
            url: String::new(),
            known: Validators::default(),
            due: Instant::now(),
            pause: FLOOR,
            content: None,
        }
    }

    /// Whether it has to be asked for now; another address is another file.
    fn is_due(&mut self, url: &str) -> bool {
        if self.url != url {
            *self = Self { url: url.to_owned(), ..Self::new() };
        }
        self.due <= Instant::now()
    }
}

/// The stations, and the records that were wrong among them.
type Known = (Stations, Vec<RecordError>);
/// A file that stands for a list of no stations.
const NO_STATUS: &[u8] = br#"{"data":{"stations":[]}}"#;

impl Source {
    /// Takes a sharing system in for as long as the server runs.
    pub(super) async fn share(&self, options: &JobOptions) -> Result<(), IngestError> {
        let habit = Habit { format: Format::Json, repeats_faults: true, may_lack_type: false };
        let mut intake = Intake::new(self, options, habit).await?;
        let mut found = Kept::<Discovery>::new();
        let mut owner = Kept::<System>::new();
        let mut known = Kept::<Known>::new();
        let mut listed = Kept::<Vec<u8>>::new();
        let address = self.config.gbfs.clone().unwrap_or_default();
        let language = self.config.language.as_deref();
        let limits = Limits::default();
        loop {
            self.refresh(&mut found, Some(&address), |text| {
                discovery(text, language).map(|found| (found.header.clone(), found))
            })
            .await?;
            let feeds = found.content.as_ref().ok_or_else(|| self.lacks("anything"))?;
            // Ids are made of the name of the system, so a system that has one is not taken in
            // without it.
            let owner_url = feeds.url(&["system_information"]);
            self.refresh(&mut owner, owner_url, |text| {
                Ok((Header { ttl: 3_600, last_updated: None }, system(text, language)?))
            })
            .await?;
            let unnamed = System { id: self.config.name.clone(), name: None };
            let owner_of = owner.content.as_ref().unwrap_or(&unnamed);
            let (is_new, dues) = match self.config.feed.unwrap_or_default() {
                GbfsFeed::Stations => {
                    let url = feeds.url(&["station_information"]);
                    let status_url = feeds.url(&["station_status"]);
                    if url.is_none() && status_url.is_none() {
                        return Err(self.lacks("stations"));
                    }
                    let more = self
                        .refresh(&mut known, url, |text| {
                            let (stations, header, errors) = stations(text, language, &limits)?;
                            Ok((header, (stations, errors)))
                        })
                        .await?;
                    let told = self.refresh(&mut listed, status_url, keep_text).await?;
                    let dues = [url.map(|_| known.due), status_url.map(|_| listed.due)];
                    (more || told, dues)
                }
                GbfsFeed::Vehicles => {
                    let url = feeds.url(&["vehicle_status", "free_bike_status"]);
                    if url.is_none() {
                        return Err(self.lacks("vehicles"));
                    }
                    let told = self.refresh(&mut listed, url, keep_text).await?;
                    (told, [url.map(|_| listed.due), None])
                }
            };
            if is_new {
                self.status.running();
                let text = listed.content.as_deref().unwrap_or(NO_STATUS);
                let items = self.listed(text, known.content.as_ref(), owner_of);
                let items = items.map_err(|fault| unreadable(&listed.url, &fault))?;
                let report = match self.config.feed.unwrap_or_default() {
                    GbfsFeed::Stations => intake.take_whole(self, items).await?,
                    GbfsFeed::Vehicles => intake.take_listed(self, items).await?,
                };
                tracing::debug!(
                    source = %self.config.name,
                    records = report.records,
                    updated = report.created + report.updated,
                    "a sharing system was taken in"
                );
            }
            let next = dues.into_iter().flatten().chain([found.due]).min().unwrap_or(found.due);
            self.status.waiting(next.saturating_duration_since(Instant::now()));
            tokio::time::sleep_until(next).await;
        }
    }

    /// Asks for a file where it is time to; whether it says anything new.
    async fn refresh<T>(
        &self,
        kept: &mut Kept<T>,
        url: Option<&str>,
        read: impl FnOnce(&[u8]) -> Result<(Header, T), Fault>,
    ) -> Result<bool, IngestError> {
        let Some(url) = url else { return Ok(false) };
        if !kept.is_due(url) {
            return Ok(false);
        }
        let fetched = fetch(self.gate()?, &self.config, url, &kept.known).await?;
        let is_new = fetched.is_some();
        if let Some(fetched) = fetched {
            let read = read(&fetched.body).map_err(|fault| unreadable(url, &fault));
            let (header, content) = read?;
            let floor = self.config.every.map_or(FLOOR, super::Interval::as_duration);
            kept.pause = Duration::from_secs(header.ttl).clamp(floor, CEILING.max(floor));
            kept.content = Some(content);
            kept.known = fetched.validators;
        }
        kept.due = Instant::now() + kept.pause;
        Ok(is_new)
    }

    fn listed(
        &self,
        text: &[u8],
        known: Option<&Known>,
        system: &System,
    ) -> Result<Vec<Item>, Fault> {
        let limits = Limits::default();
        let none = Known::default();
        let (stations, errors) = known.unwrap_or(&none);
        let records = match self.config.feed.unwrap_or_default() {
            GbfsFeed::Stations => stations.with_status(text, system, &limits)?.0,
            GbfsFeed::Vehicles => vehicles(text, system, &limits)?.0,
        };
        let mut items: Vec<Item> = records.into_iter().map(item).collect();
        // Behind the others, so that no two have the same place.
        let behind = items.len() as u64;
        items.extend(errors.iter().map(|error| {
            let ordinal = behind + error.ordinal;
            Item::Faulty(crate::Quarantined::of_listed(&self.config.name, ordinal, error))
        }));
        Ok(items)
    }

    fn lacks(&self, what: &str) -> IngestError {
        let url = shown(self.config.gbfs.as_deref().unwrap_or_default());
        IngestError::Download { url, reason: format!("the system lists no feed of {what}") }
    }
}

fn unreadable(url: &str, fault: &Fault) -> IngestError {
    IngestError::Download { url: shown(url), reason: fault.to_string() }
}

fn keep_text(text: &[u8]) -> Result<(Header, Vec<u8>), Fault> {
    cardo_formats::gbfs::header(text).map(|header| (header, text.to_vec()))
}

fn item(record: Result<Record, RecordError>) -> Item {
    match record {
        Ok(record) => Item::Record(record),
        Err(error) => Item::Error(error),
    }
}
