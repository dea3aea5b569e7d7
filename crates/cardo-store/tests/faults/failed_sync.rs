use std::fs;
use std::process::Stdio;

use tempfile::TempDir;

use crate::check::{Acknowledged, check};
use crate::trace::{report_missing, saboteur};
use crate::writer::command;

#[tokio::test]
async fn a_failed_sync_is_never_answered_with_success() {
    // Syncs are counted a thread, so there are far more of them than are waited for.
    for when in [4, 9, 31] {
        let dir = TempDir::new().unwrap();
        let (data, acks) = (dir.path().join("data"), dir.path().join("acknowledged"));
        fs::create_dir(&data).unwrap();
        let log = data.join("log.sqlite-wal");
        let Some(saboteur) = saboteur(&dir.path().join("recording"), &log, when) else {
            return report_missing();
        };
        let mut writer = command(Some(saboteur), &data, &acks, 1_000);
        assert!(writer.stdout(Stdio::null()).status().unwrap().success(), "the writer failed");
        let lines = fs::read_to_string(&acks).unwrap();
        let (before, after) = lines.split_once("refused").expect("an append was refused");
        assert!(!after.contains("step"), "{lines}");
        let mut acknowledged = Acknowledged::default();
        before.lines().for_each(|line| acknowledged.take(line));
        check(&data, acknowledged).await;
    }
}
