//! Systems as texts for others: well-known text, and PROJJSON.

use std::borrow::Cow;

use serde_json::Value;

use super::compound::{self, Parts};
use super::{composed, projjson, pure, register, vertical};

/// The well-known text of a code (OGC 01-009).
pub(super) fn wkt(code: u32) -> Option<Cow<'static, str>> {
    let Some(Parts { ground, heights }) = compound::parts(code) else {
        return plain(code);
    };
    let (ground, heights) = (plain(ground)?, vertical::of(heights)?);
    let name = ground.split('"').nth(1)?;
    let own = format!("{name} + {}", heights.name);
    let heights = heights.to_wkt();
    Some(format!("COMPD_CS[\"{own}\",{ground},{heights},AUTHORITY[\"EPSG\",\"{code}\"]]").into())
}

/// The text of a system that is not compound. Those of three dimensions have none of this version.
fn plain(code: u32) -> Option<Cow<'static, str>> {
    if register::is_high(code) {
        return None;
    }
    let is_one = |text: &&str| ["GEOGCS[", "PROJCS["].iter().any(|start| text.starts_with(start));
    let built_in = pure::definition(code).map(|known| known.wkt).filter(is_one);
    built_in.map(Cow::Borrowed).or_else(|| composed::wkt(code).map(Cow::Owned))
}

/// The system of a code as PROJJSON.
pub(super) fn projjson(code: u32) -> Option<Value> {
    let Some(Parts { ground, heights }) = compound::parts(code) else { return single(code) };
    Some(projjson::compound(code, [single(ground)?, vertical::of(heights)?.to_projjson()]))
}

fn single(code: u32) -> Option<Value> {
    let built_in = pure::definition(code).and_then(|known| projjson::of(code, known.wkt));
    let composed = || projjson::of(code, &composed::wkt(code)?);
    let built_in = built_in.or_else(composed);
    #[cfg(feature = "proj")]
    let built_in = built_in.or_else(|| super::library::projjson(code));
    built_in
}
