use cardo_engine::{ColumnType, Order, OrderBy, Table};
use cardo_model::Iri;
use cardo_query::Path;

use super::query::unknown_property;
use super::{ParamFault, shorten};

/// Members of the entity itself by which features can be sorted.
pub(crate) const SORTABLE_MEMBERS: [&str; 4] = ["id", "createdAt", "modifiedAt", "expiresAt"];

/// The most keys of an order.
const MAX_KEYS: usize = 8;

/// Whether features can be sorted by what stands in columns of a type.
pub(crate) fn is_sortable(datatype: ColumnType) -> bool {
    match datatype {
        ColumnType::Number
        | ColumnType::Text
        | ColumnType::Boolean
        | ColumnType::Date
        | ColumnType::DateTime
        | ColumnType::Relationship
        | ColumnType::Vocab => true,
        ColumnType::Json | ColumnType::List | ColumnType::Relationships | ColumnType::Geometry => {
            false
        }
    }
}

/// The order that `sortby` asks for (OGC 24-030, clause 7): names of sortables, each behind `+`,
/// which goes up and may be left out, or `-`, which goes down.
pub(super) fn order(text: &str, table: &Table) -> Result<Order, ParamFault> {
    let mut by: Vec<OrderBy> = Vec::new();
    for key in text.split(',') {
        // A plus sign that is not encoded arrives as a space.
        let (name, descending) = match key.strip_prefix('-') {
            Some(name) => (name, true),
            None => (key.strip_prefix(['+', ' ']).unwrap_or(key), false),
        };
        let path = path(name, table)?;
        if by.iter().any(|known| known.path == path) {
            return Err(ParamFault::SortTwice(shorten(name)));
        }
        if by.len() == MAX_KEYS {
            return Err(ParamFault::SortKeys(MAX_KEYS));
        }
        by.push(OrderBy { path, descending, ranking: None });
    }
    Ok(Order { by, from: Vec::new() })
}

fn path(name: &str, table: &Table) -> Result<Path<Iri>, ParamFault> {
    let columns = || table.columns.iter().filter(|column| is_sortable(column.datatype));
    let is_known =
        SORTABLE_MEMBERS.contains(&name) || columns().any(|column| column.name.as_ref() == name);
    table.path(name).filter(|_| is_known).map(|(path, _)| path).ok_or_else(|| {
        let names = columns().map(|column| column.name.as_ref());
        unknown_property(name, SORTABLE_MEMBERS.into_iter().chain(names))
    })
}
