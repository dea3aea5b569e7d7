//! What of a twin the schema is made of: its tables, under names that GraphQL can use.

use std::collections::HashSet;
use std::sync::Arc;

use cardo_engine::{Column, ColumnPart, ColumnType, Layer, Table, Tables, Terms};
use cardo_model::Iri;

/// Which entities a relationship points to, as far as was seen.
pub(crate) trait Targets {
    /// The types, none where nothing is known.
    fn of(&self, table: &Table, column: &Column) -> Seen;
}

/// The types that a relationship's objects have.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    /// Every type of any object.
    pub(crate) any: Vec<Iri>,
    /// The types that all objects have.
    pub(crate) all: Vec<Iri>,
}

/// The tables with the names and connections that the schema gives them.
pub(crate) struct Model {
    pub(crate) tables: Arc<Tables>,
    /// Collections that are files.
    layers: Arc<[Arc<dyn Layer>]>,
    /// The types of the twin in the order of their tables, and the layers behind them.
    pub(crate) types: Vec<TypeModel>,
}

/// A type of the twin, or a layer.
pub(crate) struct TypeModel {
    /// The object type; also what derived names begin with.
    pub(crate) name: String,
    pub(crate) names: TypeNames,
    /// What only a type of the twin has.
    pub(crate) live: Option<LiveNames>,
    pub(crate) fields: Vec<FieldModel>,
    pub(crate) reverse: Vec<ReverseModel>,
}

/// The names that belong to what is asked for.
pub(crate) struct TypeNames {
    pub(crate) connection: String,
    pub(crate) edge: String,
    pub(crate) filter: String,
    pub(crate) order: String,
    pub(crate) field_enum: String,
    pub(crate) one: String,
    pub(crate) list: String,
}

/// The names that belong to what changes and is counted.
pub(crate) struct LiveNames {
    pub(crate) input: String,
    pub(crate) change: String,
    pub(crate) fence: String,
    pub(crate) aggregate: String,
    pub(crate) aggregate_by_area: String,
    pub(crate) create: String,
    pub(crate) merge: String,
    pub(crate) replace: String,
    pub(crate) changed: String,
    pub(crate) fenced: String,
}

/// A column as a field.
pub(crate) struct FieldModel {
    pub(crate) name: String,
    /// The field of ids beside a nested object.
    pub(crate) ids: Option<String>,
    /// The name in a filter.
    pub(crate) filter: String,
    pub(crate) target: Option<Target>,
}

/// What a relationship leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// Entities of this type.
    One(usize),
    /// Entities of several types, or of types that nobody has seen yet.
    Any,
}

/// Entities of another type that point to one of this.
pub(crate) struct ReverseModel {
    pub(crate) name: String,
    pub(crate) of: usize,
    pub(crate) column: usize,
}

/// Gives names, each once.
struct Namer(HashSet<String>);

impl Namer {
    fn with(taken: impl IntoIterator<Item = &'static str>) -> Self {
        Self(taken.into_iter().map(str::to_owned).collect())
    }

    fn give(&mut self, wanted: impl Into<String>) -> String {
        let mut name = wanted.into();
        while !self.0.insert(name.clone()) {
            name.push('_');
        }
        name
    }
}

/// Types that every schema has.
const SYSTEM_TYPES: [&str; 43] = [
    "Query",
    "Mutation",
    "Subscription",
    "Node",
    "Entity",
    "EntityConnection",
    "EntityEdge",
    "EntityFilter",
    "EntityOrder",
    "EntityField",
    "EntityChange",
    "UnlistedEntity",
    "DeletedEntity",
    "PageInfo",
    "Direction",
    "ChangeKind",
    "FenceEventKind",
    "String",
    "Int",
    "Float",
    "Boolean",
    "ID",
    "DateTime",
    "JSON",
    "Geometry",
    "Revision",
    "StringFilter",
    "FloatFilter",
    "BooleanFilter",
    "DateTimeFilter",
    "IDFilter",
    "JSONFilter",
    "GeometryFilter",
    "ScopeFilter",
    "NearFilter",
    "Upload",
    "_Any",
    "_Entity",
    "_Service",
    "EntityInput",
    "NumberAggregate",
    "TypeAggregate",
    "AreaAggregate",
];
/// Fields that every entity has.
pub(crate) const MEMBERS: [&str; 6] =
    ["id", "type", "scope", "createdAt", "modifiedAt", "expiresAt"];
/// Fields that every feature of a layer has: nothing tells of it what a twin knows of an entity.
pub(crate) const FEATURE_MEMBERS: [&str; 1] = ["id"];
const COMBINATORS: [&str; 3] = ["and", "or", "not"];

impl Model {
    pub(crate) fn new(
        tables: Arc<Tables>,
        layers: Arc<[Arc<dyn Layer>]>,
        targets: &dyn Targets,
    ) -> Self {
        let mut types = Namer::with(SYSTEM_TYPES);
        let mut roots = Roots::default();
        // Types have their names before any derived name may take one.
        let names: Vec<String> =
            tables.all().iter().map(|table| types.give(table.name.as_ref())).collect();
        let mut models: Vec<TypeModel> = names
            .into_iter()
            .zip(tables.all())
            .map(|(name, table)| TypeModel {
                names: TypeNames::new(&table.name, &mut types, &mut roots),
                live: Some(LiveNames::new(&table.name, &mut types, &mut roots)),
                fields: fields(table, &MEMBERS),
                reverse: Vec::new(),
                name,
            })
            .collect();
        join(&tables, &mut models, targets);
        // A file never takes a name from a type.
        for layer in layers.iter() {
            let table = &layer.description().table;
            let plain = Terms::default().short(table.type_name.as_str());
            models.push(TypeModel {
                name: types.give(plain.as_str()),
                names: TypeNames::new(&plain, &mut types, &mut roots),
                live: None,
                fields: fields(table, &FEATURE_MEMBERS),
                reverse: Vec::new(),
            });
        }
        Self { tables, layers, types: models }
    }

    pub(crate) fn table(&self, at: usize) -> &Table {
        match self.layer(at) {
            Some(layer) => &layer.description().table,
            None => &self.tables.all()[at],
        }
    }

    /// The layer that stands at a place, where it is one.
    pub(crate) fn layer(&self, at: usize) -> Option<&Arc<dyn Layer>> {
        self.layers.get(at.checked_sub(self.tables.all().len())?)
    }

    /// The places of the layers.
    pub(crate) fn layers(&self) -> std::ops::Range<usize> {
        self.tables.all().len()..self.types.len()
    }

    /// Whether a field of the root lists features of a layer.
    pub(crate) fn lists_layer(&self, field: &str) -> bool {
        self.types[self.layers()].iter().any(|ty| ty.names.list == field)
    }

    /// What every row of a table has beside its columns.
    pub(crate) fn members(&self, at: usize) -> &'static [&'static str] {
        if self.layer(at).is_some() { &FEATURE_MEMBERS } else { &MEMBERS }
    }

    pub(crate) fn column(&self, of: usize, column: usize) -> &Column {
        &self.table(of).columns[column]
    }

    /// The place of a type of the twin by the name of its object.
    pub(crate) fn named(&self, name: &str) -> Option<usize> {
        self.types.iter().position(|model| model.live.is_some() && model.name == name)
    }
}

/// The fields of the three roots.
struct Roots {
    query: Namer,
    mutation: Namer,
    subscription: Namer,
}

impl Default for Roots {
    fn default() -> Self {
        Self {
            query: Namer::with([
                "node",
                "entity",
                "entities",
                "revision",
                "aggregate",
                "aggregateByArea",
            ]),
            mutation: Namer::with(["deleteEntity", "createEntity", "mergeEntity", "replaceEntity"]),
            subscription: Namer::with(["entityChanged"]),
        }
    }
}

impl TypeNames {
    fn new(name: &str, types: &mut Namer, roots: &mut Roots) -> Self {
        let lower = lower_first(name);
        Self {
            connection: types.give(format!("{name}Connection")),
            edge: types.give(format!("{name}Edge")),
            filter: types.give(format!("{name}Filter")),
            order: types.give(format!("{name}Order")),
            field_enum: types.give(format!("{name}Field")),
            one: roots.query.give(&*lower),
            list: roots.query.give(format!("{lower}List")),
        }
    }
}

impl LiveNames {
    fn new(name: &str, types: &mut Namer, roots: &mut Roots) -> Self {
        let lower = lower_first(name);
        Self {
            input: types.give(format!("{name}Input")),
            change: types.give(format!("{name}Change")),
            fence: types.give(format!("{name}FenceEvent")),
            aggregate: roots.query.give(format!("{lower}Aggregate")),
            aggregate_by_area: roots.query.give(format!("{lower}AggregateByArea")),
            create: roots.mutation.give(format!("create{name}")),
            merge: roots.mutation.give(format!("merge{name}")),
            replace: roots.mutation.give(format!("replace{name}")),
            changed: roots.subscription.give(format!("{lower}Changed")),
            fenced: roots.subscription.give(format!("{lower}Fence")),
        }
    }
}

fn fields(table: &Table, members: &[&'static str]) -> Vec<FieldModel> {
    let mut filters = Namer::with(members.iter().copied().chain(COMBINATORS));
    let columns = table.columns.iter();
    columns
        .map(|column| FieldModel {
            name: column.name.to_string(),
            ids: None,
            filter: filters.give(column.name.as_ref()),
            target: column.is_relationship().then_some(Target::Any),
        })
        .collect()
}

/// Finds out where relationships lead, and names the ways back.
fn join(tables: &Tables, models: &mut [TypeModel], targets: &dyn Targets) {
    let mut taken: Vec<Namer> = tables
        .all()
        .iter()
        .map(|table| {
            let mut namer = Namer::with(MEMBERS);
            for column in &table.columns {
                namer.give(column.name.as_ref());
            }
            namer
        })
        .collect();
    let place = |name: &Iri| tables.all().iter().position(|table| table.type_name == *name);
    for (of, table) in tables.all().iter().enumerate() {
        for (at, column) in table.columns.iter().enumerate() {
            if !column.is_relationship() {
                continue;
            }
            models[of].fields[at].ids = Some(taken[of].give(format!("{}__ids", column.name)));
            let seen = targets.of(table, column);
            let shared: Vec<usize> = seen.all.iter().filter_map(&place).collect();
            if let [one, ..] = shared.as_slice() {
                models[of].fields[at].target = Some(Target::One(*one));
            }
            for found in seen.any.iter().filter_map(&place) {
                let wanted = format!("{}By{}", lower_first(&table.name), upper_first(&column.name));
                let name = taken[found].give(wanted);
                models[found].reverse.push(ReverseModel { name, of, column: at });
            }
        }
    }
}

/// What the face asks of columns beside what they say themselves.
pub(crate) trait ColumnExt {
    fn is_relationship(&self) -> bool;
    fn has_order(&self) -> bool;
}

impl ColumnExt for Column {
    fn is_relationship(&self) -> bool {
        self.part == ColumnPart::Value
            && matches!(self.datatype, ColumnType::Relationship | ColumnType::Relationships)
    }

    fn has_order(&self) -> bool {
        !matches!(
            self.datatype,
            ColumnType::Json | ColumnType::List | ColumnType::Geometry | ColumnType::Relationships
        )
    }
}

pub(crate) fn lower_first(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map_or_else(String::new, |c| c.to_ascii_lowercase().to_string() + chars.as_str())
}

fn upper_first(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map_or_else(String::new, |c| c.to_ascii_uppercase().to_string() + chars.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_given_once() {
        let mut namer = Namer::with(["Query"]);
        assert_eq!(namer.give("Query"), "Query_");
        assert_eq!(namer.give("Query"), "Query__");
        assert_eq!(namer.give("Tree"), "Tree");
    }

    #[test]
    fn first_letters_change_alone() {
        assert_eq!(lower_first("BikeStation"), "bikeStation");
        assert_eq!(upper_first("locatedIn"), "LocatedIn");
        assert_eq!(lower_first(""), "");
    }
}
