//! The demonstration city.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::tempdir;

use crate::support::{ENTITIES, Server, cardo};

fn start(data: &Path) -> Server {
    let mut command = cardo(&["demo", "--listen", "127.0.0.1:0"]);
    command.arg("--data").arg(data);
    Server::spawn(command)
}

fn count(server: &Server, of_type: &str) -> usize {
    let path = format!("{ENTITIES}?type={of_type}&limit=1&count=true");
    let answer = server.send("GET", &path, None);
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.header("ngsild-results-count").expect("a count").parse().expect("a number")
}

fn places(server: &Server) -> Vec<Value> {
    let trams = server.get(&format!("{ENTITIES}?type=Vehicle&options=keyValues&limit=100"));
    trams.as_array().expect("a list").iter().map(|tram| tram["location"].clone()).collect()
}

/// Compares with the file of `api-specs`; with `CARDO_WRITE_SPECS` set it is written instead.
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
fn same_as_kept(name: &str, text: &str) {
    let path = format!("{}/../../api-specs/{name}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("CARDO_WRITE_SPECS").is_some() {
        std::fs::create_dir_all(Path::new(&path).parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap();
    let differs = kept.lines().zip(text.lines()).find(|(kept, now)| kept != now);
    assert!(kept == text, "api-specs/{name} differs, first in {differs:?}");
}

#[test]
fn the_city_answers_its_trams_move_and_a_restart_doubles_nothing() {
    let folder = tempdir().unwrap();
    let mut server = start(folder.path());
    let mut answers = 0;
    loop {
        let line = server.line_with(" ");
        assert!(!line.contains("no answer"), "{line}");
        answers += usize::from(line.contains("→"));
        if line.contains("Ready after") {
            break;
        }
    }
    assert_eq!(answers, 9, "every sample question is answered");
    let trams = &server.get("/sources")[0];
    assert_eq!((trams["name"].as_str(), trams["state"].as_str()), (Some("trams"), Some("running")));
    assert!(trams["simulated"] == true && trams["rate"].as_f64() > Some(0.0), "{trams}");

    let schema = server.send("GET", "/graphql/schema.graphql", None);
    same_as_kept("demo.graphql", &schema.text());

    let before = ["District", "Building", "RoadSegment", "Tree", "PublicTransportStop"]
        .map(|of_type| (of_type, count(&server, of_type)));
    for (of_type, count) in before {
        assert!(count > 50, "{count} of {of_type}");
    }
    assert!(count(&server, "WeatherObserved") > 20);
    assert!(server.get("/")["notice"].as_str().unwrap().contains("simulated"));

    let trams = server.get(&format!("{ENTITIES}?type=Vehicle&options=keyValues&limit=100"));
    let trams = trams.as_array().unwrap();
    assert!(!trams.is_empty() && trams.iter().all(|tram| tram["simulated"] == true));
    let first = places(&server);
    let begin = Instant::now();
    while places(&server) == first {
        assert!(begin.elapsed() < Duration::from_secs(30), "no tram has moved");
        thread::sleep(Duration::from_millis(200));
    }
    let weather = "/ngsi-ld/v1/temporal/entities/urn:ngsi-ld:WeatherObserved:fmi-101004\
                   ?attrs=temperature&options=temporalValues";
    let readings = |server: &Server| {
        server.get(weather)["temperature"]["values"].as_array().map_or(0, Vec::len)
    };
    let history = readings(&server);
    assert!(history > 2_000, "{history} readings");
    server.stop();

    let mut again = start(folder.path());
    again.line_with("Ready after");
    for (of_type, count_before) in before {
        assert_eq!(count(&again, of_type), count_before, "{of_type}");
    }
    assert_eq!(readings(&again), history);
    again.stop();
}
