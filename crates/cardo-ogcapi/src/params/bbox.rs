use std::sync::Arc;

use cardo_engine::Column;
use cardo_query::{Filter, GeoCondition, GeoTest, HeightCondition};
use cardo_spatial::{GeoRelation, bbox_geometry};
use geo_types::Geometry;

use super::{ParamFault, shorten};

/// A bounding box in CRS84, with or without heights; its west may lie east of its east, and then
/// the antimeridian runs through it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bbox {
    pub(crate) west: f64,
    pub(crate) south: f64,
    pub(crate) east: f64,
    pub(crate) north: f64,
    pub(crate) heights: Option<[f64; 2]>,
}

impl Bbox {
    /// Reads 4 or 6 numbers with commas between them.
    pub(crate) fn parse(text: &str) -> Result<Self, ParamFault> {
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
        let (corners, heights) = match (parts.len(), numbers) {
            (4, [west, south, east, north, ..]) => ([west, south, east, north], None),
            (_, [west, south, bottom, east, north, top]) => {
                ([west, south, east, north], Some([bottom, top]))
            }
        };
        let [west, south, east, north] = corners;
        let bbox = Self { west, south, east, north, heights };
        bbox.check(text)?;
        Ok(bbox)
    }

    fn check(&self, text: &str) -> Result<(), ParamFault> {
        let text = || shorten(text);
        if let Some(number) = [self.west, self.east].into_iter().find(|lon| lon.abs() > 180.0) {
            return Err(ParamFault::BboxLongitude { text: text(), number: number.to_string() });
        }
        if let Some(number) = [self.south, self.north].into_iter().find(|lat| lat.abs() > 90.0) {
            return Err(ParamFault::BboxLatitude { text: text(), number: number.to_string() });
        }
        if self.south > self.north {
            let (south, north) = (self.south.to_string(), self.north.to_string());
            return Err(ParamFault::BboxSouth { text: text(), south, north });
        }
        if let Some([bottom, top]) = self.heights.filter(|[bottom, top]| bottom > top) {
            let (bottom, top) = (bottom.to_string(), top.to_string());
            return Err(ParamFault::BboxBottom { text: text(), bottom, top });
        }
        Ok(())
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
        let test = Arc::new(GeoTest::new(GeoRelation::Intersects, self.shape()));
        Filter::Geo(GeoCondition { property, test, missing_matches: true, datasets }).and(height)
    }

    fn shape(&self) -> Geometry<f64> {
        bbox_geometry(self.west, self.south, self.east, self.north)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn has(text: &str, lon: f64, lat: f64) -> bool {
        let shape = Bbox::parse(text).unwrap().shape();
        GeoTest::new(GeoRelation::Intersects, shape).matches_point(lon, lat)
    }

    #[test]
    fn numbers_come_in_every_form() {
        let bbox = Bbox::parse(" -.5000000,5.0000000,1e1 , 6.").unwrap();
        assert_eq!((bbox.west, bbox.south, bbox.east, bbox.north), (-0.5, 5.0, 10.0, 6.0));
        let bbox = Bbox::parse("1,2,-10,3,4,99.5").unwrap();
        assert_eq!((bbox.east, bbox.north), (3.0, 4.0));
        assert_eq!(bbox.heights, Some([-10.0, 99.5]));
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
            let fault = Bbox::parse(text).unwrap_err().to_string();
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
