use cardo_model::{EntityId, InvalidIri, Iri};

use super::{InvalidName, NameResolver};
use crate::{Filter, InvalidPattern, Pattern};

/// How many items a list of ids or attributes may hold.
pub const MAX_LIST_ITEMS: usize = 10_000;

/// Reads the parameter `id`: URIs with commas between them.
///
/// Since a comma may stand in a URI, a part that is none by itself belongs to the one before it.
pub fn parse_ids(text: &str) -> Result<Filter, InvalidIri> {
    let mut ids: Vec<EntityId> = Vec::new();
    for part in text.split(',').map(str::trim) {
        match EntityId::new(part) {
            Ok(id) => ids.push(id),
            Err(error) => {
                let joined = ids.pop().and_then(|id| EntityId::new(format!("{id},{part}")).ok());
                ids.push(joined.ok_or(error)?);
            }
        }
    }
    Ok(Filter::Ids(ids))
}

/// Reads the parameter `idPattern`: a regular expression that the id has to match.
pub fn parse_id_pattern(text: &str) -> Result<Filter, InvalidPattern> {
    Pattern::posix(text).map(Filter::IdPattern)
}

/// Reads the parameter `attrs`: names with commas between them, each at most once in the result.
pub fn parse_attributes(text: &str, names: &impl NameResolver) -> Result<Vec<Iri>, InvalidName> {
    let mut attributes = Vec::new();
    for (at, term) in text.split(',').map(str::trim).enumerate() {
        if at >= MAX_LIST_ITEMS {
            let reason = format!("stands behind the {MAX_LIST_ITEMS} names that are accepted");
            return Err(InvalidName::new(term, reason));
        }
        if term.is_empty() {
            return Err(InvalidName::new(term, "is empty"));
        }
        attributes.push(names.attribute(term)?);
    }
    let mut seen = std::collections::HashSet::new();
    attributes.retain(|name| seen.insert(name.clone()));
    Ok(attributes)
}

/// Entities that have any of the attributes, as `attrs` selects them (clause 5.7.2.4).
pub fn attributes_filter<N: Clone>(attributes: &[N]) -> Filter<N> {
    match attributes {
        [one] => Filter::HasAttribute(one.clone()),
        several => Filter::Or(several.iter().cloned().map(Filter::HasAttribute).collect()),
    }
}
