//! Systems as PROJJSON (<https://proj.org/specifications/projjson.html>), made of the well-known text
//! (OGC 01-009) of the definitions that are built in.

use serde_json::{Value, json};

use super::wkt::Node;
use super::{mercator, register};

const SCHEMA: &str = "https://proj.org/schemas/v0.7/projjson.schema.json";

/// A name in well-known text, and what the EPSG dataset has for it: name and code.
type Name = (&'static str, &'static str, u32);

/// A method of projection with its parameters.
struct Method {
    name: Name,
    parameters: &'static [Name],
}

const NATURAL: [Name; 5] = [
    ("latitude_of_origin", "Latitude of natural origin", 8801),
    ("central_meridian", "Longitude of natural origin", 8802),
    ("scale_factor", "Scale factor at natural origin", 8805),
    ("false_easting", "False easting", 8806),
    ("false_northing", "False northing", 8807),
];

const METHODS: [Method; 7] = [
    Method { name: ("Transverse_Mercator", "Transverse Mercator", 9807), parameters: &NATURAL },
    Method {
        name: ("Lambert_Conformal_Conic_1SP", "Lambert Conic Conformal (1SP)", 9801),
        parameters: &NATURAL,
    },
    Method { name: ("Oblique_Stereographic", "Oblique Stereographic", 9809), parameters: &NATURAL },
    Method {
        name: ("Lambert_Conformal_Conic_2SP", "Lambert Conic Conformal (2SP)", 9802),
        parameters: &[
            ("latitude_of_origin", "Latitude of false origin", 8821),
            ("central_meridian", "Longitude of false origin", 8822),
            ("standard_parallel_1", "Latitude of 1st standard parallel", 8823),
            ("standard_parallel_2", "Latitude of 2nd standard parallel", 8824),
            ("false_easting", "Easting at false origin", 8826),
            ("false_northing", "Northing at false origin", 8827),
        ],
    },
    Method {
        name: ("Albers_Conic_Equal_Area", "Albers Equal Area", 9822),
        parameters: &[
            ("latitude_of_center", "Latitude of false origin", 8821),
            ("longitude_of_center", "Longitude of false origin", 8822),
            ("standard_parallel_1", "Latitude of 1st standard parallel", 8823),
            ("standard_parallel_2", "Latitude of 2nd standard parallel", 8824),
            ("false_easting", "Easting at false origin", 8826),
            ("false_northing", "Northing at false origin", 8827),
        ],
    },
    Method {
        name: ("Lambert_Azimuthal_Equal_Area", "Lambert Azimuthal Equal Area", 9820),
        parameters: &[
            ("latitude_of_center", "Latitude of natural origin", 8801),
            ("longitude_of_center", "Longitude of natural origin", 8802),
            ("false_easting", "False easting", 8806),
            ("false_northing", "False northing", 8807),
        ],
    },
    Method {
        name: (
            "Hotine_Oblique_Mercator_Azimuth_Center",
            "Hotine Oblique Mercator (variant B)",
            9815,
        ),
        parameters: &[
            ("latitude_of_center", "Latitude of projection centre", 8811),
            ("longitude_of_center", "Longitude of projection centre", 8812),
            ("azimuth", "Azimuth at projection centre", 8813),
            ("rectified_grid_angle", "Angle from Rectified to Skew Grid", 8814),
            ("scale_factor", "Scale factor at projection centre", 8815),
            ("false_easting", "Easting at projection centre", 8816),
            ("false_northing", "Northing at projection centre", 8817),
        ],
    },
];

const PSEUDO_MERCATOR: Method = Method {
    name: ("Mercator_1SP", "Popular Visualisation Pseudo Mercator", 1024),
    parameters: &NATURAL,
};

/// The system of a code with this definition; none where something in that is of no kind known here.
pub(super) fn of(code: u32, definition: &str) -> Option<Value> {
    let node = Node::parse(definition)?;
    let mut system =
        if node.is(&["PROJCS"]) { projected(&node, code)? } else { geographic(alone(&node)?)? };
    system["$schema"] = SCHEMA.into();
    system["id"] = id(code);
    Some(system)
}

/// The system of a code that is put together of two others.
pub(super) fn compound(code: u32, parts: [Value; 2]) -> Value {
    let name = parts.each_ref().map(|part| part["name"].as_str().unwrap_or_default()).join(" + ");
    let components = parts.map(|mut part| {
        part.as_object_mut().map(|members| members.remove("$schema"));
        part
    });
    json!({
        "$schema": SCHEMA,
        "type": "CompoundCRS",
        "name": name,
        "components": components,
        "id": id(code),
    })
}

fn id(code: u32) -> Value {
    json!({ "authority": "EPSG", "code": code })
}

/// A system without the shift to another that it may be bound to. Those of three dimensions come as newer text
/// (OGC 18-010).
fn alone<'n, 'a>(node: &'n Node<'a>) -> Option<&'n Node<'a>> {
    if node.is(&["BOUNDCRS"]) {
        return node.child(&["SOURCECRS"])?.child(&["GEOGCRS"]);
    }
    Some(node)
}

fn geographic(node: &Node<'_>) -> Option<Value> {
    let datum = node.child(&["DATUM"])?;
    let ellipsoid = datum.child(&["SPHEROID", "ELLIPSOID"])?;
    let [semi_major, flattening] = [ellipsoid.number()?, ellipsoid.numbers().nth(1)?];
    // Other angles than degrees are counted differently by different writers of such texts.
    let unit = node.child(&["UNIT"]).or_else(|| node.child(&["AXIS"])?.child(&["ANGLEUNIT"]))?;
    if unit.name()? != "degree" || flattening == 0.0 {
        return None;
    }
    let mut frame = json!({
        "type": "GeodeticReferenceFrame",
        "name": datum_name(datum.name()?),
        "ellipsoid": {
            "name": ellipsoid.name()?,
            "semi_major_axis": semi_major,
            "inverse_flattening": flattening,
        },
    });
    let meridian = node.child(&["PRIMEM"])?;
    if meridian.number()? != 0.0 {
        frame["prime_meridian"] =
            json!({ "name": meridian.name()?, "longitude": meridian.number()? });
    }
    let code = node.epsg()?;
    let axis = |name: &str, short: &str, direction: &str| json!({ "name": name, "abbreviation": short, "direction": direction, "unit": "degree" });
    let axes =
        [axis("Geodetic longitude", "Lon", "east"), axis("Geodetic latitude", "Lat", "north")];
    let mut axes = in_order(axes, code).to_vec();
    if register::is_high(code) {
        axes.push(json!({ "name": "Ellipsoidal height", "abbreviation": "h", "direction": "up", "unit": "metre" }));
    }
    Some(json!({
        "type": "GeographicCRS",
        "name": node.name()?,
        "datum": frame,
        "coordinate_system": { "subtype": "ellipsoidal", "axis": axes },
        "id": id(code),
    }))
}

/// The axes in the order of the authority.
fn in_order(mut axes: [Value; 2], code: u32) -> [Value; 2] {
    if register::is_swapped(code) {
        axes.reverse();
    }
    axes
}

/// The EPSG dataset's name of a datum, which has underscores in well-known text.
fn datum_name(name: &str) -> String {
    match name {
        "WGS_1984" => "World Geodetic System 1984".to_owned(),
        "OSGB_1936" => "Ordnance Survey of Great Britain 1936".to_owned(),
        _ => name.replace('_', " "),
    }
}

fn projected(node: &Node<'_>, code: u32) -> Option<Value> {
    let base = geographic(node.child(&["GEOGCS"])?)?;
    let method = node.child(&["PROJECTION"])?.name()?;
    let method = if code == mercator::CODE {
        &PSEUDO_MERCATOR
    } else if node.child(&["EXTENSION"]).is_some() {
        return None;
    } else {
        METHODS.iter().find(|known| known.name.0 == method)?
    };
    let unit = node.child(&["UNIT"])?;
    let unit = match unit.number()? {
        1.0 => json!("metre"),
        factor => {
            json!({ "type": "LinearUnit", "name": unit.name()?, "conversion_factor": factor })
        }
    };
    let mut parameters = Vec::new();
    for given in node.children(&["PARAMETER"]) {
        let (_, name, code) =
            method.parameters.iter().find(|known| Some(known.0) == given.name())?;
        let unit = match code {
            8805 | 8815 => json!("unity"),
            8806 | 8807 | 8816 | 8817 | 8826 | 8827 => unit.clone(),
            _ => json!("degree"),
        };
        let value = given.number()?;
        // Around a pole all directions are one; the text does not say which way its axes run.
        if *code == 8801 && value.abs() == 90.0 {
            return None;
        }
        parameters.push(json!({ "name": name, "value": value, "unit": unit, "id": id(*code) }));
    }
    let (_, name, number) = method.name;
    let axis = |name: &str, short: &str, direction: &str| json!({ "name": name, "abbreviation": short, "direction": direction, "unit": unit });
    let axes = [axis("Easting", "E", "east"), axis("Northing", "N", "north")];
    // Where axes run elsewhere, positions are no easting and northing.
    let mut directions = node.children(&["AXIS"]).filter_map(Node::word);
    if !directions.all(|direction| matches!(direction, "EAST" | "NORTH")) {
        return None;
    }
    Some(json!({
        "type": "ProjectedCRS",
        "name": node.name()?,
        "base_crs": base,
        "conversion": {
            "name": node.name()?,
            "method": { "name": name, "id": id(number) },
            "parameters": parameters,
        },
        "coordinate_system": { "subtype": "Cartesian", "axis": in_order(axes, code) },
    }))
}

#[cfg(test)]
mod tests {
    use super::super::pure::definition;
    use super::*;

    #[test]
    fn nearly_all_definitions_that_are_built_in_are_described() {
        let texts = register::horizontal_codes().filter_map(|code| Some((code, definition(code)?)));
        let texts: Vec<_> = texts.collect();
        let described = texts.iter().filter(|(code, text)| of(*code, text.wkt).is_some()).count();
        assert!(described * 10 > texts.len() * 9, "{described} of {}", texts.len());
    }
}
