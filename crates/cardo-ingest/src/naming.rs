//! Names of attributes made from names of columns.

/// A word of ASCII letters and digits in camel case: `Time [Local time]` gives `timeLocalTime`.
///
/// Letters with marks lose them; others are dropped. Nothing left gives `field`.
pub(crate) fn camel_case(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for word in words(&to_ascii(name)) {
        let is_shout = word.chars().all(|c| !c.is_ascii_lowercase());
        let word = if is_shout { word.to_ascii_lowercase() } else { word.to_owned() };
        let mut letters = word.chars();
        let Some(first) = letters.next() else { continue };
        if out.is_empty() {
            out.push(first.to_ascii_lowercase());
        } else {
            out.push(first.to_ascii_uppercase());
        }
        out.extend(letters);
    }
    if out.is_empty() {
        out.push_str("field");
    } else if out.starts_with(|c: char| c.is_ascii_digit()) {
        out.insert_str(0, "field");
    }
    out.truncate(MAX_NAME);
    out
}

/// Longer names are cut.
const MAX_NAME: usize = 100;

/// A word of lower-case ASCII letters, digits and hyphens.
pub(crate) fn slug(text: &str) -> String {
    let ascii = to_ascii(text).to_ascii_lowercase();
    let parts: Vec<&str> = words(&ascii).collect();
    parts.join("-")
}

fn words(ascii: &str) -> impl Iterator<Item = &str> {
    ascii.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty())
}

fn to_ascii(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match plain(c) {
            Some(letters) => out.push_str(letters),
            None if c.is_ascii() => out.push(c),
            // Marks that stand for themselves vanish, signs part words.
            None if c.is_alphanumeric() || ('\u{300}'..='\u{36f}').contains(&c) => {}
            None => out.push(' '),
        }
    }
    out
}

/// Latin letters of European languages without their marks.
fn plain(c: char) -> Option<&'static str> {
    Some(match c {
        'à'..='å' | 'ā' | 'ă' | 'ą' | 'ǎ' => "a",
        'À'..='Å' | 'Ā' | 'Ă' | 'Ą' | 'Ǎ' => "A",
        'æ' | 'ǽ' => "ae",
        'Æ' | 'Ǽ' => "Ae",
        'ç' | 'ć' | 'ĉ' | 'ċ' | 'č' => "c",
        'Ç' | 'Ć' | 'Ĉ' | 'Ċ' | 'Č' => "C",
        'ď' | 'đ' | 'ð' => "d",
        'Ď' | 'Đ' | 'Ð' => "D",
        'è'..='ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' => "e",
        'È'..='Ë' | 'Ē' | 'Ĕ' | 'Ė' | 'Ę' | 'Ě' => "E",
        'ĝ' | 'ğ' | 'ġ' | 'ģ' => "g",
        'Ĝ' | 'Ğ' | 'Ġ' | 'Ģ' => "G",
        'ĥ' | 'ħ' => "h",
        'Ĥ' | 'Ħ' => "H",
        'ì'..='ï' | 'ĩ' | 'ī' | 'ĭ' | 'į' | 'ı' => "i",
        'Ì'..='Ï' | 'Ĩ' | 'Ī' | 'Ĭ' | 'Į' | 'İ' => "I",
        'ĵ' => "j",
        'Ĵ' => "J",
        'ķ' => "k",
        'Ķ' => "K",
        'ĺ' | 'ļ' | 'ľ' | 'ŀ' | 'ł' => "l",
        'Ĺ' | 'Ļ' | 'Ľ' | 'Ŀ' | 'Ł' => "L",
        'ñ' | 'ń' | 'ņ' | 'ň' => "n",
        'Ñ' | 'Ń' | 'Ņ' | 'Ň' => "N",
        'ò'..='ö' | 'ø' | 'ō' | 'ŏ' | 'ő' => "o",
        'Ò'..='Ö' | 'Ø' | 'Ō' | 'Ŏ' | 'Ő' => "O",
        'œ' => "oe",
        'Œ' => "Oe",
        'ŕ' | 'ŗ' | 'ř' => "r",
        'Ŕ' | 'Ŗ' | 'Ř' => "R",
        'ś' | 'ŝ' | 'ş' | 'š' | 'ș' => "s",
        'Ś' | 'Ŝ' | 'Ş' | 'Š' | 'Ș' => "S",
        'ß' => "ss",
        'ţ' | 'ť' | 'ŧ' | 'ț' => "t",
        'Ţ' | 'Ť' | 'Ŧ' | 'Ț' => "T",
        'þ' => "th",
        'Þ' => "Th",
        'ù'..='ü' | 'ũ' | 'ū' | 'ŭ' | 'ů' | 'ű' | 'ų' => "u",
        'Ù'..='Ü' | 'Ũ' | 'Ū' | 'Ŭ' | 'Ů' | 'Ű' | 'Ų' => "U",
        'ŵ' => "w",
        'Ŵ' => "W",
        'ý' | 'ÿ' | 'ŷ' => "y",
        'Ý' | 'Ÿ' | 'Ŷ' => "Y",
        'ź' | 'ż' | 'ž' => "z",
        'Ź' | 'Ż' | 'Ž' => "Z",
        _ => return None,
    })
}

/// Members of entities and attributes that may not name an attribute
/// (ETSI GS CIM 009, clauses 4.5.1 and 4.5.2), and what a column of that name becomes.
pub(crate) fn reserved(name: &str) -> Option<&'static str> {
    Some(match name {
        "id" => "identifier",
        "type" => "kind",
        "scope" => "scopeValue",
        "value" => "valueOf",
        "object" => "objectOf",
        "json" => "jsonValue",
        "vocab" => "vocabValue",
        "languageMap" => "languageMapValue",
        "valueList" => "valueListValue",
        "objectList" => "objectListValue",
        "observedAt" => "observedAtValue",
        "createdAt" => "createdAtValue",
        "modifiedAt" => "modifiedAtValue",
        "deletedAt" => "deletedAtValue",
        "expiresAt" => "expiresAtValue",
        "unitCode" => "unitCodeValue",
        "datasetId" => "datasetIdValue",
        "instanceId" => "instanceIdValue",
        "valueType" => "valueTypeValue",
        "objectType" => "objectTypeValue",
        "entity" => "entityValue",
        "entityList" => "entityListValue",
        "coordinates" => "coordinatesValue",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_become_camel_case() {
        for (column, name) in [
            ("Time [Local time]", "timeLocalTime"),
            ("FID", "fid"),
            ("addr:street", "addrStreet"),
            ("name:sv", "nameSv"),
            ("osm_id", "osmId"),
            ("STREET_NAME", "streetName"),
            ("Kapasiteetti (määrä)", "kapasiteettiMaara"),
            ("Straße", "strasse"),
            ("Air temperature mean [°C]", "airTemperatureMeanC"),
            ("2024", "field2024"),
            ("averageHeatExposure", "averageHeatExposure"),
            ("Улица", "field"),
            ("", "field"),
        ] {
            assert_eq!(camel_case(column), name, "{column:?}");
        }
    }

    #[test]
    fn no_name_starts_like_a_member_of_an_entity() {
        assert_eq!(reserved("id"), Some("identifier"));
        assert_eq!(reserved("name"), None);
    }
}
