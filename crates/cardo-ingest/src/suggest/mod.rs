//! A mapping to begin with, written from what a source holds.

mod column;
mod write;

use std::path::Path;

use cardo_formats::{Format, RecordReader};

use crate::error::IngestError;
use crate::identity;
use crate::input::Input;
use crate::mapping::{Identity, Mapping};
use crate::naming;
use crate::options::{JobOptions, file_name};
use crate::system;

use column::Column;

/// So many records are looked at.
const SAMPLE: usize = 10_000;

/// What is known of a source when its mapping is written.
struct Findings {
    file: String,
    format: Format,
    layer: Option<String>,
    type_name: String,
    /// Whether the type is only made of the name of the file.
    is_type_guessed: bool,
    identity: Identity,
    /// The reference system that the user names.
    crs: Option<String>,
    /// What the source or its coordinates say about the system.
    about_crs: Option<String>,
    has_geometry: bool,
    records: usize,
    errors: usize,
    columns: Vec<Column>,
}

/// Writes a mapping for a file: TOML to edit, which works as it is.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("benches.csv");
/// std::fs::write(&path, "bench_id,lon,lat,seats\n7,24.94,60.17,4\n8,24.95,60.18,2\n")?;
/// let mapping = cardo_ingest::suggest_mapping(&path, &Default::default())?;
/// assert!(mapping.contains("type = \"Bench\"") && mapping.contains("key = \"bench_id\""));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn suggest_mapping(path: &Path, options: &JobOptions) -> Result<String, IngestError> {
    let input = Input::File(path.to_owned());
    let format = match options.format {
        Some(format) => format,
        None => input.format()?,
    };
    let source = file_name(path);
    let read_options = options.read_options();
    let open = || input.records(format, &read_options);
    let mut reader = open()?;
    let layer = reader.layer().map(str::to_owned);
    let named = || type_of(layer.as_deref().unwrap_or_else(|| stem(&source)));
    let type_name = options.type_name.clone().unwrap_or_else(named);
    let mut about_crs = None;
    if options.crs.is_none() {
        let note = system::judge(&source, format, &mut *open()?)?;
        let stated = reader.crs().and_then(|text| cardo_spatial::Crs::from_user(text).ok());
        let says = |crs| format!("the file says that its coordinates are {crs}");
        about_crs = note.or_else(|| stated.map(says));
    }
    let (columns, seen) = look(&mut *reader);
    let identity = match &options.id_column {
        Some(column) => Identity::Field(column.clone()),
        None => best_key(identity::look(&type_name, &mut *open()?).identity, &columns),
    };
    let findings = Findings {
        file: source.clone(),
        format,
        layer: layer.filter(|_| options.layer.is_some()),
        is_type_guessed: options.type_name.is_none(),
        type_name,
        identity,
        crs: options.crs.clone(),
        about_crs,
        has_geometry: seen.has_geometry,
        records: seen.records,
        errors: seen.errors,
        columns,
    };
    let text = write::mapping(&findings);
    Mapping::parse(&text)?;
    Ok(text)
}

#[derive(Default)]
struct Seen {
    records: usize,
    errors: usize,
    has_geometry: bool,
}

fn look(reader: &mut (dyn RecordReader + Send)) -> (Vec<Column>, Seen) {
    let declared = reader.schema().iter().map(|field| Column::new(&field.name));
    let mut columns: Vec<Column> = declared.collect();
    let mut seen = Seen::default();
    for record in reader.take(SAMPLE) {
        let Ok(record) = record else {
            seen.errors += 1;
            continue;
        };
        seen.records += 1;
        seen.has_geometry |= record.geometry.is_some();
        for (at, (name, value)) in record.fields.iter().enumerate() {
            let is_here = columns.get(at).is_some_and(|column| *column.name == **name);
            let place =
                if is_here { Some(at) } else { columns.iter().position(|c| *c.name == **name) };
            let place = place.unwrap_or_else(|| {
                columns.push(Column::new(name));
                columns.len() - 1
            });
            columns[place].take(value);
        }
    }
    columns.retain(|column| column.values > 0);
    (columns, seen)
}

/// A usual key, else the first column that tells the records apart.
fn best_key(usual: Identity, columns: &[Column]) -> Identity {
    if usual != Identity::Hash {
        return usual;
    }
    let most = columns.iter().map(|column| column.values).max().unwrap_or_default();
    let key = columns.iter().find(|column| column.is_key(most));
    key.map_or(Identity::Hash, |column| Identity::Field(column.name.to_string()))
}

fn stem(file: &str) -> &str {
    file.split('.').next().unwrap_or(file)
}

/// `bike-stations` gives `BikeStation`.
fn type_of(name: &str) -> String {
    let mut name = naming::camel_case(name);
    let endings = [
        ("sses", "ss"),
        ("ches", "ch"),
        ("shes", "sh"),
        ("xes", "x"),
        ("ies", "y"),
        ("ss", "ss"),
        ("us", "us"),
        ("s", ""),
    ];
    for (plural, singular) in endings {
        if let Some(start) = name.strip_suffix(plural) {
            if start.len() > 2 {
                name = format!("{start}{singular}");
            }
            break;
        }
    }
    let mut letters = name.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_made_of_the_name_of_the_file() {
        for (name, made) in [
            ("bike-stations", "BikeStation"),
            ("addresses", "Address"),
            ("helsinki_borders", "HelsinkiBorder"),
            ("cities", "City"),
            ("park-benches", "ParkBench"),
            ("bus", "Bus"),
            ("TREES", "Tree"),
            ("2024", "Field2024"),
        ] {
            assert_eq!(type_of(name), made);
        }
    }
}
