use cardo_engine::ColumnType;
use cardo_model::{EntityId, Iri, Timestamp};
use cardo_query::{Comparison, Filter, Literal, Operand, Operator, Path, Root};

use super::{ParamFault, shorten};

/// Whether a parameter can ask for the values of a column.
pub(crate) fn is_queryable(datatype: ColumnType) -> bool {
    !matches!(datatype, ColumnType::Json | ColumnType::List | ColumnType::Geometry)
}

/// The condition that a property has a value (recommendation /rec/core/fc-filters).
pub(super) fn equals(
    name: &str,
    text: &str,
    (path, datatype): (Path<Iri>, ColumnType),
) -> Result<Filter, ParamFault> {
    let fault =
        |expected| ParamFault::Property { name: shorten(name), text: shorten(text), expected };
    if path.root == Root::Id {
        let id = EntityId::new(text).ok().or_else(|| EntityId::parse_feature(text));
        let id = id.ok_or_else(|| fault("id of a feature"))?;
        return Ok(Filter::Ids(vec![id]));
    }
    let literal = match datatype {
        ColumnType::Number => {
            let number: f64 = text.parse().map_err(|_| fault("number"))?;
            if !number.is_finite() {
                return Err(fault("number"));
            }
            Literal::Number(number)
        }
        ColumnType::Boolean => match text {
            // GDAL asks by numbers.
            "true" | "1" => Literal::Bool(true),
            "false" | "0" => Literal::Bool(false),
            _ => return Err(fault("true or false")),
        },
        ColumnType::DateTime => {
            let moment = Timestamp::parse(text).map_err(|_| fault("date-time"))?;
            Literal::DateTime(moment)
        }
        ColumnType::Text
        | ColumnType::Date
        | ColumnType::Relationship
        | ColumnType::Relationships
        | ColumnType::Vocab => Literal::Text(text.into()),
        ColumnType::Json | ColumnType::List | ColumnType::Geometry => {
            return Err(ParamFault::NotQueryable(shorten(name)));
        }
    };
    let operand = Operand::One(literal);
    Ok(Filter::Compare(Comparison { path, operator: Operator::Equal, operand }))
}
