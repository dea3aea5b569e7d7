use crate::{EntityId, Geometry, Iri, JsonText, Scope, Timestamp};

/// An entity as a client or a source gives it; the engine keeps it as a [`crate::Record`].
///
/// `N` is how types and attributes are named: by full name outside the engine, by
/// [`crate::NameId`] within.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entity<N = Iri> {
    /// The id.
    pub id: EntityId,
    /// One type or more.
    pub types: Vec<N>,
    /// The scopes, often none (clause 4.18).
    pub scopes: Vec<Scope>,
    /// The attributes, in the order in which they came.
    pub attributes: Vec<Attribute<N>>,
    /// When the entity ceases to be (clause 4.5.26), if ever.
    pub expires_at: Option<Timestamp>,
}

/// An attribute with its instances, one a `datasetId` (clause 4.5.5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute<N = Iri> {
    /// The name.
    pub name: N,
    /// At least one instance; no two have the same `dataset_id`.
    pub instances: Vec<Instance<N>>,
}

/// One instance of an attribute: its value and what is said about the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance<N = Iri> {
    /// The value.
    pub value: Value,
    /// Which of several instances this is; the default instance has none.
    pub dataset_id: Option<Iri>,
    /// When the value was observed.
    pub observed_at: Option<Timestamp>,
    /// UN/CEFACT code of the unit.
    pub unit_code: Option<Box<str>>,
    /// The datatype a client gave for the value (`valueType`).
    pub value_type: Option<Box<str>>,
    /// Types of the entities that a relationship points to (`objectType`).
    pub object_types: Vec<N>,
    /// When the instance ceases to be, if ever.
    pub expires_at: Option<Timestamp>,
    /// When it came into being; set by the engine.
    pub created_at: Timestamp,
    /// When it last changed; set by the engine.
    pub modified_at: Timestamp,
    /// Attributes of the attribute.
    pub attributes: Vec<Attribute<N>>,
}

/// What kind of attribute an instance is (clause 4.5.2 and those behind it).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Kind {
    /// `Property` with `value`.
    Property = 0,
    /// `Relationship` with `object`.
    Relationship = 1,
    /// `GeoProperty` with `value`.
    GeoProperty = 2,
    /// `LanguageProperty` with `languageMap`.
    LanguageProperty = 3,
    /// `VocabProperty` with `vocab`.
    VocabProperty = 4,
    /// `JsonProperty` with `json`.
    JsonProperty = 5,
    /// `ListProperty` with `valueList`.
    ListProperty = 6,
    /// `ListRelationship` with `objectList`.
    ListRelationship = 7,
}

impl Kind {
    /// All kinds, in the order of their numbers.
    pub const ALL: [Self; 8] = [
        Self::Property,
        Self::Relationship,
        Self::GeoProperty,
        Self::LanguageProperty,
        Self::VocabProperty,
        Self::JsonProperty,
        Self::ListProperty,
        Self::ListRelationship,
    ];

    /// The kind with this number.
    #[inline]
    pub fn from_u8(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }

    /// The name that the specification gives it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Property => "Property",
            Self::Relationship => "Relationship",
            Self::GeoProperty => "GeoProperty",
            Self::LanguageProperty => "LanguageProperty",
            Self::VocabProperty => "VocabProperty",
            Self::JsonProperty => "JsonProperty",
            Self::ListProperty => "ListProperty",
            Self::ListRelationship => "ListRelationship",
        }
    }

    /// The member that holds the value in the normalized representation.
    pub fn value_member(self) -> &'static str {
        match self {
            Self::Property | Self::GeoProperty => "value",
            Self::Relationship => "object",
            Self::LanguageProperty => "languageMap",
            Self::VocabProperty => "vocab",
            Self::JsonProperty => "json",
            Self::ListProperty => "valueList",
            Self::ListRelationship => "objectList",
        }
    }
}

impl std::str::FromStr for Kind {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or(())
    }
}

/// A value in context-free JSON text, with its kind.
///
/// - relationships: the id, or a list of ids, as JSON strings;
/// - GeoProperty: the GeoJSON geometry, checked;
/// - VocabProperty: the full IRI, or a list of them;
/// - all others: the JSON of the value member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    kind: Kind,
    json: JsonText,
    coerced: bool,
}

/// The text by which a client asks for deletion in a merge or an update (clause 4.5.0: NGSI-LD null).
pub const NGSI_LD_NULL: &str = "urn:ngsi-ld:null";

impl Value {
    /// The value of a Property. `coerced` says that keys in it were expanded by a context, so that
    /// a binding has to compact them when it writes.
    pub fn property(json: JsonText, coerced: bool) -> Self {
        Self { kind: Kind::Property, json, coerced }
    }

    /// A relationship to one entity.
    pub fn relationship(object: &Iri) -> Self {
        Self::plain(Kind::Relationship, JsonText::string(object.as_str()))
    }

    /// A relationship to several entities.
    pub fn relationships(objects: &[Iri]) -> Self {
        Self::plain(Kind::Relationship, JsonText::strings(objects.iter().map(Iri::as_str)))
    }

    /// A checked geometry.
    pub fn geo(geometry: &Geometry) -> Self {
        Self::plain(Kind::GeoProperty, JsonText::from_canonical(geometry.as_str()))
    }

    /// A map of language tags to a text or a list of texts.
    pub fn language_map(json: JsonText) -> Self {
        Self::plain(Kind::LanguageProperty, json)
    }

    /// Terms of a vocabulary by full IRI: a JSON string or a list of strings.
    pub fn vocab(json: JsonText) -> Self {
        Self { kind: Kind::VocabProperty, json, coerced: true }
    }

    /// Raw JSON that no context touches.
    pub fn json(json: JsonText) -> Self {
        Self::plain(Kind::JsonProperty, json)
    }

    /// An ordered list.
    pub fn list(json: JsonText, coerced: bool) -> Self {
        Self { kind: Kind::ListProperty, json, coerced }
    }

    /// An ordered list of entities.
    pub fn list_relationship(objects: &[Iri]) -> Self {
        Self::plain(Kind::ListRelationship, JsonText::strings(objects.iter().map(Iri::as_str)))
    }

    /// The wish that an attribute of this kind be deleted; only for merges and updates.
    pub fn null(kind: Kind) -> Self {
        Self::plain(kind, JsonText::string(NGSI_LD_NULL))
    }

    /// A value as a record holds it.
    pub fn from_parts(kind: Kind, json: JsonText, coerced: bool) -> Self {
        Self { kind, json, coerced }
    }

    fn plain(kind: Kind, json: JsonText) -> Self {
        Self { kind, json, coerced: false }
    }

    /// The kind.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The JSON text.
    pub fn as_json(&self) -> &str {
        self.json.as_str()
    }

    /// Whether the text holds names that a context expanded.
    pub fn is_coerced(&self) -> bool {
        self.coerced
    }

    /// Whether this asks for deletion.
    pub fn is_null(&self) -> bool {
        let text = self.json.as_str();
        text == "\"urn:ngsi-ld:null\"" || text == "{\"@none\":\"urn:ngsi-ld:null\"}"
    }
}

impl<N> Instance<N> {
    /// An instance that is nothing but its value.
    pub fn new(value: Value) -> Self {
        Self {
            value,
            dataset_id: None,
            observed_at: None,
            unit_code: None,
            value_type: None,
            object_types: Vec::new(),
            expires_at: None,
            created_at: Timestamp::MIN,
            modified_at: Timestamp::MIN,
            attributes: Vec::new(),
        }
    }

    /// Turns names of one sort into names of another.
    pub fn map_names<M>(self, name: &mut impl FnMut(N) -> M) -> Instance<M> {
        Instance {
            value: self.value,
            dataset_id: self.dataset_id,
            observed_at: self.observed_at,
            unit_code: self.unit_code,
            value_type: self.value_type,
            object_types: self.object_types.into_iter().map(&mut *name).collect(),
            expires_at: self.expires_at,
            created_at: self.created_at,
            modified_at: self.modified_at,
            attributes: map_attributes(self.attributes, name),
        }
    }

    /// Whether both say the same, whenever they were written.
    pub fn same_content(&self, other: &Self) -> bool
    where
        N: PartialEq,
    {
        self.value == other.value
            && self.dataset_id == other.dataset_id
            && self.observed_at == other.observed_at
            && self.unit_code == other.unit_code
            && self.value_type == other.value_type
            && self.object_types == other.object_types
            && self.expires_at == other.expires_at
            && self.attributes.len() == other.attributes.len()
            && self.attributes.iter().all(|mine| {
                other.attributes.iter().any(|theirs| {
                    mine.name == theirs.name
                        && mine.instances.len() == theirs.instances.len()
                        && mine.instances.iter().all(|instance| {
                            theirs.instances.iter().any(|their| instance.same_content(their))
                        })
                })
            })
    }
}

impl<N> Attribute<N> {
    /// An attribute with one instance.
    pub fn new(name: N, instance: Instance<N>) -> Self {
        Self { name, instances: vec![instance] }
    }

    /// Turns names of one sort into names of another.
    pub fn map_names<M>(self, name: &mut impl FnMut(N) -> M) -> Attribute<M> {
        let mapped = name(self.name);
        let instances = self.instances.into_iter().map(|i| i.map_names(name)).collect();
        Attribute { name: mapped, instances }
    }
}

impl<N> Entity<N> {
    /// An entity of one type without attributes.
    pub fn new(id: EntityId, type_name: N) -> Self {
        Self {
            id,
            types: vec![type_name],
            scopes: Vec::new(),
            attributes: Vec::new(),
            expires_at: None,
        }
    }

    /// Turns names of one sort into names of another.
    pub fn map_names<M>(self, name: &mut impl FnMut(N) -> M) -> Entity<M> {
        Entity {
            id: self.id,
            types: self.types.into_iter().map(&mut *name).collect(),
            scopes: self.scopes,
            attributes: map_attributes(self.attributes, name),
            expires_at: self.expires_at,
        }
    }
}

fn map_attributes<N, M>(
    attributes: Vec<Attribute<N>>,
    name: &mut impl FnMut(N) -> M,
) -> Vec<Attribute<M>> {
    attributes.into_iter().map(|attribute| attribute.map_names(name)).collect()
}

/// Part of an entity, for merges and updates: what is absent stays as it is
/// (clauses 5.5.8 and 5.5.12).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fragment<N = Iri> {
    /// Types to add.
    pub types: Vec<N>,
    /// Scopes that take the place of those that are; `None` leaves them, an empty list removes them.
    pub scopes: Option<Vec<Scope>>,
    /// Attributes by name.
    pub attributes: Vec<AttributeFragment<N>>,
    /// A new time of expiry.
    pub expires_at: Option<Timestamp>,
    /// Whether the time of expiry is to be removed.
    pub without_expires_at: bool,
}

/// Part of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttributeFragment<N = Iri> {
    /// The name.
    pub name: N,
    /// Parts of instances, one a `dataset_id`.
    pub instances: Vec<InstanceFragment<N>>,
}

/// Part of an instance: an absent member stays as it is, a [`Value::is_null`] value deletes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceFragment<N = Iri> {
    /// The kind, where it was given; it may not differ from that of the instance.
    pub kind: Option<Kind>,
    /// The value.
    pub value: Option<Value>,
    /// The value as it was sent in simplified representation, for a merge into an attribute whose
    /// keys no context touches.
    pub simplified: Option<JsonText>,
    /// Which instance is meant.
    pub dataset_id: Option<Iri>,
    /// A new time of observation.
    pub observed_at: Option<Timestamp>,
    /// Whether the time of observation is to be removed.
    pub without_observed_at: bool,
    /// A new unit; the text of [`NGSI_LD_NULL`] removes it.
    pub unit_code: Option<Box<str>>,
    /// A new datatype.
    pub value_type: Option<Box<str>>,
    /// New types of objects, where not empty.
    pub object_types: Vec<N>,
    /// A new time of expiry.
    pub expires_at: Option<Timestamp>,
    /// Whether the time of expiry is to be removed.
    pub without_expires_at: bool,
    /// When it came into being, where another server is believed about that.
    pub created_at: Option<Timestamp>,
    /// When it last changed, likewise.
    pub modified_at: Option<Timestamp>,
    /// Attributes of the attribute.
    pub attributes: Vec<AttributeFragment<N>>,
}

impl<N> Default for Fragment<N> {
    fn default() -> Self {
        Self {
            types: Vec::new(),
            scopes: None,
            attributes: Vec::new(),
            expires_at: None,
            without_expires_at: false,
        }
    }
}

impl<N> Default for InstanceFragment<N> {
    fn default() -> Self {
        Self {
            kind: None,
            value: None,
            simplified: None,
            dataset_id: None,
            observed_at: None,
            without_observed_at: false,
            unit_code: None,
            value_type: None,
            object_types: Vec::new(),
            expires_at: None,
            without_expires_at: false,
            created_at: None,
            modified_at: None,
            attributes: Vec::new(),
        }
    }
}

impl<N> AttributeFragment<N> {
    /// Turns names of one sort into names of another.
    pub fn map_names<M>(self, name: &mut impl FnMut(N) -> M) -> AttributeFragment<M> {
        let mapped = name(self.name);
        let instances = self.instances.into_iter().map(|i| i.map_names(name)).collect();
        AttributeFragment { name: mapped, instances }
    }
}

impl<N> InstanceFragment<N> {
    /// Turns names of one sort into names of another.
    pub fn map_names<M>(self, name: &mut impl FnMut(N) -> M) -> InstanceFragment<M> {
        InstanceFragment {
            kind: self.kind,
            value: self.value,
            simplified: self.simplified,
            dataset_id: self.dataset_id,
            observed_at: self.observed_at,
            without_observed_at: self.without_observed_at,
            unit_code: self.unit_code,
            value_type: self.value_type,
            object_types: self.object_types.into_iter().map(&mut *name).collect(),
            expires_at: self.expires_at,
            without_expires_at: self.without_expires_at,
            created_at: self.created_at,
            modified_at: self.modified_at,
            attributes: self.attributes.into_iter().map(|a| a.map_names(name)).collect(),
        }
    }
}

impl<N> From<Instance<N>> for InstanceFragment<N> {
    fn from(instance: Instance<N>) -> Self {
        Self {
            kind: Some(instance.value.kind()),
            value: Some(instance.value),
            simplified: None,
            dataset_id: instance.dataset_id,
            observed_at: instance.observed_at,
            without_observed_at: false,
            unit_code: instance.unit_code,
            value_type: instance.value_type,
            object_types: instance.object_types,
            expires_at: instance.expires_at,
            without_expires_at: false,
            created_at: None,
            modified_at: None,
            attributes: instance.attributes.into_iter().map(AttributeFragment::from).collect(),
        }
    }
}

impl<N> From<Attribute<N>> for AttributeFragment<N> {
    fn from(attribute: Attribute<N>) -> Self {
        let instances = attribute.instances.into_iter().map(InstanceFragment::from).collect();
        Self { name: attribute.name, instances }
    }
}

impl<N> Fragment<N> {
    /// Turns names of one sort into names of another.
    pub fn map_names<M>(self, name: &mut impl FnMut(N) -> M) -> Fragment<M> {
        Fragment {
            types: self.types.into_iter().map(&mut *name).collect(),
            scopes: self.scopes,
            attributes: self.attributes.into_iter().map(|a| a.map_names(name)).collect(),
            expires_at: self.expires_at,
            without_expires_at: self.without_expires_at,
        }
    }
}

impl<N> Entity<N> {
    /// Calls `visit` with every name of a type or an attribute.
    pub fn names(&self, visit: &mut impl FnMut(&N)) {
        self.types.iter().for_each(&mut *visit);
        self.attributes.iter().for_each(|attribute| attribute.names(visit));
    }
}

impl<N> Attribute<N> {
    /// Calls `visit` with every name of a type or an attribute.
    pub fn names(&self, visit: &mut impl FnMut(&N)) {
        visit(&self.name);
        self.instances.iter().for_each(|instance| instance.names(visit));
    }
}

impl<N> Instance<N> {
    /// Calls `visit` with every name of a type or an attribute.
    pub fn names(&self, visit: &mut impl FnMut(&N)) {
        self.object_types.iter().for_each(&mut *visit);
        self.attributes.iter().for_each(|attribute| attribute.names(visit));
    }
}

impl<N> Fragment<N> {
    /// Calls `visit` with every name of a type or an attribute.
    pub fn names(&self, visit: &mut impl FnMut(&N)) {
        self.types.iter().for_each(&mut *visit);
        self.attributes.iter().for_each(|attribute| attribute.names(visit));
    }
}

impl<N> AttributeFragment<N> {
    /// Calls `visit` with every name of a type or an attribute.
    pub fn names(&self, visit: &mut impl FnMut(&N)) {
        visit(&self.name);
        self.instances.iter().for_each(|instance| instance.names(visit));
    }
}

impl<N> InstanceFragment<N> {
    /// Calls `visit` with every name of a type or an attribute.
    pub fn names(&self, visit: &mut impl FnMut(&N)) {
        self.object_types.iter().for_each(&mut *visit);
        self.attributes.iter().for_each(|attribute| attribute.names(visit));
    }
}
