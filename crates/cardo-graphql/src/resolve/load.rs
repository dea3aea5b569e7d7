use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use cardo_engine::{EntityQuery, Order, PageRequest, PageStart};
use cardo_model::EntityId;
use cardo_query::{Comparison, Filter, Literal, Operand, Operator, SortKey};
use tokio::sync::OnceCell;

use super::page::{Connection, PageArgs, Start};
use super::{Group, Node, ids_of};
use crate::fault::{Code, Fault};
use crate::model::Target;

/// What was fetched for a group; those who ask meanwhile wait for it.
pub(super) type Load = OnceCell<Result<Arc<Loaded>, Fault>>;

/// What is fetched.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Key {
    /// What a relationship leads to.
    Forward { of: usize, column: usize },
    /// What points to the group's entities, under a filter and an order.
    Reverse { of: usize, column: usize, question: u64 },
}

/// The next level.
pub(super) struct Loaded {
    group: Arc<Group>,
    keys: Vec<Vec<SortKey>>,
    /// Places in the group: by own id, or by the id that they point to.
    by_id: HashMap<String, Vec<usize>>,
}

impl Group {
    async fn load(
        &self,
        key: Key,
        fetch: impl Future<Output = Result<Loaded, Fault>>,
    ) -> Result<Arc<Loaded>, Fault> {
        let cell = self.loads.lock().entry(key).or_default().clone();
        cell.get_or_init(|| async { fetch.await.map(Arc::new) }).await.clone()
    }
}

/// The entities that a relationship of a node leads to, as far as they exist and may be seen.
pub(crate) async fn forward(node: &Node, of: usize, column: usize) -> Result<Vec<Node>, Fault> {
    let ids = node.ids(of, column);
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let group = &node.group;
    let loaded = group.load(Key::Forward { of, column }, fetch_forward(group, of, column)).await?;
    let found: Vec<Node> = ids
        .iter()
        .filter_map(|id| loaded.by_id.get(id)?.first())
        .map(|at| loaded.group.node(*at))
        .collect();
    check_types(group, of, column, &found)?;
    Ok(found)
}

/// Where the schema names one type for a relationship, what it leads to has to be of that type. The
/// schema learns otherwise, and the next request finds it changed.
fn check_types(group: &Group, of: usize, column: usize, found: &[Node]) -> Result<(), Fault> {
    let model = &group.moment.model;
    let Some(Target::One(target)) = model.types[of].fields[column].target else { return Ok(()) };
    let wanted = model.table(target).id;
    let other = found.iter().find(|node| node.record().view().types().all(|id| id != wanted));
    let Some(other) = other else { return Ok(()) };
    let (table, name) = (model.table(of), &model.types[of].fields[column].name);
    group.moment.face.learn_mixed(&group.moment.caller, table, model.column(of, column));
    Err(Fault::new(
        Code::SchemaChanged,
        format!(
            "{name} of {} leads to {}, which is no {}; the schema has learnt that now: read it \
             again",
            model.types[of].name,
            other.record().view().id(),
            model.types[target].name
        ),
    ))
}

async fn fetch_forward(group: &Group, of: usize, column: usize) -> Result<Loaded, Fault> {
    let table = group.moment.model.table(of);
    let mut seen = HashSet::new();
    let mut ids: Vec<EntityId> = Vec::new();
    for record in &group.records {
        for id in ids_of(table, record, column) {
            if let Ok(id) = EntityId::new(id)
                && seen.insert(id.clone())
            {
                ids.push(id);
            }
        }
    }
    let query = EntityQuery {
        page: PageRequest { limit: ids.len(), start: PageStart::Offset(0) },
        filter: Filter::Ids(ids),
        order: Order::default(),
        count: false,
    };
    let page = group.moment.page(&query).await?;
    let id_of =
        |(at, record): (usize, &cardo_model::Record)| (record.view().id().to_owned(), vec![at]);
    let by_id = page.entities.iter().enumerate().map(id_of).collect();
    let group = Group::new(group.moment.clone(), page.entities);
    Ok(Loaded { group, keys: Vec::new(), by_id })
}

/// A way back: which entities point to a node.
pub(crate) struct Reverse {
    pub(crate) of: usize,
    pub(crate) column: usize,
    pub(crate) filter: Filter,
    pub(crate) order: Order,
    pub(crate) args: PageArgs,
    /// Tells the filter and the order apart from others.
    pub(crate) question: u64,
    pub(crate) count: bool,
}

/// The entities that point to a node, a page of them.
pub(crate) async fn reverse(node: &Node, asked: Reverse) -> Result<Connection, Fault> {
    let id = node.record().view().id();
    let question = super::page::with_parent(asked.question, id);
    let group = &node.group;
    if let Start::After(_) | Start::Before(_) = &asked.args.start {
        // A cursor belongs to one node, so its page is fetched for that node alone.
        let filter = asked.pointing_to(group, [id.to_owned()]);
        return super::page::page(
            &group.moment,
            Some(asked.of),
            filter,
            asked.order,
            &asked.args,
            question,
            asked.count,
        )
        .await;
    }
    let key = Key::Reverse { of: asked.of, column: asked.column, question: asked.question };
    let loaded = group.load(key, fetch_reverse(group, &asked)).await?;
    let none = Vec::new();
    let all = loaded.by_id.get(id).unwrap_or(&none);
    let limit = asked.args.limit.min(all.len());
    let is_backward = matches!(asked.args.start, Start::Last);
    let taken = if is_backward { &all[all.len() - limit..] } else { &all[..limit] };
    Ok(Connection {
        of: Some(asked.of),
        nodes: taken.iter().map(|at| loaded.group.node(*at)).collect(),
        keys: taken.iter().map(|at| loaded.keys.get(*at).cloned().unwrap_or_default()).collect(),
        question,
        has_next: !is_backward && limit < all.len(),
        has_previous: is_backward && limit < all.len(),
        count: Some(all.len()),
    })
}

impl Reverse {
    /// The condition that an entity points to one of these.
    fn pointing_to(&self, group: &Group, ids: impl IntoIterator<Item = String>) -> Filter {
        let model = &group.moment.model;
        let path = &model.column(self.of, self.column).path;
        let points = |id: String| {
            Filter::Compare(Comparison {
                path: path.clone(),
                operator: Operator::Equal,
                operand: Operand::One(Literal::Text(id.into())),
            })
        };
        let mut any: Vec<Filter> = ids.into_iter().map(points).collect();
        let points = if any.len() == 1 { any.remove(0) } else { Filter::Or(any) };
        Filter::Type(model.table(self.of).type_name.clone()).and(points).and(self.filter.clone())
    }
}

async fn fetch_reverse(group: &Group, asked: &Reverse) -> Result<Loaded, Fault> {
    let most = group.moment.face.options.limits.level_rows;
    let ids = group.records.iter().map(|record| record.view().id().to_owned());
    let query = EntityQuery {
        filter: asked.pointing_to(group, ids),
        order: asked.order.clone(),
        page: PageRequest { limit: most, start: PageStart::Offset(0) },
        count: false,
    };
    let page = group.moment.page(&query).await?;
    let model = &group.moment.model;
    let name = &model.types[asked.of].name;
    if page.has_more {
        return Err(Fault::new(
            Code::TooComplex,
            format!(
                "more than {most} entities of {name} point to the {} of this level: ask for fewer \
                 of them, or narrow them with a filter",
                group.records.len()
            ),
        )
        .with("limit", most));
    }
    let mut by_id: HashMap<String, Vec<usize>> = HashMap::new();
    for (at, record) in page.entities.iter().enumerate() {
        for id in ids_of(model.table(asked.of), record, asked.column) {
            let places = by_id.entry(id).or_default();
            if places.last() != Some(&at) {
                places.push(at);
            }
        }
    }
    let group = Group::new(group.moment.clone(), page.entities);
    Ok(Loaded { group, keys: page.keys, by_id })
}
