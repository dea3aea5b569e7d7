//! What predicates mean, beyond what the sample of the standard shows.

use cardo_model::{Kind, Record};
use cardo_query::cql2::{Cql2Error, Queryables, compile, parse_text};
use cardo_query::{Filter, Operator, Sort, all_functions};
use proptest::prelude::*;

use super::{Properties, entity, filter, matches};

fn properties() -> Properties {
    Properties::of(&[
        ("name", Sort::Text),
        ("title", Sort::Text),
        ("level", Sort::Number),
        ("low", Sort::Number),
        ("on", Sort::Bool),
        ("off", Sort::Bool),
        ("day", Sort::Date),
        ("start", Sort::Moment),
        ("written", Sort::Text),
        ("geom", Sort::Geometry),
        ("area", Sort::Geometry),
        ("tags", Sort::Array),
        ("owner", Sort::Array),
        ("mixed", Sort::Any),
        ("list", Sort::Any),
        ("parts", Sort::Any),
        ("void", Sort::Any),
        ("gone", Sort::Any),
        ("missing", Sort::Number),
        ("nothing", Sort::Text),
        ("nowhere", Sort::Geometry),
        ("never", Sort::Moment),
        ("none", Sort::Array),
        ("unsaid", Sort::Bool),
    ])
}

/// Checks rows of (filter, what it says of the one entity): `None` is unknown.
fn check(rows: &[(&str, Option<bool>)]) {
    let square = r#"{"type":"Polygon","coordinates":[[[24,60],[26,60],[26,62],[24,62],[24,60]]]}"#;
    let record = entity(&[
        ("name", Kind::Property, "\"Köln (Mitte)\""),
        ("title", Kind::LanguageProperty, r#"{"en":"house","fi":"talo"}"#),
        ("level", Kind::Property, "21"),
        ("low", Kind::Property, "-2.5"),
        ("on", Kind::Property, "true"),
        ("off", Kind::Property, "false"),
        ("day", Kind::Property, "\"2022-04-16\""),
        ("start", Kind::Property, "\"2022-04-16T10:15:00Z\""),
        ("written", Kind::Property, "\"2022-04-16\""),
        ("geom", Kind::GeoProperty, r#"{"type":"Point","coordinates":[25,61]}"#),
        ("area", Kind::GeoProperty, square),
        ("tags", Kind::Property, r#"["a","b","b"]"#),
        ("owner", Kind::Relationship, "\"urn:x:1\""),
        ("mixed", Kind::Property, "7"),
        ("list", Kind::Property, r#"[1,"x",[2,3],null]"#),
        ("parts", Kind::Property, r#"{"street":"x"}"#),
        ("void", Kind::JsonProperty, "null"),
    ]);
    let properties = properties();
    for (text, expected) in rows {
        let holds = matches(text, &properties, &record);
        let fails = matches(&format!("NOT ({text})"), &properties, &record);
        let found = match (holds, fails) {
            (true, true) => panic!("{text} is true and false"),
            (true, false) => Some(true),
            (false, true) => Some(false),
            (false, false) => None,
        };
        assert_eq!(found, *expected, "{text}");
    }
}

const TRUE: Option<bool> = Some(true);
const FALSE: Option<bool> = Some(false);

#[test]
fn t_3_constants_are_filters() {
    check(&[("TRUE", TRUE), ("false", FALSE), ("NOT FALSE", TRUE), ("1 = 1", TRUE)]);
    check(&[("'b' < 'a'", FALSE), ("1 / 0 = 1", None), ("2 IN (1, 3)", FALSE)]);
}

#[test]
fn t_4_not_binds_before_and_and_and_before_or() {
    check(&[
        ("TRUE OR FALSE AND FALSE", TRUE),
        ("(TRUE OR FALSE) AND FALSE", FALSE),
        ("NOT FALSE AND FALSE", FALSE),
        ("NOT (FALSE AND FALSE)", TRUE),
        ("level = 1 + 2 * 10", TRUE),
        ("level = (1 + 2) * 7", TRUE),
        ("level = 30 - 5 - 4", TRUE),
        ("level = 84 / 2 / 2", TRUE),
        ("level = -3 * -7", TRUE),
        ("level = 5 + 2 ^ 4", TRUE),
        ("4 = -2 ^ 2", TRUE),
        ("low = -(5 / 2)", TRUE),
        ("-low = 2.5", TRUE),
        ("level = + 21", TRUE),
    ]);
}

#[test]
fn t_5_what_is_missing_makes_what_asks_for_it_unknown() {
    check(&[
        ("missing = 1", None),
        ("missing <> 1", None),
        ("missing < level", None),
        ("missing = missing", None),
        ("missing BETWEEN 1 AND 2", None),
        ("level BETWEEN missing AND 30", None),
        ("missing IN (1, 2)", None),
        ("level IN (21, missing)", TRUE),
        ("level IN (20, missing)", None),
        ("nothing LIKE '%'", None),
        ("CASEI(nothing) = 'x'", None),
        ("S_INTERSECTS(nowhere, BBOX(-180,-90,180,90))", None),
        ("S_DISJOINT(nowhere, POINT(0 0))", None),
        ("S_EQUALS(nowhere, nowhere)", None),
        ("T_AFTER(never, DATE('2000-01-01'))", None),
        ("T_INTERSECTS(INTERVAL(never,'..'), DATE('2000-01-01'))", None),
        ("A_CONTAINS(none, ())", None),
        ("missing + 1 = 2", None),
        ("unsaid", None),
        ("missing = 1 OR TRUE", TRUE),
        ("missing = 1 OR FALSE", None),
        ("missing = 1 AND FALSE", FALSE),
        ("missing = 1 AND TRUE", None),
        ("NOT (missing = 1 AND level = 21)", None),
        ("missing IS NULL", TRUE),
        ("level IS NULL", FALSE),
        ("nowhere IS NULL", TRUE),
        ("geom IS NOT NULL", TRUE),
        ("tags IS NOT NULL", TRUE),
        ("missing + level IS NULL", TRUE),
        ("(missing = 1) IS NULL", TRUE),
        ("mixed IS NOT NULL", TRUE),
        ("list IS NULL", FALSE),
        ("parts IS NULL", FALSE),
        ("parts = 1", None),
        ("void IS NULL", TRUE),
        ("gone IS NULL", TRUE),
    ]);
}

#[test]
fn t_6_values_compare_within_their_type() {
    check(&[
        ("level > 20.5", TRUE),
        ("on", TRUE),
        ("off", FALSE),
        ("on = TRUE", TRUE),
        ("off < on", TRUE),
        ("on > true", FALSE),
        ("name < 'Köln'", FALSE),
        ("name > 'Zürich'", FALSE),
        ("name = 'Köln (Mitte)'", TRUE),
        ("start = TIMESTAMP('2022-04-16T10:15:00.000Z')", TRUE),
        ("start > TIMESTAMP('2022-04-16T10:14:59.999999Z')", TRUE),
        ("mixed = 7", TRUE),
        ("mixed <> 7", FALSE),
        ("mixed = 'x'", None),
        ("mixed > 6 AND mixed < 8", TRUE),
        ("list = 1", None),
        ("(level = 21) = TRUE", TRUE),
    ]);
}

#[test]
fn t_8_to_t_12_texts_are_matched_with_and_without_case_and_accents() {
    check(&[
        ("name LIKE 'K_ln%'", TRUE),
        ("name LIKE 'k_ln%'", FALSE),
        ("name LIKE '%(Mitte)'", TRUE),
        ("name LIKE '%(mitte'", FALSE),
        ("name NOT LIKE 'K%'", FALSE),
        ("name LIKE 'Köln (Mitte)'", TRUE),
        ("CASEI(name) LIKE CASEI('KÖLN%')", TRUE),
        ("ACCENTI(name) LIKE 'Koln%'", TRUE),
        ("CASEI(ACCENTI(name)) = CASEI('KOLN (MITTE)')", TRUE),
        ("ACCENTI(CASEI(name)) = ACCENTI(CASEI('KÖLN (MITTE)'))", TRUE),
        ("CASEI('Straße') = CASEI('STRASSE')", TRUE),
        ("CASEI('ΟΔΟΣ') = CASEI('οδος')", TRUE),
        ("ACCENTI('Chișinău') = 'Chisinau'", TRUE),
        ("ACCENTI('はじめ') = 'はしめ'", FALSE),
        ("name IN ('x', 'Köln (Mitte)')", TRUE),
        ("level BETWEEN 30 AND 10", FALSE),
        ("level NOT BETWEEN 30 AND 10", TRUE),
        ("level BETWEEN 21 AND 21", TRUE),
        ("on IN (false, true)", TRUE),
        ("start IN (TIMESTAMP('2022-04-16T10:15:00Z'))", TRUE),
        ("day IN (DATE('2022-04-15'), DATE('2022-04-16'))", TRUE),
        // Of a language map any text counts, and none of them for what is false.
        ("title = 'talo'", TRUE),
        ("title = 'house'", TRUE),
        ("title <> 'talo'", FALSE),
        ("title LIKE 't%'", TRUE),
    ]);
}

#[test]
fn t_13_to_t_16_geometries_relate_in_the_plane() {
    check(&[
        ("S_WITHIN(geom, area)", TRUE),
        ("S_CONTAINS(area, geom)", TRUE),
        ("S_WITHIN(area, geom)", FALSE),
        ("S_INTERSECTS(area, geom)", TRUE),
        ("S_DISJOINT(geom, POINT(25 61))", FALSE),
        ("S_EQUALS(geom, POINT Z (25 61 7))", TRUE),
        ("S_TOUCHES(area, LINESTRING(20 60, 30 60))", TRUE),
        ("S_CROSSES(area, LINESTRING(20 61, 30 61))", TRUE),
        ("S_CROSSES(LINESTRING(20 61, 30 61), area)", TRUE),
        ("S_CROSSES(geom, POINT(25 61))", FALSE),
        ("S_OVERLAPS(area, BBOX(25,61,30,70))", TRUE),
        ("S_INTERSECTS(geom, MULTIPOINT((25 61), 1 1))", TRUE),
        ("S_INTERSECTS(geom, GEOMETRYCOLLECTION(POINT(1 1), LINESTRING(24 61, 26 61)))", TRUE),
        // An edge is straight in the plane however long it is.
        ("S_INTERSECTS(geom, LINESTRING(-170 61, 170 61))", TRUE),
        ("S_INTERSECTS(geom, BBOX(-180,-90,180,90))", TRUE),
        ("S_INTERSECTS(geom, BBOX(170,50,-170,70))", FALSE),
        ("S_INTERSECTS(POINT(1 1), BBOX(0,0,-5,2,2,5))", TRUE),
    ]);
}

#[test]
fn t_17_to_t_19_times_relate_and_a_date_is_its_day() {
    check(&[
        ("day = DATE('2022-04-16')", TRUE),
        ("start > DATE('2022-04-15')", TRUE),
        ("start > DATE('2022-04-16')", FALSE),
        ("start <= DATE('2022-04-16')", TRUE),
        ("T_DURING(INTERVAL(start,start), INTERVAL('2022-04-16','2022-04-16'))", TRUE),
        ("T_INTERSECTS(start, DATE('2022-04-16'))", TRUE),
        ("T_EQUALS(start, DATE('2022-04-16'))", FALSE),
        ("T_AFTER(start, DATE('2022-04-16'))", FALSE),
        ("T_EQUALS(day, INTERVAL('2022-04-16','2022-04-16'))", TRUE),
        ("T_MEETS(INTERVAL('2022-01-01',day), INTERVAL('2022-04-16','..'))", TRUE),
        ("T_MEETS(INTERVAL('2022-01-01',day), INTERVAL('2022-04-17','..'))", FALSE),
        ("T_STARTS(INTERVAL(day,'2022-05-01'), INTERVAL(day,'..'))", TRUE),
        ("T_FINISHEDBY(INTERVAL('..',day), INTERVAL('2022-01-01',day))", TRUE),
        // Dates that are held as texts are read as dates.
        ("written = DATE('2022-04-16')", TRUE),
        ("T_BEFORE(written, TIMESTAMP('2022-04-17T00:00:00Z'))", TRUE),
        ("T_AFTER(name, DATE('2022-04-16'))", None),
    ]);
}

#[test]
fn t_20_arrays_are_sets() {
    check(&[
        ("A_CONTAINS(tags, ('a','b'))", TRUE),
        ("A_CONTAINS(tags, ('a','c'))", FALSE),
        ("A_CONTAINS(tags, ())", TRUE),
        ("A_CONTAINEDBY(tags, ('a','b','c'))", TRUE),
        ("A_CONTAINEDBY(tags, ('a'))", FALSE),
        ("A_EQUALS(tags, ('b','a'))", TRUE),
        ("A_EQUALS(('b','a','a'), tags)", TRUE),
        ("A_EQUALS(tags, ('a','b','c'))", FALSE),
        ("A_OVERLAPS(tags, ('x','b'))", TRUE),
        ("A_OVERLAPS(tags, ('x',1,TRUE))", FALSE),
        ("A_CONTAINS(tags, (lower('A')))", TRUE),
        ("A_CONTAINS(owner, ('urn:x:1'))", TRUE),
        ("A_EQUALS(owner, ('urn:x:1'))", TRUE),
        ("A_CONTAINS(list, (1,'x'))", TRUE),
        ("A_CONTAINS(list, ((3,2),1))", TRUE),
        ("A_CONTAINS(list, (level - 20))", TRUE),
        ("A_CONTAINS((1,2,3), (2))", TRUE),
        ("A_CONTAINS((DATE('2022-04-16'), POINT(1 2)), (day))", TRUE),
        ("A_EQUALS(tags, tags)", TRUE),
        ("A_CONTAINS(none, ('a'))", None),
    ]);
}

#[test]
fn t_22_functions_compute_and_every_one_is_tried() {
    let rows: &[(&str, Option<bool>)] = &[
        ("lower(name) = 'köln (mitte)'", TRUE),
        ("upper(name) LIKE 'KÖLN%'", TRUE),
        ("length(name) = 12", TRUE),
        ("concat(name, '!') = 'Köln (Mitte)!'", TRUE),
        ("starts_with(name, 'Köln')", TRUE),
        ("NOT ends_with(name, 'x')", TRUE),
        ("includes(name, '(') = TRUE", TRUE),
        ("abs(low) = 2.5", TRUE),
        ("floor(low) = -3", TRUE),
        ("ceil(low) = -2", TRUE),
        ("round(low) = -3", TRUE),
        ("sqrt(level + 4) = 5", TRUE),
        ("sqrt(low) = 1", None),
        ("least(level, low) = low", TRUE),
        ("greatest(level, low) = level", TRUE),
        ("year(start) = 2022 AND month(start) = 4 AND day(start) = 16", TRUE),
        ("hour(start) = 10", TRUE),
        ("year(written) = 2022", TRUE),
        ("hour(day) = 0", None),
        ("distance(geom, POINT(25 61)) = 0", TRUE),
        ("distance(geom, POINT(25 62)) BETWEEN 111000 AND 112000", TRUE),
        ("distance(geom, POINT(25 62)) <= 112000", TRUE),
        ("distance(geom, POINT(25 62)) <= 111000", FALSE),
        ("distance(POINT(25 62), geom) > 111000", TRUE),
        ("distance(nowhere, POINT(25 62)) > 1", None),
        ("S_EQUALS(centroid(area), geom)", TRUE),
        ("longitude(area) = 25 AND latitude(geom) = 61", TRUE),
        ("dimension(area) = 2 AND dimension(geom) = 0", TRUE),
        ("Round(Abs(low)) = 3", TRUE),
        ("starts_with(nothing, 'x')", None),
        ("length(name) IN (1, 12)", TRUE),
        ("length(name) IS NOT NULL", TRUE),
        ("level BETWEEN abs(low) AND length(name) * 2", TRUE),
    ];
    check(rows);
    for signature in all_functions() {
        let name = format!("{}(", signature.name);
        assert!(rows.iter().any(|(text, _)| text.contains(&name)), "{name} is not tried");
    }
}

#[test]
fn t_23_arithmetic_has_no_result_where_there_is_none() {
    check(&[
        ("21 div 10 = 2", TRUE),
        ("-21 div 10 = -2", TRUE),
        ("level % 4 = 1", TRUE),
        ("level / 0 = 1", None),
        ("level % 0 = 1", None),
        ("level div 0 = 1", None),
        ("10 ^ 400 = 1", None),
        ("0 ^ -1 IS NULL", TRUE),
        ("level * 2 - low = 44.5", TRUE),
        ("2 * level > level + 20", TRUE),
    ]);
}

fn lowered(text: &str) -> Filter {
    filter(text, &properties()).unwrap().simplify()
}

/// What indexes answer is said by the nodes that they know.
#[test]
fn comparisons_with_constants_are_those_of_the_one_tree() {
    for text in [
        "level > 5",
        "5 < level",
        "NOT (level <= 5)",
        "level > 2 + 3",
        "level BETWEEN 1 AND 2",
        "level NOT IN (1, 2)",
        "name = 'x'",
        "'x' <> name",
        "name LIKE 'x%'",
        "on",
        "start < TIMESTAMP('2022-01-01T00:00:00Z')",
    ] {
        assert!(matches!(lowered(text), Filter::Compare(_)), "{text}: {:?}", lowered(text));
    }
    let Filter::Compare(comparison) = lowered("NOT (level <= 5)") else { unreachable!() };
    assert_eq!(comparison.operator, Operator::Greater);
    for text in ["S_INTERSECTS(geom, POINT(1 2))", "S_CONTAINS(BBOX(0,0,1,1), geom)"] {
        assert!(matches!(lowered(text), Filter::Geo(_)), "{text}");
    }
    assert!(matches!(lowered("distance(geom, POINT(1 2)) <= 500"), Filter::Geo(_)));
    assert!(matches!(lowered("level IS NOT NULL"), Filter::HasAttribute(_)));
    assert_eq!(lowered("1 + 1 = 2"), Filter::True);
    // What is computed still names what it needs.
    let Filter::And(parts) = lowered("level + low > 3") else { panic!() };
    assert_eq!(parts.iter().filter(|part| matches!(part, Filter::HasAttribute(_))).count(), 2);
}

#[test]
fn names_of_a_vocabulary_are_meant_in_full() -> Result<(), Cql2Error> {
    struct Words(Properties);
    impl Queryables for Words {
        fn queryable(&self, name: &str) -> Option<cardo_query::cql2::Queryable> {
            self.0.queryable(name)
        }

        fn names(&self) -> Vec<String> {
            self.0.names()
        }

        fn full_name<'a>(&self, name: &'a str) -> std::borrow::Cow<'a, str> {
            format!("https://example.org/{name}").into()
        }
    }
    let words = Words(Properties::of(&[("kind", Sort::Vocab)]));
    for text in ["kind = 'park'", "'park' = kind", "kind IN ('park')"] {
        let filter = format!("{:?}", compile(&parse_text(text)?, &words)?);
        assert!(filter.contains("https://example.org/park"), "{filter}");
    }
    Ok(())
}

/// A number, a text and a place that may each be there or not.
fn random_record() -> impl Strategy<Value = Record> {
    let number = prop::option::of((-2_i32..4).prop_map(|n| n.to_string()));
    let text = prop::option::of(prop::sample::select(vec!["\"\"", "\"ab\"", "\"b\"", "\"é\""]));
    let place = prop::option::of(
        (0_i32..4, 0_i32..4)
            .prop_map(|(x, y)| format!(r#"{{"type":"Point","coordinates":[{x},{y}]}}"#)),
    );
    (number, text, place).prop_map(|(number, text, place)| {
        let mut attributes = Vec::new();
        if let Some(number) = &number {
            attributes.push(("level", Kind::Property, number.as_str()));
        }
        if let Some(text) = text {
            attributes.push(("name", Kind::Property, text));
        }
        if let Some(place) = &place {
            attributes.push(("geom", Kind::GeoProperty, place.as_str()));
        }
        entity(&attributes)
    })
}

/// Conditions that shared nodes can say, each with one that says the same and that they cannot.
const SAME: [(&str, &str); 14] = [
    ("level > 1", "level + 0 > 1"),
    ("1 >= level", "1 >= level * 1"),
    ("level <> 2", "level - 0 <> 2"),
    ("level BETWEEN 0 AND 2", "level + 0 BETWEEN 0 AND 2"),
    ("level IN (1, 3)", "level + 0 IN (1, 3)"),
    ("name = 'ab'", "concat(name, '') = 'ab'"),
    ("name < 'b'", "concat(name, '') < 'b'"),
    ("name IN ('b', 'é')", "concat(name, '') IN ('b', 'é')"),
    ("name LIKE '_b%'", "concat(name, '') LIKE '_b%'"),
    ("level IS NULL", "level + 0 IS NULL"),
    ("S_INTERSECTS(geom, BBOX(0,0,2,2))", "S_INTERSECTS(centroid(geom), BBOX(0,0,2,2))"),
    ("S_CONTAINS(BBOX(0,0,2,2), geom)", "S_WITHIN(centroid(geom), BBOX(0,0,2,2))"),
    ("S_DISJOINT(geom, POINT(1 1))", "S_DISJOINT(centroid(geom), POINT(1 1))"),
    ("distance(geom, POINT(1 1)) <= 120000", "distance(geom, POINT(1 1)) - 0 <= 120000"),
];

proptest! {
    #[test]
    fn what_indexes_answer_means_what_is_computed(
        record in random_record(),
        parts in prop::collection::vec((0..SAME.len(), any::<bool>()), 1..5),
        joins in prop::collection::vec(prop::sample::select(vec![" AND ", " OR "]), 4),
        is_negated in any::<bool>(),
    ) {
        let text = |pick: fn(&(&'static str, &'static str)) -> &'static str| {
            let mut text = String::new();
            for (nth, (at, is_negated)) in parts.iter().enumerate() {
                if nth > 0 {
                    text.push_str(joins[nth - 1]);
                }
                let part = pick(&SAME[*at]);
                let not = if *is_negated { "NOT " } else { "" };
                text.extend([not, "(", part, ")"]);
            }
            if is_negated { format!("NOT ({text})") } else { text }
        };
        let (shared, computed) = (text(|same| same.0), text(|same| same.1));
        let properties = properties();
        prop_assert_eq!(
            matches(&shared, &properties, &record),
            matches(&computed, &properties, &record),
            "{} and {}", shared, computed
        );
    }
}
