//! `cardo ingest` as a user meets it.

use std::fs;
use std::path::Path;
use std::process::{Output, Stdio};

use tempfile::tempdir;

use crate::support::{ENTITIES, Server, cardo, error_text, output};

fn ingest(data: &Path, args: &[&str]) -> Output {
    let mut command = cardo(&[&["ingest"], args].concat());
    command.arg("--data").arg(data);
    output(command)
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_file_is_taken_in_once_and_its_bad_record_is_put_aside() {
    let folder = tempdir().unwrap();
    let data = folder.path().join("data");
    let file = folder.path().join("benches.csv");
    fs::write(&file, "id,lon,lat,seats\n1,24.94,60.17,4\n2,24.95,160.17,3\n3,24.96,60.18,2\n")
        .unwrap();
    let file = file.to_str().unwrap();

    let first = ingest(&data, &[file, "--type", "Bench"]);
    assert!(first.status.success(), "{}", error_text(&first));
    assert!(text(&first).contains("2 created"), "{}", text(&first));
    assert!(text(&first).contains("1 quarantined"), "{}", text(&first));

    let again = ingest(&data, &[file, "--type", "Bench"]);
    assert!(again.status.success(), "{}", error_text(&again));
    assert!(text(&again).contains("0 created"), "{}", text(&again));

    let listed = ingest(&data, &["--quarantine", "list"]);
    let listed = text(&listed);
    assert!(listed.contains("benches.csv") && listed.contains("160.17"), "{listed}");

    let server = Server::start(&data);
    let benches = server.get(&format!("{ENTITIES}?type=Bench&q=seats%3E=2&options=keyValues"));
    assert_eq!(benches.as_array().unwrap().len(), 2);
    server.stop();
}

#[test]
fn a_reader_of_the_quarantine_may_go_away() {
    let folder = tempdir().unwrap();
    let data = folder.path().join("data");
    let file = folder.path().join("a.csv");
    let rows: Vec<String> = (0..900).map(|row| format!("{row},24.9,91\n")).collect();
    fs::write(&file, format!("id,lon,lat\n{}", rows.concat())).unwrap();
    let file = file.to_str().unwrap();
    assert!(ingest(&data, &[file, "--type", "T"]).status.success());
    let mut listing = cardo(&["ingest", "--quarantine", "list", "--data"]);
    listing.arg(&data).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut listing = listing.spawn().unwrap();
    // Nobody reads it: the pipe is closed before the first line comes.
    drop(listing.stdout.take());
    let said = listing.wait_with_output().unwrap();
    assert!(said.status.success(), "{}", error_text(&said));
    assert!(!error_text(&said).contains("panicked"), "{}", error_text(&said));
}

#[test]
fn what_cannot_be_ingested_is_said_before_anything_is_opened() {
    let folder = tempdir().unwrap();
    let data = folder.path().join("data");
    let file = folder.path().join("a.csv");
    fs::write(&file, "id,lon,lat\n1,2,3\n").unwrap();
    let file = file.to_str().unwrap();
    for (args, says) in [
        (&[file][..], "--type"),
        (&["nowhere.csv", "--type", "T"], "nowhere.csv"),
        (&[file, "--type", "T", "--format", "xls"], "xls"),
        (&[file, "--mapping", "nowhere.toml"], "nowhere.toml"),
        (&[file, "--type", "T", "--tenant", "a b"], "a b"),
        (&[file, "--dry-run"], "--type"),
        (&[file, "--type", "T", "--limit", "3"], "--dry-run"),
        (&[file, file, "--suggest-mapping"], "several"),
    ] {
        let said = ingest(&data, args);
        assert_eq!(said.status.code(), Some(2), "{args:?}");
        assert!(error_text(&said).contains(says), "{}", error_text(&said));
    }
    assert!(!data.exists());
}

#[test]
fn a_suggested_mapping_is_tried_and_then_used_unchanged() {
    let folder = tempdir().unwrap();
    let data = folder.path().join("data");
    let file = folder.path().join("bike-stations.csv");
    fs::write(&file, "id,lon,lat,Slots\n1,24.94,60.17,4\n2,24.95,160.17,3\n3,24.96,60.18,2\n")
        .unwrap();
    let file = file.to_str().unwrap();
    let suggested = ingest(&data, &[file, "--suggest-mapping"]);
    assert!(suggested.status.success(), "{}", error_text(&suggested));
    let mapping = folder.path().join("stations.toml");
    fs::write(&mapping, &suggested.stdout).unwrap();
    let mapping = mapping.to_str().unwrap();

    let tried = ingest(&data, &[file, "--mapping", mapping, "--dry-run", "--limit", "1"]);
    assert!(tried.status.success(), "{}", error_text(&tried));
    let tried = text(&tried);
    assert!(
        tried.contains("\"id\": \"urn:ngsi-ld:BikeStation:1\"") && tried.contains("\"slots\""),
        "{tried}"
    );
    assert!(!tried.contains("BikeStation:3"), "{tried}");
    assert!(tried.contains("2 created") && tried.contains("1 quarantined"), "{tried}");
    assert!(
        tried.contains("to the quarantine: bike-stations.csv, record 1")
            && tried.contains("160.17"),
        "{tried}"
    );
    assert!(!data.exists(), "a dry run needs no data directory");

    let taken = ingest(&data, &[file, "--mapping", mapping]);
    assert!(text(&taken).contains("2 created"), "{}", text(&taken));
    let server = Server::start(&data);
    let beside = ingest(&data, &[file, "--mapping", mapping, "--dry-run"]);
    assert!(
        text(&beside).contains("2 created"),
        "while a server holds the directory: {}",
        error_text(&beside)
    );
    server.stop();
}

#[test]
fn a_dry_run_shows_names_by_the_context_of_the_mapping() {
    let folder = tempdir().unwrap();
    let context = r#"{"@context": {"Lamp": "https://example.org/Lamp", "power": "https://example.org/power"}}"#;
    fs::write(folder.path().join("context.jsonld"), context).unwrap();
    let mapping = folder.path().join("lamps.toml");
    fs::write(
        &mapping,
        "type='Lamp'\nkey='id'\ncontext='context.jsonld'\n[attributes]\npower='w'\n",
    )
    .unwrap();
    let file = folder.path().join("lamps.csv");
    fs::write(&file, "id,w\n1,40\n").unwrap();
    let tried = ingest(
        &folder.path().join("data"),
        &[file.to_str().unwrap(), "--mapping", mapping.to_str().unwrap(), "--dry-run"],
    );
    let tried = text(&tried);
    assert!(tried.contains("\"type\": \"Lamp\"") && tried.contains("\"power\""), "{tried}");
}

#[test]
fn a_source_of_the_configuration_is_taken_in_while_the_server_runs() {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("b.csv"), "id,lon,lat\n1,24.9,60.1\n2,24.8,60.2\n").unwrap();
    let config = folder.path().join("cardo.toml");
    fs::write(&config, "[[sources]]\nname = \"benches\"\nfile = \"b.csv\"\ntype = \"Bench\"\n")
        .unwrap();
    let data = folder.path().join("data");
    let server = Server::start_with(&data, &["--config", config.to_str().unwrap()]);
    let path = format!("{ENTITIES}?type=Bench");
    let begin = std::time::Instant::now();
    while server.get(&path).as_array().unwrap().len() < 2 {
        assert!(begin.elapsed().as_secs() < 30, "the source was not taken in");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    server.stop();
}
