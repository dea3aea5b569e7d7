use cardo_model::{
    Entity, EntityId, Iri, Kind, NameId, Record, RecordHeader, Revision, Scope, Seq, Timestamp,
};

const VOCABULARY: &str = "https://uri.etsi.org/ngsi-ld/default-context/";

/// The types of the world, by term.
pub const TYPES: [&str; 4] = ["Sensor", "Vehicle", "Building", "Road"];

/// The attributes of the world, by term, and the kind that most of their instances have.
pub const ATTRIBUTES: [(&str, Kind); 11] = [
    ("temperature", Kind::Property),
    ("level", Kind::Property),
    ("name", Kind::Property),
    ("address", Kind::Property),
    ("isPartOf", Kind::Relationship),
    ("location", Kind::GeoProperty),
    ("observationSpace", Kind::GeoProperty),
    ("label", Kind::LanguageProperty),
    ("category", Kind::VocabProperty),
    ("raw", Kind::JsonProperty),
    ("route", Kind::ListProperty),
];

/// The full name of a type of the world.
pub fn type_name(term: &str) -> Iri {
    iri(&format!("{VOCABULARY}{term}"))
}

/// The full name of an attribute of the world.
pub fn attribute_name(term: &str) -> Iri {
    match term {
        "location" | "observationSpace" => iri(&format!("https://uri.etsi.org/ngsi-ld/{term}")),
        other => iri(&format!("{VOCABULARY}{other}")),
    }
}

/// An entity of the world as the engine holds it; names have the ids of [`name_id`].
pub fn record(entity: Entity, revision: u64) -> Record {
    let header = RecordHeader {
        seq: Seq::new(Revision(revision), 0),
        created_at: moment(0),
        modified_at: moment(2),
        revision: Revision(revision),
    };
    Record::encode(&entity.map_names(&mut |name| name_id(&name)), header)
}

/// The id of a name of the world: its place in the table of all, types first.
pub fn name_id(name: &Iri) -> NameId {
    let types = TYPES.into_iter().map(type_name);
    let attributes = ATTRIBUTES.into_iter().map(|(term, _)| attribute_name(term));
    let place = types.chain(attributes).position(|known| known == *name);
    place.and_then(|at| u32::try_from(at).ok()).map_or(NameId::UNKNOWN, NameId::new)
}

pub(super) fn iri(text: &str) -> Iri {
    Iri::new(text).expect("the names of the world are IRIs")
}

pub(super) fn id(number: u32) -> EntityId {
    iri(&format!("urn:ngsi-ld:Thing:{number}"))
}

/// Few moments, so that they meet.
pub(super) fn moment(number: i64) -> Timestamp {
    Timestamp::from_micros(1_600_000_000_000_000 + number * 500_000)
}

pub(super) const SCOPES: [&str; 6] =
    ["/City", "/City/North", "/City/North/Yard", "/City/South", "/CompanyA", "/CompanyA/North"];

pub(super) fn scope(text: &str) -> Scope {
    Scope::new(text).expect("the scopes of the world are scopes")
}

pub(super) const TEXTS: [&str; 7] =
    ["red", "green", "blue", "été", "say \"x\"", "2020-09-13", "2020-09-13T12:26:40.500Z"];

pub(super) const LANGUAGES: [&str; 3] = ["en", "fr", "de-CH"];

pub(super) const DATASETS: [&str; 2] = ["urn:ngsi-ld:Dataset:a", "urn:ngsi-ld:Dataset:b"];
