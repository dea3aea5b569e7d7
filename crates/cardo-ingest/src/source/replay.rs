//! A recording of vehicle positions that is lived through again.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cardo_engine::{Batch, Operation};
use cardo_formats::gtfs_rt::{FeedMessage, Recording, records_of};
use cardo_formats::{Format, Limits};
use cardo_model::SourceOffset;
use tokio::sync::mpsc;

use super::Source;
use crate::contexts;
use crate::error::IngestError;
use crate::feed::{BATCH, is_gone};
use crate::mapping::{Identity, Mapping, Plan};
use crate::options::JobOptions;
use crate::quarantine::{Keeper, Quarantined};
use crate::report::Report;
use crate::run::{apply, count, plan};

/// A gap in a recording is not waited for longer than this.
const LONGEST_GAP: f64 = 60.0;
/// Between the last message and the first of the next round, where no step is known.
const USUAL_GAP: f64 = 1.0;

/// A message with its place.
struct Heard {
    number: u64,
    message: FeedMessage,
}

impl Source {
    /// Replays a recording in real time for as long as the server runs. Times are moved so that
    /// each message is of the moment at which it is replayed. The place reached is kept with the
    /// data, so that a restart goes on from there.
    pub(super) async fn replay(
        &self,
        path: &Path,
        options: &JobOptions,
    ) -> Result<(), IngestError> {
        let mut player = self.player(options).await?;
        let mut next = player.resume(self).await?;
        let speed = self.config.speed.unwrap_or(1.0);
        let mut step = USUAL_GAP;
        loop {
            let mut before: Option<u64> = None;
            let mut messages = messages(path, next)?;
            let mut count = 0_u64;
            while let Some(heard) = messages.recv().await {
                let Heard { number, message } = heard?;
                let time = time_of(&message);
                if let (Some(before), Some(time)) = (before, time) {
                    step = (time.saturating_sub(before) as f64).min(LONGEST_GAP);
                }
                if count > 0 || next > 0 {
                    tokio::time::sleep(Duration::from_secs_f64(step / speed)).await;
                }
                before = time.or(before);
                count += 1;
                player.play(self, moved_to_now(message), number).await?;
            }
            if count == 0 && next == 0 {
                let reason = std::io::Error::other("the recording holds no message");
                return Err(IngestError::Open { path: path.to_owned(), error: reason });
            }
            if next == 0 && count == 1 {
                step = step.max(USUAL_GAP);
            }
            tokio::time::sleep(Duration::from_secs_f64(step / speed)).await;
            next = 0;
        }
    }

    async fn player(&self, options: &JobOptions) -> Result<Player, IngestError> {
        let of_mapping = options.mapping.as_ref().and_then(|mapping| mapping.context());
        let context = options.context.clone().or(of_mapping);
        let context = contexts::find(context.as_deref(), self.ingestor.contexts()).await?;
        let format = Format::GtfsRealtime;
        let mapping = match &options.mapping {
            Some(mapping) => Mapping::clone(mapping),
            None => Mapping::automatic(format),
        };
        let identity = match &options.id_column {
            Some(column) => Identity::Field(column.clone()),
            None => Identity::Own,
        };
        let name = &self.config.name;
        let plan = plan(name, options, &mapping, identity, context, format, None)?;
        let snapshot = self.ingestor.snapshot(&self.caller).await?;
        Ok(Player { plan, keeper: Keeper::new(snapshot.as_ref(), name, true) })
    }
}

struct Player {
    plan: Plan,
    keeper: Keeper,
}

impl Player {
    /// The message behind the last one that was replayed.
    async fn resume(&self, source: &Source) -> Result<u64, IngestError> {
        let snapshot = source.ingestor.snapshot(&source.caller).await?;
        let offset = snapshot.and_then(|snapshot| snapshot.source_offset(&source.config.name));
        Ok(offset.and_then(|text| text.parse::<u64>().ok()).map_or(0, |number| number + 1))
    }

    async fn play(
        &mut self,
        source: &Source,
        message: FeedMessage,
        number: u64,
    ) -> Result<(), IngestError> {
        let mut operations = Vec::new();
        let mut report = Report::default();
        for record in records_of(message) {
            report.records += 1;
            let faulty = match record {
                Ok(record) if is_gone(&record) => continue,
                Ok(record) => match self.plan.entity(&record) {
                    Ok(mapped) => {
                        operations.push(Operation::Ingest(mapped.entity));
                        continue;
                    }
                    Err(fault) => {
                        let name = &source.config.name;
                        Quarantined::of_record(name, None, &record, fault.to_string())
                    }
                },
                Err(error) => Quarantined::of_error(&source.config.name, None, &error),
            };
            report.quarantined += 1;
            if let Ok(Some(document)) = self.keeper.put(faulty) {
                operations.push(Operation::Document(document));
            }
        }
        let mut chunks = operations.chunks(BATCH).peekable();
        while let Some(chunk) = chunks.next() {
            let mut batch = Batch { operations: chunk.to_vec(), ..Batch::default() };
            if chunks.peek().is_none() {
                batch.offsets.push(SourceOffset {
                    source: source.config.name.as_str().into(),
                    offset: number.to_string().into(),
                });
            }
            let outcome = apply(source.ingestor.engine(), &source.caller, batch).await?;
            for done in outcome.results.into_iter().flatten() {
                count(&mut report, &done);
            }
        }
        tracing::debug!(
            source = %source.config.name,
            message = number,
            records = report.records,
            updated = report.created + report.updated,
            quarantined = report.quarantined,
            "a message was replayed"
        );
        Ok(())
    }
}

/// Reads the messages of a recording from one on, in a thread of its own.
fn messages(
    path: &Path,
    from: u64,
) -> Result<mpsc::Receiver<Result<Heard, IngestError>>, IngestError> {
    let failed = |error| IngestError::Open { path: path.to_owned(), error };
    let file = File::open(path).map_err(failed)?;
    let path = path.to_owned();
    let (sender, receiver) = mpsc::channel(1);
    tokio::task::spawn_blocking(move || {
        let recording = Recording::new(BufReader::new(file), Limits::default());
        for (number, message) in (0..).zip(recording) {
            if number < from {
                continue;
            }
            let heard = match message {
                Ok(message) => Ok(Heard { number, message }),
                Err(error) if error.fatal => {
                    let error = std::io::Error::other(error.to_string());
                    Err(IngestError::Open { path: path.clone(), error })
                }
                Err(error) => {
                    tracing::warn!(error = %error, "a message of the recording is passed over");
                    continue;
                }
            };
            if sender.blocking_send(heard).is_err() {
                return;
            }
        }
    });
    Ok(receiver)
}

fn time_of(message: &FeedMessage) -> Option<u64> {
    let header = message.header.as_ref().and_then(|header| header.timestamp);
    let of_vehicles = || {
        let vehicles = message.entity.iter().filter_map(|entity| entity.vehicle.as_ref());
        vehicles.filter_map(|vehicle| vehicle.timestamp).max()
    };
    header.filter(|time| *time > 0).or_else(of_vehicles)
}

/// Moves all times of a message by as much as makes it a message of now.
fn moved_to_now(mut message: FeedMessage) -> FeedMessage {
    let Some(time) = time_of(&message) else { return message };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let shift = |then: &mut u64| *then = now.saturating_sub(time.saturating_sub(*then));
    if let Some(then) = message.header.as_mut().and_then(|header| header.timestamp.as_mut()) {
        shift(then);
    }
    let vehicles = message.entity.iter_mut().filter_map(|entity| entity.vehicle.as_mut());
    for then in vehicles.filter_map(|vehicle| vehicle.timestamp.as_mut()) {
        shift(then);
    }
    message
}

#[cfg(test)]
mod tests {
    use cardo_formats::gtfs_rt::{FeedEntity, FeedHeader, VehiclePosition};

    use super::*;

    #[test]
    fn times_keep_their_distance_when_they_move_to_now() {
        let vehicle = VehiclePosition { timestamp: Some(995), ..VehiclePosition::default() };
        let entity = FeedEntity { id: "1".into(), vehicle: Some(vehicle), ..FeedEntity::default() };
        let header = FeedHeader { timestamp: Some(1_000), ..FeedHeader::default() };
        let moved = moved_to_now(FeedMessage { header: Some(header), entity: vec![entity] });
        let of_header = moved.header.unwrap().timestamp.unwrap();
        let of_vehicle = moved.entity[0].vehicle.as_ref().unwrap().timestamp.unwrap();
        assert_eq!(of_header - of_vehicle, 5);
        assert!(of_header > 1_700_000_000);
    }
}
