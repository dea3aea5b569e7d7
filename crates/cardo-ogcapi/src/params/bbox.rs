use std::sync::Arc;

use cardo_engine::Column;
use cardo_query::{Filter, GeoCondition, GeoTest, HeightCondition};
use cardo_spatial::{Aabb, CrsError, GeoRelation};
use geo_types::Geometry;

use super::{ParamFault, shorten};
use crate::systems::System;

/// A bounding box, with or without heights. In systems of longitude and latitude its west may lie
/// east of its east, and then the antimeridian runs through it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Bbox {
    /// What it covers in CRS84.
    shape: Geometry<f64>,
    /// From and to how many metres up.
    heights: Option<[f64; 2]>,
}

impl Bbox {
    /// Reads 4 or 6 numbers with commas between them: the lower and the upper corner in the order of
    /// the axes of the system, heights in its own unit and direction.
    pub(crate) fn parse(text: &str, system: &System) -> Result<Self, ParamFault> {
        let quoted = || shorten(text);
        let parts: Vec<&str> = text.split(',').map(str::trim).collect();
        let mut numbers = [0.0; 6];
        if parts.len() != 4 && parts.len() != 6 {
            return Err(ParamFault::BboxLength(quoted(), parts.len()));
        }
        for (number, part) in numbers.iter_mut().zip(&parts) {
            *number = part
                .parse()
                .ok()
                .filter(|number: &f64| number.is_finite())
                .ok_or_else(|| ParamFault::BboxNumber(quoted(), shorten(part)))?;
        }
        let (low, high, heights) = match (parts.len(), numbers) {
            (4, [x, y, far_x, far_y, ..]) => ([x, y], [far_x, far_y], None),
            (_, [x, y, bottom, far_x, far_y, top]) => ([x, y], [far_x, far_y], Some([bottom, top])),
        };
        if let Some([bottom, top]) = heights.filter(|[bottom, top]| bottom > top) {
            let (bottom, top) = (bottom.to_string(), top.to_string());
            return Err(ParamFault::BboxBottom { text: quoted(), bottom, top });
        }
        if system.crs.is_geographic() {
            check_degrees(text, system.crs.east_north(low), system.crs.east_north(high))?;
        }
        let wrong = |why: CrsError| ParamFault::BboxSystem {
            text: quoted(),
            system: system.uri.to_string(),
            why: why.to_string(),
        };
        let shape = system.crs.bbox_to_wgs84(low, high).map_err(wrong)?;
        let heights = heights.map(|range| system.crs.heights_of_box(low, high, range));
        let heights = heights.transpose().map_err(wrong)?;
        Ok(Self { shape, heights })
    }

    /// West, south, east and north of what it covers, where the antimeridian does not run through it.
    pub(crate) fn outline(&self) -> Option<[f64; 4]> {
        match Aabb::covering(&self.shape).as_slice() {
            [Aabb { min: [west, south], max: [east, north] }] if west < east => {
                Some([*west, *south, *east, *north])
            }
            _ => None,
        }
    }

    /// The condition on a geometry column; features without the geometry meet it (requirement
    /// /req/core/fc-bbox-response, C).
    pub(crate) fn filter(&self, column: &Column) -> Filter {
        let property = column.attribute().clone();
        let datasets = column.path.datasets.clone();
        let height = match self.heights {
            None => Filter::True,
            Some(range) => {
                let (property, datasets) = (property.clone(), datasets.clone());
                Filter::Height(HeightCondition { property, range, datasets })
            }
        };
        let test = Arc::new(GeoTest::new(GeoRelation::Intersects, self.shape.clone()));
        Filter::Geo(GeoCondition { property, test, missing_matches: true, datasets }).and(height)
    }
}

fn check_degrees(
    text: &str,
    [west, south]: [f64; 2],
    [east, north]: [f64; 2],
) -> Result<(), ParamFault> {
    let text = || shorten(text);
    if let Some(number) = [west, east].into_iter().find(|lon| lon.abs() > 180.0) {
        return Err(ParamFault::BboxLongitude { text: text(), number: number.to_string() });
    }
    if let Some(number) = [south, north].into_iter().find(|lat| lat.abs() > 90.0) {
        return Err(ParamFault::BboxLatitude { text: text(), number: number.to_string() });
    }
    if south > north {
        let (south, north) = (south.to_string(), north.to_string());
        return Err(ParamFault::BboxSouth { text: text(), south, north });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Result<Bbox, ParamFault> {
        Bbox::parse(text, &System::default_one())
    }

    fn has(text: &str, lon: f64, lat: f64) -> bool {
        let shape = read(text).unwrap().shape;
        GeoTest::new(GeoRelation::Intersects, shape).matches_point(lon, lat)
    }

    #[test]
    fn numbers_come_in_every_form() {
        let bbox = read(" -.5000000,5.0000000,1e1 , 6.").unwrap();
        assert_eq!(bbox.outline(), Some([-0.5, 5.0, 10.0, 6.0]));
        let bbox = read("1,2,-10,3,4,99.5").unwrap();
        assert_eq!(bbox.outline(), Some([1.0, 2.0, 3.0, 4.0]));
        assert_eq!(bbox.heights, Some([-10.0, 99.5]));
        assert_eq!(read("170,0,-170,1").unwrap().outline(), None);
    }

    #[test]
    fn what_is_no_box_is_refused_with_the_offending_number() {
        for (text, says) in [
            ("", "has 1 numbers"),
            ("1,2,3", "has 3 numbers"),
            ("1,2,3,4,5", "has 5 numbers"),
            ("1,2,3,NaN", "\"NaN\" is no number"),
            ("1,2,inf,4", "\"inf\" is no number"),
            ("1,2,,4", "\"\" is no number"),
            ("1,4,3,2", "the south 4 lies above the north 2"),
            ("1,2,9,3,4,8", "the bottom 9 lies above the top 8"),
            ("1,2,181,4", "181 is no longitude"),
            ("1,-91,2,4", "-91 is no latitude"),
        ] {
            let fault = read(text).unwrap_err().to_string();
            assert!(fault.contains(says), "{text}: {fault}");
        }
    }

    #[test]
    fn boxes_that_are_points_or_lines_have_their_borders() {
        assert!(has("24,60,24,60", 24.0, 60.0) && !has("24,60,24,60", 24.0, 60.1));
        assert!(has("24,60,24,61", 24.0, 60.5) && !has("24,60,24,61", 24.1, 60.5));
        assert!(has("-120,60,120,60", 0.0, 60.0) && !has("-120,60,120,60", 150.0, 60.0));
        assert!(has("100,60,90,60", 0.0, 60.0) && !has("100,60,90,60", 95.0, 60.0));
    }

    proptest! {
        #[test]
        fn a_point_is_in_a_box_where_its_numbers_say_so(
            west in -180_i32..=180, east in -180_i32..=180,
            south in -90_i32..=90, height in 0_i32..=180,
            lon in -179_i32..=179, lat in -89_i32..=89,
        ) {
            let north = (south + height).min(90);
            let text = format!("{west},{south},{east},{north}");
            let is_between = if west <= east {
                west <= lon && lon <= east
            } else {
                lon >= west || lon <= east
            };
            let expected = is_between && south <= lat && lat <= north;
            prop_assert_eq!(has(&text, f64::from(lon), f64::from(lat)), expected, "{}", text);
        }
    }
}
