//! Well-known text (OGC 01-009) of systems that are defined here in words of PROJ, with their names in the EPSG dataset.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::definitions;

struct Names {
    /// Name, datum, ellipsoid and its two numbers, with bars between them.
    geographic: HashMap<u32, &'static str>,
    /// The code of the system that is projected, and the name of the projected one.
    projected: HashMap<u32, (u32, &'static str)>,
}

static NAMES: LazyLock<Names> = LazyLock::new(|| {
    let (geographic, projected) = include_str!("names.txt").split_once("\n\n").unwrap_or_default();
    let row = |line: &'static str| {
        let (code, rest) = line.split_once('|')?;
        Some((code.parse::<u32>().ok()?, rest))
    };
    let projected = projected.lines().filter_map(row).filter_map(|(code, rest)| {
        let (base, name) = rest.split_once('|')?;
        Some((code, (base.parse().ok()?, name)))
    });
    Names {
        geographic: geographic.lines().filter_map(row).collect(),
        projected: projected.collect(),
    }
});

/// The text of a code; none where its projection has another method than those below.
pub(super) fn wkt(code: u32) -> Option<String> {
    match NAMES.projected.get(&code) {
        Some((base, name)) => projected(code, *base, name),
        None => geographic(code),
    }
}

fn geographic(code: u32) -> Option<String> {
    let row: Vec<&str> = NAMES.geographic.get(&code)?.split('|').collect();
    let [name, datum, ellipsoid, semi_major, flattening] = row.as_slice() else { return None };
    Some(format!(
        "GEOGCS[\"{name}\",DATUM[\"{datum}\",SPHEROID[\"{ellipsoid}\",{semi_major},{flattening}]],\
         PRIMEM[\"Greenwich\",0,AUTHORITY[\"EPSG\",\"8901\"]],\
         UNIT[\"degree\",0.0174532925199433,AUTHORITY[\"EPSG\",\"9122\"]],AUTHORITY[\"EPSG\",\"{code}\"]]"
    ))
}

/// The words of a string of PROJ.
struct Words<'a>(HashMap<&'a str, &'a str>);

impl Words<'_> {
    /// A number, or what it is where it is not said.
    fn number(&self, key: &str, otherwise: f64) -> Option<f64> {
        self.0.get(key).map_or(Some(otherwise), |text| text.parse().ok())
    }

    fn has(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }
}

/// A parameter by its name.
type Parameter = (&'static str, f64);

fn projected(code: u32, base: u32, name: &str) -> Option<String> {
    let text = definitions::of(code)?;
    let words = text.split(' ').filter_map(|word| word.strip_prefix('+'));
    let words = Words(words.map(|word| word.split_once('=').unwrap_or((word, ""))).collect());
    let (unit, length) = match words.0.get("units") {
        None => ("metre", 1.0),
        Some(&"ft") => ("foot", 0.3048),
        Some(&"us-ft") => ("US survey foot", 1200.0 / 3937.0),
        Some(_) => return None,
    };
    let (method, parameters) = method(&words)?;
    let parameters = parameters.into_iter().map(|(name, value)| {
        // PROJ has these in metres, and well-known text in the unit of the system.
        let is_length = name.starts_with("false");
        let value = if is_length { (value / length * 1e6).round() / 1e6 } else { value };
        format!("PARAMETER[\"{name}\",{value}],")
    });
    let parameters = parameters.collect::<Vec<_>>().concat();
    let base = geographic(base)?;
    Some(format!(
        "PROJCS[\"{name}\",{base},PROJECTION[\"{method}\"],{parameters}UNIT[\"{unit}\",{length}],\
         AUTHORITY[\"EPSG\",\"{code}\"]]"
    ))
}

/// The method of a projection and its parameters.
fn method(words: &Words<'_>) -> Option<(&'static str, Vec<Parameter>)> {
    let [lat, lon] = ["lat_0", "lon_0"].map(|key| words.number(key, 0.0));
    let (lat, lon) = (lat?, lon?);
    let scale = words.number(if words.has("k_0") { "k_0" } else { "k" }, 1.0)?;
    let [east, north] = ["x_0", "y_0"].map(|key| words.number(key, 0.0));
    let falses = [("false_easting", east?), ("false_northing", north?)];
    let natural = |lat, lon, scale, falses: [Parameter; 2]| {
        let first =
            [("latitude_of_origin", lat), ("central_meridian", lon), ("scale_factor", scale)];
        first.into_iter().chain(falses).collect()
    };
    let parallels = || {
        let [one, two] = ["lat_1", "lat_2"].map(|key| words.number(key, 0.0));
        Some([("standard_parallel_1", one?), ("standard_parallel_2", two?)])
    };
    let center = [("latitude_of_center", lat), ("longitude_of_center", lon)];
    Some(match *words.0.get("proj")? {
        "utm" => {
            let meridian = words.number("zone", f64::NAN)?.mul_add(6.0, -183.0);
            let north = if words.has("south") { 1e7 } else { 0.0 };
            let falses = [("false_easting", 500_000.0), ("false_northing", north)];
            ("Transverse_Mercator", natural(0.0, meridian, 0.9996, falses))
        }
        "tmerc" => ("Transverse_Mercator", natural(lat, lon, scale, falses)),
        "sterea" => ("Oblique_Stereographic", natural(lat, lon, scale, falses)),
        "lcc" if words.has("lat_2") => {
            let origin = [("latitude_of_origin", lat), ("central_meridian", lon)];
            let all = origin.into_iter().chain(parallels()?).chain(falses);
            ("Lambert_Conformal_Conic_2SP", all.collect())
        }
        "lcc" if words.0.get("lat_1") == words.0.get("lat_0") => {
            ("Lambert_Conformal_Conic_1SP", natural(lat, lon, scale, falses))
        }
        "aea" => {
            let all = center.into_iter().chain(parallels()?).chain(falses);
            ("Albers_Conic_Equal_Area", all.collect())
        }
        "laea" => ("Lambert_Azimuthal_Equal_Area", center.into_iter().chain(falses).collect()),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::wkt::Description;
    use super::*;

    #[test]
    fn every_name_has_a_text_that_is_read_as_its_code() {
        let codes = NAMES.projected.keys().chain(NAMES.geographic.keys());
        assert!(codes.clone().count() > 800);
        for code in codes {
            let Some(text) = wkt(*code) else { continue };
            let described = Description::parse(&text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(described.code, Some(*code), "{text}");
        }
        assert!(wkt(11_022).unwrap().contains("PARAMETER[\"central_meridian\",9]"));
        assert_eq!(wkt(28_992), None);
    }
}
