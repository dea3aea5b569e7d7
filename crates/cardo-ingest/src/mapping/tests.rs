use std::io::Cursor;

use cardo_formats::{ReadOptions, open};
use cardo_jsonld::Context;
use cardo_model::{Entity, Instance};

use super::*;

const VOCAB: &str = "https://uri.etsi.org/ngsi-ld/default-context/";

fn plan(text: &str) -> Result<Plan, MappingError> {
    let mapping = Mapping::parse(text)?;
    Plan::new(
        &mapping,
        PlanOptions {
            source: "stations",
            type_name: None,
            identity: Identity::Hash,
            crs: None,
            source_crs: None,
            names: NameSpace::new(mapping.file.terms.clone(), Context::core()),
            is_text_only: true,
            simulated: false,
        },
    )
}

fn entities(mapping: &str, csv: &str) -> Vec<Result<Entity, String>> {
    let parsed = Mapping::parse(mapping).unwrap();
    let options = ReadOptions { csv: parsed.csv_options(), ..ReadOptions::default() };
    let reader = open(Format::Csv, Cursor::new(csv.to_owned()), &options).unwrap();
    let mut plan = plan(mapping).unwrap();
    reader
        .map(|record| {
            let mapped = plan.entity(&record.unwrap());
            mapped.map(|mapped| mapped.entity).map_err(|fault| fault.to_string())
        })
        .collect()
}

fn entity(mapping: &str, csv: &str) -> Entity {
    entities(mapping, csv).remove(0).unwrap()
}

fn instances<'a>(entity: &'a Entity, name: &str) -> &'a [Instance] {
    let name = if name.contains(':') { name.to_owned() } else { format!("{VOCAB}{name}") };
    let found = entity.attributes.iter().find(|attribute| attribute.name.as_str() == name);
    found.map(|attribute| attribute.instances.as_slice()).unwrap_or_default()
}

fn json<'a>(entity: &'a Entity, name: &str) -> &'a str {
    instances(entity, name).first().map_or("absent", |instance| instance.value.as_json())
}

#[test]
fn a_mapping_says_all_there_is_about_an_entity() {
    let mapping = r#"
        type = ["BikeStation", "https://example.org/Thing"]
        id = "urn:ngsi-ld:BikeStation:{ID}"
        scope = "/City/{Town}"
        observed_at = { template = "{Day} {Time}", format = "%d.%m.%Y %H:%M", zone = "Europe/Helsinki" }

        [terms]
        BikeStation = "https://example.org/BikeStation"

        [geometry]
        x = "E"
        y = "N"

        [attributes]
        capacity = "Slots"
        simulated = { value = true }

        [attributes.title]
        kind = "language"
        languages = { fi = "Nimi", sv = "Namn" }

        [attributes.temperature]
        from = ["T2", "T"]
        scale = 0.1
        unit = "CEL"
        required = true
        [attributes.temperature.attributes.accuracy]
        value = 0.5

        [attributes.onRoad]
        kind = "relationship"
        target = "urn:ngsi-ld:Road:{Road}"
        object_type = "Road"

        [attributes.lines]
        kind = "relationship"
        from = "Lines"
        split = ";"
        target = "urn:ngsi-ld:Line:{$value}"

        [attributes.category]
        kind = "vocab"
        from = "Kind"
    "#;
    let csv = "ID,Town,Day,Time,E,N,Slots,Nimi,Namn,T,T2,Road,Lines,Kind\n\
               a 1,Hki/Kallio,1.7.2024,12:00,24.9,60.1,10,Koti,,73,,,4;7 ,Docked\n";
    let entity = entity(mapping, csv);
    assert_eq!(entity.id.as_str(), "urn:ngsi-ld:BikeStation:a%201");
    let types: Vec<&str> = entity.types.iter().map(AsRef::as_ref).collect();
    assert_eq!(types, ["https://example.org/BikeStation", "https://example.org/Thing"]);
    assert_eq!(entity.scopes[0].as_str(), "/City/Hki_Kallio");
    assert_eq!(json(&entity, "capacity"), "10");
    assert_eq!(json(&entity, "simulated"), "true");
    assert_eq!(json(&entity, "http://purl.org/dc/terms/title"), r#"{"fi":"Koti"}"#);
    assert_eq!(json(&entity, "onRoad"), "absent");
    assert_eq!(json(&entity, "lines"), r#"["urn:ngsi-ld:Line:4","urn:ngsi-ld:Line:7"]"#);
    assert_eq!(json(&entity, "category"), format!("\"{VOCAB}Docked\""));
    let temperature = &instances(&entity, "temperature")[0];
    assert_eq!(temperature.value.as_json(), "7.3");
    assert_eq!(temperature.unit_code.as_deref(), Some("CEL"));
    let observed = temperature.observed_at.map(|moment| moment.to_string());
    assert_eq!(observed.as_deref(), Some("2024-07-01T09:00:00Z"));
    assert_eq!(temperature.attributes[0].instances[0].value.as_json(), "0.5");
    assert_eq!(instances(&entity, "simulated")[0].observed_at, None);
    let location = &instances(&entity, "https://uri.etsi.org/ngsi-ld/location")[0];
    assert_eq!(location.value.as_json(), r#"{"type":"Point","coordinates":[24.9,60.1]}"#);
}

#[test]
fn fields_without_a_rule_are_dropped_or_kept() {
    let csv = "fid,Name,name,type,Open,lon,lat\n1,a,b,c,true,24,60\n";
    let kept = entity("type='T'\nkey='fid'\nother_fields='keep'", csv);
    assert_eq!(kept.id.as_str(), "urn:ngsi-ld:T:1");
    let values = ["fid", "name", "name2", "kind", "open"].map(|name| json(&kept, name));
    assert_eq!(values, ["1", "\"a\"", "\"b\"", "\"c\"", "true"]);
    let dropped = entity("type='T'\nkey='fid'", csv);
    assert_eq!(dropped.attributes.len(), 1);
}

#[test]
fn several_datasets_of_one_attribute_are_instances_of_it() {
    let mapping = "type='T'\n[attributes.in]\nname='temperature'\nfrom='a'\ndataset='urn:d:in'\n\
                   [attributes.out]\nname='temperature'\nfrom='b'\ndataset='urn:d:{d}'";
    let good = entity(mapping, "a,b,d\n1,2,out\n");
    assert_eq!(instances(&good, "temperature").len(), 2);
    let bad = entities(mapping, "a,b,d\n1,2,in\n").remove(0);
    assert!(bad.unwrap_err().contains("same dataset id"));
    let fixed = mapping.replace("{d}", "in");
    assert!(plan(&fixed).unwrap_err().to_string().contains("same name and dataset"));
}

#[test]
fn geometries_come_from_text_and_constants_too() {
    let mapping = "type='T'\n[geometry]\nnone=true\n[attributes.area]\nkind='geo'\nwkt='shape'\n\
                   [attributes.station]\nkind='geo'\n\
                   value={type='Point',coordinates=[24.96,60.2]}\n\
                   [attributes.place]\nkind='geo'\nx='e'\ny='n'\nz='h'";
    let csv = "shape,e,n,h\n\"POLYGON((0 0,1 0,1 1,0 0))\",1,2,3\n";
    let entity = entity(mapping, csv);
    assert!(json(&entity, "area").starts_with(r#"{"type":"Polygon""#));
    assert_eq!(json(&entity, "station"), r#"{"type":"Point","coordinates":[24.96,60.2]}"#);
    assert_eq!(json(&entity, "place"), r#"{"type":"Point","coordinates":[1.0,2.0,3.0]}"#);
}

#[test]
fn positions_that_are_none_are_refused_with_a_hint() {
    let faults = |mapping, csv| -> Vec<String> {
        entities(mapping, csv).into_iter().filter_map(Result::err).collect()
    };
    let grid = faults("type='T'", "lon,lat\n25496580,6673003\n24.9,90.5\n");
    assert_eq!(grid.len(), 2);
    assert!(grid[0].contains("not on the globe") && grid[0].contains("--crs"), "{}", grid[0]);
    let stated = faults("type='T'\ncrs='EPSG:4326'", "lon,lat\n24.9,90.5\n");
    assert!(stated[0].contains("not on the globe") && !stated[0].contains("--crs"));
}

#[test]
fn a_national_grid_lands_where_it_should() {
    let entity = entity("type='T'\ncrs='EPSG:3879'", "x,y\n25496580.36,6673003.61\n");
    let text = json(&entity, "https://uri.etsi.org/ngsi-ld/location");
    let [lon, lat] = cardo_model::read_point(text).unwrap();
    assert!((lon - 24.9384).abs() < 1e-5 && (lat - 60.1699).abs() < 1e-5, "{text}");
}

#[test]
fn a_template_of_json_stays_json_whatever_is_put_in() {
    let mapping = "type='T'\n[attributes.address]\ntype='json'\ntemplate='{{\"street\":\"{s}\"}}'";
    let entity = entity(mapping, "s,t\n\"A \"\"B\"\" \\c\",1\n");
    assert_eq!(json(&entity, "address"), r#"{"street":"A \"B\" \\c"}"#);
}

#[test]
fn what_a_record_lacks_is_named() {
    let first = |mapping: &str, csv: &str| entities(mapping, csv).remove(0).unwrap_err();
    assert!(first("type='T'\nkey='id'", "id,a\n,1\n").contains("`id`"));
    assert!(first("type='T'\nid='urn:x:{b}'", "a\n1\n").contains("`b`"));
    let required = "type='T'\n[attributes.a]\nfrom='a'\nrequired=true";
    assert!(first(required, "a,b\n,1\n").contains("required attribute `a`"));
    assert!(first("type='T'\nobserved_at='t'", "t\nyesterday\n").contains("`yesterday`"));
}

#[test]
fn a_mapping_that_is_wrong_is_refused_with_its_place() {
    for (text, needed) in [
        ("type = 'T'\nkye = 'x'", "line 2"),
        ("type = 'T'\n[attributes.a]\nfrom = 'x'\nunits = 'CEL'", "line 4, column 1"),
        ("type = 'T'\n[attributes.a]\nfrom = 'x'\ntemplate = '{a'", "line 4"),
        ("type = 'T'\n[attributes.a]\nunit = 'x'", "`from`"),
        ("type = 'T'\n[attributes.a]\nfrom = 'x'\ntarget = 'urn:{x}'", "only one of"),
        ("type = 'T'\n[attributes]\na = { template = '{x}', kind = 'language' }", "`languages`"),
        ("type = 'T'\ncrs = 'EPSG:99999999'", "line 2"),
        ("type = 'T'\n\nobserved_at = { from = 'a', zone = 'Europe/Atlantis' }", "line 3"),
        ("type = 'T'\nformat = 'xls'", "xls"),
        ("type = 'T'\n[terms]\na = 'b c'", "line 3"),
        ("type = 'T'\nid = 'a'\nkey = 'b'", "only one of"),
        ("type = ", "line 1"),
    ] {
        let message = Mapping::parse(text).unwrap_err().to_string();
        assert!(message.contains(needed), "{text}\n→ {message}");
    }
    let late = "type = 'T'\n[attributes.p]\nkind = 'geo'\nvalue = { type = 'Point' }";
    assert!(matches!(plan(late), Err(MappingError::Attribute { .. })));
    let member = "type = 'T'\n[attributes.observedAt]\nvalue = 1";
    assert!(matches!(plan(member), Err(MappingError::Name(_))));
    assert!(matches!(plan("key = 'x'"), Err(MappingError::NoType)));
}

#[test]
fn a_field_that_no_record_has_is_noted() {
    let mut plan = plan("type='T'\n[attributes.a]\nfrom='Nmae'").unwrap();
    let csv = Cursor::new("Name\nx\n");
    for record in open(Format::Csv, csv, &ReadOptions::default()).unwrap() {
        plan.entity(&record.unwrap()).unwrap();
    }
    assert!(plan.notes().iter().any(|note| note.contains("`Nmae`")));
}

#[test]
fn a_type_given_by_its_full_name_is_short_in_ids() {
    assert_eq!(short_type("https://uri.etsi.org/ngsi-ld/default-context/Tree"), "Tree");
    assert_eq!(short_type("https://example.org/onto#Tree"), "Tree");
    assert_eq!(short_type("Tree"), "Tree");
}

#[test]
fn the_documented_mapping_is_understood() {
    let documentation = include_str!("../mapping.md");
    let (_, rest) = documentation.split_once("```toml\n").unwrap();
    let (example, _) = rest.split_once("```").unwrap();
    plan(example).unwrap();
}

#[test]
fn the_built_in_mapping_of_vehicle_positions_is_understood() {
    assert!(Mapping::automatic(Format::GtfsRealtime).makes_ids());
}
