//! What is said of sources that gave nothing (table 6.3.17-1).

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response};
use cardo_engine::{Caller, Contribution, SourceFault};

use crate::fault::Fault;

const WARNING: HeaderName = HeaderName::from_static("ngsild-warning");

/// The most warnings in one answer.
const MOST: usize = 32;

/// An answer, or the reason why there is none, with a warning for each source that behaved
/// abnormally.
pub(crate) fn warned(
    answer: Result<Response<Body>, Fault>,
    contributions: Option<&[Contribution]>,
    caller: &Caller,
) -> Result<Response<Body>, Fault> {
    let Some(contributions) = contributions else { return answer };
    let alias = caller.reach.forwarding().map_or("-", |forwarding| &*forwarding.alias);
    let warnings: Vec<HeaderValue> = warnings(contributions, alias);
    match answer {
        Ok(mut response) => {
            append(response.headers_mut(), warnings);
            Ok(response)
        }
        Err(fault) => {
            Err(warnings.into_iter().fold(fault, |fault, text| fault.with_header(WARNING, text)))
        }
    }
}

fn append(headers: &mut HeaderMap, warnings: Vec<HeaderValue>) {
    for warning in warnings {
        headers.append(WARNING, warning);
    }
}

fn warnings(contributions: &[Contribution], alias: &str) -> Vec<HeaderValue> {
    let mut texts: Vec<String> = Vec::new();
    for Contribution { registration, outcome, warnings, .. } in contributions {
        texts.extend(warnings.iter().map(ToString::to_string));
        let (code, text) = match outcome {
            Ok(given) if given.unusable > 0 => {
                (111, format!("{} of its entities cannot be used", given.unusable))
            }
            Ok(given) if given.is_cut => {
                (199, format!("it has more than the {} entities that were read", given.entities))
            }
            Ok(_) => continue,
            Err(fault) => (code(fault), fault.to_string()),
        };
        texts.push(format!("{code} {alias} \"{}\"", plain(&format!("{registration}: {text}"))));
    }
    let mut seen = std::collections::HashSet::new();
    texts.retain(|text| seen.insert(text.clone()));
    texts.into_iter().take(MOST).filter_map(|text| HeaderValue::try_from(text).ok()).collect()
}

fn code(fault: &SourceFault) -> u16 {
    match fault {
        SourceFault::Silent(_) | SourceFault::Loop => 199,
        SourceFault::Refused { .. } => 299,
        SourceFault::Invalid(_) => 111,
    }
}

/// What may stand between quotes in a header.
fn plain(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '\\');
    text.chars().map(|c| if is_plain(c) || c == ' ' { c } else { '\'' }).collect()
}
