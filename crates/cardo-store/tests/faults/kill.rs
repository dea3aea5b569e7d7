use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::check::{Acknowledged, check};
use crate::disk::Dice;
use crate::writer::command;

const KILLS: usize = 50;

#[tokio::test]
async fn what_was_acknowledged_survives_fifty_kills() {
    let dir = TempDir::new().unwrap();
    let data = dir.path().join("data");
    let acks = dir.path().join("acknowledged");
    let mut dice = Dice::new(7);
    let mut acknowledged = Acknowledged::default();
    for _ in 0..KILLS {
        fs::write(&acks, "").unwrap();
        let mut child = command(None, &data, &acks, 100_000).stdout(Stdio::null()).spawn().unwrap();
        // It is writing from its first acknowledgement on.
        let started = Instant::now();
        while fs::metadata(&acks).unwrap().len() == 0 {
            assert!(started.elapsed() < Duration::from_secs(60), "the writer does not start");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let pause = u64::try_from(dice.below(120_000)).unwrap();
        tokio::time::sleep(Duration::from_micros(pause)).await;
        child.kill().unwrap();
        child.wait().unwrap();
        for line in fs::read_to_string(&acks).unwrap().lines() {
            acknowledged.take(line);
        }
        acknowledged.step = check(&data, acknowledged).await;
    }
    assert!(acknowledged.step > u64::try_from(KILLS).unwrap() * 2, "{acknowledged:?}");
}
