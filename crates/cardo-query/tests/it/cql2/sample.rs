//! The predicates of the abstract tests (annex A of the standard) on their sample, and the numbers of
//! features that they are true of.

use std::collections::BTreeMap;
use std::path::PathBuf;

use cardo_model::{Kind, Record};
use cardo_query::{Sort, evaluate};
use serde_json::Value;

use super::{Properties, entity, filter};
use crate::common::id_of;

pub(crate) fn fixture(name: &str) -> String {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/cql2"));
    std::fs::read_to_string(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

struct Layer {
    properties: Properties,
    records: Vec<Record>,
}

/// The types are those of the schemas that the sample comes with.
fn layer(name: &str) -> Layer {
    let properties: &[(&str, Sort)] = match name {
        "countries" => &[("geom", Sort::Geometry), ("NAME", Sort::Text), ("POP_EST", Sort::Number)],
        "places" => &[
            ("geom", Sort::Geometry),
            ("name", Sort::Text),
            ("nameascii", Sort::Text),
            ("pop_max", Sort::Number),
            ("pop_min", Sort::Number),
            ("pop_other", Sort::Number),
            ("date", Sort::Date),
            ("start", Sort::Moment),
            ("end", Sort::Moment),
            ("boolean", Sort::Bool),
        ],
        _ => &[("geom", Sort::Geometry), ("name", Sort::Text)],
    };
    let collection: Value = serde_json::from_str(&fixture(&format!("{name}.geojson"))).unwrap();
    let records = collection["features"].as_array().unwrap().iter().map(|feature| {
        let geometry = feature["geometry"].to_string();
        let members = feature["properties"].as_object().unwrap();
        let members: Vec<(&str, String)> =
            members.iter().map(|(name, value)| (name.as_str(), value.to_string())).collect();
        let mut attributes = vec![("geom", Kind::GeoProperty, geometry.as_str())];
        attributes.extend(members.iter().map(|(n, v)| (*n, Kind::Property, v.as_str())));
        entity(&attributes)
    });
    Layer { properties: Properties::of(properties), records: records.collect() }
}

fn count(text: &str, layer: &Layer) -> usize {
    let filter = filter(text, &layer.properties).unwrap_or_else(|e| panic!("{text}: {e}"));
    let filter = filter.map_names(&mut id_of).simplify();
    layer.records.iter().filter(|record| evaluate(&filter, &record.view())).count()
}

/// Three numbers of the tables are not those of the sample, whatever accents mean: it has the names
/// Chicago, Chengdu and Chișinău, so that three begin with `Ch` and one with `Chis` or `Chiș`.
const WRONG: [(&str, usize); 3] = [
    ("ACCENTI(name) LIKE accenti('Ch%')", 3),
    ("ACCENTI(CASEI(name)) LIKE accenti(casei('Chiș%'))", 1),
    ("ACCENTI(CASEI(name)) LIKE accenti(casei('cHis%'))", 1),
];

#[test]
fn t_6_to_t_23_every_predicate_of_the_abstract_tests_is_true_of_as_many_features_as_they_say() {
    let layers: BTreeMap<&str, Layer> =
        ["countries", "places", "rivers"].into_iter().map(|name| (name, layer(name))).collect();
    assert_eq!(layers["countries"].records.len(), 177);
    assert_eq!(layers["places"].records.len(), 243);
    assert_eq!(layers["rivers"].records.len(), 13);
    let predicates = fixture("predicates.tsv");
    let mut wrong = Vec::new();
    for line in predicates.lines() {
        let [class, layer, expected, text] =
            line.splitn(4, '\t').collect::<Vec<_>>().try_into().unwrap();
        let found = count(text, &layers[layer]);
        let said: usize = expected.parse().unwrap();
        let excused = WRONG.iter().find(|(wrong, _)| *wrong == text).map(|(_, right)| *right);
        assert_ne!(excused, Some(said), "{text} is right now");
        if found != excused.unwrap_or(said) {
            wrong.push(format!("{class}: {layer}: {text}: {found} and not {expected}"));
        }
    }
    assert_eq!(predicates.lines().count(), 274);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The test `logical` of each class: any four predicates, put together.
#[test]
fn t_5_predicates_put_together_are_true_where_their_parts_say_so() {
    let layers: BTreeMap<&str, Layer> =
        ["countries", "places", "rivers"].into_iter().map(|name| (name, layer(name))).collect();
    let predicates = fixture("predicates.tsv");
    for (name, layer) in &layers {
        let texts: Vec<&str> = predicates
            .lines()
            .filter_map(|line| {
                let mut cells = line.splitn(4, '\t').skip(1);
                (cells.next() == Some(name)).then(|| cells.nth(1).unwrap())
            })
            .collect();
        let truth = |text: &str, record: &Record| {
            let holds = |text: &str| {
                let filter = filter(text, &layer.properties).unwrap().map_names(&mut id_of);
                evaluate(&filter.simplify(), &record.view())
            };
            match (holds(text), holds(&format!("NOT ({text})"))) {
                (true, false) => Some(true),
                (false, true) => Some(false),
                (false, false) => None,
                (true, true) => panic!("{text} is true and false"),
            }
        };
        for nth in 0..10 {
            let [one, two, three, four] =
                [7, 11, 13, 17].map(|step| texts[(nth * step + step) % texts.len()]);
            let text = format!(
                "((NOT {one} AND {two}) OR ({three} AND NOT {four}) OR NOT ({one} AND {four}))"
            );
            for record in layer.records.iter().step_by(9) {
                let [one, two, three, four] =
                    [one, two, three, four].map(|text| truth(text, record));
                let expected =
                    or(or(and(not(one), two), and(three, not(four))), not(and(one, four)));
                assert_eq!(truth(&text, record), expected, "{text}");
            }
        }
    }
}

fn not(part: Option<bool>) -> Option<bool> {
    part.map(|holds| !holds)
}

fn and(one: Option<bool>, other: Option<bool>) -> Option<bool> {
    match (one, other) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

fn or(one: Option<bool>, other: Option<bool>) -> Option<bool> {
    not(and(not(one), not(other)))
}
