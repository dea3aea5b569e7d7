use std::sync::Arc;

use async_graphql::indexmap::IndexMap;
use async_graphql::{Name, Value};
use cardo_engine::{EntityQuery, Order, PageRequest, PageStart};
use cardo_model::Seq;
use cardo_query::{Filter, SortKey};
use twox_hash::XxHash3_64;

use super::{Group, Moment, Node};
use crate::cursor::Cursor;
use crate::fault::Fault;
use crate::filter;
use crate::model::Model;
use crate::options::GraphqlLimits;

/// The arguments of a field.
pub(crate) type Arguments = IndexMap<Name, Value>;

/// An argument where it is given and not null.
pub(crate) fn given<'a>(args: &'a Arguments, name: &str) -> Option<&'a Value> {
    args.get(name).filter(|value| **value != Value::Null)
}

/// The filter and the order of a list.
pub(crate) struct Asked {
    pub(crate) filter: Filter,
    pub(crate) order: Order,
}

impl Asked {
    pub(crate) fn read(args: &Arguments, model: &Model, of: Option<usize>) -> Result<Self, Fault> {
        let filter = match given(args, "filter") {
            Some(value) => filter::filter(model, of, value)?,
            None => Filter::True,
        };
        let order = match given(args, "orderBy") {
            Some(value) => filter::order(model, of, value)?,
            None => Order::default(),
        };
        Ok(Self { filter, order })
    }
}

/// The part of a list that is asked for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PageArgs {
    pub(crate) limit: usize,
    pub(crate) start: Start,
}

/// Where a page begins, or ends.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Start {
    First,
    Last,
    /// Behind a cursor, which is read once the question is known.
    After(String),
    Before(String),
}

/// A page of entities.
pub(crate) struct Connection {
    /// Their type; `None` where it may be any.
    pub(crate) of: Option<usize>,
    pub(crate) nodes: Vec<Node>,
    pub(crate) keys: Vec<Vec<SortKey>>,
    pub(crate) question: u64,
    pub(crate) has_next: bool,
    pub(crate) has_previous: bool,
    pub(crate) count: Option<usize>,
}

/// An entity with its cursor.
pub(crate) struct Edge {
    pub(crate) of: Option<usize>,
    pub(crate) node: Node,
    pub(crate) cursor: String,
}

impl PageArgs {
    pub(crate) fn read(args: &Arguments, limits: &GraphqlLimits) -> Result<Self, Fault> {
        let number = |name: &str| -> Result<Option<usize>, Fault> {
            let Some(value) = given(args, name) else { return Ok(None) };
            let number = match value {
                Value::Number(number) => number.as_u64().and_then(|n| usize::try_from(n).ok()),
                _ => None,
            };
            let number = number.filter(|number| *number <= limits.max_page);
            number.map(Some).ok_or_else(|| {
                Fault::input(format!(
                    "{name} is {value}, and has to be from 0 to {}",
                    limits.max_page
                ))
            })
        };
        let text = |name: &str| match given(args, name) {
            Some(Value::String(text)) => Some(text.clone()),
            _ => None,
        };
        let (first, last) = (number("first")?, number("last")?);
        let (after, before) = (text("after"), text("before"));
        let (limit, start) = match (first, last, after, before) {
            (Some(_), Some(_), _, _) => {
                return Err(Fault::input("first and last exclude one another"));
            }
            (_, _, Some(_), Some(_)) => {
                return Err(Fault::input("after and before exclude one another"));
            }
            (_, Some(_), Some(_), _) => return Err(Fault::input("after needs first, not last")),
            (Some(_), _, _, Some(_)) => return Err(Fault::input("before needs last, not first")),
            (first, None, Some(after), None) => (first, Start::After(after)),
            (None, last, None, Some(before)) => (last, Start::Before(before)),
            (None, Some(last), None, None) => (Some(last), Start::Last),
            (first, None, None, None) => (first, Start::First),
        };
        Ok(Self { limit: limit.unwrap_or(limits.default_page), start })
    }
}

/// Tells questions apart: tenant, type, filter and order, as they were asked.
pub(crate) fn question_of(moment: &Moment, of: &str, args: &Arguments) -> u64 {
    let shown = |name: &str| given(args, name).unwrap_or(&Value::Null).to_string();
    let text = format!(
        "{}\n{of}\n{}\n{}\n{}",
        moment.caller.twin,
        shown("filter"),
        shown("orderBy"),
        shown("type")
    );
    XxHash3_64::oneshot(text.as_bytes())
}

pub(super) fn with_parent(question: u64, id: &str) -> u64 {
    XxHash3_64::oneshot_with_seed(question, id.as_bytes())
}

/// A page of the root's lists.
pub(crate) async fn list(
    moment: &Arc<Moment>,
    of: Option<usize>,
    filter: Filter,
    order: Order,
    args: &PageArgs,
    question: u64,
    count: bool,
) -> Result<Connection, Fault> {
    page(moment, of, filter, order, args, question, count).await
}

pub(super) async fn page(
    moment: &Arc<Moment>,
    of: Option<usize>,
    filter: Filter,
    mut order: Order,
    args: &PageArgs,
    question: u64,
    count: bool,
) -> Result<Connection, Fault> {
    let mut from = |cursor: &str| -> Result<Seq, Fault> {
        let cursor = Cursor::parse(cursor, question)?;
        order.from = cursor.keys;
        Ok(cursor.seq)
    };
    let start = match &args.start {
        Start::First => PageStart::Offset(0),
        Start::Last => PageStart::Before(Seq::from_u64(u64::MAX)),
        Start::After(cursor) => PageStart::After(from(cursor)?),
        Start::Before(cursor) => PageStart::Before(from(cursor)?),
    };
    let query =
        EntityQuery { filter, order, page: PageRequest { limit: args.limit, start }, count };
    let page = match of.and_then(|of| moment.model.layer(of)) {
        Some(layer) => moment.page_of(layer, query).await?,
        None => moment.page(&query).await?,
    };
    let group = Group::new(moment.clone(), page.entities);
    let is_last = args.start == Start::Last;
    Ok(Connection {
        of,
        nodes: group.nodes().collect(),
        keys: page.keys,
        question,
        has_next: page.has_more && !is_last,
        has_previous: page.has_before,
        count: page.count,
    })
}

impl Connection {
    pub(crate) fn edges(&self) -> impl Iterator<Item = Edge> + '_ {
        (0..self.nodes.len()).map(|at| Edge {
            of: self.of,
            node: self.nodes[at].clone(),
            cursor: self.cursor(at),
        })
    }

    fn cursor(&self, at: usize) -> String {
        let keys = self.keys.get(at).map_or(&[][..], Vec::as_slice);
        Cursor::to_text(self.nodes[at].record().view().seq(), keys, self.question)
    }

    /// The cursors of the first and the last entity.
    pub(crate) fn ends(&self) -> (Option<String>, Option<String>) {
        let last = self.nodes.len().checked_sub(1);
        (last.map(|_| self.cursor(0)), last.map(|at| self.cursor(at)))
    }
}
