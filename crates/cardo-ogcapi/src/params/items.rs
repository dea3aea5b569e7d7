use std::borrow::Cow;

use cardo_engine::{ColumnType, EntityQuery, Order, PageRequest, PageStart, Table};
use cardo_model::Revision;
use cardo_query::Filter;

use super::bbox::Bbox;
use super::query::unknown;
use super::{
    Cursor, Edges, ParamFault, Query, Side, datetime, is_queryable, property, shorten, sort,
};
use crate::options::OgcLimits;
use crate::represent::Shown;
use crate::systems::Systems;

/// Parameters of items that are no properties.
pub(crate) const PARAMETERS: [&str; 15] = [
    "f",
    "profile",
    "limit",
    "crs",
    "bbox",
    "bbox-crs",
    "datetime",
    "filter",
    "filter-lang",
    "filter-crs",
    "sortby",
    "properties",
    "skipGeometry",
    "cursor",
    "offset",
];

/// A question for the features of a collection.
pub(crate) struct ItemsQuery {
    pub(crate) query: EntityQuery,
    pub(crate) limit: usize,
    pub(crate) bbox: Option<Bbox>,
    pub(crate) shown: Shown,
    /// The hash of what is asked for, whatever the page.
    pub(crate) question: u64,
    /// The revision of the page that led here.
    from_revision: Option<(Revision, String)>,
    /// About how many features stand before the border where the page begins or ends.
    border: usize,
}

impl ItemsQuery {
    pub(crate) fn parse(
        params: &Query<'_>,
        table: &Table,
        limits: OgcLimits,
        systems: &Systems,
    ) -> Result<Self, ParamFault> {
        let mut filter = Filter::Type(table.type_name.clone());
        let system = super::system(params, "bbox-crs", systems)?;
        let bbox = params.get("bbox").map(|text| Bbox::parse(text, &system)).transpose()?;
        if let (Some(bbox), Some(geometry)) = (&bbox, table.geometry) {
            filter = filter.and(bbox.filter(&table.columns[geometry]));
        }
        if let Some(text) = params.get("datetime") {
            filter = filter.and(datetime::parse(text)?);
        }
        filter = filter.and(super::filter(params, table, systems)?);
        for (name, text) in params.iter().filter(|(name, _)| !PARAMETERS.contains(name)) {
            let path = table.path(name).filter(|_| name != "type");
            let path = path.ok_or_else(|| unknown(name, known(table)))?;
            let is_vocab = path.1 == ColumnType::Vocab;
            let text = if is_vocab { table.full_name(text) } else { Cow::Borrowed(text) };
            filter = filter.and(property::equals(name, &text, path)?);
        }
        let limit = match params.get("limit") {
            None => limits.default_page,
            Some(text) => limit(text, limits.max_page)?,
        };
        let shown = super::shown(params, table, systems)?;
        let question = hash(params, table);
        let sorting = params.get("sortby").map(|text| sort::order(text, table));
        let mut order: Order = sorting.transpose()?.unwrap_or_default();
        let (start, cursor) = start(params, question, order.by.len())?;
        let border = match (&cursor, start) {
            (Some((cursor, _)), _) => cursor.place,
            (None, PageStart::Offset(offset)) => offset,
            (None, PageStart::After(_) | PageStart::Before(_)) => 0,
        };
        let mut from_revision = None;
        if let Some((cursor, text)) = cursor {
            from_revision = Some((cursor.revision, text));
            order.from = cursor.keys;
        }
        let query = EntityQuery { filter, order, page: PageRequest { limit, start }, count: true };
        Ok(Self { query, limit, bbox, shown, question, from_revision, border })
    }

    /// The parameter that leads to the page on one side of a page of this question: a cursor, which
    /// stays where it is while features come and go, or an offset where features are sorted by texts
    /// that are too long for an address.
    pub(crate) fn beside(&self, page: &Edges<'_>, side: Side) -> Option<(&'static str, String)> {
        let before = match self.query.page.start {
            PageStart::Before(_) => self.border.saturating_sub(page.found),
            PageStart::Offset(_) | PageStart::After(_) => self.border,
        };
        let (edge, place) = match side {
            Side::After => (page.last?, before.saturating_add(page.found)),
            Side::Before => (page.first?, before),
        };
        if !Cursor::can_carry(edge.keys) {
            let offset = match side {
                Side::After => place,
                Side::Before => place.saturating_sub(self.limit),
            };
            return Some(("offset", offset.to_string()));
        }
        let cursor = Cursor {
            side,
            seq: edge.record.view().seq(),
            revision: page.revision,
            question: self.question,
            keys: edge.keys.to_vec(),
            place,
        };
        Some(("cursor", cursor.to_string()))
    }

    /// Makes the page smaller where it is larger than this.
    pub(crate) fn at_most(&mut self, limit: usize) {
        self.limit = self.limit.min(limit);
        self.query.page.limit = self.limit;
    }

    /// Refuses a cursor that comes from the future of the twin: it was made by another twin, or by
    /// this one before it was restored to an older state.
    pub(crate) fn check_revision(&self, revision: Revision) -> Result<(), ParamFault> {
        match &self.from_revision {
            Some((cursor, text)) if *cursor > revision => {
                Err(ParamFault::CursorRevision(shorten(text)))
            }
            _ => Ok(()),
        }
    }
}

/// All parameters that a table has.
fn known(table: &Table) -> impl Iterator<Item = &str> {
    let columns = table.columns.iter().filter(|column| is_queryable(column.datatype));
    PARAMETERS.into_iter().chain(columns.map(|column| column.name.as_ref()))
}

/// A limit above the largest is taken for it (requirement /req/core/fc-limit-response-1, C).
fn limit(text: &str, max: usize) -> Result<usize, ParamFault> {
    let is_whole = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_zero = text.bytes().all(|byte| byte == b'0');
    if !is_whole || is_zero {
        return Err(ParamFault::Limit(shorten(text)));
    }
    Ok(text.parse().unwrap_or(max).min(max))
}

fn start(
    params: &Query<'_>,
    question: u64,
    keys: usize,
) -> Result<(PageStart, Option<(Cursor, String)>), ParamFault> {
    match (params.get("cursor"), params.get("offset")) {
        (None, None) => Ok((PageStart::Offset(0), None)),
        (Some(_), Some(_)) => Err(ParamFault::OffsetAndCursor),
        (None, Some(text)) => {
            let offset = text.parse().map_err(|_| ParamFault::Offset(shorten(text)))?;
            Ok((PageStart::Offset(offset), None))
        }
        (Some(text), None) => {
            let cursor = Cursor::parse(text, question, keys)?;
            Ok((cursor.start(), Some((cursor, text.to_owned()))))
        }
    }
}

/// FNV-1a of the collection and of the parameters that say which features are meant.
fn hash(params: &Query<'_>, table: &Table) -> u64 {
    const SHOWING: [&str; 8] =
        ["f", "profile", "crs", "limit", "cursor", "offset", "properties", "skipGeometry"];
    let mut asked: Vec<_> = params.iter().filter(|(name, _)| !SHOWING.contains(name)).collect();
    asked.sort_unstable();
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut add = |text: &str| {
        for byte in text.bytes().chain([0]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    };
    add(&table.name);
    for (name, value) in asked {
        add(name);
        add(value);
    }
    hash
}
