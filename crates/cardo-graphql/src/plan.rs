//! Questions that ask for nothing but cells of lists are answered straight from pages of the engine.
//!
//! A plan is made of a document without variables once it was validated and answered without an
//! error; the same text under the same schema is answered by the plan from then on. Whatever is
//! not plain (fragments, directives, nested objects) takes the way through the schema every time.

use std::collections::{HashMap, HashSet};
use std::io::Write as _;
use std::sync::Arc;

use async_graphql::Value;
use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, Field, OperationType, Selection, SelectionSet,
};
use cardo_engine::Order;
use cardo_model::Revision;
use cardo_query::Filter;
use parking_lot::Mutex;

use crate::fault::Fault;
use crate::filter;
use crate::model::Model;
use crate::resolve::{self, Arguments, Asked, Connection, Moment, Node, PageArgs};

/// How many texts are remembered for a schema.
const MAX_PLANS: usize = 256;

/// The plans of a schema, by the text of their document; none for texts that are not plain.
#[derive(Default)]
pub(crate) struct Plans(Mutex<HashMap<Box<str>, Option<Arc<Plan>>>>);

/// What is known of a text.
pub(crate) enum Known {
    Nothing,
    NotPlain,
    Plain(Arc<Plan>),
}

impl Plans {
    pub(crate) fn get(&self, text: &str) -> Known {
        match self.0.lock().get(text) {
            None => Known::Nothing,
            Some(None) => Known::NotPlain,
            Some(Some(plan)) => Known::Plain(plan.clone()),
        }
    }

    /// Remembers a document that is valid.
    pub(crate) fn learn(&self, text: &str, document: &ExecutableDocument, moment: &Moment) {
        let plan = Plan::of(document, moment).map(Arc::new);
        let mut plans = self.0.lock();
        if plans.len() >= MAX_PLANS {
            plans.clear();
        }
        plans.insert(text.into(), plan);
    }
}

/// Lists of cells.
pub(crate) struct Plan {
    lists: Vec<List>,
}

struct List {
    key: Key,
    of: usize,
    filter: Filter,
    order: Order,
    args: PageArgs,
    question: u64,
    count: bool,
    parts: Vec<(Key, Part)>,
}

/// What stands before a value: the name of the answer, quoted, and a colon.
type Key = Box<[u8]>;

/// A part of a page.
enum Part {
    Nodes(Row),
    Edges(Vec<(Key, EdgePart)>),
    PageInfo(Vec<(Key, Info)>),
    TotalCount,
    Typename(Box<str>),
}

enum EdgePart {
    Cursor,
    Node(Row),
    Typename(Box<str>),
}

#[derive(Clone, Copy)]
enum Info {
    HasNext,
    HasPrevious,
    Start,
    End,
    Typename,
}

type Row = Vec<(Key, Leaf)>;

/// A field of an entity without fields of its own.
enum Leaf {
    Member(&'static str),
    Cell(usize),
    Ids(usize),
    Typename(Box<str>),
}

impl Plan {
    fn of(document: &ExecutableDocument, moment: &Moment) -> Option<Self> {
        let DocumentOperations::Single(operation) = &document.operations else { return None };
        let operation = &operation.node;
        let is_plain = operation.ty == OperationType::Query
            && document.fragments.is_empty()
            && operation.variable_definitions.is_empty()
            && operation.directives.is_empty();
        if !is_plain {
            return None;
        }
        let lists = each(&operation.selection_set.node, |field| List::of(field, moment))?;
        Some(Self { lists: lists.into_iter().map(|(key, list)| List { key, ..list }).collect() })
    }

    /// The whole answer as JSON.
    pub(crate) async fn answer(
        &self,
        moment: &Arc<Moment>,
        revision: Revision,
    ) -> Result<Vec<u8>, Fault> {
        let mut out = Vec::with_capacity(4_096);
        out.extend_from_slice(b"{\"data\":{");
        for list in &self.lists {
            let (filter, order) = (list.filter.clone(), list.order.clone());
            let (args, question) = (&list.args, list.question);
            let of = Some(list.of);
            let page = resolve::list(moment, of, filter, order, args, question, list.count);
            let page = page.await?;
            out.extend_from_slice(&list.key);
            object(&mut out, &list.parts, |out, part| part.write(list.of, &page, out));
            out.push(b',');
        }
        close(&mut out, b'}');
        // Writing to memory does not fail.
        let _ = write!(out, ",\"extensions\":{{\"revision\":{}}}}}", revision.0);
        Ok(out)
    }
}

/// The fields of a selection under their keys; none where one is no plain field, or two share a
/// key and would have to be merged.
fn each<T>(
    selection: &SelectionSet,
    mut part: impl FnMut(&Field) -> Option<T>,
) -> Option<Vec<(Key, T)>> {
    let mut seen = HashSet::new();
    let mut parts = Vec::with_capacity(selection.items.len());
    for item in &selection.items {
        let Selection::Field(field) = &item.node else { return None };
        let field = &field.node;
        let key = field.response_key().node.as_str();
        if !field.directives.is_empty() || !seen.insert(key) {
            return None;
        }
        // Names are letters, digits and low lines.
        parts.push((format!("\"{key}\":").into_bytes().into(), part(field)?));
    }
    Some(parts)
}

impl List {
    fn of(field: &Field, moment: &Moment) -> Option<Self> {
        let model = &moment.model;
        let name = field.name.node.as_str();
        let of = model.types.iter().position(|ty| ty.names.list == name)?;
        let mut given = Arguments::new();
        for (name, value) in &field.arguments {
            given.insert(name.node.clone(), value.node.clone().into_const()?);
        }
        let asked = Asked::read(&given, model, Some(of)).ok()?;
        let args = PageArgs::read(&given, &moment.face.options.limits).ok()?;
        let question = resolve::question_of(moment, &model.table(of).name, &given);
        let parts = each(&field.selection_set.node, |field| Part::of(field, model, of))?;
        Some(Self {
            key: Key::default(),
            of,
            filter: filter::of_type(model, Some(of)).and(asked.filter),
            order: asked.order,
            args,
            question,
            count: parts.iter().any(|(_, part)| matches!(part, Part::TotalCount)),
            parts,
        })
    }
}

impl Part {
    fn of(field: &Field, model: &Model, of: usize) -> Option<Self> {
        let selection = &field.selection_set.node;
        let names = &model.types[of].names;
        Some(match field.name.node.as_str() {
            "nodes" => Self::Nodes(row(selection, model, of)?),
            "edges" => Self::Edges(each(selection, |field| EdgePart::of(field, model, of))?),
            "pageInfo" => Self::PageInfo(each(selection, Info::of)?),
            "totalCount" => Self::TotalCount,
            "__typename" => Self::Typename(names.connection.as_str().into()),
            _ => return None,
        })
    }

    fn write(&self, of: usize, page: &Connection, out: &mut Vec<u8>) {
        match self {
            Self::Nodes(row) => {
                array(out, &page.nodes, |out, node| write_row(of, row, node, out));
            }
            Self::Edges(parts) => {
                let edges: Vec<_> = page.edges().collect();
                array(out, &edges, |out, edge| {
                    object(out, parts, |out, part| match part {
                        EdgePart::Cursor => json(&Value::String(edge.cursor.clone()), out),
                        EdgePart::Node(row) => write_row(of, row, &edge.node, out),
                        EdgePart::Typename(name) => text(name, out),
                    });
                });
            }
            Self::PageInfo(parts) => {
                let (start, end) = page.ends();
                object(out, parts, |out, info| match info {
                    Info::HasNext => json(&Value::Boolean(page.has_next), out),
                    Info::HasPrevious => json(&Value::Boolean(page.has_previous), out),
                    Info::Start => json(&start.clone().map_or(Value::Null, Value::String), out),
                    Info::End => json(&end.clone().map_or(Value::Null, Value::String), out),
                    Info::Typename => text("PageInfo", out),
                });
            }
            Self::TotalCount => json(&Value::from(page.count.unwrap_or(0)), out),
            Self::Typename(name) => text(name, out),
        }
    }
}

impl EdgePart {
    fn of(field: &Field, model: &Model, of: usize) -> Option<Self> {
        Some(match field.name.node.as_str() {
            "cursor" => Self::Cursor,
            "node" => Self::Node(row(&field.selection_set.node, model, of)?),
            "__typename" => Self::Typename(model.types[of].names.edge.as_str().into()),
            _ => return None,
        })
    }
}

impl Info {
    fn of(field: &Field) -> Option<Self> {
        Some(match field.name.node.as_str() {
            "hasNextPage" => Self::HasNext,
            "hasPreviousPage" => Self::HasPrevious,
            "startCursor" => Self::Start,
            "endCursor" => Self::End,
            "__typename" => Self::Typename,
            _ => return None,
        })
    }
}

fn row(selection: &SelectionSet, model: &Model, of: usize) -> Option<Row> {
    each(selection, |field| Leaf::of(field.name.node.as_str(), model, of))
}

impl Leaf {
    fn of(name: &str, model: &Model, of: usize) -> Option<Self> {
        let ty = &model.types[of];
        if name == "__typename" {
            return Some(Self::Typename(ty.name.as_str().into()));
        }
        if let Some(member) = model.members(of).iter().find(|member| **member == name) {
            return Some(Self::Member(member));
        }
        if let Some(at) = ty.fields.iter().position(|field| field.ids.as_deref() == Some(name)) {
            return Some(Self::Ids(at));
        }
        let at = ty.fields.iter().position(|field| field.name == name)?;
        // A relationship is a nested object.
        ty.fields[at].ids.is_none().then_some(Self::Cell(at))
    }
}

fn write_row(of: usize, row: &Row, node: &Node, out: &mut Vec<u8>) {
    object(out, row, |out, leaf| match leaf {
        Leaf::Member(name) => json(&node.member(name), out),
        Leaf::Cell(at) => json(&node.cell(of, *at), out),
        Leaf::Ids(at) => {
            json(&Value::List(node.ids(of, *at).into_iter().map(Value::String).collect()), out);
        }
        Leaf::Typename(name) => text(name, out),
    });
}

fn object<T>(out: &mut Vec<u8>, parts: &[(Key, T)], mut write: impl FnMut(&mut Vec<u8>, &T)) {
    out.push(b'{');
    for (key, part) in parts {
        out.extend_from_slice(key);
        write(out, part);
        out.push(b',');
    }
    close(out, b'}');
}

fn array<T>(out: &mut Vec<u8>, items: &[T], mut write: impl FnMut(&mut Vec<u8>, &T)) {
    out.push(b'[');
    for item in items {
        write(out, item);
        out.push(b',');
    }
    close(out, b']');
}

fn close(out: &mut Vec<u8>, bracket: u8) {
    if out.last() == Some(&b',') {
        out.pop();
    }
    out.push(bracket);
}

fn json(value: &Value, out: &mut Vec<u8>) {
    // Writing a value to memory does not fail.
    let _ = serde_json::to_writer(out, value);
}

/// Names of types hold nothing that JSON would escape.
fn text(name: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    out.extend_from_slice(name.as_bytes());
    out.push(b'"');
}
