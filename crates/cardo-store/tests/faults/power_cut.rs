use std::fs;
use std::path::Path;
use std::process::Stdio;

use tempfile::TempDir;

use crate::check::{Acknowledged, check};
use crate::disk::{Dice, Disk};
use crate::trace::{Event, read, recorder, report_missing};
use crate::writer::command;

const STEPS: u64 = 150;
const CUTS: usize = 60;

/// What happened to the files of the store, and which acknowledgements lay between.
struct Recording {
    data: std::path::PathBuf,
    events: Vec<Event>,
}

fn record(dir: &Path) -> Option<Recording> {
    let data = dir.join("data");
    fs::create_dir(&data).unwrap();
    let (acks, output) = (dir.join("acknowledged"), dir.join("recording"));
    let Some(recorder) = recorder(&output) else {
        report_missing();
        return None;
    };
    let status = command(Some(recorder), &data, &acks, STEPS).stdout(Stdio::null()).status();
    assert!(status.unwrap().success(), "the writer failed");
    let events = read(&fs::read_to_string(&output).unwrap(), dir);
    Some(Recording { data, events })
}

impl Recording {
    /// The place of an event's file: among those of the store, or the writer's acknowledgements.
    fn is_of_store(&self, event: &Event) -> bool {
        match event {
            Event::Created(path)
            | Event::Removed(path)
            | Event::Written { path, .. }
            | Event::Truncated { path, .. }
            | Event::SyncBegan { path, .. }
            | Event::Renamed { from: path, .. } => path.starts_with(&self.data),
            Event::SyncEnded { .. } => true,
        }
    }
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_power_cut_at_any_moment() {
    let dir = TempDir::new().unwrap();
    let Some(recording) = record(dir.path()) else { return };
    let events = &recording.events;
    let syncs = events.iter().filter(|event| matches!(event, Event::SyncEnded { .. })).count();
    assert!(syncs as u64 >= STEPS, "{syncs} syncs for {STEPS} steps");
    let mut dice = Dice::new(11);
    let mut moments: Vec<usize> = (0..CUTS).map(|_| dice.below(events.len() + 1)).collect();
    moments.push(events.len());
    moments.sort_unstable();
    let (mut disk, mut acknowledged) = (Disk::default(), Acknowledged::default());
    let mut at = 0;
    for (number, moment) in moments.into_iter().enumerate() {
        for event in &events[at..moment] {
            match event {
                event if recording.is_of_store(event) => disk.apply(event),
                Event::Written { bytes, .. } => {
                    acknowledged.take(String::from_utf8_lossy(bytes).trim_end());
                }
                _ => {}
            }
        }
        at = moment;
        let rebuilt = dir.path().join(format!("cut-{number}"));
        disk.cut(&recording.data, &rebuilt, &mut dice);
        println!("cut {number} behind event {moment} of {}: {acknowledged:?}", events.len());
        check(&rebuilt, acknowledged).await;
        fs::remove_dir_all(&rebuilt).unwrap();
    }
    assert_eq!(acknowledged.step, STEPS);
}

#[test]
fn a_recording_is_read_as_what_happened() {
    let hex = |text: &str| -> String {
        text.bytes().flat_map(|b| ["\\x".to_owned(), format!("{b:02x}")]).collect()
    };
    let (file, acks) = (hex("/d/f"), hex("/d/other"));
    let recording = [
        format!("7 openat(AT_FDCWD<{}>, \"{file}\", O_RDWR|O_CREAT, 0644) = 3<{file}>", hex("/")),
        format!("7 lseek(3<{file}>, 10, SEEK_SET) = 10"),
        format!("7 write(3<{file}>, \"{}\", 2) = 2", hex("ab")),
        format!("7 fsync(3<{file}> <unfinished ...>"),
        format!("8 pwrite64(3<{file}>, \"{}\", 1, 4) = 1", hex("c")),
        "7 <... fsync resumed>)           = 0".to_owned(),
        format!("7 fdatasync(3<{file}>) = -1 EIO (Input/output error)"),
        format!("7 rename(\"{file}\", \"{acks}\") = 0"),
        format!("7 unlink(\"{acks}\") = 0"),
    ];
    let events = read(&recording.join("\n"), Path::new("/d"));
    let expected = "[Created(\"/d/f\"), Written { path: \"/d/f\", at: 10, bytes: [97, 98] }, \
        SyncBegan { path: \"/d/f\", number: 1 }, \
        Written { path: \"/d/f\", at: 4, bytes: [99] }, SyncEnded { number: 1 }, \
        SyncBegan { path: \"/d/f\", number: 2 }, \
        Renamed { from: \"/d/f\", to: \"/d/other\" }, Removed(\"/d/other\")]";
    assert_eq!(format!("{events:?}"), expected);
}
