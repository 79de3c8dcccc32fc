//! Columns that obey the column list: what the reports and the attempts are made of, and what formats read.
//!
//! Not a polars frame: polars sums (see `sums`), but its types would drag timestamps and lists as optional features into
//! every build, and a writer needs nothing of it but rows.

use std::ops::Range;

use crate::schema::{Column, Kind, TableSpec};

/// One value of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// Missing: neither 0 nor "".
    Null,
    /// Text.
    Utf8(&'a str),
    /// A whole number.
    Int64(i64),
    /// A number.
    Float64(f64),
    /// True or false.
    Boolean(bool),
    /// Days since 1970-01-01.
    Date(i32),
    /// Microseconds since 1970-01-01T00:00:00Z.
    Timestamp(i64),
    /// Texts.
    Utf8List(&'a [String]),
}

/// Texts of a column, one after the other in one buffer.
#[derive(Clone, Debug, Default)]
pub struct Texts {
    bytes: String,
    /// Where each text ends; [`Texts::NULL`] is set where it is missing.
    ends: Vec<u64>,
}

impl Texts {
    const NULL: u64 = 1 << 63;

    /// Adds a text or a missing one.
    pub fn push(&mut self, text: Option<&str>) {
        self.bytes.push_str(text.unwrap_or(""));
        self.ends.push(self.bytes.len() as u64 | if text.is_none() { Self::NULL } else { 0 });
    }

    /// Adds a text where bytes that are not UTF-8 become U+FFFD.
    pub fn push_lossy(&mut self, text: &[u8]) {
        for chunk in text.utf8_chunks() {
            self.bytes.push_str(chunk.valid());
            if !chunk.invalid().is_empty() {
                self.bytes.push('\u{FFFD}');
            }
        }
        self.ends.push(self.bytes.len() as u64);
    }

    /// The text of a row; `None` where it is missing.
    pub fn get(&self, row: usize) -> Option<&str> {
        (self.ends[row] & Self::NULL == 0).then(|| &self.bytes[self.range(row)])
    }

    /// Where the text of a row stands in [`Texts::buffer`].
    pub fn range(&self, row: usize) -> Range<usize> {
        let end = |row: usize| (self.ends[row] & !Self::NULL) as usize;
        if row == 0 { 0..end(0) } else { end(row - 1)..end(row) }
    }

    /// All texts, one after the other.
    pub fn buffer(&self) -> &str {
        &self.bytes
    }

    fn append(&mut self, other: &Texts, rows: Range<usize>) {
        if rows.is_empty() {
            return;
        }
        let (from, to) = (other.range(rows.start).start, other.range(rows.end - 1).end);
        let shift = self.bytes.len() as u64;
        self.bytes.push_str(&other.bytes[from..to]);
        self.ends.extend(other.ends[rows].iter().map(|&end| ((end & !Self::NULL) - from as u64 + shift) | (end & Self::NULL)));
    }
}

/// The values of one column.
#[derive(Clone, Debug)]
pub enum Data {
    /// Texts.
    Utf8(Texts),
    /// Whole numbers.
    Int64(Vec<Option<i64>>),
    /// Numbers.
    Float64(Vec<Option<f64>>),
    /// True or false.
    Boolean(Vec<Option<bool>>),
    /// Days since 1970-01-01.
    Date(Vec<Option<i32>>),
    /// Microseconds since 1970-01-01T00:00:00Z.
    Timestamp(Vec<Option<i64>>),
    /// Lists of texts.
    Utf8List(Vec<Vec<String>>),
}

impl Data {
    fn new(kind: Kind) -> Self {
        match kind {
            Kind::Utf8 => Data::Utf8(Texts::default()),
            Kind::Int64 => Data::Int64(Vec::new()),
            Kind::Float64 => Data::Float64(Vec::new()),
            Kind::Boolean => Data::Boolean(Vec::new()),
            Kind::Date => Data::Date(Vec::new()),
            Kind::Timestamp => Data::Timestamp(Vec::new()),
            Kind::Utf8List => Data::Utf8List(Vec::new()),
        }
    }

    fn len(&self) -> usize {
        match self {
            Data::Utf8(texts) => texts.ends.len(),
            Data::Int64(values) | Data::Timestamp(values) => values.len(),
            Data::Float64(values) => values.len(),
            Data::Boolean(values) => values.len(),
            Data::Date(values) => values.len(),
            Data::Utf8List(values) => values.len(),
        }
    }

    fn clear(&mut self) {
        match self {
            Data::Utf8(texts) => {
                texts.bytes.clear();
                texts.ends.clear();
            }
            Data::Int64(values) | Data::Timestamp(values) => values.clear(),
            Data::Float64(values) => values.clear(),
            Data::Boolean(values) => values.clear(),
            Data::Date(values) => values.clear(),
            Data::Utf8List(values) => values.clear(),
        }
    }

    fn get(&self, row: usize) -> Value<'_> {
        match self {
            Data::Utf8(texts) => texts.get(row).map_or(Value::Null, Value::Utf8),
            Data::Int64(values) => values[row].map_or(Value::Null, Value::Int64),
            Data::Float64(values) => values[row].map_or(Value::Null, Value::Float64),
            Data::Boolean(values) => values[row].map_or(Value::Null, Value::Boolean),
            Data::Date(values) => values[row].map_or(Value::Null, Value::Date),
            Data::Timestamp(values) => values[row].map_or(Value::Null, Value::Timestamp),
            Data::Utf8List(values) => Value::Utf8List(&values[row]),
        }
    }

    fn push(&mut self, value: Value<'_>) {
        match (self, value) {
            (Data::Utf8(texts), Value::Utf8(text)) => texts.push(Some(text)),
            (Data::Utf8(texts), Value::Null) => texts.push(None),
            (Data::Int64(values), Value::Int64(value)) => values.push(Some(value)),
            (Data::Timestamp(values), Value::Timestamp(value)) => values.push(Some(value)),
            (Data::Int64(values) | Data::Timestamp(values), Value::Null) => values.push(None),
            (Data::Float64(values), Value::Float64(value)) => values.push(Some(value)),
            (Data::Float64(values), Value::Null) => values.push(None),
            (Data::Boolean(values), Value::Boolean(value)) => values.push(Some(value)),
            (Data::Boolean(values), Value::Null) => values.push(None),
            (Data::Date(values), Value::Date(value)) => values.push(Some(value)),
            (Data::Date(values), Value::Null) => values.push(None),
            (Data::Utf8List(values), Value::Utf8List(value)) => values.push(value.to_vec()),
            (Data::Utf8List(values), Value::Null) => values.push(Vec::new()),
            (column, value) => unreachable!("{value:?} in a column of {column:?}"),
        }
    }

    fn append(&mut self, other: &Data, rows: Range<usize>) {
        match (self, other) {
            (Data::Utf8(to), Data::Utf8(from)) => to.append(from, rows),
            (Data::Int64(to), Data::Int64(from)) | (Data::Timestamp(to), Data::Timestamp(from)) => {
                to.extend_from_slice(&from[rows])
            }
            (Data::Float64(to), Data::Float64(from)) => to.extend_from_slice(&from[rows]),
            (Data::Boolean(to), Data::Boolean(from)) => to.extend_from_slice(&from[rows]),
            (Data::Date(to), Data::Date(from)) => to.extend_from_slice(&from[rows]),
            (Data::Utf8List(to), Data::Utf8List(from)) => to.extend_from_slice(&from[rows]),
            _ => unreachable!("columns of one table have one type"),
        }
    }
}

/// Rows of one table, column by column.
#[derive(Clone, Debug)]
pub struct Frame {
    spec: &'static TableSpec,
    data: Vec<Data>,
}

impl Frame {
    /// No rows of this table.
    pub fn new(spec: &'static TableSpec) -> Self {
        Self { spec, data: spec.columns.iter().map(|c| Data::new(c.kind)).collect() }
    }

    /// Which table the rows belong to.
    pub fn spec(&self) -> &'static TableSpec {
        self.spec
    }

    /// The columns in their order.
    pub fn columns(&self) -> &'static [Column] {
        self.spec.columns
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.data[0].len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value in a row and a column.
    pub fn value(&self, row: usize, column: usize) -> Value<'_> {
        self.data[column].get(row)
    }

    /// The value in a row and the column of this name; [`Value::Null`] where there is no such column.
    pub fn named(&self, row: usize, column: &str) -> Value<'_> {
        self.spec.index(column).map_or(Value::Null, |c| self.value(row, c))
    }

    /// The values of a row in the order of the columns.
    pub fn row(&self, row: usize) -> impl Iterator<Item = Value<'_>> {
        self.data.iter().map(move |d| d.get(row))
    }

    /// All values of a column.
    pub fn data(&self, column: usize) -> &Data {
        &self.data[column]
    }

    /// Adds a row.
    ///
    /// # Panics
    /// Where a value is not of its column's type, or there are more or fewer values than columns.
    pub fn push(&mut self, row: &[Value<'_>]) {
        assert_eq!(row.len(), self.data.len(), "a row of {} has as many values as columns", self.spec.name);
        for (data, &value) in self.data.iter_mut().zip(row) {
            data.push(value);
        }
    }

    /// Adds rows of another frame of the same table.
    pub fn append(&mut self, other: &Frame, rows: Range<usize>) {
        for (to, from) in self.data.iter_mut().zip(&other.data) {
            to.append(from, rows.clone());
        }
    }

    /// Forgets the rows and keeps their memory.
    pub fn clear(&mut self) {
        self.data.iter_mut().for_each(Data::clear);
    }

    pub(crate) fn data_mut(&mut self) -> &mut [Data] {
        &mut self.data
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema;

    #[test]
    fn rows_survive_appending_in_pieces() {
        let mut whole = Frame::new(&schema::REASONS);
        for i in 0..7 {
            let name = format!("reason{i}");
            let template = (i % 2 == 0).then_some("t").map_or(Value::Null, Value::Utf8);
            let row = [
                Value::Utf8(&name),
                Value::Utf8("hard"),
                Value::Utf8(""),
                Value::Int64(i),
                Value::Int64(1),
                template,
                Value::Null,
            ];
            whole.push(&row);
        }
        let mut pieces = Frame::new(&schema::REASONS);
        for rows in [0..3, 3..3, 3..4, 4..7] {
            pieces.append(&whole, rows);
        }
        assert_eq!(pieces.len(), 7);
        for row in 0..7 {
            assert!(pieces.row(row).eq(whole.row(row)), "row {row}");
        }
        assert_eq!(pieces.named(6, "reason"), Value::Utf8("reason6"));
        assert_eq!((pieces.named(1, "template"), pieces.named(0, "disposition")), (Value::Null, Value::Utf8("")));
        pieces.clear();
        assert!(pieces.is_empty());
    }

    #[test]
    fn undecodable_bytes_are_replaced() {
        let mut texts = Texts::default();
        texts.push_lossy(b"a\xFFb\xC3");
        texts.push(None);
        assert_eq!((texts.get(0), texts.get(1)), (Some("a\u{FFFD}b\u{FFFD}"), None));
    }
}
