//! The text of a suggested mapping.

use std::fmt::Write as _;

use super::column::Column;
use super::{Findings, SAMPLE};
use crate::mapping::Identity;
use crate::naming;

/// Usual names of names, in lower case, best first.
const NAMES: [&str; 20] = [
    "name",
    "name_en",
    "nimi",
    "name_fi",
    "nimi_fi",
    "namefin",
    "title",
    "label",
    "nom",
    "nombre",
    "nome",
    "naam",
    "namn",
    "navn",
    "bezeichnung",
    "nazwa",
    "nimetus",
    "boroname",
    "name_long",
    "official_name",
];

/// Usual names of the moment of observation, in lower case.
const OBSERVED: [&str; 12] = [
    "observedat",
    "observed_at",
    "timestamp",
    "time",
    "datetime",
    "date_time",
    "measured_at",
    "measuredat",
    "recorded_at",
    "tst",
    "aika",
    "zeitstempel",
];

pub(super) fn mapping(found: &Findings) -> String {
    let mut out = String::new();
    head(found, &mut out);
    let observed = observed(found);
    if let Some(column) = observed {
        out.push_str("\n# When all that a record tells was observed; older readings go to the history only.\n");
        if column.local_moments > 0 {
            out.push_str("# The times name no zone: say which, such as Europe/Helsinki.\n");
            line(
                &mut out,
                "observed_at",
                &format!("{{ from = {}, zone = \"UTC\" }}", field(&column.name)),
            );
        } else {
            line(&mut out, "observed_at", &field(&column.name));
        }
    }
    if found.has_geometry {
        out.push_str("\n# The geometry of each record becomes `location`, in WGS 84.\n");
    } else {
        out.push_str("\n# The records have no geometry.\n");
    }
    out.push_str("\n[attributes]\n");
    attributes(found, observed, &mut out);
    out
}

fn head(found: &Findings, out: &mut String) {
    let file = comment(&found.file);
    let _ = writeln!(
        out,
        "# How records of {file} become entities, as far as {} of them show it.",
        found.records
    );
    out.push_str("# Edit it, look with `cardo ingest --dry-run FILE --mapping THIS`, then leave --dry-run out.\n");
    if found.records == SAMPLE {
        out.push_str("# The file has more records, which were not looked at.\n");
    }
    if found.errors > 0 {
        let _ = writeln!(
            out,
            "# {} records could not be read, and would go to the quarantine.",
            found.errors
        );
    }
    out.push('\n');
    if found.is_type_guessed {
        out.push_str("# Made of the name of the file. Names of https://smartdatamodels.org are understood by others.\n");
    }
    line(out, "type", &quoted(&found.type_name));
    match &found.identity {
        Identity::Field(name) => {
            out.push_str("\n# Every record has a value of its own in it; ids are urn:ngsi-ld:{type}:{value}.\n");
            line(out, "key", &field(name));
        }
        Identity::Own => {
            out.push_str("\n# What the file itself calls each record.\n");
            line(out, "key", "\"$id\"");
        }
        Identity::Hash => {
            out.push_str("\n# No column tells the records apart, so ids are made of all of their content: a record that\n");
            out.push_str("# changes becomes another entity. Name a key if there is one.\n");
            line(out, "key", "\"$hash\"");
        }
    }
    let _ = writeln!(out, "\nformat = {}", quoted(found.format.name()));
    if let Some(layer) = &found.layer {
        line(out, "layer", &quoted(layer));
    }
    if let Some(crs) = &found.crs {
        line(out, "crs", &quoted(crs));
    } else if let Some(about) = &found.about_crs {
        let _ = writeln!(out, "# crs = \"EPSG:…\"   # {}", comment(about));
    }
}

/// The one column that can hold the moment of observation.
fn observed(found: &Findings) -> Option<&Column> {
    OBSERVED.iter().find_map(|name| {
        found
            .columns
            .iter()
            .find(|column| column.is_moment() && column.name.to_lowercase() == *name)
    })
}

fn attributes(found: &Findings, observed: Option<&Column>, out: &mut String) {
    let called =
        |name: &&str| found.columns.iter().find(|column| column.name.to_lowercase() == **name);
    let name = NAMES.iter().find_map(called).map(|column| &column.name);
    let mut taken = vec!["location".to_owned()];
    if name.is_some() {
        taken.push("name".to_owned());
    }
    for column in &found.columns {
        if observed.is_some_and(|observed| observed.name == column.name) {
            continue;
        }
        let is_key = matches!(&found.identity, Identity::Field(key) if **key == *column.name);
        let is_name = name == Some(&column.name);
        let attribute = if is_name { "name".to_owned() } else { unused(&column.name, &taken) };
        explain(found, column, out);
        let from = field(&column.name);
        let value = match column.unit() {
            Some(unit) => format!("{{ from = {from}, type = \"number\", unit = \"{unit}\" }}"),
            None => from,
        };
        if is_key && !is_name {
            out.push_str("# In the id already; as an attribute too: ");
        }
        line(out, &attribute, &value);
        taken.push(attribute);
    }
}

/// What stands in a column, above its line.
fn explain(found: &Findings, column: &Column, out: &mut String) {
    let samples: Vec<String> = column.samples.iter().map(|sample| comment(sample)).collect();
    let _ = write!(out, "# {}", samples.join(" | "));
    let missing = found.records.saturating_sub(column.values);
    if missing > 0 {
        let _ = write!(out, "   ({missing} without a value)");
    }
    out.push('\n');
    if column.is_moment() {
        let zone = if column.local_moments > 0 { ", zone = \"UTC\"" } else { "" };
        let from = field(&column.name);
        let _ = writeln!(
            out,
            "# A time: {{ from = {from}, type = \"date-time\"{zone} }} makes a moment of it; if it says when the record \
             was observed, write observed_at = {from} above [attributes]."
        );
    }
}

fn unused(column: &str, taken: &[String]) -> String {
    let plain = naming::camel_case(column);
    let wanted = naming::reserved(&plain).map_or(plain, str::to_owned);
    let mut name = wanted.clone();
    let mut number = 2;
    while taken.contains(&name) {
        name = format!("{wanted}{number}");
        number += 1;
    }
    name
}

fn line(out: &mut String, key: &str, value: &str) {
    let _ = writeln!(out, "{key} = {value}");
}

/// A field as a mapping names it: a name that begins like a pointer or a variable is written as a pointer.
fn field(name: &str) -> String {
    if name.starts_with(['/', '$']) {
        return quoted(&format!("/{}", name.replace('~', "~0").replace('/', "~1")));
    }
    quoted(name)
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// Text that stays in its line.
fn comment(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
