use cardo_engine::Table;

use super::query::unknown_property;
use super::{ParamFault, Query, shorten};
use crate::represent::Shown;
use crate::systems::Systems;

/// Parameters of single features.
pub(crate) const ITEM_PARAMETERS: [&str; 5] = ["f", "profile", "crs", "properties", "skipGeometry"];

/// What of the features of a collection is to be shown. `properties` chooses among the properties
/// (draft Part 6 of OGC API Features): the id and the geometry stay, until `skipGeometry` leaves
/// out geometries. One that is no geometry of the feature itself is shown where it is named.
pub(crate) fn shown(
    params: &Query<'_>,
    table: &Table,
    systems: &Systems,
) -> Result<Shown, ParamFault> {
    let system = super::system(params, "crs", systems)?;
    let geometry = match params.get("skipGeometry") {
        None | Some("false") => true,
        Some("true") => false,
        Some(other) => return Err(ParamFault::SkipGeometry(shorten(other))),
    };
    let Some(list) = params.get("properties") else {
        return Ok(Shown { geometry, system, ..Shown::default() });
    };
    let mut columns = vec![false; table.columns.len()];
    for name in list.split(',').filter(|name| !name.is_empty()) {
        if name == "id" || (name == "geometry" && table.geometry.is_some()) {
            continue;
        }
        let place = table.columns.iter().position(|column| column.name.as_ref() == name);
        let place = place.ok_or_else(|| {
            let known = table.columns.iter().map(|column| column.name.as_ref());
            unknown_property(name, ["id"].into_iter().chain(known))
        })?;
        columns[place] = true;
    }
    Ok(Shown { columns: Some(columns.into()), geometry, system, ..Shown::default() })
}
