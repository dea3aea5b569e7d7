//! The table of a shapefile: rows of a fixed width (dBASE III and its followers).

use std::io::Read;
use std::sync::Arc;

use super::code_page::CodePage;
use super::malformed;
use crate::{Fault, FieldKind, FieldSchema, FieldValue, source::Source};

/// A table while its rows are read.
pub(super) struct Table<R> {
    source: Source<R>,
    columns: Vec<Column>,
    row_bytes: usize,
    /// Rows that the header tells of.
    pub(super) rows: u32,
    page: CodePage,
    row: Vec<u8>,
}

#[derive(Debug)]
struct Column {
    name: Arc<str>,
    kind: u8,
    start: usize,
    width: usize,
    decimals: u8,
}

/// What stands at the place of a row.
pub(super) enum Row {
    Fields(Vec<(Arc<str>, FieldValue)>),
    Deleted,
}

impl<R: Read> Table<R> {
    /// Reads the header; `page` is what a `.cpg` says.
    pub(super) fn open(input: R, page: Option<CodePage>) -> Result<Self, Fault> {
        let mut source = Source::new(input);
        let mut head = Vec::new();
        source.take_into(32, &mut head)?;
        let head: [u8; 32] = head.try_into().map_err(|_| Fault::Truncated)?;
        let rows = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
        let header_bytes = usize::from(u16::from_le_bytes([head[8], head[9]]));
        let row_bytes = usize::from(u16::from_le_bytes([head[10], head[11]]));
        if header_bytes < 33 || row_bytes == 0 {
            return Err(malformed("the table (.dbf) has no header"));
        }
        let page = page.or_else(|| CodePage::of_driver(head[29])).unwrap_or(CodePage::Unknown);
        let mut rest = Vec::new();
        source.take_into(header_bytes - 32, &mut rest)?;
        if rest.len() < header_bytes - 32 {
            return Err(Fault::Truncated);
        }
        let columns = columns(&rest, page, row_bytes)?;
        Ok(Self { source, columns, row_bytes, rows, page, row: Vec::new() })
    }

    /// Whether texts are of an encoding that nobody has named.
    pub(super) fn is_guessed(&self) -> bool {
        self.page == CodePage::Unknown
    }

    pub(super) fn position(&self) -> u64 {
        self.source.position()
    }

    pub(super) fn schema(&self) -> Vec<FieldSchema> {
        let schema = |column: &Column| FieldSchema {
            name: Arc::clone(&column.name),
            kind: column.field_kind(),
        };
        self.columns.iter().map(schema).collect()
    }

    /// The next row; none where the file ends.
    pub(super) fn next(&mut self) -> Result<Option<Result<Row, Fault>>, Fault> {
        self.row.clear();
        self.source.take_into(self.row_bytes, &mut self.row)?;
        if self.row.is_empty() || self.row[0] == 0x1A {
            return Ok(None);
        }
        if self.row.len() < self.row_bytes {
            return Err(Fault::Truncated);
        }
        if self.row[0] == b'*' {
            return Ok(Some(Ok(Row::Deleted)));
        }
        let mut fields = Vec::with_capacity(self.columns.len());
        for column in &self.columns {
            let cell = &self.row[column.start..column.start + column.width];
            match column.value(cell, self.page) {
                Ok(Some(value)) => fields.push((Arc::clone(&column.name), value)),
                Ok(None) => {}
                Err(fault) => return Ok(Some(Err(fault))),
            }
        }
        Ok(Some(Ok(Row::Fields(fields))))
    }
}

fn columns(bytes: &[u8], page: CodePage, row_bytes: usize) -> Result<Vec<Column>, Fault> {
    let mut columns: Vec<Column> = Vec::new();
    // The first byte of a row says whether it was deleted.
    let mut start = 1;
    for described in bytes.chunks_exact(32).take_while(|described| described[0] != 0x0D) {
        let end = described[..11].iter().position(|byte| *byte == 0).unwrap_or(11);
        let name = page
            .decode(&described[..end])
            .unwrap_or_else(|| String::from_utf8_lossy(&described[..end]));
        let (kind, decimals) = (described[11].to_ascii_uppercase(), described[17]);
        let mut width = usize::from(described[16]);
        // Long texts have the upper byte of their width where numbers have their decimals.
        if kind == b'C' {
            width += usize::from(decimals) << 8;
        }
        if start + width > row_bytes {
            return Err(malformed(format_args!(
                "the columns of the table are wider than its rows of {row_bytes} bytes"
            )));
        }
        let name = unused(name.trim(), &columns);
        columns.push(Column { name, kind, start, width, decimals });
        start += width;
    }
    Ok(columns)
}

/// A name of no other column: names are cut at ten bytes and may have become the same.
fn unused(name: &str, columns: &[Column]) -> Arc<str> {
    let is_used = |name: &str| columns.iter().any(|column| *column.name == *name);
    let mut free = name.to_owned();
    let mut number = 2;
    while is_used(&free) {
        free = format!("{name}_{number}");
        number += 1;
    }
    free.into()
}

impl Column {
    fn field_kind(&self) -> FieldKind {
        match self.kind {
            b'C' | b'V' => FieldKind::Text,
            b'N' | b'F' if self.decimals == 0 => FieldKind::Int,
            b'N' | b'F' | b'O' | b'B' | b'Y' => FieldKind::Float,
            b'I' | b'+' => FieldKind::Int,
            b'D' | b'T' | b'@' => FieldKind::DateTime,
            b'L' => FieldKind::Bool,
            _ => FieldKind::Binary,
        }
    }

    /// The value of a cell; none for kinds that no record carries.
    fn value(&self, cell: &[u8], page: CodePage) -> Result<Option<FieldValue>, Fault> {
        Ok(Some(match self.kind {
            b'C' | b'V' => self.text(cell, page)?,
            b'N' | b'F' => self.number(cell)?,
            b'D' => self.date(cell)?,
            b'L' => match cell.first() {
                Some(b'T' | b't' | b'Y' | b'y') => FieldValue::Bool(true),
                Some(b'F' | b'f' | b'N' | b'n') => FieldValue::Bool(false),
                _ => FieldValue::Null,
            },
            b'I' | b'+' => match cell.first_chunk() {
                Some(bytes) => FieldValue::Int(i32::from_le_bytes(*bytes).into()),
                None => FieldValue::Null,
            },
            b'O' | b'B' if self.width == 8 => match cell.first_chunk() {
                Some(bytes) => {
                    let number = f64::from_le_bytes(*bytes);
                    if number.is_finite() { FieldValue::Float(number) } else { FieldValue::Null }
                }
                None => FieldValue::Null,
            },
            _ => return Ok(None),
        }))
    }

    fn text(&self, cell: &[u8], page: CodePage) -> Result<FieldValue, Fault> {
        let end =
            cell.iter().rposition(|byte| !matches!(byte, b' ' | 0)).map_or(0, |last| last + 1);
        if end == 0 {
            return Ok(FieldValue::Null);
        }
        let text = page.decode(&cell[..end]);
        let text = text.ok_or_else(|| {
            malformed(format_args!(
                "column `{}` holds bytes that are no text of the stated encoding",
                self.name
            ))
        })?;
        Ok(FieldValue::Text(text.into_owned()))
    }

    fn number(&self, cell: &[u8]) -> Result<FieldValue, Fault> {
        let text = String::from_utf8_lossy(cell);
        let text = text.trim_matches([' ', '\0']);
        // Stars stand where a number did not fit into its column.
        if text.is_empty() || text.starts_with('*') {
            return Ok(FieldValue::Null);
        }
        if self.decimals == 0 {
            if let Ok(whole) = text.parse::<i64>() {
                return Ok(FieldValue::Int(whole));
            }
            let digits = text.strip_prefix('-').unwrap_or(text);
            if digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0') {
                return Ok(FieldValue::Json(text.to_owned()));
            }
        }
        match text.replace(',', ".").parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(FieldValue::Float(number)),
            _ => Err(Fault::NotNumber { column: self.name.to_string(), value: text.to_owned() }),
        }
    }

    fn date(&self, cell: &[u8]) -> Result<FieldValue, Fault> {
        let text = String::from_utf8_lossy(cell);
        let text = text.trim_matches([' ', '\0']);
        if text.bytes().all(|byte| byte == b'0') {
            return Ok(FieldValue::Null);
        }
        let is_date = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit());
        let date = is_date.then(|| format!("{}-{}-{}", &text[..4], &text[4..6], &text[6..]));
        let date = date.filter(|date| date.parse::<jiff::civil::Date>().is_ok());
        date.map(FieldValue::DateTime).ok_or_else(|| {
            malformed(format_args!("column `{}` holds `{text}`, which is not a date", self.name))
        })
    }
}
