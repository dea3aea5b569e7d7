use cardo_model::{InstanceRef, Iri, Kind, NameId, Record, Timestamp, decode_instance};
use cardo_query::TemporalProperty;

use super::amend::Amendments;
use super::scopes::{Interval, scopes_of};
use super::{EntityHistory, HistoryRequest};
use crate::ports::{HistoryEvent, HistoryRow};

/// What rows are wanted, with names by id.
pub(super) struct Wanted<'a> {
    is_visible: &'a (dyn Fn(NameId) -> bool + Sync),
    omitted: &'a [NameId],
    datasets: Option<&'a [Option<Iri>]>,
    validity: Option<&'a [Interval]>,
    property: Option<TemporalProperty>,
    from: Option<Timestamp>,
    until: Option<Timestamp>,
    last: Option<usize>,
    limit: usize,
    /// What has expired by then is no part of a history any more (clause 4.22).
    now: Timestamp,
}

/// A row, by which moment it is placed, and of which kind it is.
struct Line {
    row: HistoryRow,
    moment: Timestamp,
    kind: Kind,
}

/// The moment of a temporal property that a row has.
pub fn moment(row: &HistoryRow, property: TemporalProperty) -> Option<Timestamp> {
    let instance = match &row.event {
        HistoryEvent::Instance { instance, .. } => InstanceRef::from_bytes(instance),
        _ => None,
    };
    match (property, instance) {
        (TemporalProperty::ObservedAt, Some(instance)) => instance.observed_at(),
        (TemporalProperty::CreatedAt, Some(instance)) => Some(instance.created_at()),
        (TemporalProperty::ModifiedAt, Some(instance)) => Some(instance.modified_at()),
        (TemporalProperty::DeletedAt | TemporalProperty::ModifiedAt, None) => Some(row.time),
        (TemporalProperty::DeletedAt, Some(_))
        | (TemporalProperty::ObservedAt | TemporalProperty::CreatedAt, None) => None,
    }
}

impl<'a> Wanted<'a> {
    pub(super) fn new(
        request: &'a HistoryRequest,
        validity: Option<&'a [Interval]>,
        (is_visible, omitted): (&'a (dyn Fn(NameId) -> bool + Sync), &'a [NameId]),
        now: Timestamp,
    ) -> Self {
        let HistoryRequest { property, from, until, last, limit, .. } = *request;
        let datasets = request.datasets.as_deref();
        Self { is_visible, omitted, datasets, validity, property, from, until, last, limit, now }
    }

    fn has_dataset(&self, row: &HistoryRow) -> bool {
        let Some(datasets) = self.datasets else { return true };
        let dataset = dataset_of(row);
        datasets.iter().any(|wanted| wanted.as_ref().map(Iri::as_str) == dataset)
    }

    /// Where a row lies; none where it is not asked for.
    fn place(&self, row: &HistoryRow) -> Option<Timestamp> {
        if self.has_expired(row) {
            return None;
        }
        let has_range = self.from.is_some() || self.until.is_some();
        let moment = match self.property {
            None => row.time,
            Some(property) => match moment(row, property) {
                Some(moment) => moment,
                None if has_range || property == TemporalProperty::DeletedAt => return None,
                None => row.time,
            },
        };
        let is_in_range = self.from.is_none_or(|from| moment >= from)
            && self.until.is_none_or(|until| moment < until)
            && self.validity.is_none_or(|all| all.iter().any(|one| one.contains(moment)));
        is_in_range.then_some(moment)
    }

    fn has_expired(&self, row: &HistoryRow) -> bool {
        let HistoryEvent::Instance { instance, .. } = &row.event else { return false };
        let expires_at = InstanceRef::from_bytes(instance).and_then(|i| i.expires_at());
        expires_at.is_some_and(|moment| moment <= self.now)
    }

    /// Whether a store takes a row for one of the last ones though it is not asked for.
    pub(super) fn counts_wrongly(&self, row: &HistoryRow) -> bool {
        name_of(row).is_some() && self.place(row).is_none()
    }
}

/// Joins the rows of the store and of the tail: whole records are taken apart into instances, what
/// was amended is put right, what is not asked for is left out, and all is put in order. None where
/// nothing is known.
pub(super) fn join(
    current: Option<Record>,
    mut rows: Vec<HistoryRow>,
    wanted: &Wanted<'_>,
    is_cut: bool,
) -> Option<EntityHistory> {
    let amendments = Amendments::take(&mut rows);
    rows.retain(|row| !amendments.forgets(row));
    // An entity that is there has a row of its creation, unless its history was taken away.
    if rows.is_empty() {
        return None;
    }
    let head = head_of(current.as_ref(), &rows)?;
    let scopes = scopes_of(&rows);
    let mut deleted_at = Vec::new();
    let mut instances = Vec::with_capacity(rows.len());
    for row in rows {
        match &row.event {
            HistoryEvent::Deleted => deleted_at.push(row.time),
            HistoryEvent::Entity(record) => instances.extend(instances_of(record, &row)),
            HistoryEvent::Instance { .. } | HistoryEvent::InstanceDeleted { .. } => {
                instances.push(row);
            }
            HistoryEvent::Head(_) | HistoryEvent::Amended(_) => {}
        }
    }
    instances
        .retain_mut(|row| name_of(row).is_some_and(wanted.is_visible) && amendments.apply(row));
    instances.sort_by(|a, b| order(a).cmp(&order(b)));
    // A value that a replacement leaves as it is, is one instance and not two.
    instances.dedup_by(|later, earlier| is_repeated(later, earlier));
    let mut lines = placed(instances, wanted);
    if let Some(last) = wanted.last {
        lines = keep_last(lines, last);
    }
    let count = lines.len();
    lines.retain(|line| name_of(&line.row).is_none_or(|name| !wanted.omitted.contains(&name)));
    let has_omitted = lines.len() < count;
    let (lines, emptied) = keep_limit(lines, wanted, is_cut);
    let is_cut = is_cut || lines.len() < emptied.0;
    let (rows, kinds) = lines.into_iter().map(|line| (line.row, line.kind)).unzip();
    Some(EntityHistory {
        current,
        head,
        rows,
        kinds,
        scopes,
        deleted_at,
        is_cut,
        emptied: emptied.1,
        has_omitted,
    })
}

/// The record whose id, types and dates are shown.
fn head_of(current: Option<&Record>, rows: &[HistoryRow]) -> Option<Record> {
    let record_of = |row: &HistoryRow| match &row.event {
        HistoryEvent::Entity(record) => Some((record.clone(), false)),
        HistoryEvent::Head(record) => Some((record.clone(), true)),
        _ => None,
    };
    let last = rows.iter().max_by_key(|row| {
        let is_record = matches!(row.event, HistoryEvent::Entity(_) | HistoryEvent::Head(_));
        (is_record, row.revision, row.ordinal)
    });
    let last = last.and_then(record_of);
    let (Some(current), Some((last, true))) = (current, &last) else {
        return current.cloned().or(last.map(|(record, _)| record));
    };
    let mut types: Vec<NameId> = current.view().types().collect();
    let more: Vec<NameId> = last.view().types().filter(|name| !types.contains(name)).collect();
    if more.is_empty() {
        return Some(current.clone());
    }
    types.extend(more);
    let mut entity = current.view().decode();
    entity.types = types;
    entity.attributes = Vec::new();
    Some(Record::encode(&entity, current.view().header()))
}

pub(super) fn instances_of(record: &Record, row: &HistoryRow) -> Vec<HistoryRow> {
    let mut rows = Vec::new();
    for attribute in record.view().attributes() {
        for instance in attribute.instances() {
            let event =
                HistoryEvent::Instance { name: attribute.name(), instance: instance.to_bytes() };
            let ordinal = row.ordinal;
            let (entity, time) = (row.entity.clone(), instance.time());
            let HistoryRow { revision, written, tells, .. } = *row;
            rows.push(HistoryRow { entity, event, time, revision, ordinal, written, tells });
        }
    }
    rows
}

pub(super) fn name_of(row: &HistoryRow) -> Option<NameId> {
    match &row.event {
        HistoryEvent::Instance { name, .. } | HistoryEvent::InstanceDeleted { name, .. } => {
            Some(*name)
        }
        HistoryEvent::Entity(_)
        | HistoryEvent::Head(_)
        | HistoryEvent::Amended(_)
        | HistoryEvent::Deleted => None,
    }
}

fn dataset_of(row: &HistoryRow) -> Option<&str> {
    match &row.event {
        HistoryEvent::Instance { instance, .. } => InstanceRef::from_bytes(instance)?.dataset_id(),
        HistoryEvent::InstanceDeleted { dataset_id, .. } => dataset_id.as_ref().map(Iri::as_str),
        HistoryEvent::Entity(_)
        | HistoryEvent::Head(_)
        | HistoryEvent::Amended(_)
        | HistoryEvent::Deleted => None,
    }
}

type Order<'a> = (Option<NameId>, Option<&'a str>, Timestamp, u64, u32);

fn order(row: &HistoryRow) -> Order<'_> {
    (name_of(row), dataset_of(row), row.time, row.revision.0, row.ordinal)
}

fn is_same_series(a: &HistoryRow, b: &HistoryRow) -> bool {
    name_of(a) == name_of(b) && dataset_of(a) == dataset_of(b)
}

/// Places rows in time, those that lie outside left out; a deletion is of the kind of what stood
/// before it.
fn placed(rows: Vec<HistoryRow>, wanted: &Wanted<'_>) -> Vec<Line> {
    let mut lines = Vec::with_capacity(rows.len());
    let mut kind = Kind::Property;
    let mut name = None;
    for row in rows {
        match &row.event {
            HistoryEvent::Instance { instance, .. } => {
                let Some(instance) = InstanceRef::from_bytes(instance) else { continue };
                kind = instance.kind();
            }
            _ if name == name_of(&row) => {}
            _ => kind = Kind::Property,
        }
        name = name_of(&row);
        if let Some(moment) = wanted.place(&row).filter(|_| wanted.has_dataset(&row)) {
            lines.push(Line { row, moment, kind });
        }
    }
    lines
}

fn is_repeated(later: &HistoryRow, earlier: &HistoryRow) -> bool {
    match (&later.event, &earlier.event) {
        (
            HistoryEvent::Instance { name: a, instance: later },
            HistoryEvent::Instance { name: b, instance: earlier },
        ) if a == b => {
            // Types, scopes or the expiry of the entity were all that changed.
            if later == earlier {
                return true;
            }
            let (Some(later), Some(earlier)) =
                (InstanceRef::from_bytes(later), InstanceRef::from_bytes(earlier))
            else {
                return false;
            };
            later.observed_at().is_some()
                && later.observed_at() == earlier.observed_at()
                && later.value_bytes() == earlier.value_bytes()
                && decode_instance(&later).same_content(&decode_instance(&earlier))
        }
        _ => false,
    }
}

fn keep_last(lines: Vec<Line>, last: usize) -> Vec<Line> {
    let mut keep = vec![false; lines.len()];
    let mut start = 0;
    for series in lines.chunk_by(|a, b| is_same_series(&a.row, &b.row)) {
        let mut places: Vec<usize> = (start..start + series.len()).collect();
        places.sort_by_key(|place| lines[*place].moment);
        for place in &places[places.len().saturating_sub(last)..] {
            keep[*place] = true;
        }
        start += series.len();
    }
    lines.into_iter().zip(keep).filter_map(|(line, keep)| keep.then_some(line)).collect()
}

/// Cuts to the limit by time (clause 6.3.10); gives how many lines there were, and the attributes
/// of which none is left. A moment is told whole or not at all, since the next page begins at one:
/// what is of the moment of the last line comes along, unless more of it may not have been read.
fn keep_limit(
    lines: Vec<Line>,
    wanted: &Wanted<'_>,
    is_cut: bool,
) -> (Vec<Line>, (usize, Vec<NameId>)) {
    let count = lines.len();
    if count <= wanted.limit && !is_cut {
        return (lines, (count, Vec::new()));
    }
    let mut names: Vec<NameId> = lines.iter().filter_map(|line| name_of(&line.row)).collect();
    names.dedup();
    let mut places: Vec<usize> = (0..count).collect();
    places.sort_by_key(|place| lines[*place].moment);
    if wanted.last.is_some() {
        places.reverse();
    }
    let moment_at = |at: usize| lines[places[at]].moment;
    let whole = |mut end: usize| {
        while end > 0 && end < count && moment_at(end) == moment_at(end - 1) {
            end += 1;
        }
        end
    };
    let mut end = whole(wanted.limit.min(count));
    // A page that begins at a moment, which is told again, has to lead beyond it.
    if end > 0 && end < count && Some(moment_at(end - 1)) == wanted.from {
        end = whole(end + 1);
    }
    if is_cut && end == count && end > 0 {
        let last = moment_at(end - 1);
        let before = (0..end).rfind(|at| moment_at(*at) != last);
        end = before.map_or(end, |at| at + 1);
    }
    let mut keep = vec![false; count];
    for place in &places[..end] {
        keep[*place] = true;
    }
    let kept = lines.into_iter().zip(keep).filter_map(|(line, keep)| keep.then_some(line));
    let kept: Vec<Line> = kept.collect();
    names.retain(|name| kept.iter().all(|line| name_of(&line.row) != Some(*name)));
    (kept, (count, names))
}
