//! Reads while something else goes on: scans of everything, and a thousand updates a second.

use std::io;
use std::time::Duration;

use crate::load::{Load, Question, drive};
use crate::questions;
use crate::reads::{Held, Rounds, rate};
use crate::table::{Row, Target, number};

const UPDATES: u32 = 1_000;

/// The time of a retrieve while two scans run.
pub(crate) async fn while_scanning(held: &Held<'_>, time: Duration) -> io::Result<Row> {
    let address = held.server.address;
    let scans = Load { address, connections: 2, time: time + Duration::from_secs(2), rate: None };
    let (scan, retrieve) = (questions::scan(), questions::retrieve(held.city));
    let scanning = drive(scans, &scan, 400);
    let asking = async {
        // The scans run by then.
        tokio::time::sleep(Duration::from_secs(1)).await;
        drive(Load { address, connections: 8, time, rate: Some(500) }, &retrieve, 401).await
    };
    let (mut scanned, asked) = tokio::try_join!(scanning, asking)?;
    let mut asked = asked;
    if let Some(refusal) = scanned.first_refusal.take().or(asked.first_refusal.take()) {
        return Err(io::Error::other(format!("a question was refused: {refusal}")));
    }
    let middle = asked.percentile(50).as_secs_f64() * 1e3;
    let p99 = asked.percentile(99).as_secs_f64() * 1e3;
    Ok(Row {
        work: format!(
            "two scans of {} running: p99 of retrieve",
            number(f64::from(held.city.entities))
        ),
        measured: format!("{} retrieves at 500/s, median {middle:.2} ms", asked.answers),
        reference: format!("a scan takes {:.2} s", scanned.percentile(50).as_secs_f64()),
        value: p99,
        unit: "ms",
        target: Target::AtMost(5.0),
    })
}

/// What reads cost while updates arrive; the CPU time of the updates is counted as theirs.
pub(crate) async fn while_updating(held: &Held<'_>, rounds: Rounds) -> io::Result<Vec<Row>> {
    let kinds: [(&str, Question); 2] = [
        ("`GET /entities/{id}`", questions::retrieve(held.city)),
        ("`GET /entities?type=T&limit=20`", questions::list("")),
    ];
    let mut rows = Vec::new();
    for (name, question) in kinds {
        let time = rounds.time * 3;
        let alone = rate(held.server, &question, 32, time, 500).await?;
        held.server.settle().await;
        let address = held.server.address;
        let writes = Load { address, connections: 16, time, rate: Some(UPDATES) };
        let update = questions::update(held.city);
        let (before, reads) =
            (held.server.cpu(), Load { address, connections: 32, time, rate: None });
        let (written, read) =
            tokio::try_join!(drive(writes, &update, 501), drive(reads, &question, 502))?;
        let mut read = read;
        let together = read.answers as f64 / (held.server.cpu() - before);
        let p99 = read.percentile(99).as_secs_f64() * 1e3;
        let arrived = written.answers as f64 / written.elapsed.as_secs_f64();
        rows.push(Row {
            work: format!("{name} while {} updates/s arrive", number(f64::from(UPDATES))),
            measured: format!(
                "{}/s, the updates' CPU included; p99 {p99:.1} ms",
                number(together),
            ),
            reference: format!("alone {}/s; {} updates/s arrived", number(alone), number(arrived)),
            value: together / alone,
            unit: "",
            target: Target::None,
        });
        held.server.settle().await;
    }
    Ok(rows)
}
