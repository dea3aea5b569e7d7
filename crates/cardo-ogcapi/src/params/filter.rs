//! The parameters `filter`, `filter-lang` and `filter-crs` (OGC 19-079r2, clause 7).

use std::borrow::Cow;
use std::sync::Arc;

use cardo_engine::{ColumnType, Table};
use cardo_query::cql2::{Queryable, Queryables, compile_in, parse_json, parse_text};
use cardo_query::{Filter, Root, Sort};

use super::{ParamFault, Query, shorten};
use crate::systems::{System, Systems};

/// The parameters, wherever there are features to choose from.
pub(crate) const FILTER_PARAMETERS: [&str; 3] = ["filter", "filter-lang", "filter-crs"];

/// The languages of filters; the first where none is named.
pub(crate) const LANGUAGES: [&str; 2] = ["cql2-text", "cql2-json"];

/// How many names of properties an error tells.
const MAX_NAMED: usize = 40;

/// The condition that the parameters are, all features where there is none.
pub(crate) fn filter(
    params: &Query<'_>,
    table: &Table,
    systems: &Systems,
) -> Result<Filter, ParamFault> {
    filter_beside(params, table, &[], systems)
}

/// The same for a table beside others, whose properties may be asked for as well: where the table
/// itself has none of that name there is no value.
pub(crate) fn filter_beside(
    params: &Query<'_>,
    table: &Table,
    others: &[&Table],
    systems: &Systems,
) -> Result<Filter, ParamFault> {
    let language = params.get("filter-lang").unwrap_or(LANGUAGES[0]);
    if !LANGUAGES.contains(&language) {
        return Err(ParamFault::FilterLanguage(shorten(language)));
    }
    let system = system(params, "filter-crs", systems)?;
    let Some(text) = params.get("filter") else { return Ok(Filter::True) };
    let expression = if language == "cql2-json" { parse_json(text) } else { parse_text(text) };
    let columns = Columns { table, others };
    let filter = expression.and_then(|expression| compile_in(&expression, &columns, &system.crs));
    filter.map_err(ParamFault::Filter)
}

/// The reference system that a parameter names, CRS84 where it is left out.
pub(crate) fn system(
    params: &Query<'_>,
    name: &'static str,
    systems: &Systems,
) -> Result<Arc<System>, ParamFault> {
    let Some(text) = params.get(name) else { return Ok(System::default_one()) };
    systems.find(text).map_err(|why| {
        let (text, why) = (shorten(text), why.to_string());
        ParamFault::System { name, text, why }
    })
}

/// The columns of a table as properties of CQL2.
struct Columns<'t> {
    table: &'t Table,
    others: &'t [&'t Table],
}

impl Queryables for Columns<'_> {
    fn queryable(&self, name: &str) -> Option<Queryable> {
        let own = self.table.path(name);
        let (path, datatype) =
            own.or_else(|| self.others.iter().find_map(|other| other.path(name)))?;
        let sort = match (&path.root, datatype) {
            (Root::Type, _) => return None,
            (Root::Scope, _) | (_, ColumnType::List | ColumnType::Relationships) => Sort::Array,
            (_, ColumnType::Number) => Sort::Number,
            (_, ColumnType::Text | ColumnType::Relationship) => Sort::Text,
            (_, ColumnType::Vocab) => Sort::Vocab,
            (_, ColumnType::Boolean) => Sort::Bool,
            (_, ColumnType::Date) => Sort::Date,
            (_, ColumnType::DateTime) => Sort::Moment,
            (_, ColumnType::Geometry) => Sort::Geometry,
            (_, ColumnType::Json) => Sort::Any,
        };
        Some(Queryable { path, sort })
    }

    fn names(&self) -> Vec<String> {
        let mut names = vec!["id".to_owned()];
        for column in [self.table].iter().chain(self.others).flat_map(|table| &table.columns) {
            if !names.iter().any(|known| **known == *column.name) {
                names.push(column.name.to_string());
            }
        }
        if names.len() > MAX_NAMED {
            let more = names.len() - MAX_NAMED;
            names.truncate(MAX_NAMED);
            names.push(format!("{more} more"));
        }
        names
    }

    fn full_name<'a>(&self, name: &'a str) -> Cow<'a, str> {
        self.table.full_name(name)
    }
}
