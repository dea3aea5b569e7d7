use std::cell::Cell;
use std::sync::Arc;

use cardo_model::{Iri, NameId, Record, Revision};
use cardo_query::{Filter, Resolved, evaluate};
use cardo_spatial::{Aabb, Boxes};

use super::{Layer, LayerContents, LayerError, LayerNode, LayerVisit};
use crate::caller::View;
use crate::live::Root;
use crate::plan::resolve;
use crate::query::{EntityQuery, Page, PageRequest, PageStart};
use crate::snapshot::{Snapshot, visible};

/// How many features a question may have looked at, one by one.
const MOST_JUDGED: u64 = 50_000;
/// How many where it is enough to find the first match.
const MOST_SEARCHED: u64 = 250_000;

/// Why a layer does not answer a question.
#[derive(Clone, Debug, thiserror::Error)]
pub enum LayerQuestionError {
    /// It cannot be read.
    #[error(transparent)]
    Unreadable(#[from] LayerError),
    /// More would have to be read than is allowed.
    #[error(
        "the layer {layer:?} is a file with an index of places only, and {count} of its features or more would have to \
         be read for this question, and {most} are the most: name a place (a bbox, or a smaller one), or ids"
    )]
    TooMuch {
        /// The layer.
        layer: String,
        /// How many features.
        count: u64,
        /// How many may be.
        most: u64,
    },
}

/// How a question is answered.
struct Asked<'a> {
    layer: &'a (dyn Layer + 'static),
    view: &'a View,
    filter: Resolved,
    /// Where the features lie, where the question says.
    boxes: Option<Boxes>,
    /// Which features they are, where the question says, in their order.
    places: Option<Vec<u64>>,
}

impl dyn Layer {
    /// Answers a question as a twin would. What its index of places does not answer is looked for
    /// feature by feature, within a limit. A page without a count may be a part of one: what it has is
    /// followed by more.
    ///
    /// # Errors
    /// If the layer cannot be read, or too much of it would have to be.
    pub fn query(&self, view: &View, query: &EntityQuery) -> Result<Page, LayerQuestionError> {
        let asked = Asked::new(self, view, &query.filter);
        if !query.order.by.is_empty() {
            return asked.sorted(query);
        }
        asked.in_order(query)
    }

    /// Whether an id may be of one of its features.
    pub fn has_id(&self, id: &str) -> bool {
        place_of_id(&self.description().table.name, id).is_some()
    }

    /// The feature of this id, where the caller may see it.
    ///
    /// # Errors
    /// If the layer cannot be read.
    pub fn retrieve(&self, view: &View, id: &str) -> Result<Option<Record>, LayerError> {
        let description = self.description();
        let Some(place) = place_of_id(&description.table.name, id) else { return Ok(None) };
        let filter = resolve(&Filter::True, view, &description.names);
        let record = self.feature(place)?.filter(|record| evaluate(&filter, &record.view()));
        Ok(record.map(|record| visible(&record, view, &description.names)))
    }

    /// A snapshot of some of its features, as the caller sees them.
    pub fn snapshot_of(&self, view: &View, features: Vec<Record>) -> Snapshot {
        let names = self.description().names.clone();
        let root = Arc::new(Root::build(0, features));
        Snapshot { root, names, view: view.clone(), contributions: None, unknown: None }
    }

    /// Whether an id is of one of its features that is known to be damaged.
    pub fn is_damaged(&self, id: &str) -> bool {
        let description = self.description();
        let place = place_of_id(&description.table.name, id);
        place.is_some_and(|place| description.damaged.has(place))
    }

    /// The features that meet a condition and may lie in some boxes, one after the other, where it takes
    /// no look at more than so many.
    ///
    /// # Errors
    /// If the layer cannot be read, or there are too many.
    pub fn matches(
        &self,
        view: &View,
        boxes: &Boxes,
        (filter, most): (&Filter, u64),
        visit: &mut dyn FnMut(&LayerNode),
    ) -> Result<(), LayerQuestionError> {
        let asked = Asked { boxes: Some(boxes.clone()), ..Asked::new(self, view, filter) };
        asked.check_effort(most)?;
        asked.each(Some(&asked.attributes()), &mut |node, _| {
            visit(node);
            true
        })
    }
}

impl<'a> Asked<'a> {
    fn new(layer: &'a (dyn Layer + 'static), view: &'a View, filter: &Filter) -> Self {
        let description = layer.description();
        let boxes = boxes_of(&description.info.attributes[0].name, filter);
        let places = places_of(&description.table.name, filter);
        let filter = match description.table.instant {
            Some(_) => resolve(filter, view, &description.names),
            None => resolve(&without_time(filter), view, &description.names),
        };
        Self { layer, view, filter, boxes, places }
    }

    /// Whether the index alone says which features match.
    fn needs_no_record(&self) -> bool {
        let type_id = self.layer.description().type_id();
        let is_all = matches!(&self.filter, Filter::Type(id) if *id == type_id);
        let is_somewhere = self.boxes.is_some() || self.places.is_some();
        !is_somewhere && (is_all || self.filter == Filter::True)
    }

    fn in_order(&self, query: &EntityQuery) -> Result<Page, LayerQuestionError> {
        let (after, before, skip) = match query.page.start {
            PageStart::Offset(offset) => (None, None, offset as u64),
            PageStart::After(seq) => (Some(seq.as_u64()), None, 0),
            PageStart::Before(seq) => (None, Some(seq.as_u64()), 0),
        };
        let limit = query.page.limit as u64;
        if self.needs_no_record() {
            return Ok(match (after, before) {
                (Some(after), _) => self.page_from(query, after.saturating_add(1))?,
                (_, Some(before)) => self.page_before(query, before)?,
                _ => self.page_from(query, self.layer.description().damaged.sound(skip))?,
            });
        }
        if query.count && self.is_box_of_points() {
            return self.page_of_box(query);
        }
        if !query.count && before.is_none() {
            return self.first_found(query);
        }
        self.check_effort(MOST_JUDGED)?;
        let (mut found, mut matched, mut passed) = (Vec::new(), 0_u64, 0_u64);
        self.each(None, &mut |node, record| {
            matched += 1;
            let is_within = after.is_none_or(|after| node.first > after)
                && before.is_none_or(|before| node.first < before);
            if is_within && (passed >= skip || before.is_some()) {
                found.push(record.clone());
            }
            passed += u64::from(is_within);
            // One more says whether there is a next page; of a page before, the last ones stay.
            if before.is_some() && found.len() as u64 > limit {
                found.remove(0);
            } else {
                found.truncate(query.page.limit);
            }
            true
        })?;
        let shown = found.len() as u64;
        let (has_before, has_more) = match (after, before) {
            (Some(_), _) => (true, passed > shown),
            (_, Some(_)) => (passed > shown, true),
            _ => (skip > 0, passed > skip + shown),
        };
        Ok(self.page(query, &found, Some(matched), has_before, has_more))
    }

    /// A page of all features from a place on, of which those are looked at that it shows.
    fn page_from(&self, query: &EntityQuery, first: u64) -> Result<Page, LayerError> {
        let end = self.layer.description().info.count as u64;
        let (mut found, mut place) = (Vec::new(), first);
        while place < end && found.len() < query.page.limit {
            self.check_damage(place - first, found.len())?;
            found.extend(self.layer.feature(place)?);
            place += 1;
        }
        let count = self.layer.description().count() as u64;
        Ok(self.page(query, &found, Some(count), first > 0, place < end))
    }

    /// The same of what comes before a place.
    fn page_before(&self, query: &EntityQuery, end: u64) -> Result<Page, LayerError> {
        let all = self.layer.description().info.count as u64;
        let end = end.min(all);
        let (mut found, mut place) = (Vec::new(), end);
        while place > 0 && found.len() < query.page.limit {
            self.check_damage(end - place, found.len())?;
            place -= 1;
            found.extend(self.layer.feature(place)?);
        }
        found.reverse();
        let count = self.layer.description().count() as u64;
        Ok(self.page(query, &found, Some(count), place > 0, end < all))
    }

    /// Refuses to look on where too many of the features that were looked at are damaged.
    fn check_damage(&self, looked_at: u64, found: usize) -> Result<(), LayerError> {
        let damaged = looked_at - found as u64;
        if damaged < MOST_JUDGED {
            return Ok(());
        }
        let layer = self.layer.description().table.name.to_string();
        let reason = format!("{damaged} of its features side by side are damaged");
        Err(LayerError { layer, reason, is_damage: false })
    }

    /// A page of what is found first; how many match is not known then. Where much would have to be read for a
    /// whole page it is a part of one.
    fn first_found(&self, query: &EntityQuery) -> Result<Page, LayerQuestionError> {
        let (from, skip) = match query.page.start {
            PageStart::After(seq) => (seq.as_u64().saturating_add(1), 0),
            PageStart::Offset(offset) => (0, offset),
            PageStart::Before(_) => (0, 0),
        };
        // What is left to be passed over; where the index tells what matches, none of it is read.
        let left = Cell::new(skip as u64);
        let by_index = skip > 0 && self.is_box_of_points();
        let mut choose = |node: &LayerNode| {
            if node.first.saturating_add(node.count) <= from || !self.meets(node) {
                return LayerVisit::Pass;
            }
            let sound = self.sound_in(node);
            if by_index && self.is_whole(node) && sound <= left.get() {
                left.set(left.get() - sound);
                return LayerVisit::Pass;
            }
            LayerVisit::Enter
        };
        let (mut found, mut read, mut has_more) = (Vec::new(), 0, false);
        let mut until = MOST_SEARCHED;
        let mut take = |_: &LayerNode, record: &Record| {
            read += 1;
            has_more = read > until;
            if has_more || !evaluate(&self.filter, &record.view()) {
                return !has_more;
            }
            if left.get() > 0 {
                left.set(left.get() - 1);
            } else if found.len() < query.page.limit {
                found.push(record.clone());
                until = until.min(read + MOST_JUDGED);
            } else {
                has_more = true;
            }
            !has_more
        };
        self.layer.scan(None, &mut choose, &mut take)?;
        if has_more && found.is_empty() && query.page.limit > 0 {
            return Err(self.too_much(read, MOST_SEARCHED));
        }
        let has_before = from > 0 || left.get() < skip as u64;
        Ok(self.page(query, &found, None, has_before, has_more))
    }

    /// A page of what the index alone finds and counts.
    fn page_of_box(&self, query: &EntityQuery) -> Result<Page, LayerQuestionError> {
        let mut query = query.clone();
        if let PageStart::Before(seq) = query.page.start {
            let before = usize::try_from(self.count_in_boxes(seq.as_u64())?).unwrap_or(usize::MAX);
            let limit = query.page.limit.min(before);
            query.page = PageRequest { limit, start: PageStart::Offset(before - limit) };
        }
        let page = self.first_found(&query)?;
        let count = usize::try_from(self.count_in_boxes(u64::MAX)?).unwrap_or(usize::MAX);
        Ok(Page { count: Some(count), ..page })
    }

    /// Whether the index tells which features match, since they are points and a box is asked for.
    fn is_box_of_points(&self) -> bool {
        let description = self.layer.description();
        let geometry = description.names.id(description.info.attributes[0].name.as_str());
        let mut boxes = 0;
        let mut is_plain = |filter: &Resolved| match filter {
            Filter::True => true,
            Filter::Type(id) => *id == description.type_id(),
            Filter::Geo(condition) => {
                boxes += 1;
                Some(condition.property) == geometry && condition.test.is_its_bounds()
            }
            _ => false,
        };
        let are_plain = match &self.filter {
            Filter::And(parts) => parts.iter().all(&mut is_plain),
            alone => is_plain(alone),
        };
        description.contents == LayerContents::Points
            && are_plain
            && boxes == 1
            && self.boxes.is_some()
            && self.places.is_none()
    }

    /// How many features before a place lie in the boxes.
    fn count_in_boxes(&self, end: u64) -> Result<u64, LayerError> {
        let mut count = 0;
        self.layer.walk(&mut |node| {
            if node.first >= end || !self.meets(node) {
                return LayerVisit::Pass;
            }
            if self.is_whole(node) && node.first.saturating_add(node.count) <= end {
                count += self.sound_in(node);
                return LayerVisit::Pass;
            }
            LayerVisit::Enter
        })?;
        Ok(count)
    }

    /// Whether all that is in a node lies in the boxes that are asked for, as far as boxes tell.
    fn is_whole(&self, node: &LayerNode) -> bool {
        let holds = |boxes: &Boxes| boxes.iter().any(|wanted| wanted.contains(&node.bounds));
        node.is_feature || self.boxes.as_ref().is_none_or(holds)
    }

    fn sound_in(&self, node: &LayerNode) -> u64 {
        node.count - self.layer.description().damaged.among(node.first, node.count)
    }

    /// All matches, sorted as the engine does.
    fn sorted(&self, query: &EntityQuery) -> Result<Page, LayerQuestionError> {
        self.check_effort(MOST_JUDGED)?;
        let mut found = Vec::new();
        self.each(None, &mut |_, record| {
            found.push(record.clone());
            true
        })?;
        Ok(self.layer.snapshot_of(self.view, found).query(query))
    }

    fn page(
        &self,
        query: &EntityQuery,
        found: &[Record],
        count: Option<u64>,
        has_before: bool,
        has_more: bool,
    ) -> Page {
        let names = &self.layer.description().names;
        let entities = found.iter().map(|record| visible(record, self.view, names)).collect();
        let count = count.filter(|_| query.count);
        Page {
            entities,
            keys: Vec::new(),
            count: count.map(|count| usize::try_from(count).unwrap_or(usize::MAX)),
            has_more,
            has_before,
            revision: Revision(0),
            contributions: None,
        }
    }

    fn meets(&self, node: &LayerNode) -> bool {
        let boxes = self.boxes.as_ref();
        boxes.is_none_or(|boxes| boxes.iter().any(|wanted| wanted.intersects(&node.bounds)))
            && self.named_in(node) > 0
    }

    /// How many features of a node the question may mean.
    fn named_in(&self, node: &LayerNode) -> u64 {
        let Some(places) = &self.places else { return node.count };
        let before = |end: u64| places.partition_point(|place| *place < end);
        (before(node.first.saturating_add(node.count)) - before(node.first)) as u64
    }

    /// Refuses what would have too much read.
    fn check_effort(&self, most: u64) -> Result<(), LayerQuestionError> {
        let mut count = 0;
        self.layer.walk(&mut |node| {
            if !self.meets(node) {
                return LayerVisit::Pass;
            }
            if self.is_whole(node) {
                count += self.named_in(node);
                return if count > most { LayerVisit::Stop } else { LayerVisit::Pass };
            }
            LayerVisit::Enter
        })?;
        if count > most { Err(self.too_much(count, most)) } else { Ok(()) }
    }

    fn too_much(&self, count: u64, most: u64) -> LayerQuestionError {
        let layer = self.layer.description().table.name.to_string();
        LayerQuestionError::TooMuch { layer, count, most }
    }

    /// Reads and judges what may match; until `visit` says `false`.
    fn each(
        &self,
        attributes: Option<&[NameId]>,
        visit: &mut dyn FnMut(&LayerNode, &Record) -> bool,
    ) -> Result<(), LayerQuestionError> {
        let mut choose =
            |node: &LayerNode| if self.meets(node) { LayerVisit::Enter } else { LayerVisit::Pass };
        let mut take = |node: &LayerNode, record: &Record| {
            !evaluate(&self.filter, &record.view()) || visit(node, record)
        };
        Ok(self.layer.scan(attributes, &mut choose, &mut take)?)
    }

    /// The attributes without which no feature can be judged.
    fn attributes(&self) -> Vec<NameId> {
        let description = self.layer.description();
        let time = description.table.instant.map(|at| description.table.columns[at].attribute());
        let mut attributes: Vec<NameId> =
            time.and_then(|name| description.names.id(name.as_str())).into_iter().collect();
        self.filter.visit_attributes(&mut |name| attributes.push(*name));
        attributes
    }
}

/// A condition as it is for features that have no time, so that none is read for it.
fn without_time(filter: &Filter) -> Filter {
    match filter {
        Filter::Time(condition) if condition.missing_matches => Filter::True,
        Filter::Time(_) => Filter::False,
        Filter::And(parts) => parts.iter().map(without_time).fold(Filter::True, Filter::and),
        Filter::Or(parts) => Filter::Or(parts.iter().map(without_time).collect()),
        Filter::Not(part) => Filter::Not(Box::new(without_time(part))),
        other => other.clone(),
    }
}

/// The boxes in which everything lies that meets a condition, where it says so.
fn boxes_of(geometry: &Iri, filter: &Filter) -> Option<Boxes> {
    match filter {
        Filter::Geo(condition) if condition.property == *geometry => condition.test.bounds(),
        Filter::And(parts) => {
            let all = parts.iter().filter_map(|part| boxes_of(geometry, part));
            all.min_by(|a, b| size(a).total_cmp(&size(b)))
        }
        Filter::Or(parts) => {
            let mut all = Boxes::default();
            for part in parts {
                all.extend(boxes_of(geometry, part)?);
            }
            (all.len() <= MOST_BOXES).then_some(all)
        }
        _ => None,
    }
}

/// More boxes are not looked through for each node.
const MOST_BOXES: usize = 64;

/// How much of the globe boxes take.
fn size(boxes: &Boxes) -> f64 {
    let sides = |of: &Aabb| (of.max[0] - of.min[0]) * (of.max[1] - of.min[1]);
    boxes.iter().map(sides).sum()
}

/// The features that alone can meet a condition, where it names their ids.
fn places_of(layer: &str, filter: &Filter) -> Option<Vec<u64>> {
    let mut places: Vec<u64> = match filter {
        Filter::Ids(ids) => ids.iter().filter_map(|id| place_of_id(layer, id.as_str())).collect(),
        Filter::And(parts) => return parts.iter().find_map(|part| places_of(layer, part)),
        Filter::Or(parts) => {
            let all: Option<Vec<_>> = parts.iter().map(|part| places_of(layer, part)).collect();
            all?.concat()
        }
        _ => return None,
    };
    places.sort_unstable();
    places.dedup();
    Some(places)
}

/// The place of the feature that has this id.
fn place_of_id(layer: &str, id: &str) -> Option<u64> {
    let place = id.strip_prefix(layer)?.strip_prefix('.')?;
    let is_plain = place == "0" || !place.starts_with(['0', '+']);
    place.parse().ok().filter(|_| is_plain)
}
