//! The ways in which reference systems are named.

use super::Code;
use super::compound::{self, Parts};

/// Prefixes before a bare EPSG code, in lower case.
const EPSG_PREFIXES: [&str; 6] = [
    "epsg:",
    "http://www.opengis.net/gml/srs/epsg.xml#",
    "urn:x-ogc:def:crs:epsg:",
    "https://epsg.io/",
    "https://spatialreference.org/ref/epsg/",
    "",
];

/// Prefixes before a version and a code, with what separates the two.
const VERSIONED_PREFIXES: [(&str, char); 4] = [
    ("urn:ogc:def:crs:epsg:", ':'),
    ("urn:x-ogc:def:crs:epsg:", ':'),
    ("http://www.opengis.net/def/crs/epsg/", '/'),
    ("https://www.opengis.net/def/crs/epsg/", '/'),
];

/// What stands before the parts of a system in its name.
const COMPOUND_URIS: [&str; 2] =
    ["http://www.opengis.net/def/crs-compound", "https://www.opengis.net/def/crs-compound"];
const COMPOUND_URN: &str = "urn:ogc:def:crs,crs:";

pub(super) fn parse(text: &str) -> Option<Code> {
    let lower = text.trim().to_ascii_lowercase();
    let lower = lower.strip_prefix('<').and_then(|l| l.strip_suffix('>')).unwrap_or(&lower);
    if is_crs84(lower) {
        return Some(Code::Crs84);
    }
    match parts(lower) {
        Some(parts) => compound::of(parts).map(Code::Epsg),
        None => single(lower).map(Code::Epsg),
    }
}

/// The EPSG code that a name in lower case has.
fn single(lower: &str) -> Option<u32> {
    let bare = EPSG_PREFIXES.iter().find_map(|prefix| code(lower.strip_prefix(prefix)?));
    let versioned = || {
        VERSIONED_PREFIXES.iter().find_map(|(prefix, separator)| {
            let (_version, rest) = lower.strip_prefix(prefix)?.split_once(*separator)?;
            code(rest)
        })
    };
    bare.or_else(versioned)
}

/// The two systems of which a name in lower case puts another together (OGC 09-048r5, clause 6.2; OGC 07-092r3,
/// clause 7.5.5).
fn parts(lower: &str) -> Option<Parts> {
    let of_uri = || {
        let query = COMPOUND_URIS.iter().find_map(|start| lower.strip_prefix(start))?;
        query.strip_prefix("?1=")?.split_once("&2=")
    };
    let of_urn = || lower.strip_prefix(COMPOUND_URN)?.split_once(",crs:");
    let (ground, heights) = of_uri().or_else(of_urn)?;
    let code_of = |part: &str| match part.strip_prefix("epsg:") {
        Some(rest) => code(rest.split_once(':')?.1),
        None => single(part),
    };
    Some(Parts { ground: code_of(ground)?, heights: code_of(heights)? })
}

/// The forms in which OGC's standards write the name of a reference system: a URI (OGC 09-048r5, clause 6.2), or a safe
/// CURIE.
pub(super) fn parse_uri(text: &str) -> Option<Code> {
    let curie = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let is_uri =
        ["http://www.opengis.net/def/crs/", "https://www.opengis.net/def/crs/", "urn:ogc:def:crs:"]
            .iter()
            .chain(&COMPOUND_URIS)
            .chain([&COMPOUND_URN])
            .any(|start| text.starts_with(start));
    match curie {
        Some(inner) if inner.starts_with("EPSG:") || inner.starts_with("OGC:") => parse(inner),
        None if is_uri => parse(text),
        _ => None,
    }
}

fn code(digits: &str) -> Option<u32> {
    let code = digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok())??;
    // The number that web maps used before theirs was registered.
    Some(if code == 900_913 { 3857 } else { code })
}

fn is_crs84(lower: &str) -> bool {
    let name = lower.strip_suffix('h').unwrap_or(lower);
    let Some(prefix) = name.strip_suffix("crs84") else {
        return false;
    };
    let plain = ["", "ogc:", "urn:ogc:def:crs:ogc::", "urn:x-ogc:def:crs:ogc::"];
    let versioned = [
        ("urn:ogc:def:crs:ogc:", ':'),
        ("urn:x-ogc:def:crs:ogc:", ':'),
        ("http://www.opengis.net/def/crs/ogc/", '/'),
        ("https://www.opengis.net/def/crs/ogc/", '/'),
    ];
    plain.contains(&prefix)
        || versioned.iter().any(|(start, end)| {
            prefix.strip_prefix(start).and_then(|rest| rest.strip_suffix(*end)).is_some_and(
                |version| {
                    !version.is_empty() && version.bytes().all(|b| b.is_ascii_digit() || b == b'.')
                },
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_usual_form_is_understood() {
        for text in [
            "EPSG:3879",
            "epsg:3879",
            " 3879 ",
            "urn:ogc:def:crs:EPSG::3879",
            "urn:ogc:def:crs:EPSG:9.8.6:3879",
            "http://www.opengis.net/def/crs/EPSG/0/3879",
            "https://www.opengis.net/def/crs/EPSG/0/3879",
            "<http://www.opengis.net/def/crs/EPSG/0/3879>",
            "http://www.opengis.net/gml/srs/epsg.xml#3879",
        ] {
            assert_eq!(parse(text), Some(Code::Epsg(3879)), "{text}");
        }
        for text in [
            "CRS84",
            "OGC:CRS84",
            "OGC:CRS84h",
            "urn:ogc:def:crs:OGC:1.3:CRS84",
            "urn:ogc:def:crs:OGC::CRS84",
            "http://www.opengis.net/def/crs/OGC/1.3/CRS84",
            "http://www.opengis.net/def/crs/OGC/0/CRS84h",
        ] {
            assert_eq!(parse(text), Some(Code::Crs84), "{text}");
        }
    }

    #[test]
    fn a_uri_is_no_other_form() {
        for text in [
            "http://www.opengis.net/def/crs/EPSG/0/3879",
            "https://www.opengis.net/def/crs/EPSG/0/3879",
            "urn:ogc:def:crs:EPSG::3879",
            "[EPSG:3879]",
        ] {
            assert_eq!(parse_uri(text), Some(Code::Epsg(3879)), "{text}");
        }
        assert_eq!(parse_uri("[OGC:CRS84]"), Some(Code::Crs84));
        for text in [
            "EPSG:3879",
            "3879",
            "[3879]",
            "[EPSG:3879",
            "<http://www.opengis.net/def/crs/EPSG/0/3879>",
            "http://www.opengis.net/def/crs/EPSG/3879",
            "http://www.opengis.net/def/crs/0/unsupported",
        ] {
            assert_eq!(parse_uri(text), None, "{text}");
        }
    }

    #[test]
    fn a_compound_system_is_named_by_its_parts() {
        for text in [
            "http://www.opengis.net/def/crs-compound?1=http://www.opengis.net/def/crs/EPSG/0/28992\
             &2=http://www.opengis.net/def/crs/EPSG/0/5709",
            "urn:ogc:def:crs,crs:EPSG::28992,crs:EPSG::5709",
            "urn:ogc:def:crs,crs:EPSG:6.12:28992,crs:EPSG:6.12:5709",
        ] {
            assert_eq!(parse_uri(text), Some(Code::Epsg(7415)), "{text}");
        }
    }

    #[test]
    fn what_is_no_name_is_none() {
        for text in [
            "urn:ogc:def:crs,crs:EPSG::28992",
            "urn:ogc:def:crs,crs:EPSG::28992,crs:EPSG::28992",
            "http://www.opengis.net/def/crs-compound?1=28992",
            "http://www.opengis.net/def/crs-compound?1=urn:ogc:def:crs,crs:&2=",
            "",
            "EPSG:",
            "EPSG:12x",
            "WGS84?",
            "urn:ogc:def:crs:EPSG:3879",
            "EPSG:99999999999",
            "xcrs84",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
