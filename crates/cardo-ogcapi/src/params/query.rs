use std::borrow::Cow;
use std::fmt::Write;

use cardo_http::query_decode;

use super::{ParamFault, shorten};

/// The parameters of a query string, decoded, each once.
#[derive(Debug, Default)]
pub(crate) struct Query<'a> {
    pairs: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

const MAX_PARAMS: usize = 64;
/// How many of the known parameters an error names.
const MAX_NAMED: usize = 40;

impl<'a> Query<'a> {
    /// Reads a raw query string. A parameter that is repeated with the same value is one: clients
    /// add theirs to links that have them already.
    pub(crate) fn parse(raw: Option<&'a str>) -> Result<Self, ParamFault> {
        let mut query = Self::default();
        for pair in raw.unwrap_or("").split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = query_decode(name).ok_or_else(|| ParamFault::Encoding(shorten(name)))?;
            let value = query_decode(value).ok_or_else(|| ParamFault::Encoding(shorten(&name)))?;
            match query.get(&name) {
                Some(first) if *first == value => continue,
                Some(first) => {
                    let (first, second) = (shorten(first), shorten(&value));
                    return Err(ParamFault::Repeated { name: shorten(&name), first, second });
                }
                None => {}
            }
            if query.pairs.len() == MAX_PARAMS {
                return Err(ParamFault::TooMany(MAX_PARAMS));
            }
            query.pairs.push((name, value));
        }
        Ok(query)
    }

    /// The value of a parameter.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_ref())
    }

    /// All parameters, in the order in which they came.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(name, value)| (name.as_ref(), value.as_ref()))
    }

    /// Refuses all parameters but these (requirement /req/core/query-param-unknown).
    pub(crate) fn only(&self, known: &[&str]) -> Result<(), ParamFault> {
        match self.iter().find(|(name, _)| !known.contains(name)) {
            Some((name, _)) => Err(unknown(name, known.iter().copied())),
            None => Ok(()),
        }
    }
}

/// The error for a parameter that is not known.
pub(super) fn unknown<'k>(name: &str, known: impl Iterator<Item = &'k str>) -> ParamFault {
    ParamFault::Unknown { name: shorten(name), known: listed(known) }
}

/// The error for a property that is not known.
pub(super) fn unknown_property<'k>(name: &str, known: impl Iterator<Item = &'k str>) -> ParamFault {
    ParamFault::UnknownProperty { name: shorten(name), known: listed(known) }
}

fn listed<'k>(known: impl Iterator<Item = &'k str>) -> String {
    let known: Vec<&str> = known.collect();
    if known.is_empty() {
        return "none".to_owned();
    }
    let mut list = known[..known.len().min(MAX_NAMED)].join(", ");
    if known.len() > MAX_NAMED {
        let _ = write!(list, " and {} more", known.len() - MAX_NAMED);
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_repeated_with_the_same_value_is_one() {
        let query = Query::parse(Some("limit=5&a=%20b&limit=5")).unwrap();
        assert_eq!(query.iter().collect::<Vec<_>>(), [("limit", "5"), ("a", " b")]);
        assert!(matches!(
            Query::parse(Some("limit=5&limit=6")).unwrap_err(),
            ParamFault::Repeated { .. }
        ));
        assert!(matches!(Query::parse(Some("a=%ff")).unwrap_err(), ParamFault::Encoding(_)));
    }
}
