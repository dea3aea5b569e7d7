//! The order of entities (clauses 4.23 and 5.2.43).

use std::sync::Arc;

use cardo_engine::{Order, OrderBy};
use cardo_jsonld::Context;
use cardo_query::{Collation, InvalidCollation, Ranking, parse_geometry, parse_path};

use super::ContextNames;
use crate::fault::Fault;

/// The most columns of an order.
const MAX_COLUMNS: usize = 20;
/// The longest coordinates from which distances are taken, since each entity is held against them.
const MAX_FROM_BYTES: usize = 16 << 10;

/// The texts that make an order.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct OrderText<'a> {
    pub(crate) by: Option<&'a str>,
    pub(crate) from: Option<&'a str>,
    pub(crate) geometry: Option<&'a str>,
    pub(crate) collation: Option<&'a str>,
}

impl OrderText<'_> {
    /// The order that is asked for; that of creation where none is.
    pub(crate) fn read(&self, context: &Context) -> Result<Order, Fault> {
        let collation = match self.collation {
            Some(tag) => Some(tag.parse::<Collation>()?),
            None => None,
        };
        let from = match self.from {
            Some(coordinates) if coordinates.len() > MAX_FROM_BYTES => {
                return Err(Fault::bad_data(format!(
                    "orderFrom of {} bytes is longer than the {MAX_FROM_BYTES} that are accepted",
                    coordinates.len()
                )));
            }
            Some(coordinates) => {
                let kind = self.geometry.unwrap_or("Point");
                Some(Arc::new(parse_geometry(kind, coordinates)?.shape()))
            }
            None => None,
        };
        let Some(text) = self.by else { return Ok(Order::default()) };
        let collation = Arc::new(collation.unwrap_or_else(Collation::root));
        let mut by = Vec::new();
        for column in text.split(',') {
            if by.len() >= MAX_COLUMNS {
                let detail = format!("orderBy names more than {MAX_COLUMNS} columns");
                return Err(Fault::bad_data(detail));
            }
            let (path, direction) = column.split_once(';').unwrap_or((column, "asc"));
            let (descending, by_distance) = match direction.trim() {
                "asc" => (false, false),
                "desc" => (true, false),
                "dist-asc" => (false, true),
                "dist-desc" => (true, true),
                other => {
                    return Err(Fault::bad_data(format!(
                        "orderBy: {other:?} is not asc, desc, dist-asc or dist-desc"
                    )));
                }
            };
            if by_distance && from.is_none() {
                return Err(Fault::bad_data(format!(
                    "orderBy={column:?} needs a place from which distances are taken: orderFrom"
                )));
            }
            let path = parse_path(path.trim(), &ContextNames(context))?;
            let from = from.clone().filter(|_| by_distance);
            let ranking = Some(Ranking { collation: collation.clone(), from });
            by.push(OrderBy { path, descending, ranking });
        }
        Ok(Order { by, from: Vec::new() })
    }
}

impl From<InvalidCollation> for Fault {
    fn from(error: InvalidCollation) -> Self {
        Self::bad_data(error.to_string())
    }
}
