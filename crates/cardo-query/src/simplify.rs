use crate::{Datasets, Filter, Member, Path, Root};

/// Beyond so many parts, equal ones are not looked for.
const MAX_PARTS_COMPARED: usize = 128;

impl<N: PartialEq + Clone> Filter<N> {
    /// An equal filter in normal form: no constants but as the whole, no conjunction in a
    /// conjunction, no disjunction in a disjunction, none of fewer than two parts, no part twice,
    /// no double negation, and presence of an attribute always as [`Filter::HasAttribute`].
    #[must_use]
    pub fn simplify(self) -> Self {
        match self {
            Self::And(parts) => Self::all(parts.into_iter().map(Self::simplify)),
            Self::Or(parts) => Self::any(parts.into_iter().map(Self::simplify)),
            Self::Not(part) => match part.simplify() {
                Self::True => Self::False,
                Self::False => Self::True,
                Self::Not(inner) => *inner,
                other => Self::Not(Box::new(other)),
            },
            Self::Ids(ids) if ids.is_empty() => Self::False,
            Self::Exists(path) => simplify_presence(path),
            other => other,
        }
    }

    /// What all parts match, which are in normal form; the result is as well.
    pub(crate) fn all(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut kept = Vec::new();
        for part in parts {
            match part {
                Self::True => {}
                Self::False => return Self::False,
                Self::And(inner) => inner.into_iter().for_each(|p| push_new(&mut kept, p)),
                other => push_new(&mut kept, other),
            }
        }
        match kept.len() {
            0 => Self::True,
            1 => kept.swap_remove(0),
            _ => Self::And(kept),
        }
    }

    /// What any part matches; the parts are in normal form, and so is the result.
    pub(crate) fn any(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut kept = Vec::new();
        for part in parts {
            match part {
                Self::False => {}
                Self::True => return Self::True,
                Self::Or(inner) => inner.into_iter().for_each(|p| push_new(&mut kept, p)),
                other => push_new(&mut kept, other),
            }
        }
        match kept.len() {
            0 => Self::False,
            1 => kept.swap_remove(0),
            _ => Self::Or(kept),
        }
    }
}

fn push_new<N: PartialEq>(parts: &mut Vec<Filter<N>>, part: Filter<N>) {
    if parts.len() > MAX_PARTS_COMPARED || !parts.contains(&part) {
        parts.push(part);
    }
}

fn simplify_presence<N: PartialEq + Clone>(path: Path<N>) -> Filter<N> {
    let is_root_alone =
        path.attributes.is_empty() && path.keys.is_empty() && path.member == Member::Value;
    match (&path.root, &path.datasets) {
        (Root::Attribute(name), Datasets::Any | Datasets::Preferred) if is_root_alone => {
            Filter::HasAttribute(name.clone())
        }
        (Root::Id | Root::Type, _) if is_root_alone => Filter::True,
        _ => Filter::Exists(path),
    }
}
