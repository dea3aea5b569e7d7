//! A reader of vector tiles (Mapbox Vector Tile 2.1) that shares nothing with the writer.

use std::collections::BTreeMap;

use serde_json::{Value, json};

#[derive(Debug)]
pub(crate) struct Layer {
    pub(crate) name: String,
    pub(crate) version: u64,
    pub(crate) extent: u64,
    pub(crate) features: Vec<Feature>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Feature {
    pub(crate) id: Option<u64>,
    /// 1 points, 2 lines, 3 polygons.
    pub(crate) kind: u64,
    /// The paths; of a point the position, of a ring without the closing position.
    pub(crate) paths: Vec<Vec<[i64; 2]>>,
    pub(crate) properties: BTreeMap<String, Value>,
}

impl Feature {
    pub(crate) fn name(&self) -> &str {
        self.properties.get("id").map_or("", |id| id.as_str().unwrap())
    }

    pub(crate) fn count(&self) -> Option<u64> {
        self.properties.get("cardo:count").map(|count| count.as_u64().unwrap())
    }
}

/// A field of a message.
enum Field<'a> {
    Number(u64),
    Double(f64),
    Bytes(&'a [u8]),
}

impl<'a> Field<'a> {
    fn number(&self) -> u64 {
        let Self::Number(number) = self else { panic!("no number") };
        *number
    }

    fn bytes(&self) -> &'a [u8] {
        let Self::Bytes(bytes) = self else { panic!("no bytes") };
        bytes
    }

    fn text(&self) -> String {
        String::from_utf8(self.bytes().to_vec()).unwrap()
    }
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let mut number = 0;
    for shift in (0..).step_by(7) {
        let (first, rest) = bytes.split_first().unwrap();
        *bytes = rest;
        number |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return number;
        }
    }
    unreachable!()
}

fn fields(mut bytes: &[u8]) -> Vec<(u64, Field<'_>)> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let tag = varint(&mut bytes);
        let field = match tag & 7 {
            0 => Field::Number(varint(&mut bytes)),
            1 => {
                let (number, rest) = bytes.split_at(8);
                bytes = rest;
                Field::Double(f64::from_le_bytes(number.try_into().unwrap()))
            }
            2 => {
                let len = usize::try_from(varint(&mut bytes)).unwrap();
                let (inner, rest) = bytes.split_at(len);
                bytes = rest;
                Field::Bytes(inner)
            }
            other => panic!("wire type {other}"),
        };
        fields.push((tag >> 3, field));
    }
    fields
}

fn numbers(mut bytes: &[u8]) -> Vec<u64> {
    let mut numbers = Vec::new();
    while !bytes.is_empty() {
        numbers.push(varint(&mut bytes));
    }
    numbers
}

fn unzigzag(number: u64) -> i64 {
    i64::try_from(number >> 1).unwrap() ^ -i64::try_from(number & 1).unwrap()
}

pub(crate) fn read(tile: &[u8]) -> Vec<Layer> {
    fields(tile)
        .into_iter()
        .map(|(number, field)| {
            assert_eq!(number, 3);
            layer(&fields(field.bytes()))
        })
        .collect()
}

fn layer(parts: &[(u64, Field<'_>)]) -> Layer {
    let all = |number| parts.iter().filter(move |(n, _)| *n == number).map(|(_, field)| field);
    let one = |number| all(number).next().unwrap();
    let keys: Vec<String> = all(3).map(Field::text).collect();
    let values: Vec<Value> = all(4).map(|field| value(&fields(field.bytes())[0])).collect();
    let features = all(2).map(|field| feature(&fields(field.bytes()), &keys, &values)).collect();
    Layer { name: one(1).text(), version: one(15).number(), extent: one(5).number(), features }
}

fn value((number, field): &(u64, Field<'_>)) -> Value {
    match (number, field) {
        (1, Field::Bytes(_)) => field.text().into(),
        (3, Field::Double(number)) => json!(number),
        (5, Field::Number(number)) => json!(number),
        (6, Field::Number(number)) => json!(unzigzag(*number)),
        (7, Field::Number(number)) => json!(*number == 1),
        _ => panic!("a value of field {number}"),
    }
}

fn feature(parts: &[(u64, Field<'_>)], keys: &[String], values: &[Value]) -> Feature {
    let find = |number| parts.iter().find(|(n, _)| *n == number).map(|(_, field)| field);
    let index = |number: u64| usize::try_from(number).unwrap();
    let tags = find(2).map(|field| numbers(field.bytes())).unwrap_or_default();
    let properties = tags
        .chunks(2)
        .map(|pair| (keys[index(pair[0])].clone(), values[index(pair[1])].clone()))
        .collect::<BTreeMap<_, _>>();
    assert_eq!(properties.len() * 2, tags.len(), "a key stands once");
    Feature {
        id: find(1).map(Field::number),
        kind: find(3).unwrap().number(),
        paths: paths(&numbers(find(4).unwrap().bytes())),
        properties,
    }
}

fn paths(commands: &[u64]) -> Vec<Vec<[i64; 2]>> {
    let mut paths: Vec<Vec<[i64; 2]>> = Vec::new();
    let mut at = [0, 0];
    let mut commands = commands.iter();
    while let Some(command) = commands.next() {
        for _ in 0..command >> 3 {
            if command & 7 == 7 {
                continue;
            }
            for axis in &mut at {
                *axis += unzigzag(*commands.next().unwrap());
            }
            match command & 7 {
                1 => paths.push(vec![at]),
                2 => paths.last_mut().unwrap().push(at),
                other => panic!("command {other}"),
            }
        }
    }
    paths
}
