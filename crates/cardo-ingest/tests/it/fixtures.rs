use std::path::PathBuf;
use std::sync::Arc;

use cardo_ingest::{JobOptions, Mapping};

use crate::City;

pub(crate) fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/helsinki")
}

#[tokio::test]
async fn the_demonstration_city_is_taken_in_whole_and_only_once() {
    let city = City::new().await;
    let mut taken = 0;
    for pass in 0..2 {
        let revision = if pass == 1 { Some(city.revision().await) } else { None };
        let mut entries: Vec<_> =
            std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
        entries.sort();
        for path in entries {
            let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
            let mapping = folder().join("mappings").join(format!("{stem}.toml"));
            if !mapping.is_file() || path.extension().is_some_and(|end| end == "rec") {
                continue;
            }
            let mapping = Mapping::read(&mapping).unwrap();
            let options = JobOptions { mapping: Some(Arc::new(mapping)), ..JobOptions::default() };
            let report = city.take_file(&path, &options).await;
            assert!(report.records > 0 && report.quarantined == 0, "{stem}: {report}");
            assert!(report.stopped.is_none(), "{stem}: {report}");
            if pass == 0 {
                taken += report.created;
            } else {
                assert_eq!(report.created + report.updated, 0, "{stem}: {report}");
            }
        }
        if let Some(revision) = revision {
            assert_eq!(city.revision().await, revision, "the second pass has changed the log");
        }
    }
    assert_eq!(city.snapshot().await.len() as u64, taken);
    assert!(taken > 5_000, "{taken}");
}
