//! Well-known text of coordinate reference systems (OGC 01-009, OGC 18-010, and ESRI's dialect), as far as it takes
//! to find out which system of the EPSG dataset is meant.

use std::collections::BTreeMap;

/// Longer text describes no reference system.
const MAX_LENGTH: usize = 64 << 10;
const MAX_DEPTH: usize = 24;

/// `KEYWORD[value, …]`.
#[derive(Debug, PartialEq)]
pub(super) struct Node<'a> {
    keyword: &'a str,
    values: Vec<Value<'a>>,
}

#[derive(Debug, PartialEq)]
enum Value<'a> {
    Text(&'a str),
    Number(f64),
    Word(&'a str),
    Node(Node<'a>),
}

/// What of a text tells one horizontal system from another.
#[derive(Debug, PartialEq)]
pub(super) struct Description {
    pub(super) name: String,
    /// The EPSG code that the text itself gives.
    pub(super) code: Option<u32>,
    pub(super) is_projected: bool,
    geographic: Geographic,
    method: String,
    parameters: BTreeMap<String, f64>,
    /// Metres, where it is projected.
    unit: f64,
}

#[derive(Debug, PartialEq)]
struct Geographic {
    name: String,
    code: Option<u32>,
    datum: String,
    datum_code: Option<u32>,
    semi_major: f64,
    inverse_flattening: f64,
    meridian: f64,
}

impl Description {
    /// Reads a text; none where it describes no horizontal system.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let root = Node::parse(text)?;
        Self::of(horizontal(&root, 0)?)
    }

    fn of(root: &Node<'_>) -> Option<Self> {
        let is_projected = root.is(&["PROJCS", "PROJCRS", "PROJECTEDCRS"]);
        let base = if is_projected {
            root.child(&["GEOGCS", "BASEGEOGCRS", "BASEGEODCRS", "GEOGCRS"])?
        } else {
            root
        };
        let conversion = root.child(&["CONVERSION"]).unwrap_or(root);
        let method = conversion.child(&["PROJECTION", "METHOD"]).and_then(Node::name);
        let parameters = conversion.children(&["PARAMETER"]);
        let parameters = parameters.filter_map(|p| Some((parameter(p.name()?), p.number()?)));
        let unit = root.child(&["UNIT", "LENGTHUNIT"]);
        let unit = unit.or_else(|| root.child(&["AXIS"])?.child(&["LENGTHUNIT", "UNIT"]));
        Some(Self {
            name: root.name()?.to_owned(),
            code: root.epsg(),
            is_projected,
            geographic: Geographic::of(base)?,
            method: method.map(method_name).unwrap_or_default(),
            // A parameter that is nought may be left out.
            parameters: in_order(parameters.filter(|(_, value)| *value != 0.0).collect()),
            unit: if is_projected { unit.and_then(Node::number).unwrap_or(1.0) } else { 1.0 },
        })
    }

    /// Whether both describe the same positions, under whatever name.
    pub(super) fn is_same_system(&self, other: &Self) -> bool {
        self.is_projected == other.is_projected
            && self.method == other.method
            && (self.unit - other.unit).abs() <= 1e-9
            && self.geographic.is_same(&other.geographic)
            && self.parameters.len() == other.parameters.len()
            && self
                .parameters
                .iter()
                .zip(&other.parameters)
                .all(|(one, two)| one.0 == two.0 && (one.1 - two.1).abs() <= tolerance(one.0))
    }

    /// How many words its name has.
    pub(super) fn words(&self) -> usize {
        words(&self.name).len()
    }

    /// How many words of the two names are the same.
    pub(super) fn shared_words(&self, other: &Self) -> usize {
        let words = words(&other.name);
        self::words(&self.name).iter().filter(|word| words.contains(word)).count()
    }
}

/// Which of two standard parallels comes first makes no difference.
fn in_order(mut parameters: BTreeMap<String, f64>) -> BTreeMap<String, f64> {
    let [one, two] =
        ["standardparallel1", "standardparallel2"].map(|name| parameters.get(name).copied());
    if let (Some(one), Some(two)) = (one, two) {
        parameters.insert("standardparallel1".to_owned(), one.min(two));
        parameters.insert("standardparallel2".to_owned(), one.max(two));
    }
    parameters
}

/// Writers round: angles to a billionth of a degree, scales to what moves no position of a country by a metre.
fn tolerance(parameter: &str) -> f64 {
    match parameter {
        "scalefactor" => 7e-7,
        "falseeasting" | "falsenorthing" => 0.01,
        _ => 1e-7,
    }
}

impl Geographic {
    fn of(node: &Node<'_>) -> Option<Self> {
        let datum = node.child(&["DATUM", "GEODETICDATUM", "TRF", "ENSEMBLE"])?;
        let ellipsoid = datum.child(&["SPHEROID", "ELLIPSOID"])?;
        let meridian = node.child(&["PRIMEM", "PRIMEMERIDIAN"]).and_then(Node::number);
        Some(Self {
            name: plain_name(node.name()?, "gcs"),
            code: node.epsg(),
            datum: plain_name(datum.name()?, "d"),
            datum_code: datum.epsg(),
            semi_major: ellipsoid.number()?,
            inverse_flattening: ellipsoid.numbers().nth(1)?,
            meridian: meridian.unwrap_or_default(),
        })
    }

    fn is_same(&self, other: &Self) -> bool {
        let same_code = |one: Option<u32>, two: Option<u32>| one.is_some() && one == two;
        (self.semi_major - other.semi_major).abs() < 0.01
            && (self.inverse_flattening - other.inverse_flattening).abs() < 1e-4
            && (self.meridian - other.meridian).abs() < 1e-7
            && (self.datum == other.datum
                || self.name == other.name
                || same_code(self.code, other.code)
                || same_code(self.datum_code, other.datum_code))
    }
}

/// The horizontal part of a system that may be compound or bound to another.
fn horizontal<'n, 'a>(node: &'n Node<'a>, depth: usize) -> Option<&'n Node<'a>> {
    const HORIZONTAL: [&str; 8] = [
        "PROJCS",
        "PROJCRS",
        "PROJECTEDCRS",
        "GEOGCS",
        "GEOGCRS",
        "GEOGRAPHICCRS",
        "GEODCRS",
        "GEODETICCRS",
    ];
    if node.is(&HORIZONTAL) {
        return Some(node);
    }
    if depth < 3 && node.is(&["COMPD_CS", "COMPOUNDCRS", "BOUNDCRS", "SOURCECRS"]) {
        return node.nodes().find_map(|child| horizontal(child, depth + 1));
    }
    None
}

impl<'a> Node<'a> {
    /// Reads a text as far as its first node.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        if text.len() > MAX_LENGTH {
            return None;
        }
        let mut rest = text.trim_start_matches('\u{feff}').trim();
        node(&mut rest, 0)
    }

    /// The first value that is neither text nor number.
    pub(super) fn word(&self) -> Option<&'a str> {
        self.values.iter().find_map(|value| match value {
            Value::Word(word) => Some(*word),
            _ => None,
        })
    }

    pub(super) fn is(&self, keywords: &[&str]) -> bool {
        keywords.iter().any(|keyword| self.keyword.eq_ignore_ascii_case(keyword))
    }

    pub(super) fn nodes(&self) -> impl Iterator<Item = &Node<'a>> {
        self.values.iter().filter_map(|value| match value {
            Value::Node(node) => Some(node),
            _ => None,
        })
    }

    pub(super) fn children(&self, keywords: &[&str]) -> impl Iterator<Item = &Node<'a>> {
        self.nodes().filter(|node| node.is(keywords))
    }

    pub(super) fn child(&self, keywords: &[&str]) -> Option<&Node<'a>> {
        self.nodes().find(|node| node.is(keywords))
    }

    pub(super) fn name(&self) -> Option<&'a str> {
        self.values.iter().find_map(|value| match value {
            Value::Text(text) => Some(*text),
            _ => None,
        })
    }

    pub(super) fn numbers(&self) -> impl Iterator<Item = f64> {
        self.values.iter().filter_map(|value| match value {
            Value::Number(number) => Some(*number),
            _ => None,
        })
    }

    pub(super) fn number(&self) -> Option<f64> {
        self.numbers().next()
    }

    pub(super) fn epsg(&self) -> Option<u32> {
        let given = self.child(&["AUTHORITY", "ID"])?;
        if !given.name()?.eq_ignore_ascii_case("EPSG") {
            return None;
        }
        let text = given.values.iter().skip(1).find_map(|value| match value {
            Value::Text(text) => Some((*text).to_owned()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        });
        text?.parse().ok().filter(|code| *code > 0)
    }
}

fn node<'a>(rest: &mut &'a str, depth: usize) -> Option<Node<'a>> {
    let text = *rest;
    let length = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_')?;
    let (keyword, after) = text.split_at(length);
    let mut inner = after.trim_start().strip_prefix(['[', '('])?.trim_start();
    if keyword.is_empty() || depth > MAX_DEPTH {
        return None;
    }
    let mut values = Vec::new();
    loop {
        values.push(value(&mut inner, depth)?);
        inner = inner.trim_start();
        if let Some(more) = inner.strip_prefix(',') {
            inner = more.trim_start();
        } else {
            *rest = inner.strip_prefix([']', ')'])?;
            return Some(Node { keyword, values });
        }
    }
}

fn value<'a>(rest: &mut &'a str, depth: usize) -> Option<Value<'a>> {
    let text = *rest;
    if let Some(quoted) = text.strip_prefix('"') {
        let end = quoted.find('"')?;
        *rest = &quoted[end + 1..];
        return Some(Value::Text(&quoted[..end]));
    }
    let length = text.find([',', ']', ')', '[', '(']).unwrap_or(text.len());
    let word = text[..length].trim();
    if let Ok(number) = word.parse::<f64>() {
        *rest = &text[length..];
        return number.is_finite().then_some(Value::Number(number));
    }
    if text[length..].starts_with(['[', '(']) {
        return node(rest, depth + 1).map(Value::Node);
    }
    *rest = &text[length..];
    Some(Value::Word(word))
}

/// Letters and digits in lower case.
pub(super) fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

fn words(name: &str) -> Vec<String> {
    name.split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect()
}

/// Names of datums and geographic systems that mean the same, plain: what others write, what EPSG does.
const SAME: [(&str, &str); 12] = [
    ("wgs1984", "wgs84"),
    ("worldgeodeticsystem1984", "wgs84"),
    ("worldgeodeticsystem1984ensemble", "wgs84"),
    ("etrs1989", "etrs89"),
    ("europeanterrestrialreferencesystem1989", "etrs89"),
    ("europeanterrestrialreferencesystem1989ensemble", "etrs89"),
    ("euref89", "etrs89"),
    ("eureffin", "etrs89"),
    ("northamerican1983", "nad83"),
    ("northamericandatum1983", "nad83"),
    ("ordnancesurveyofgreatbritain1936", "osgb1936"),
    ("osgb36", "osgb1936"),
];

/// A name without the prefix that ESRI puts before it.
fn plain_name(name: &str, prefix: &str) -> String {
    let (start, rest) = name.split_once('_').unwrap_or(("", name));
    let name = plain(if start.eq_ignore_ascii_case(prefix) { rest } else { name });
    SAME.iter().find(|(other, _)| *other == name).map_or(name, |(_, own)| (*own).to_owned())
}

fn method_name(name: &str) -> String {
    let name = plain(name);
    match name.as_str() {
        "gausskruger" => "transversemercator".to_owned(),
        "lambertconformalconic2sp"
        | "lambertconicconformal2sp"
        | "lambertconformalconic1sp"
        | "lambertconicconformal1sp" => "lambertconformalconic".to_owned(),
        "popularvisualisationpseudomercator" | "mercatorauxiliarysphere" => {
            "webmercator".to_owned()
        }
        "doublestereographic" => "obliquestereographic".to_owned(),
        _ => name,
    }
}

fn parameter(name: &str) -> String {
    let name = plain(name);
    let own = match name.as_str() {
        "latitudeofnaturalorigin"
        | "latitudeoffalseorigin"
        | "latitudeofcenter"
        | "latitudeofcentre" => "latitudeoforigin",
        "longitudeofnaturalorigin"
        | "longitudeoffalseorigin"
        | "longitudeofcenter"
        | "longitudeofcentre"
        | "longitudeoforigin" => "centralmeridian",
        "scalefactoratnaturalorigin" => "scalefactor",
        "latitudeof1ststandardparallel" => "standardparallel1",
        "latitudeof2ndstandardparallel" => "standardparallel2",
        "eastingatfalseorigin" => "falseeasting",
        "northingatfalseorigin" => "falsenorthing",
        _ => return name,
    };
    own.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_text_describes_nothing() {
        for text in [
            "",
            "x",
            "GEOGCS",
            "GEOGCS[",
            "GEOGCS[]",
            "GEOGCS[\"a\"",
            "GEOGCS[\"a\"]",
            "A[1,,]",
            "[[[[",
        ] {
            assert_eq!(Description::parse(text), None, "{text}");
        }
        assert_eq!(Description::parse(&"A[".repeat(20_000)), None);
    }

    #[test]
    fn names_lose_what_a_vendor_adds() {
        assert_eq!(plain_name("GCS_KKJ", "gcs"), plain_name("KKJ", "gcs"));
        assert_eq!(plain_name("D_WGS_1984", "d"), plain_name("WGS_1984", "d"));
        assert_eq!(plain_name("D_ETRS_1989", "d"), "etrs89");
    }
}
