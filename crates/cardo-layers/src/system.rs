use cardo_formats::RecordGeometry;
use cardo_spatial::{Aabb, Crs, settled};

use crate::flatgeobuf::OpenError;

/// Where on the globe the coordinates of a file are.
pub(crate) struct System {
    /// `None` where they are longitude and latitude as they stand.
    crs: Option<Crs>,
}

/// Edges up to so many units are as good as straight on the globe.
const SHORT: f64 = 10_000.0;
/// Longer ones are looked at in so many parts.
const PARTS: u32 = 8;
/// The part of a box by which what is between two looks may lie outside: an edge of 1,000 km is bent by
/// half a kilometre between looks.
const MARGIN: f64 = 0.002;
/// Rounding, in degrees.
const NOISE: f64 = 1e-8;
/// The widest box in degrees of a plane: where a pole lies in it, edges do not tell what it covers.
const WIDEST: f64 = 90.0;
const WEB_MERCATOR: u32 = 3857;

impl System {
    pub(crate) fn of(name: Option<&str>) -> Result<Self, OpenError> {
        let Some(name) = name else { return Ok(Self { crs: None }) };
        let crs =
            Crs::from_user(name).map_err(|_| OpenError::System(name.chars().take(80).collect()))?;
        Ok(Self { crs: Some(crs).filter(|crs| !crs.is_lon_lat()) })
    }

    /// The URI of the system, where it is another than that of GeoJSON.
    pub(crate) fn uri(&self) -> Option<String> {
        self.crs.as_ref().map(Crs::uri)
    }

    /// The box on the globe that holds all of a file; `None` where there is none.
    pub(crate) fn extent(&self, bounds: [f64; 4]) -> Option<Aabb> {
        let found = self.bounds(bounds)?;
        let is_sure = self
            .crs
            .as_ref()
            .is_none_or(|crs| crs.is_geographic() || crs.ground() == Some(WEB_MERCATOR));
        let ([west, south], [east, north]) = (found.min, found.max);
        let [lower, upper] = [(west, south), (east, north)].map(|corner| settled(corner.into()));
        let [west, south, east, north] = [lower.x, lower.y, upper.x, upper.y];
        let is_within = |from: f64, to: f64, most: f64| -most <= from && from <= to && to <= most;
        let is_box = is_within(west, east, 180.0) && is_within(south, north, 90.0);
        let is_narrow = is_sure || east - west <= WIDEST;
        (is_box && is_narrow).then_some(Aabb { min: [west, south], max: [east, north] })
    }

    /// A box on the globe that holds what lies in a box of the file; `None` where it has no place.
    pub(crate) fn bounds(&self, [west, south, east, north]: [f64; 4]) -> Option<Aabb> {
        let whole = Aabb { min: [west, south], max: [east, north] };
        let Some(crs) = &self.crs else { return Some(whole) };
        if whole.min == whole.max {
            let place = crs.place(whole.min).ok()?;
            return Some(Aabb { min: place, max: place });
        }
        let is_short = crs.is_geographic() || (east - west).max(north - south) <= SHORT;
        let parts = if is_short { 1 } else { PARTS };
        let mut found = Aabb { min: [f64::INFINITY; 2], max: [f64::NEG_INFINITY; 2] };
        for at in (0..=parts).map(|part| f64::from(part) / f64::from(parts)) {
            let (x, y) = (west + at * (east - west), south + at * (north - south));
            for position in [[x, south], [x, north], [west, y], [east, y]] {
                let place = crs.to_wgs84(position).ok()?;
                for axis in [0, 1] {
                    found.min[axis] = found.min[axis].min(place[axis]);
                    found.max[axis] = found.max[axis].max(place[axis]);
                }
            }
        }
        for (axis, most) in [180.0, 90.0].into_iter().enumerate() {
            let margin = (found.max[axis] - found.min[axis]) * MARGIN + NOISE;
            found.min[axis] = (found.min[axis] - margin).max(-most);
            found.max[axis] = (found.max[axis] + margin).min(most);
        }
        Some(found)
    }

    /// A geometry of the file on the globe; `None` where it has no place.
    pub(crate) fn place(&self, geometry: RecordGeometry) -> Option<RecordGeometry> {
        let Some(crs) = &self.crs else { return Some(geometry) };
        let (shape, heights) = crs.place_with_heights(&geometry.shape, &geometry.heights).ok()?;
        Some(RecordGeometry { shape, heights })
    }
}
