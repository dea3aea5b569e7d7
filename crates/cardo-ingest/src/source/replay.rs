//! A recording of vehicle positions that is lived through again.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cardo_formats::gtfs_rt::{FeedMessage, Recording, records_of};
use cardo_formats::{Format, Limits};
use tokio::sync::mpsc;

use super::Source;
use super::intake::{Habit, Intake, Item};
use crate::error::IngestError;
use crate::options::JobOptions;

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
        let habit =
            Habit { format: Format::GtfsRealtime, repeats_faults: true, may_lack_type: false };
        let mut intake = Intake::new(self, options, habit).await?;
        let mut next = self.next_message().await?;
        let speed = self.config.speed.unwrap_or(1.0);
        let mut step = USUAL_GAP;
        loop {
            let mut before: Option<u64> = None;
            let mut messages = messages(path, next)?;
            self.status.running();
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
                self.play(&mut intake, moved_to_now(message), number).await?;
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

    /// The message behind the last one that was replayed.
    async fn next_message(&self) -> Result<u64, IngestError> {
        let snapshot = self.ingestor.snapshot(&self.caller).await?;
        let offset = snapshot.and_then(|snapshot| snapshot.source_offset(&self.config.name));
        Ok(offset.and_then(|text| text.parse::<u64>().ok()).map_or(0, |number| number + 1))
    }

    async fn play(
        &self,
        intake: &mut Intake,
        message: FeedMessage,
        number: u64,
    ) -> Result<(), IngestError> {
        let items = records_of(message).map(|record| match record {
            Ok(record) => Item::Record(record),
            Err(error) => Item::Error(error),
        });
        let report = intake.take(self, items.collect(), Some(number.to_string())).await?;
        tracing::debug!(
            source = %self.config.name,
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
