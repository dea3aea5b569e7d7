//! What is gathered of a column until its group of rows is written.

use bytes::Bytes;
use cardo_model::Timestamp;
use parquet::data_type::{
    BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int32Type, Int64Type,
};
use parquet::errors::ParquetError;
use parquet::file::writer::{SerializedColumnWriter, SerializedRowGroupWriter};

use super::GROUP_BYTES;
use crate::rows::{ColumnKind, Value};

const MICROS_PER_DAY: i64 = 86_400_000_000;
/// How many texts are handed to the encoder at once.
const AT_ONCE: usize = 1_024;

pub(super) type Group<'g> = SerializedRowGroupWriter<'g, Vec<u8>>;

/// The values of a column; a row without one has the level 0.
#[derive(Debug)]
pub(super) struct Column {
    values: Values,
    levels: Vec<i16>,
}

#[derive(Debug)]
enum Values {
    Bool(Vec<bool>),
    Number(Vec<f64>),
    Text(Texts),
    Date(Vec<i32>),
    Moment(Vec<i64>),
}

/// Byte strings, one behind the other.
#[derive(Debug, Default)]
struct Texts {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Column {
    pub(super) fn of(kind: ColumnKind) -> Self {
        let values = match kind {
            ColumnKind::Bool => Values::Bool(Vec::new()),
            ColumnKind::Number => Values::Number(Vec::new()),
            ColumnKind::Text | ColumnKind::Json => Values::Text(Texts::default()),
            ColumnKind::Date => Values::Date(Vec::new()),
            ColumnKind::DateTime => Values::Moment(Vec::new()),
        };
        Self { values, levels: Vec::new() }
    }

    /// A column of numbers.
    pub(super) fn numbers() -> Self {
        Self::of(ColumnKind::Number)
    }

    /// A column of byte strings.
    pub(super) fn bytes() -> Self {
        Self::of(ColumnKind::Text)
    }

    /// Takes the value of a row, and says how many bytes that is.
    pub(super) fn take(&mut self, value: &Value<'_>) -> usize {
        let (is_there, size) = match &mut self.values {
            Values::Bool(values) => {
                let value = if let Value::Bool(value) = value { Some(*value) } else { None };
                (push(values, value), 1)
            }
            Values::Number(values) => (push(values, value.number()), 8),
            Values::Text(texts) => {
                let text = value.to_text();
                let size = text.as_ref().map_or(0, |text| text.len());
                (texts.push(text.as_deref().map(str::as_bytes)), size + 8)
            }
            Values::Date(values) => (push(values, day_of(value)), 4),
            Values::Moment(values) => (push(values, moment_of(value)), 8),
        };
        self.levels.push(i16::from(is_there));
        size
    }

    pub(super) fn take_number(&mut self, value: Option<f64>) {
        if let Values::Number(values) = &mut self.values {
            self.levels.push(i16::from(push(values, value)));
        }
    }

    /// Takes what is written by `write`, where there is anything.
    pub(super) fn take_bytes(&mut self, write: Option<impl FnOnce(&mut Vec<u8>)>) {
        let Values::Text(texts) = &mut self.values else { return };
        let is_there = write.is_some();
        if let Some(write) = write {
            write(&mut texts.bytes);
            texts.ends.push(texts.bytes.len());
        }
        self.levels.push(i16::from(is_there));
    }

    /// Writes the next column of a group, and forgets the values.
    pub(super) fn write(&mut self, group: &mut Group<'_>) -> Result<(), ParquetError> {
        let column = group.next_column()?;
        let mut column = column.ok_or_else(|| ParquetError::General("a column too many".into()))?;
        let levels = &self.levels;
        match &mut self.values {
            Values::Bool(values) => write_all::<BoolType, _>(&mut column, values, levels)?,
            Values::Number(values) => write_all::<DoubleType, _>(&mut column, values, levels)?,
            Values::Text(texts) => texts.write(&mut column, levels)?,
            Values::Date(values) => write_all::<Int32Type, _>(&mut column, values, levels)?,
            Values::Moment(values) => write_all::<Int64Type, _>(&mut column, values, levels)?,
        }
        self.levels.clear();
        column.close()
    }
}

impl Texts {
    fn push(&mut self, text: Option<&[u8]>) -> bool {
        if let Some(text) = text {
            self.bytes.extend_from_slice(text);
            self.ends.push(self.bytes.len());
        }
        text.is_some()
    }

    fn write(
        &mut self,
        column: &mut SerializedColumnWriter<'_>,
        levels: &[i16],
    ) -> Result<(), ParquetError> {
        let mut ends = self.ends.as_slice();
        let mut start = 0;
        let mut some: Vec<ByteArray> = Vec::with_capacity(AT_ONCE);
        for levels in levels.chunks(AT_ONCE) {
            let count = levels.iter().filter(|level| **level > 0).count();
            let (own, rest) = ends.split_at(count.min(ends.len()));
            let last = own.last().copied().unwrap_or(start);
            // The buffer itself stays for the next group.
            let bytes = Bytes::copy_from_slice(&self.bytes[start..last]);
            let mut before = start;
            some.clear();
            some.extend(own.iter().map(|end| {
                let text = bytes.slice(before - start..end - start);
                before = *end;
                ByteArray::from(text)
            }));
            column.typed::<ByteArrayType>().write_batch(&some, Some(levels), None)?;
            (ends, start) = (rest, last);
        }
        self.bytes.clear();
        self.bytes.shrink_to(GROUP_BYTES);
        self.ends.clear();
        Ok(())
    }
}

fn push<T>(values: &mut Vec<T>, value: Option<T>) -> bool {
    let is_there = value.is_some();
    values.extend(value);
    is_there
}

fn write_all<D: DataType<T = T>, T>(
    column: &mut SerializedColumnWriter<'_>,
    values: &mut Vec<T>,
    levels: &[i16],
) -> Result<(), ParquetError> {
    column.typed::<D>().write_batch(values, Some(levels), None)?;
    values.clear();
    Ok(())
}

/// Days since 1970.
fn day_of(value: &Value<'_>) -> Option<i32> {
    let midnight = Timestamp::parse(&format!("{}T00:00:00Z", value.to_text()?)).ok()?;
    i32::try_from(midnight.as_micros().div_euclid(MICROS_PER_DAY)).ok()
}

/// Microseconds since 1970 in UTC.
fn moment_of(value: &Value<'_>) -> Option<i64> {
    let moment = match value {
        Value::Time(moment) => *moment,
        other => Timestamp::parse(&other.to_text()?).ok()?,
    };
    Some(moment.as_micros())
}
