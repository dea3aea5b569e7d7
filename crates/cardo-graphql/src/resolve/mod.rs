//! How fields are answered: nodes of one level stand in a group, and what one of them asks for is
//! fetched for all of them with one call of the engine.

mod aggregate;
mod load;
mod page;

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::Value;
use async_graphql::dynamic::FieldValue;
use cardo_engine::{Caller, Cell, EntityQuery, Layer, Page, Snapshot};
use cardo_model::{EntityId, NameId, Record};
use cardo_query::Filter;
use parking_lot::Mutex;

use crate::face::Face;
use crate::fault::{Fault, internal};
use crate::model::Model;
use crate::value;

pub(crate) use aggregate::{AreaAggregate, NumberOf, TypeAggregate, Wanted};
pub(crate) use load::{Reverse, forward, reverse};
pub(crate) use page::{Arguments, Asked, Connection, Edge, PageArgs, given, list, question_of};

use load::Load;

/// The twin at one revision, as one caller sees it.
pub(crate) struct Moment {
    pub(crate) face: Arc<Face>,
    pub(crate) caller: Caller,
    pub(crate) model: Arc<Model>,
    pub(crate) snapshot: Snapshot,
}

/// Entities of one level of a question, with what was fetched for all of them.
pub(crate) struct Group {
    pub(crate) moment: Arc<Moment>,
    pub(crate) records: Vec<Record>,
    loads: Mutex<HashMap<load::Key, Arc<Load>>>,
}

/// One entity of a group.
#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) group: Arc<Group>,
    pub(crate) at: usize,
}

/// The object of entities whose types the schema does not know yet.
pub(crate) const UNLISTED: &str = "UnlistedEntity";

impl Moment {
    pub(crate) fn new(
        face: Arc<Face>,
        caller: Caller,
        model: Arc<Model>,
        snapshot: Snapshot,
    ) -> Self {
        Self { face, caller, model, snapshot }
    }

    pub(crate) async fn page(&self, query: &EntityQuery) -> Result<Page, Fault> {
        Ok(self.face.engine.query_in(&self.caller, &self.snapshot, query).await?)
    }

    /// A page of a layer. Files are read beside the threads that answer requests.
    pub(crate) async fn page_of(
        &self,
        layer: &Arc<dyn Layer>,
        query: EntityQuery,
    ) -> Result<Page, Fault> {
        let (view, layer) = (self.caller.view.clone(), layer.clone());
        Ok(in_background(move || layer.query(&view, &query)).await??)
    }

    /// A feature of a layer by its id.
    pub(crate) async fn feature(
        &self,
        layer: &Arc<dyn Layer>,
        id: &str,
    ) -> Result<Option<Record>, Fault> {
        if !layer.has_id(id) {
            return Ok(None);
        }
        let (view, layer, id) = (self.caller.view.clone(), layer.clone(), id.to_owned());
        Ok(in_background(move || layer.retrieve(&view, &id)).await??)
    }

    /// One entity, with what context sources have of it.
    pub(crate) async fn one(&self, id: &str) -> Result<Option<Record>, Fault> {
        if !self.caller.reach.is_far() {
            return Ok(self.snapshot.look_up(id)?);
        }
        let Ok(wanted) = EntityId::new(id.to_owned()) else { return Ok(None) };
        let (engine, snapshot) = (&self.face.engine, self.snapshot.clone());
        let filter = Filter::Ids(vec![wanted]);
        Ok(engine.completed(&self.caller, snapshot, &filter).await?.retrieve(id))
    }

    /// The object type that shows an entity where any type may stand.
    pub(crate) fn object_of(&self, record: &Record) -> String {
        let tables = &self.model.tables;
        let place = |id: NameId| tables.all().iter().position(|table| table.id == id);
        let found = record.view().types().find_map(place);
        found.map_or_else(|| UNLISTED.to_owned(), |at| self.model.types[at].name.clone())
    }
}

impl Group {
    pub(crate) fn new(moment: Arc<Moment>, records: Vec<Record>) -> Arc<Self> {
        Arc::new(Self { moment, records, loads: Mutex::default() })
    }

    pub(crate) fn nodes(self: &Arc<Self>) -> impl Iterator<Item = Node> + '_ {
        (0..self.records.len()).map(|at| self.node(at))
    }

    pub(crate) fn node(self: &Arc<Self>, at: usize) -> Node {
        Node { group: self.clone(), at }
    }

    /// An entity that stands alone.
    pub(crate) fn of_one(moment: Arc<Moment>, record: Record) -> Node {
        Node { group: Self::new(moment, vec![record]), at: 0 }
    }
}

impl Node {
    pub(crate) fn record(&self) -> &Record {
        &self.group.records[self.at]
    }

    /// The cell of a column of the table at `of`.
    pub(crate) fn cell(&self, of: usize, column: usize) -> Value {
        let table = self.group.moment.model.table(of);
        let datatype = table.columns[column].datatype;
        let cell = table.cell(&self.record().view(), column);
        cell.map_or(Value::Null, |cell| value::of_cell(&cell, datatype))
    }

    /// The ids that a relationship leads to.
    pub(crate) fn ids(&self, of: usize, column: usize) -> Vec<String> {
        ids_of(self.group.moment.model.table(of), self.record(), column)
    }

    /// A member of the entity itself.
    pub(crate) fn member(&self, name: &str) -> Value {
        let view = self.record().view();
        match name {
            "id" => Value::String(view.id().to_owned()),
            "type" => {
                let names = self.group.moment.face.engine.names();
                let tables = &self.group.moment.model.tables;
                let name = |id: NameId| {
                    let known = tables.of_id(id).map(|table| table.name.to_string());
                    known.or_else(|| names.name(id).map(|iri| iri.as_str().to_owned()))
                };
                Value::List(view.types().filter_map(name).map(Value::String).collect())
            }
            "scope" => Value::List(view.scopes().map(|s| Value::String(s.to_owned())).collect()),
            "createdAt" => value::of_time(view.created_at()),
            "modifiedAt" => value::of_time(view.modified_at()),
            _ => view.expires_at().map_or(Value::Null, value::of_time),
        }
    }

    /// The entity where any type may stand.
    pub(crate) fn into_any(self) -> FieldValue<'static> {
        let object = self.group.moment.object_of(self.record());
        FieldValue::owned_any(self).with_type(object)
    }

    /// The entity under a type, or where any may stand.
    pub(crate) fn into_value(self, of: Option<usize>) -> FieldValue<'static> {
        match of {
            Some(_) => FieldValue::owned_any(self),
            None => self.into_any(),
        }
    }
}

/// Work that waits for a disk.
async fn in_background<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Fault> {
    tokio::task::spawn_blocking(work).await.map_err(|error| internal(&error))
}

pub(crate) fn ids_of(table: &cardo_engine::Table, record: &Record, column: usize) -> Vec<String> {
    match table.cell(&record.view(), column) {
        Some(Cell::Json(text)) => value::ids(value::text_of(text)),
        Some(Cell::Shown(text)) => value::ids(&text),
        Some(Cell::Text(_) | Cell::Time(_)) | None => Vec::new(),
    }
}
