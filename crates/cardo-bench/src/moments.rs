//! Past twins: the first answer, for which one has to be made, and those behind it.

use std::io;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use cardo_model::Timestamp;

use crate::city::City;
use crate::process::Server;
use crate::table::{Row, Target, number};
use crate::wire::{Connection, request};
use crate::writes;

/// The key of this part.
pub(crate) const PART: &str = "moments";

/// So often every entity is given another temperature.
const TIMES: u32 = 5;
/// So many entities change before the last moment that is asked for.
const FEW: u32 = 100;
/// Entities in one batch.
const BATCH: u32 = 1_000;
/// So many questions are asked of a past twin that is there.
const LATER: usize = 200;

/// Loads a city, changes all of it a few times, and asks for what was.
pub(crate) async fn measure(program: &Path, folder: &Path, city: City) -> io::Result<Vec<Row>> {
    let server = Server::cardo(program, &folder.join("moments"), "/health").await?;
    writes::load(&server, city).await?;
    let mut connection = Connection::open(server.address).await?;
    let mut moments = Vec::new();
    for time in 0..TIMES {
        moments.push(now());
        update(&mut connection, city.entities, time).await?;
    }
    moments.push(now());
    update(&mut connection, FEW, TIMES).await?;
    server.settle().await;
    // The next moment in which nothing was written is over.
    tokio::time::sleep(Duration::from_millis(5)).await;
    let held = server.resident();
    let (first, later) = ask(&mut connection, &moments[2]).await?;
    let grown = server.resident().saturating_sub(held);
    let (near, near_later) = ask(&mut connection, &moments[moments.len() - 1]).await?;
    server.stop().await?;
    let entities = number(f64::from(city.entities));
    let history = format!("each with {TIMES} changes; {} MB more memory", grown >> 20);
    let row = |work: String, time: Duration, later: Duration, reference: String| Row {
        work,
        measured: format!(
            "{:.1} ms to the first answer, then {:.2} ms",
            millis(time),
            millis(later)
        ),
        reference,
        value: millis(time),
        unit: "ms",
        target: Target::None,
    };
    Ok(vec![
        row(
            format!("the twin as of a moment, all of {entities} entities changed since"),
            first,
            later,
            history,
        ),
        row(
            format!("– {FEW} of them changed since"),
            near,
            near_later,
            "the rest is shared with the twin as it is".to_owned(),
        ),
    ])
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn now() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let micros = i64::try_from(since.as_micros()).unwrap_or_default();
    Timestamp::from_micros(micros).to_string()
}

/// Gives the first entities another temperature.
async fn update(connection: &mut Connection, count: u32, time: u32) -> io::Result<()> {
    for from in (0..count).step_by(BATCH as usize) {
        let one = |n: u32| {
            let id = City::id(n);
            let (kind, value) = (City::type_of(n), f64::from(n % 400 + time) / 10.0);
            format!(
                r#"{{"id":"{id}","type":"{kind}","temperature":{{"type":"Property","value":{value}}}}}"#
            )
        };
        let entities: Vec<String> = (from..(from + BATCH).min(count)).map(one).collect();
        let body = format!("[{}]", entities.join(","));
        let text = request("POST", "/ngsi-ld/v1/entityOperations/update", "", &body);
        let answer = connection.ask(&text).await?;
        if answer.status != 204 {
            let said = String::from_utf8_lossy(answer.body).chars().take(300).collect::<String>();
            return Err(io::Error::other(format!(
                "an update was answered {}: {said}",
                answer.status
            )));
        }
    }
    Ok(())
}

/// The time of the first question about a moment, and the median of those behind it.
async fn ask(connection: &mut Connection, moment: &str) -> io::Result<(Duration, Duration)> {
    let mut each = Vec::with_capacity(LATER);
    for round in 0..=LATER {
        let kind = City::type_of(u32::try_from(round).unwrap_or_default());
        let path = format!("/at/{moment}/ngsi-ld/v1/entities?type={kind}&limit=20&count=true");
        let text = request("GET", &path, "", "");
        let start = Instant::now();
        let answer = connection.ask(&text).await?;
        each.push(start.elapsed());
        if answer.status != 200 || answer.body.len() < 100 {
            let said = String::from_utf8_lossy(answer.body).chars().take(300).collect::<String>();
            return Err(io::Error::other(format!("{} for {path}: {said}", answer.status)));
        }
    }
    let first = each.remove(0);
    each.sort_unstable();
    Ok((first, each[each.len() / 2]))
}
