use cardo_model::{Iri, NameId, Names};
use cardo_query::{Filter, Observed, Path, Resolved, Root, TimeCondition};

use crate::caller::{Mask, View};

/// The condition that the engine evaluates for a caller: names by id, masked attributes absent,
/// and only the rows that the caller may see.
pub(crate) fn resolve(filter: &Filter, view: &View, names: &Names) -> Resolved {
    let mut by_id = |name: &Iri| names.id_or_unknown(name.as_str());
    let Some(restriction) = view.restriction() else {
        return filter.map_names(&mut by_id).simplify();
    };
    let visible = match &restriction.attributes {
        Mask::All => filter.clone(),
        mask => without_masked(filter, mask),
    };
    let rows = restriction.rows.map_names(&mut by_id);
    visible.map_names(&mut by_id).and(rows).simplify()
}

/// The same condition where masked attributes do not exist.
fn without_masked(filter: &Filter, mask: &Mask) -> Filter {
    let all = |parts: &[Filter]| parts.iter().map(|part| without_masked(part, mask)).collect();
    match filter {
        Filter::And(parts) => Filter::And(all(parts)),
        Filter::Or(parts) => Filter::Or(all(parts)),
        Filter::Not(part) => Filter::Not(Box::new(without_masked(part, mask))),
        Filter::HasAttribute(name) if mask.hides(name) => Filter::False,
        Filter::Exists(path) if hides_root(mask, &path.root) => Filter::False,
        Filter::Compare(comparison) if hides_root(mask, &comparison.path.root) => Filter::False,
        Filter::Link(link) if mask.hides(&link.relationship) => Filter::False,
        Filter::Geo(condition) if mask.hides(&condition.property) => {
            if condition.missing_matches {
                Filter::True
            } else {
                Filter::False
            }
        }
        Filter::Height(condition) if mask.hides(&condition.property) => Filter::True,
        Filter::Holds(predicate) => {
            let visible = |path: &Path| (!hides_root(mask, &path.root)).then(|| path.clone());
            Filter::Holds(Box::new(predicate.map_paths(&mut |path| visible(path))))
        }
        Filter::Time(condition) => {
            let observed = observed_of(&condition.observed, mask);
            Filter::Time(TimeCondition { observed, ..condition.clone() })
        }
        other => other.clone(),
    }
}

/// The attributes that count and are visible.
fn observed_of(observed: &Observed, mask: &Mask) -> Observed {
    let visible = |names: &[Iri]| names.iter().filter(|name| !mask.hides(name)).cloned().collect();
    match (observed, mask) {
        (_, Mask::All) => observed.clone(),
        (Observed::All, Mask::Only(names)) => Observed::Only(names.clone()),
        (Observed::All, Mask::Without(names)) => Observed::Without(names.clone()),
        (Observed::Only(names), _) => Observed::Only(visible(names)),
        (Observed::Without(left_out), Mask::Only(names)) => {
            Observed::Only(names.iter().filter(|name| !left_out.contains(name)).cloned().collect())
        }
        (Observed::Without(left_out), Mask::Without(hidden)) => {
            Observed::Without(left_out.iter().chain(hidden).cloned().collect())
        }
    }
}

fn hides_root(mask: &Mask, root: &Root) -> bool {
    matches!(root, Root::Attribute(name) if mask.hides(name))
}

impl Mask {
    /// Whether an attribute is hidden.
    pub fn hides(&self, name: &Iri) -> bool {
        match self {
            Self::All => false,
            Self::Only(visible) => !visible.contains(name),
            Self::Without(hidden) => hidden.contains(name),
        }
    }

    /// Whether the attribute of this id is hidden.
    pub(crate) fn hides_id(&self, id: NameId, names: &Names) -> bool {
        !matches!(self, Self::All) && names.name(id).is_none_or(|name| self.hides(&name))
    }
}
