use std::borrow::Cow;
use std::ops::Bound;
use std::sync::Arc;

use cardo_model::{Iri, Kind, NameId, Names, Record, Revision, Timestamp, without};
use cardo_query::{Filter, Resolved, SortKey, evaluate};
use cardo_spatial::Aabb;

use crate::caller::View;
use crate::federation::Contributions;
use crate::live::{AttributeIndex, Root, TypeIndex, fetch};
use crate::moment::Unknown;
use crate::order::Sort;
use crate::plan::{Direction, Need, Plan, Run, Window, resolve};
use crate::query::{EntityQuery, Page, PageStart};
use crate::tables::Table;

/// A twin at one revision, as one caller sees it. Holding it blocks nobody.
#[derive(Clone)]
pub struct Snapshot {
    pub(crate) root: Arc<Root>,
    pub(crate) names: Arc<Names>,
    pub(crate) view: View,
    /// What context sources gave, where they were asked.
    pub(crate) contributions: Option<Contributions>,
    /// What of a past twin is not known any more.
    pub(crate) unknown: Option<Arc<Unknown>>,
}

/// What is known of a type.
#[derive(Clone, Debug, PartialEq)]
pub struct TypeInfo {
    /// The type.
    pub name: Iri,
    /// How many entities have it.
    pub count: usize,
    /// Its attributes, in the order of names.
    pub attributes: Vec<AttributeInfo>,
    /// The earliest and latest time of an observation; see [`crate::Engine::snapshot_with_times`].
    pub time: Option<(Timestamp, Timestamp)>,
}

/// What is known of an attribute of a type.
#[derive(Clone, Debug, PartialEq)]
pub struct AttributeInfo {
    /// The attribute.
    pub name: Iri,
    /// How many entities of the type have it.
    pub count: usize,
    /// The kinds that occur.
    pub kinds: Vec<Kind>,
    /// The JSON datatypes of values that occur: `number`, `string`, `boolean`, `object`, `array`.
    pub datatypes: Vec<&'static str>,
    /// The languages that occur in language maps.
    pub languages: Vec<Box<str>>,
    /// West, south, east, north of all its geometries.
    pub extent: Option<[f64; 4]>,
}

impl Snapshot {
    /// The revision.
    pub fn revision(&self) -> Revision {
        self.root.revision
    }

    /// Numbers that differ where other types, attributes or kinds of values occur.
    pub fn shape(&self) -> (u64, u64) {
        (self.root.lineage, self.root.shape)
    }

    /// What came of asking context sources; `None` where none was asked.
    pub fn contributions(&self) -> Option<&Contributions> {
        self.contributions.as_ref()
    }

    /// The entity of this id, where the caller may see it; masked attributes are left out.
    #[inline]
    pub fn retrieve(&self, id: &str) -> Option<Record> {
        let record = self.root.record(self.root.slot(id)?)?;
        if self.view.restriction().is_none() {
            return Some(record.clone());
        }
        let is_visible = evaluate(&self.resolve(&Filter::True), &record.view());
        is_visible.then(|| self.visible(record))
    }

    /// Answers a question here and now, without slices and limits of time: for small twins,
    /// tests and background work.
    pub fn query(&self, query: &EntityQuery) -> Page {
        let filter = self.resolve(&query.filter);
        let asked = Asked::of(&self.root, query);
        let plan = Plan::new(&self.root, &filter, asked.need);
        let mut walk = self.walk(query, plan, asked.window);
        while walk.step() {}
        self.page(query, &asked, walk.finish())
    }

    pub(crate) fn walk<'a>(
        &'a self,
        query: &EntityQuery,
        plan: Plan<'a>,
        window: Window,
    ) -> Walk<'a> {
        let sorts = !query.order.by.is_empty();
        let sort = sorts.then(|| Sort::new(&self.root, &self.names, &self.view, query));
        let whole = Window {
            from: 0,
            until: u32::MAX,
            skip: 0,
            limit: if query.page.limit == 0 { 0 } else { usize::MAX },
            direction: Direction::Forward,
            count: window.count,
        };
        let run = Run::new(plan, if sorts { whole } else { window });
        Walk { run, sort, skip: window.skip }
    }

    pub(crate) fn resolve(&self, filter: &Filter) -> Resolved {
        resolve(filter, &self.view, &self.names)
    }

    /// The entity without its masked attributes.
    pub(crate) fn visible(&self, record: &Record) -> Record {
        visible(record, &self.view, &self.names)
    }

    /// Cuts the page out of what a walk has found; the walk looked for one more than the limit.
    pub(crate) fn page(&self, query: &EntityQuery, asked: &Asked, found: Found) -> Page {
        let (has_before, has_more, found) = cut(query, asked, found);
        Page {
            entities: self.read(&found.slots),
            keys: found.keys,
            count: query.count.then_some(found.counted),
            has_more,
            has_before,
            revision: self.root.revision,
            contributions: self.contributions.clone(),
        }
    }

    /// The entities at some places, as the caller may see them.
    pub(crate) fn read(&self, slots: &[u32]) -> Vec<Record> {
        self.look(slots).into_iter().map(Cow::into_owned).collect()
    }

    /// The same where they lie.
    pub(crate) fn look(&self, slots: &[u32]) -> Vec<Cow<'_, Record>> {
        let records = self.gather(slots);
        fetch(records.iter().map(Cow::as_ref));
        records
    }

    /// The same without a look at any of them; see [`crate::ahead`].
    pub(crate) fn gather(&self, slots: &[u32]) -> Vec<Cow<'_, Record>> {
        let mut records: Vec<Cow<'_, Record>> = Vec::with_capacity(slots.len());
        let found = slots.iter().filter_map(|slot| self.root.record(*slot));
        match self.view.restriction() {
            None => records.extend(found.map(Cow::Borrowed)),
            Some(_) => records.extend(found.map(|record| Cow::Owned(self.visible(record)))),
        }
        records
    }

    /// Whether the rings by which entities of a table are placed are known to run by the right-hand rule.
    pub(crate) fn is_right_handed(&self, table: &Table) -> bool {
        let name = table.geometry.and_then(|at| table.attribute_at(at));
        let index = name.and_then(|name| self.root.attribute_index(table.id, name));
        index.is_none_or(|index| !index.has_wrong_rings)
    }

    /// How many entities there are.
    pub fn len(&self) -> usize {
        if self.view.restriction().is_none() {
            return self.root.live.len();
        }
        self.visible_slots(None).len()
    }

    /// Whether there is no entity.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What is known of every type, in the order of names.
    pub fn types(&self) -> Vec<TypeInfo> {
        let mut infos: Vec<TypeInfo> =
            self.root.types.keys().filter_map(|name| self.info(*name)).collect();
        infos.sort_by(|a, b| a.name.cmp(&b.name));
        infos
    }

    /// What is known of one type.
    pub fn type_info(&self, name: &str) -> Option<TypeInfo> {
        self.info(self.names.id(name)?)
    }

    fn info(&self, type_name: NameId) -> Option<TypeInfo> {
        let index = self.root.types.get(&type_name)?;
        let name = self.names.name(type_name)?;
        let Some(restriction) = self.view.restriction() else {
            return Some(self.describe(name, index));
        };
        // What a caller may not see must not shine through statistics, so they are made anew.
        let slots = self.visible_slots(Some(type_name));
        if slots.is_empty() {
            return None;
        }
        let records: Vec<Record> = slots
            .iter()
            .filter_map(|slot| self.root.record(*slot))
            .map(|record| self.visible(record))
            .collect();
        let root = Root::build(0, records);
        let visible = root.types.get(&type_name)?;
        let mut info = self.describe(name, visible);
        info.attributes.retain(|attribute| !restriction.attributes.hides(&attribute.name));
        Some(info)
    }

    /// A root of nothing but what the caller may see.
    pub(crate) fn visible_root(&self) -> Root {
        let slots = self.visible_slots(None).into_iter();
        let records = slots.filter_map(|slot| self.root.record(slot));
        let records: Vec<Record> = records.map(|record| self.visible(record)).collect();
        Root::build(0, records)
    }

    fn visible_slots(&self, type_name: Option<NameId>) -> Vec<u32> {
        let mut filter = self.resolve(&Filter::True);
        if let Some(name) = type_name {
            filter = Filter::Type(name).and(filter);
        }
        let plan = Plan::new(&self.root, &filter, Need { first: usize::MAX, count: false });
        let mut run = Run::new(plan, Window::WHOLE);
        while run.step() {}
        run.found
    }

    fn describe(&self, name: Iri, index: &TypeIndex) -> TypeInfo {
        let mut attributes: Vec<AttributeInfo> = index
            .attributes
            .iter()
            .filter_map(|(name, index)| Some(describe_attribute(self.names.name(*name)?, index)))
            .collect();
        attributes.sort_by(|a, b| a.name.cmp(&b.name));
        TypeInfo { name, count: index.members.len(), attributes, time: index.times.range() }
    }

    /// The body of a document.
    pub fn document(&self, kind: &str, id: &str) -> Option<Arc<str>> {
        self.root.document(kind, id)
    }

    /// Every document of a kind, in the order of ids.
    pub fn documents(&self, kind: &str) -> Vec<(Arc<str>, Arc<str>)> {
        self.root.documents(kind)
    }

    /// The documents of a kind whose ids begin with a text, at most so many, in the order of ids.
    pub fn documents_with(
        &self,
        kind: &str,
        prefix: &str,
        most: usize,
    ) -> Vec<(Arc<str>, Arc<str>)> {
        let Some(documents) = self.root.documents_of(kind) else { return Vec::new() };
        let from = documents.range::<str, _>((Bound::Included(prefix), Bound::Unbounded));
        let found = from.take_while(|(id, _)| id.starts_with(prefix)).take(most);
        found.map(|(id, body)| (id.clone(), body.clone())).collect()
    }

    /// How far a source has come.
    pub fn source_offset(&self, source: &str) -> Option<Arc<str>> {
        self.root.offset(source)
    }
}

/// Takes away what was found beyond the limit, and says whether there are matches before and behind
/// the rest, which is then in order.
pub(crate) fn cut(query: &EntityQuery, asked: &Asked, mut found: Found) -> (bool, bool, Found) {
    let limit = query.page.limit;
    let has_further = found.slots.len() > limit;
    found.slots.truncate(limit);
    found.keys.truncate(limit);
    if asked.window.direction == Direction::Backward {
        found.slots.reverse();
        found.keys.reverse();
        return (has_further, true, found);
    }
    let starts_inside = match query.page.start {
        PageStart::Offset(offset) => offset > 0,
        PageStart::After(_) => true,
        PageStart::Before(_) => false,
    };
    (starts_inside, has_further, found)
}

fn describe_attribute(name: Iri, index: &AttributeIndex) -> AttributeInfo {
    AttributeInfo {
        name,
        count: index.present.len(),
        kinds: index.facets.all_kinds(),
        datatypes: index.facets.all_datatypes(),
        languages: index.facets.all_languages(),
        extent: index.geometry.extent().map(|Aabb { min, max }| [min[0], min[1], max[0], max[1]]),
    }
}

/// The entity without the attributes that a view masks.
pub(crate) fn visible(record: &Record, view: &View, names: &Names) -> Record {
    let Some(restriction) = view.restriction() else { return record.clone() };
    let is_hidden = |name| restriction.attributes.hides_id(name, names);
    without(record, is_hidden).unwrap_or_else(|| record.clone())
}

/// A walk over the matches of a question, and the sort of what it finds.
pub(crate) struct Walk<'a> {
    run: Run<'a>,
    sort: Option<Sort<'a>>,
    skip: usize,
}

/// What a walk has found, in its direction.
pub(crate) struct Found {
    pub(crate) slots: Vec<u32>,
    pub(crate) keys: Vec<Vec<SortKey>>,
    pub(crate) counted: usize,
}

impl Walk<'_> {
    /// What the walk is likely to take, in nanoseconds.
    pub(crate) fn cost(&self) -> f64 {
        self.run.cost()
    }

    /// Goes a little further; `false` when nothing is left to do.
    pub(crate) fn step(&mut self) -> bool {
        let goes_on = self.run.step();
        if let Some(sort) = &mut self.sort {
            sort.take(&mut self.run.found);
        }
        goes_on
    }

    pub(crate) fn finish(self) -> Found {
        let counted = self.run.count();
        match self.sort {
            Some(sort) => {
                let (slots, keys) = sort.finish(self.skip);
                Found { slots, keys, counted }
            }
            None => Found { slots: self.run.found, keys: Vec::new(), counted },
        }
    }
}

/// A question in terms of slots.
pub(crate) struct Asked {
    pub(crate) window: Window,
    pub(crate) need: Need,
}

impl Asked {
    pub(crate) fn of(root: &Root, query: &EntityQuery) -> Self {
        // One more than asked tells whether there is a next page.
        let limit = if query.page.limit == 0 { 0 } else { query.page.limit.saturating_add(1) };
        let (from, until, skip, direction) = match query.page.start {
            PageStart::Offset(offset) => (0, u32::MAX, offset, Direction::Forward),
            PageStart::After(seq) => {
                let behind = cardo_model::Seq::from_u64(seq.as_u64() + 1);
                (root.slot_from(behind), u32::MAX, 0, Direction::Forward)
            }
            PageStart::Before(seq) => (0, root.slot_from(seq), 0, Direction::Backward),
        };
        let window = Window { from, until, skip, limit, direction, count: query.count };
        // Whoever sorts has to see all.
        let first = if query.order.by.is_empty() { skip.saturating_add(limit) } else { usize::MAX };
        let need = Need { first, count: query.count };
        Self { window, need }
    }
}
