use std::collections::HashSet;
use std::sync::Arc;

use cardo_model::{EntityId, Iri, NameId, Scope, Timestamp};

use crate::predicate::Predicate;
use crate::{GeoTest, Pattern};

/// A condition on entities; every surface language parses into this tree, and one evaluator and
/// one planner read it.
///
/// `N` is how types and attributes are named: by full name where a parser makes the tree, by
/// [`NameId`] where the engine evaluates it.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter<N = Iri> {
    /// Matches all.
    True,
    /// Matches nothing.
    False,
    /// Matches what every part matches.
    And(Vec<Filter<N>>),
    /// Matches what any part matches.
    Or(Vec<Filter<N>>),
    /// Matches what the part does not.
    Not(Box<Filter<N>>),
    /// The entity has one of these ids.
    Ids(Vec<EntityId>),
    /// The id matches a regular expression.
    IdPattern(Pattern),
    /// The entity has this type.
    Type(N),
    /// One of the entity's scopes meets the condition (clause 4.19).
    Scope(ScopeTest),
    /// The entity has the attribute, whatever its value.
    HasAttribute(N),
    /// The path leads to something.
    Exists(Path<N>),
    /// What the path leads to compares to a constant.
    Compare(Comparison<N>),
    /// A geometry of the entity has a relation to a constant one.
    Geo(GeoCondition<N>),
    /// A geometry of the entity reaches into an interval of heights.
    Height(HeightCondition<N>),
    /// The time of the entity lies in an interval.
    Time(TimeCondition<N>),
    /// A relationship leads to entities that meet a condition (clause 4.9, linked entities).
    Link(Link<N>),
    /// A condition in the logic of three values is true (OGC languages).
    Holds(Box<Predicate<N>>),
}

/// A condition on the entities that a relationship leads to.
#[derive(Clone, Debug, PartialEq)]
pub struct Link<N = Iri> {
    /// The relationship.
    pub relationship: N,
    /// To which entities.
    pub target: LinkTarget<N>,
}

/// The entities that a relationship is to lead to.
#[derive(Clone, Debug, PartialEq)]
pub enum LinkTarget<N = Iri> {
    /// Those that meet a condition. A candidate does not know them: whoever answers the question
    /// finds them first.
    Matching(Box<Filter<N>>),
    /// These.
    Entities(Arc<HashSet<Box<str>>>),
}

/// A condition on one scope of an entity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScopeTest {
    /// The scope is exactly this one.
    Exactly(Scope),
    /// One level below the scope, whatever its name: `/A/+` and patterns such as `/A/+/C`, given
    /// as levels where `None` stands for `+`.
    Levels(Vec<Option<Box<str>>>),
    /// The scope or anything below it: `/A/#`, given as levels where `None` stands for `+`.
    Below(Vec<Option<Box<str>>>),
    /// The entity has any scope at all: `/#`.
    Any,
}

/// Where in an entity a value is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path<N = Iri> {
    /// The attribute, or a member of the entity itself.
    pub root: Root<N>,
    /// Attributes of the attribute, outermost first.
    pub attributes: Vec<N>,
    /// What of the instance is meant.
    pub member: Member,
    /// Keys into a compound value or a language map, outermost first.
    pub keys: Vec<Key>,
    /// Which instances of the root attribute count.
    pub datasets: Datasets,
}

/// A step into a compound value or a language map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// Any language of a language map: `[*]` in clause 4.9.
    AnyLanguage,
    /// A member.
    Member {
        /// As the client wrote it: the key of a JsonProperty (clause 5.5.7), of a geometry, or a
        /// language tag (clause 4.5.18).
        term: Box<str>,
        /// As the context expands it: the key of any other compound value.
        name: Box<str>,
    },
}

impl Key {
    /// A member whose key no context expands.
    pub fn plain(term: impl Into<Box<str>>) -> Self {
        let term = term.into();
        Self::Member { name: term.clone(), term }
    }
}

/// Where a path begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Root<N = Iri> {
    /// An attribute.
    Attribute(N),
    /// The id of the entity.
    Id,
    /// The types of the entity, always present; comparisons with them are [`Filter::Type`].
    Type,
    /// The scopes of the entity.
    Scope,
    /// When the entity came into being.
    CreatedAt,
    /// When the entity last changed.
    ModifiedAt,
    /// When the entity ceases to be.
    ExpiresAt,
}

/// A member of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Member {
    /// The value, object, language map and so on.
    Value,
    /// When it was observed.
    ObservedAt,
    /// When the instance came into being.
    CreatedAt,
    /// When the instance last changed.
    ModifiedAt,
    /// When the instance ceases to be.
    ExpiresAt,
    /// The code of its unit.
    UnitCode,
    /// The id of its dataset.
    DatasetId,
    /// The types of a relationship's objects; a condition can ask for their presence only.
    ObjectType,
}

/// Which instances of an attribute a condition is put to.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Datasets {
    /// Any of them (NGSI-LD).
    #[default]
    Any,
    /// The default instance, else the first (columns of OGC API and GraphQL).
    Preferred,
    /// This one.
    Only(Iri),
}

/// A comparison of what a path leads to with constants.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison<N = Iri> {
    /// Where the value stands.
    pub path: Path<N>,
    /// How it is compared.
    pub operator: Operator,
    /// With what.
    pub operand: Operand,
}

/// How values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operator {
    /// Equal; with a list any of it, with a range within it.
    Equal,
    /// Not equal, by the rule of clause 4.9: in any one instance the path leads somewhere, and
    /// nothing there is equal. Where there are several instances this is not the complement of
    /// [`Operator::Equal`].
    Unequal,
    /// Greater.
    Greater,
    /// Greater or equal.
    GreaterOrEqual,
    /// Less.
    Less,
    /// Less or equal.
    LessOrEqual,
    /// The text matches the pattern.
    Matches,
    /// The path leads to a text, and it does not match the pattern.
    MatchesNot,
}

/// The constant side of a comparison.
#[derive(Clone, Debug, PartialEq)]
pub enum Operand {
    /// One value.
    One(Literal),
    /// Any of several values.
    List(Vec<Literal>),
    /// From the first to the second, both included.
    Range(Literal, Literal),
    /// A regular expression.
    Pattern(Pattern),
}

/// A constant.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// A number.
    Number(f64),
    /// A text; also a URI given in quotes or without.
    Text(Box<str>),
    /// A truth value.
    Bool(bool),
    /// A date and time.
    DateTime(Timestamp),
    /// A date, as written, in the form `YYYY-MM-DD`.
    Date(Box<str>),
    /// A time of day, as written.
    Time(Box<str>),
}

/// A condition on the geometry of an attribute.
#[derive(Clone, Debug)]
pub struct GeoCondition<N = Iri> {
    /// The GeoProperty.
    pub property: N,
    /// The relation and the geometry, prepared for many tests.
    pub test: Arc<GeoTest>,
    /// Whether an entity without such a geometry matches (OGC API `bbox` does so).
    pub missing_matches: bool,
    /// Which instances count.
    pub datasets: Datasets,
}

impl<N: PartialEq> PartialEq for GeoCondition<N> {
    fn eq(&self, other: &Self) -> bool {
        self.property == other.property
            && self.missing_matches == other.missing_matches
            && self.datasets == other.datasets
            && (Arc::ptr_eq(&self.test, &other.test) || *self.test == *other.test)
    }
}

/// A condition on the heights of a geometry: the third axis of OGC API's `bbox`. A geometry without
/// heights meets it, and so does an entity without the geometry.
#[derive(Clone, Debug, PartialEq)]
pub struct HeightCondition<N = Iri> {
    /// The GeoProperty.
    pub property: N,
    /// The lowest and the highest height, in metres, both included.
    pub range: [f64; 2],
    /// Which instances count.
    pub datasets: Datasets,
}

/// A condition on the time of an entity: the latest `observedAt` of its attributes. OGC API's
/// `datetime` is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeCondition<N = Iri> {
    /// Where the interval begins, included; open where there is none.
    pub from: Option<Timestamp>,
    /// Where it ends, included; open where there is none.
    pub until: Option<Timestamp>,
    /// Whether an entity that was never observed matches (OGC API `datetime` does so).
    pub missing_matches: bool,
    /// Whose observations count.
    pub observed: Observed<N>,
}

/// The attributes whose observations make the time of an entity.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Observed<N = Iri> {
    /// All.
    #[default]
    All,
    /// None but these.
    Only(Vec<N>),
    /// All but these.
    Without(Vec<N>),
}

impl<N: PartialEq> Observed<N> {
    /// Whether observations of an attribute count.
    pub fn counts(&self, name: &N) -> bool {
        match self {
            Self::All => true,
            Self::Only(names) => names.contains(name),
            Self::Without(names) => !names.contains(name),
        }
    }
}

impl<N> TimeCondition<N> {
    /// Whether a moment lies in the interval.
    pub fn holds(&self, moment: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= moment)
            && self.until.is_none_or(|until| moment <= until)
    }

    fn map_names<M>(&self, name: &mut impl FnMut(&N) -> M) -> TimeCondition<M> {
        let observed = match &self.observed {
            Observed::All => Observed::All,
            Observed::Only(names) => Observed::Only(names.iter().map(name).collect()),
            Observed::Without(names) => Observed::Without(names.iter().map(name).collect()),
        };
        let Self { from, until, missing_matches, .. } = *self;
        TimeCondition { from, until, missing_matches, observed }
    }
}

/// A filter as the engine evaluates it.
pub type Resolved = Filter<NameId>;

impl<N> Filter<N> {
    /// Both conditions; `True` vanishes, nested conjunctions are joined.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::True, filter) | (filter, Self::True) => filter,
            (Self::False, _) | (_, Self::False) => Self::False,
            (Self::And(mut parts), Self::And(more)) => {
                parts.extend(more);
                Self::And(parts)
            }
            (Self::And(mut parts), filter) | (filter, Self::And(mut parts)) => {
                parts.push(filter);
                Self::And(parts)
            }
            (one, two) => Self::And(vec![one, two]),
        }
    }

    /// Whether it has conditions on linked entities that are still to be found.
    pub fn has_links(&self) -> bool {
        self.link_levels() > 0
    }

    /// How many relationships it follows one after the other.
    pub fn link_levels(&self) -> usize {
        match self {
            Self::And(parts) | Self::Or(parts) => {
                parts.iter().map(Self::link_levels).max().unwrap_or(0)
            }
            Self::Not(part) => part.link_levels(),
            Self::Link(Link { target: LinkTarget::Matching(filter), .. }) => {
                1 + filter.link_levels()
            }
            _ => 0,
        }
    }

    /// Calls `visit` with each attribute that the condition names, as often as it does: none for a
    /// condition on nothing but members of the entity itself.
    pub fn visit_attributes(&self, visit: &mut dyn FnMut(&N)) {
        match self {
            Self::And(parts) | Self::Or(parts) => {
                for part in parts {
                    part.visit_attributes(visit);
                }
            }
            Self::Not(part) => part.visit_attributes(visit),
            Self::HasAttribute(name) => visit(name),
            Self::Link(link) => visit(&link.relationship),
            Self::Geo(condition) => visit(&condition.property),
            Self::Height(condition) => visit(&condition.property),
            Self::Holds(predicate) => predicate.visit_attributes(visit),
            Self::Exists(path) | Self::Compare(Comparison { path, .. }) => {
                if let Root::Attribute(name) = &path.root {
                    visit(name);
                }
            }
            Self::True
            | Self::False
            | Self::Ids(_)
            | Self::IdPattern(_)
            | Self::Type(_)
            | Self::Scope(_)
            | Self::Time(_) => {}
        }
    }

    /// The same condition with names of another sort.
    pub fn map_names<M>(&self, name: &mut impl FnMut(&N) -> M) -> Filter<M> {
        match self {
            Self::True => Filter::True,
            Self::False => Filter::False,
            Self::And(parts) => Filter::And(map_all(parts, name)),
            Self::Or(parts) => Filter::Or(map_all(parts, name)),
            Self::Not(part) => Filter::Not(Box::new(part.map_names(name))),
            Self::Ids(ids) => Filter::Ids(ids.clone()),
            Self::IdPattern(pattern) => Filter::IdPattern(pattern.clone()),
            Self::Type(n) => Filter::Type(name(n)),
            Self::Scope(test) => Filter::Scope(test.clone()),
            Self::HasAttribute(n) => Filter::HasAttribute(name(n)),
            Self::Exists(path) => Filter::Exists(path.map_names(name)),
            Self::Compare(comparison) => Filter::Compare(Comparison {
                path: comparison.path.map_names(name),
                operator: comparison.operator,
                operand: comparison.operand.clone(),
            }),
            Self::Geo(condition) => Filter::Geo(GeoCondition {
                property: name(&condition.property),
                test: condition.test.clone(),
                missing_matches: condition.missing_matches,
                datasets: condition.datasets.clone(),
            }),
            Self::Height(condition) => Filter::Height(HeightCondition {
                property: name(&condition.property),
                range: condition.range,
                datasets: condition.datasets.clone(),
            }),
            Self::Time(condition) => Filter::Time(condition.map_names(name)),
            Self::Holds(predicate) => Filter::Holds(Box::new(predicate.map_names(name))),
            Self::Link(link) => Filter::Link(Link {
                relationship: name(&link.relationship),
                target: match &link.target {
                    LinkTarget::Matching(filter) => {
                        LinkTarget::Matching(Box::new(filter.map_names(name)))
                    }
                    LinkTarget::Entities(ids) => LinkTarget::Entities(ids.clone()),
                },
            }),
        }
    }
}

fn map_all<N, M>(parts: &[Filter<N>], name: &mut impl FnMut(&N) -> M) -> Vec<Filter<M>> {
    parts.iter().map(|part| part.map_names(name)).collect()
}

impl<N> Path<N> {
    /// The path to the value of an attribute.
    pub fn of_attribute(name: N) -> Self {
        Self::of_root(Root::Attribute(name))
    }

    /// The path to a root alone.
    pub fn of_root(root: Root<N>) -> Self {
        Self {
            root,
            attributes: Vec::new(),
            member: Member::Value,
            keys: Vec::new(),
            datasets: Datasets::Any,
        }
    }

    /// The same path with names of another sort.
    pub fn map_names<M>(&self, name: &mut impl FnMut(&N) -> M) -> Path<M> {
        let root = match &self.root {
            Root::Attribute(n) => Root::Attribute(name(n)),
            Root::Id => Root::Id,
            Root::Type => Root::Type,
            Root::Scope => Root::Scope,
            Root::CreatedAt => Root::CreatedAt,
            Root::ModifiedAt => Root::ModifiedAt,
            Root::ExpiresAt => Root::ExpiresAt,
        };
        Path {
            root,
            attributes: self.attributes.iter().map(name).collect(),
            member: self.member,
            keys: self.keys.clone(),
            datasets: self.datasets.clone(),
        }
    }
}
