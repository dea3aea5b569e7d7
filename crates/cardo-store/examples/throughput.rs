//! How fast the store on SQLite is on this machine: appends, projections, loading, history.
//!
//! ```text
//! cargo run --release -p cardo-store --example throughput -- 1000000
//! ```

use std::path::Path;
use std::time::{Duration, Instant};

use cardo_engine::{
    Append, EncodedRecord, HistoryEvent, HistoryQuery, HistoryRow, Projection, StateSink, Store,
    Tells,
};
use cardo_model::{
    Attribute, Entity, Instance, Iri, JsonText, NameId, Record, RecordHeader, Revision, Seq,
    Timestamp, TwinId, Value, encode_instance,
};
use cardo_store::{SqliteOptions, SqliteStore};

const BATCH: u32 = 50_000;

/// Time and time of the processor since a moment.
struct Watch {
    wall: Instant,
    cpu: Duration,
}

impl Watch {
    fn start() -> Self {
        Self { wall: Instant::now(), cpu: cpu() }
    }

    fn spent(&self) -> (Duration, Duration) {
        (self.wall.elapsed(), cpu().saturating_sub(self.cpu))
    }

    fn report(&self, what: &str, count: u64) {
        report(what, count, self.spent());
    }
}

/// Prints wall time and time of the processor, in all and for each.
fn report(what: &str, count: u64, (wall, cpu): (Duration, Duration)) {
    let each = |time: Duration| time.as_secs_f64() * 1e6 / count as f64;
    println!(
        "{what:<44} {count:>9} in {:>7.2} s, {:>9.0} /s, {:>7.2} µs each, {:>6.2} µs of CPU",
        wall.as_secs_f64(),
        count as f64 / wall.as_secs_f64(),
        each(wall),
        each(cpu),
    );
}

/// What this process has used, from the kernel's count of a hundred a second.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(") ").next().unwrap_or_default().split(' ');
    let ticks: u64 = fields.skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

/// A sensor of five attributes and a location, with a value.
fn entity(n: u32, value: u32) -> (Seq, Record) {
    let seq = Seq::new(Revision(1 + u64::from(n / 1_000)), n % 1_000);
    let id = Iri::new(format!("urn:ngsi-ld:AirQualityObserved:helsinki-{n}")).expect("a URN");
    let mut entity: Entity<NameId> = Entity::new(id, NameId::new(0));
    let moment = Timestamp::from_seconds(1_700_000_000 + i64::from(value));
    let mut put = |name: u32, text: String| {
        let json = JsonText::from_canonical(text);
        let mut instance = Instance::new(Value::property(json, false));
        instance.observed_at = Some(moment);
        entity.attributes.push(Attribute::new(NameId::new(name), instance));
    };
    put(1, format!("{}.5", value % 50));
    put(2, format!("{}", value % 400));
    put(3, "\"Mannerheimintie 5\"".to_owned());
    put(4, "\"working\"".to_owned());
    put(5, format!("{{\"min\":{value},\"max\":99}}"));
    put(6, format!("{{\"type\":\"Point\",\"coordinates\":[24.{n:06},60.{value:06}]}}"));
    let revision = seq.revision();
    let header = RecordHeader { seq, created_at: moment, modified_at: moment, revision };
    (seq, Record::encode(&entity, header))
}

fn reading(n: u32, name: u32, at: u32) -> HistoryRow {
    let time = Timestamp::from_seconds(1_700_000_000 + i64::from(at));
    let mut instance =
        Instance::new(Value::property(JsonText::from_canonical(at.to_string()), false));
    instance.observed_at = Some(time);
    HistoryRow {
        entity: Iri::new(format!("urn:ngsi-ld:AirQualityObserved:helsinki-{n}")).expect("a URN"),
        event: HistoryEvent::Instance {
            name: NameId::new(name),
            instance: encode_instance(&instance),
        },
        time,
        revision: Revision(u64::from(at)),
        ordinal: n,
        written: time,
        tells: Tells::Both,
    }
}

/// A number that looks random.
fn scatter(n: u32) -> u32 {
    n.wrapping_mul(2_654_435_761) ^ 0x5bd1_e995
}

struct Bench {
    store: SqliteStore,
    twin: TwinId,
    count: u32,
    reached: u64,
}

impl Bench {
    async fn project(&mut self, projection: Projection) {
        let (after, to) = (Revision(self.reached), Revision(self.reached + 1));
        let projection = Projection { after, to, ..projection };
        self.store.project(&self.twin, projection).await.expect("it follows");
        self.reached += 1;
    }

    async fn append(&self) {
        for (records, groups) in [(1_u64, 2_000_u64), (64, 1_000)] {
            let twin = TwinId::of_tenant(&format!("log-{records}")).expect("a name");
            let watch = Watch::start();
            for group in 0..groups {
                let head = group * records;
                let record = |n| EncodedRecord { revision: Revision(n), bytes: vec![7; 400] };
                let records = (head + 1..=head + records).map(record).collect();
                let expected_head = Revision(head);
                let append = Append { twin: twin.clone(), expected_head, begins: false, records };
                self.store.append(vec![append]).await.expect("there is room")[0].expect("in order");
            }
            watch.report(&format!("appends of {records} records"), groups);
        }
    }

    async fn create(&mut self, with_history: bool) {
        let mut spent = Vec::new();
        for start in (0..self.count).step_by(BATCH as usize) {
            let numbers = start..(start + BATCH).min(self.count);
            let entities = numbers.clone().map(|n| entity(n, n));
            let entities = entities.map(|(seq, record)| (seq, Some(record))).collect();
            let history = numbers.flat_map(|n| (1..6).map(move |name| reading(n, name, n)));
            let history = if with_history { history.collect() } else { Vec::new() };
            let projection = Projection { entities, history, ..Projection::default() };
            let watch = Watch::start();
            self.project(projection).await;
            spent.push(watch.spent());
        }
        report_spent("new entities with five readings each", self.count, &spent);
    }

    async fn update(&mut self, rounds: u32, batch: u32) {
        let mut spent = Vec::new();
        for round in 0..rounds {
            let mut numbers: Vec<u32> =
                (0..batch).map(|n| scatter(n + round * batch) % self.count).collect();
            numbers.sort_unstable();
            numbers.dedup();
            let entities = numbers.iter().map(|n| entity(*n, round));
            let entities = entities.map(|(seq, record)| (seq, Some(record))).collect();
            let history = numbers.iter().map(|n| reading(*n, 1, 2_000_000 + round)).collect();
            let projection = Projection { entities, history, ..Projection::default() };
            let watch = Watch::start();
            self.project(projection).await;
            spent.push(watch.spent());
        }
        report_spent(&format!("scattered updates, {batch} a batch"), rounds * batch, &spent);
    }

    async fn arrive(&mut self, rounds: u32) {
        let mut spent = Vec::new();
        for round in 0..rounds {
            let row = |n| reading(scatter(n) % self.count, 1, 3_000_000 + round * BATCH + n);
            let history = (0..BATCH).map(row).collect();
            let projection = Projection { history, ..Projection::default() };
            let watch = Watch::start();
            self.project(projection).await;
            spent.push(watch.spent());
        }
        report_spent("history rows alone", rounds * BATCH, &spent);
    }

    async fn load(&self) {
        struct Count(u64);
        impl StateSink for Count {
            fn entities(&mut self, records: Vec<Record>) {
                self.0 += records.len() as u64;
                drop(records);
            }
        }
        let watch = Watch::start();
        let mut count = Count(0);
        self.store.load(&self.twin, &mut count).await.expect("it is sound");
        watch.report("entities loaded", count.0);
    }

    async fn ask(&self, what: &str) {
        let rounds = 2_000;
        let watch = Watch::start();
        for n in 0..rounds {
            let query = HistoryQuery {
                attributes: vec![NameId::new(1)],
                last: Some(10),
                limit: 1_000,
                ..HistoryQuery::whole(reading(scatter(n) % self.count, 1, 0).entity)
            };
            self.store.history(&self.twin, &query).await.expect("it is sound");
        }
        let runs = self.store.waiting_runs(&self.twin).await.expect("it is sound");
        watch.report(&format!("{what} ({runs} runs)"), u64::from(rounds));
    }
}

fn report_spent(what: &str, count: u32, spent: &[(Duration, Duration)]) {
    let wall: Duration = spent.iter().map(|(wall, _)| *wall).sum();
    let used: Duration = spent.iter().map(|(_, cpu)| *cpu).sum();
    report(what, u64::from(count), (wall, used));
}

#[tokio::main]
async fn main() {
    let count = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(200_000);
    let dir = tempfile::TempDir::new_in(".").expect("a directory can be made here");
    let options = SqliteOptions { compacts: false, ..SqliteOptions::default() };
    let store = SqliteStore::open(dir.path(), options.clone()).await.expect("it is empty");
    let twin = TwinId::default();
    let record = EncodedRecord { revision: Revision(1), bytes: vec![0] };
    let first = Append {
        twin: twin.clone(),
        expected_head: Revision(0),
        begins: false,
        records: vec![record],
    };
    store.append(vec![first]).await.expect("there is room")[0].expect("it is new");
    println!("an entity takes {} bytes", entity(1_234, 9).1.as_bytes().len());
    let mut bench = Bench { store, twin, count, reached: 0 };
    bench.append().await;
    bench.create(true).await;
    bench.update(4, BATCH).await;
    bench.update(4, BATCH / 5).await;
    bench.arrive(10).await;
    bench.ask("questions after the last ten readings").await;
    let watch = Watch::start();
    bench.store.compact(&bench.twin).await.expect("it is sound");
    watch.report("entities' history compacted", u64::from(count));
    bench.ask("the same from blocks").await;
    bench.store.close().await.expect("it is sound");
    let watch = Watch::start();
    bench.store = SqliteStore::open(dir.path(), options).await.expect("it was closed");
    watch.report("opened again", 1);
    print_sizes(dir.path());
    // The log of this run is shorter than its projections, which loading would refuse.
    let head = bench.store.head(&bench.twin).await.expect("it is sound").map_or(0, |head| head.0);
    let record = |n| EncodedRecord { revision: Revision(n), bytes: vec![0] };
    let records = (head + 1..=bench.reached).map(record).collect();
    let append =
        Append { twin: bench.twin.clone(), expected_head: Revision(head), begins: false, records };
    bench.store.append(vec![append]).await.expect("there is room")[0].expect("in order");
    bench.load().await;
    bench.load().await;
}

fn print_sizes(dir: &Path) {
    for name in ["log.sqlite", "state.sqlite"] {
        let bytes = std::fs::metadata(dir.join(name)).map_or(0, |metadata| metadata.len());
        println!("{name} has {} MB", bytes >> 20);
    }
}
