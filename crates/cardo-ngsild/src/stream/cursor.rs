use std::fmt;
use std::str::FromStr;

use axum::http::HeaderMap;
use cardo_model::Revision;

use crate::fault::Fault;

/// How far somebody has read: everything up to a revision, and of the one behind it the changes before
/// `places`, where its notifications were cut apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Cursor {
    pub(crate) revision: Revision,
    pub(crate) places: usize,
}

impl Cursor {
    /// Behind everything of a revision.
    pub(crate) fn behind(revision: Revision) -> Self {
        Self { revision, places: 0 }
    }

    /// Within a revision.
    pub(crate) fn within(revision: Revision, places: usize) -> Self {
        Self { revision: Revision(revision.0.saturating_sub(1)), places }
    }

    /// That of a request: `Last-Event-ID`, which a browser sends when it connects again, goes before
    /// what stands in the address.
    pub(crate) fn of(headers: &HeaderMap, given: Option<&str>) -> Result<Option<Self>, Fault> {
        let last = headers.get("last-event-id").filter(|value| !value.is_empty());
        let last = match last {
            None => None,
            Some(value) => Some(value.to_str().map_err(|_| invalid("in Last-Event-ID"))?),
        };
        last.or(given).map(|text| text.parse().map_err(|()| invalid(text))).transpose()
    }
}

fn invalid(text: &str) -> Fault {
    let shown: String = text.chars().take(40).collect();
    Fault::bad_data(format!("the cursor {shown:?} is none: it is a revision, such as 17 or 17.3"))
}

impl FromStr for Cursor {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let number = |text: &str| {
            let is_plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            if is_plain { text.parse::<u64>().map_err(|_| ()) } else { Err(()) }
        };
        match text.split_once('.') {
            None => Ok(Self::behind(Revision(number(text)?))),
            Some((revision, places)) => {
                let places = usize::try_from(number(places)?).map_err(|_| ())?;
                let revision = number(revision)?;
                if revision == 0 { Err(()) } else { Ok(Self::within(Revision(revision), places)) }
            }
        }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.places {
            0 => write!(f, "{}", self.revision.0),
            places => write!(f, "{}.{places}", self.revision.0 + 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_was_written() {
        for text in ["0", "17", "17.3", "18446744073709551615"] {
            assert_eq!(text.parse::<Cursor>().unwrap().to_string(), text);
        }
        assert!("17".parse::<Cursor>() < "18.3".parse::<Cursor>());
        assert!("18.3".parse::<Cursor>() < "18".parse::<Cursor>());
        for text in ["", "x", "-1", "+1", "1.", ".1", "0.1", "1.2.3", "99999999999999999999"] {
            assert!(text.parse::<Cursor>().is_err(), "{text:?}");
        }
    }
}
