use std::collections::HashMap;

use async_graphql::parser::types::{ExecutableDocument, Field, Selection, SelectionSet};
use async_graphql::registry::{MetaType, MetaTypeName, Registry};
use async_graphql::{Name, Value, Variables};

use crate::fault::{Code, Fault};
use crate::model::Model;
use crate::options::GraphqlLimits;

/// What a page or a nested list costs beside its rows.
const QUESTION: u64 = 10;
/// What figures over all entities cost beside their rows: all are looked at.
const AGGREGATE: u64 = 5_000;
/// What a condition or an order of a layer costs beside its rows: many features may be read for it.
const LAYER: u64 = 5_000;
/// The rows that a list without pages is taken for.
const LIST_ROWS: u64 = 10;
/// How often lists of the schema may stand in one another: types, fields of them, arguments.
const MAX_SCHEMA_LISTS: usize = 3;

/// What a selection takes.
#[derive(Clone, Copy, Default)]
struct Taken {
    cost: u64,
    introspection: u64,
    depth: usize,
    schema_lists: usize,
}

enum Visit {
    Begun,
    Done(Taken),
}

/// Estimates what an operation takes: rows times fields. A fragment is looked at once, however
/// often it is spread, so that the survey is as quick as the document is short.
pub(super) struct Survey<'a> {
    document: &'a ExecutableDocument,
    variables: &'a Variables,
    registry: &'a Registry,
    model: &'a Model,
    limits: &'a GraphqlLimits,
    fragments: HashMap<&'a Name, Visit>,
}

impl<'a> Survey<'a> {
    pub(super) fn new(
        document: &'a ExecutableDocument,
        variables: &'a Variables,
        (registry, model): (&'a Registry, &'a Model),
        limits: &'a GraphqlLimits,
    ) -> Self {
        Self { document, variables, registry, model, limits, fragments: HashMap::new() }
    }

    pub(super) fn operation(
        &mut self,
        selection: &'a SelectionSet,
        root: Option<&str>,
    ) -> Result<(), Fault> {
        let taken = self.selection(selection, root)?;
        let limits = self.limits;
        let types = self.registry.types.len() as u64;
        let of_schema = limits.introspection_cost.saturating_mul(types);
        if taken.depth > limits.depth {
            let message = format!(
                "the fields of the query stand {} levels deep, and {} are accepted",
                taken.depth, limits.depth
            );
            return Err(Fault::new(Code::TooDeep, message)
                .with("depth", taken.depth)
                .with("limit", limits.depth));
        }
        if taken.schema_lists > MAX_SCHEMA_LISTS {
            let message = format!(
                "lists of the schema stand {} deep in one another, and {MAX_SCHEMA_LISTS} are accepted",
                taken.schema_lists
            );
            return Err(Fault::new(Code::TooDeep, message)
                .with("depth", taken.schema_lists)
                .with("limit", MAX_SCHEMA_LISTS));
        }
        for (what, cost, limit) in [
            ("query", taken.cost, limits.cost),
            ("question about the schema", taken.introspection, of_schema),
        ] {
            if cost > limit {
                let message = format!(
                    "the {what} costs {cost} (rows times fields, by estimate), and {limit} are \
                     accepted: ask for fewer rows or fields"
                );
                return Err(Fault::new(Code::TooComplex, message)
                    .with("cost", cost)
                    .with("limit", limit));
            }
        }
        Ok(())
    }

    fn selection(
        &mut self,
        selection: &'a SelectionSet,
        of_type: Option<&str>,
    ) -> Result<Taken, Fault> {
        let mut all = Taken::default();
        for item in &selection.items {
            let taken = match &item.node {
                Selection::Field(field) => self.field(&field.node, of_type)?,
                Selection::InlineFragment(fragment) => {
                    let condition = fragment.node.type_condition.as_ref();
                    let inner = condition.map(|c| c.node.on.node.as_str()).or(of_type);
                    self.selection(&fragment.node.selection_set.node, inner)?
                }
                Selection::FragmentSpread(spread) => {
                    self.fragment(&spread.node.fragment_name.node)?
                }
            };
            all.cost = all.cost.saturating_add(taken.cost);
            all.introspection = all.introspection.saturating_add(taken.introspection);
            all.depth = all.depth.max(taken.depth);
            all.schema_lists = all.schema_lists.max(taken.schema_lists);
        }
        Ok(all)
    }

    fn fragment(&mut self, name: &'a Name) -> Result<Taken, Fault> {
        match self.fragments.get(name) {
            Some(Visit::Done(taken)) => return Ok(*taken),
            Some(Visit::Begun) => {
                let message = format!("the fragment {name:?} contains itself");
                return Err(Fault::new(Code::FragmentCycle, message));
            }
            None => {}
        }
        // An unknown fragment is the validation's to tell.
        let Some(fragment) = self.document.fragments.get(name) else { return Ok(Taken::default()) };
        self.fragments.insert(name, Visit::Begun);
        let on = fragment.node.type_condition.node.on.node.as_str();
        let taken = self.selection(&fragment.node.selection_set.node, Some(on))?;
        self.fragments.insert(name, Visit::Done(taken));
        Ok(taken)
    }

    fn field(&mut self, field: &'a Field, of_type: Option<&str>) -> Result<Taken, Fault> {
        let name = field.name.node.as_str();
        let registry = self.registry;
        let found = match name {
            "__schema" => Some("__Schema"),
            "__type" => Some("__Type"),
            _ => of_type
                .and_then(|parent| registry.types.get(parent))
                .and_then(|parent| parent.field_by_name(name))
                .map(|field| field.ty.as_str()),
        };
        let own = found.map(MetaTypeName::concrete_typename);
        let inner = self.selection(&field.selection_set.node, own)?;
        let is_list = found.is_some_and(|ty| MetaTypeName::create(ty).is_list());
        let is_schema = own.is_some_and(|own| own.starts_with("__"));
        let mut taken = Taken { depth: inner.depth + 1, ..inner };
        if is_schema {
            let rows = if !is_list {
                1
            } else if name == "types" {
                self.registry.types.len() as u64
            } else {
                LIST_ROWS
            };
            taken.introspection = 1_u64.saturating_add(rows.saturating_mul(inner.introspection));
            taken.schema_lists += usize::from(is_list);
            return Ok(taken);
        }
        if of_type.is_some_and(|parent| parent.starts_with("__")) {
            taken.introspection = 1;
            return Ok(taken);
        }
        let rows = self.rows(field, own, is_list);
        let is_root = of_type == Some(registry.query_type.as_str());
        let question = match own {
            Some("TypeAggregate" | "AreaAggregate") if is_root => AGGREGATE,
            _ if is_root && self.model.lists_layer(name) && looks_for(field) => LAYER,
            _ if rows.is_some() => QUESTION,
            _ => 1,
        };
        taken.cost = question.saturating_add(rows.unwrap_or(1).saturating_mul(inner.cost));
        Ok(taken)
    }

    /// For how many rows a field stands; `None` where it is one value.
    fn rows(&self, field: &Field, own: Option<&str>, is_list: bool) -> Option<u64> {
        let asked = ["first", "last"].into_iter().find_map(|name| field.get_argument(name));
        let is_object = matches!(
            own.and_then(|own| self.registry.types.get(own)),
            Some(MetaType::Object { .. } | MetaType::Interface { .. } | MetaType::Union { .. })
        );
        if let Some(value) = asked {
            let given = |name: Name| self.variables.get(&name).cloned().ok_or(());
            let number = match value.node.clone().into_const_with(given) {
                Ok(Value::Number(number)) => number.as_u64(),
                _ => None,
            };
            let most = self.limits.max_page as u64;
            return Some(number.unwrap_or(most).min(most));
        }
        let is_page = own
            .and_then(|own| self.registry.types.get(own))
            .is_some_and(|own| own.field_by_name("pageInfo").is_some());
        if is_page {
            return Some(self.limits.default_page as u64);
        }
        // Edges and nodes are the rows that their page was asked for.
        let is_of_page = matches!(field.name.node.as_str(), "edges" | "nodes");
        (is_list && is_object && !is_of_page).then_some(LIST_ROWS)
    }
}

/// Whether a list is of some rows alone, or in an order of its own.
fn looks_for(field: &Field) -> bool {
    ["filter", "orderBy"].into_iter().any(|name| field.get_argument(name).is_some())
}
