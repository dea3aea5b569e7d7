//! Which way the rings of a GeoJSON geometry run (RFC 7946, section 3.1.6).

use serde_json::Value;

/// Whether a value is null or a geometry whose exterior rings run counterclockwise and whose holes run clockwise.
pub(crate) fn is_right_handed(geometry: &Value) -> bool {
    let coordinates = &geometry["coordinates"];
    match geometry["type"].as_str() {
        Some("Polygon") => is_polygon(coordinates),
        Some("MultiPolygon") => list(coordinates).iter().all(is_polygon),
        Some("GeometryCollection") => list(&geometry["geometries"]).iter().all(is_right_handed),
        Some(_) => true,
        None => geometry.is_null(),
    }
}

fn is_polygon(rings: &Value) -> bool {
    let run = |(nth, ring): (usize, &Value)| match area(ring) {
        Some(area) if nth == 0 => area >= 0.0,
        Some(area) => area <= 0.0,
        None => false,
    };
    !list(rings).is_empty() && list(rings).iter().enumerate().all(run)
}

/// Twice the area of a ring, more than nothing where it runs counterclockwise. An edge over more than half of the world
/// may be meant the other way round, so such a ring has none.
fn area(ring: &Value) -> Option<f64> {
    let position = |value: &Value| Some([value.get(0)?.as_f64()?, value.get(1)?.as_f64()?]);
    let positions = list(ring).iter().map(position).collect::<Option<Vec<_>>>()?;
    let [west, south] = *positions.first()?;
    let mut area = 0.0;
    for edge in positions.windows(2) {
        let ([ax, ay], [bx, by]) = (edge[0], edge[1]);
        if (bx - ax).abs() > 180.0 {
            return Some(0.0);
        }
        area += (ax - west) * (by - south) - (bx - west) * (ay - south);
    }
    Some(area)
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
