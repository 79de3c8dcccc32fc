//! Parquet: one table, 122,880 rows a row group, dictionary or PLAIN encoding, snappy, and metadata that says what the file is.
//!
//! The low-level writer: no Arrow, so that nothing unsigned, nested or finer than microseconds can slip in, and a small build.
//! Lists are joined by `"; "`. Types are those of <https://github.com/apache/parquet-format/blob/master/LogicalTypes.md>.

use std::io::Write;
use std::sync::Arc;

use ::parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical};
use ::parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int32Type, Int64Type};
use ::parquet::file::metadata::KeyValue;
use ::parquet::file::properties::WriterProperties;
use ::parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use ::parquet::schema::types::{Type, TypePtr};
use bouncestat_aggregation::schema::{Column, Kind, SCHEMA_VERSION, TableSpec};
use bouncestat_aggregation::{ATTEMPTS_PER_BATCH, Data, Frame, Meta, Report, Texts, schema};
use bytes::Bytes;

use crate::json::{coverage, window};
use crate::{AttemptSink, Format, Options, Result, chosen, rows};

/// `--format parquet`.
pub(crate) struct Parquet;

impl Format for Parquet {
    fn name(&self) -> &'static str {
        "parquet"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["parquet", "pq"]
    }

    fn report(&self, report: &Report, options: &Options<'_>, out: &mut (dyn Write + Send)) -> Result<()> {
        let frame = &chosen(report, options)?.frame;
        let mut sink = RowGroups::begin(frame.spec(), None, out, options.redaction)?;
        sink.rows(frame, rows(frame, options.top))?;
        sink.end(&report.meta).map(drop)
    }

    fn attempts<'w>(&self, out: Box<dyn Write + Send + 'w>, options: &Options<'w>) -> Result<Box<dyn AttemptSink + 'w>> {
        Ok(Box::new(RowGroups::begin(&schema::ATTEMPTS, None, out, options.redaction)?))
    }
}

/// Columns whose values hardly repeat: a dictionary of them would only cost.
const PLAIN: &[&str] = &["event_time", "delivery_id", "queue_id", "message_id", "source_offset"];

/// Writes one table, row group by row group.
pub(crate) struct RowGroups<W: Write + Send> {
    out: SerializedFileWriter<W>,
    /// Rows of the next row group.
    waiting: Frame,
    /// The column that is left out, because the name of the folder tells it.
    without: Option<usize>,
    redaction: String,
}

impl<W: Write + Send> RowGroups<W> {
    pub(crate) fn begin(spec: &'static TableSpec, without: Option<&str>, out: W, redaction: &str) -> Result<Self> {
        let without = without.and_then(|column| spec.index(column));
        // The version of the writer, in the form that the format asks for; the program's is in the metadata.
        let mut properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by(concat!("bouncestat version ", env!("CARGO_PKG_VERSION")).to_owned());
        for column in PLAIN {
            properties = properties.set_column_dictionary_enabled((*column).into(), false);
        }
        let out = SerializedFileWriter::new(out, message(spec, without)?, Arc::new(properties.build()))?;
        Ok(RowGroups { out, waiting: Frame::new(spec), without, redaction: redaction.to_owned() })
    }

    /// Takes rows, and writes whenever a row group is full.
    pub(crate) fn rows(&mut self, frame: &Frame, rows: std::ops::Range<usize>) -> Result<()> {
        let mut start = rows.start;
        while start < rows.end {
            let end = rows.end.min(start + ATTEMPTS_PER_BATCH - self.waiting.len());
            self.waiting.append(frame, start..end);
            start = end;
            if self.waiting.len() == ATTEMPTS_PER_BATCH {
                self.row_group()?;
            }
        }
        Ok(())
    }

    /// How many rows wait for a full row group.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Writes the rows that wait.
    pub(crate) fn row_group(&mut self) -> Result<()> {
        let mut group = self.out.next_row_group()?;
        let mut columns = (0..self.waiting.columns().len()).filter(|index| Some(*index) != self.without);
        while let (Some(column), Some(index)) = (group.next_column()?, columns.next()) {
            write_column(column, &self.waiting, index)?;
        }
        group.close()?;
        self.waiting.clear();
        Ok(())
    }

    /// Writes what is left, and the metadata; gives back what was written to.
    pub(crate) fn end(mut self, meta: &Meta) -> Result<W> {
        if !self.waiting.is_empty() {
            self.row_group()?;
        }
        for (key, value) in [
            ("schema_version", SCHEMA_VERSION.to_owned()),
            ("version", meta.version.clone()),
            ("rules", meta.rules.clone()),
            ("window", window(&meta.window).to_string()),
            ("coverage", coverage(&meta.coverage).to_string()),
            ("redaction", self.redaction),
        ] {
            self.out.append_key_value_metadata(KeyValue::new(format!("bouncestat.{key}"), value));
        }
        let mut out = self.out.into_inner()?;
        out.flush()?;
        Ok(out)
    }
}

impl<W: Write + Send> AttemptSink for RowGroups<W> {
    fn write(&mut self, batch: &Frame) -> Result<()> {
        self.rows(batch, 0..batch.len())
    }

    fn finish(self: Box<Self>, meta: &Meta) -> Result<()> {
        self.end(meta).map(drop)
    }
}

/// The schema of a table.
fn message(spec: &TableSpec, without: Option<usize>) -> Result<TypePtr> {
    let columns = spec.columns.iter().enumerate().filter(|(index, _)| Some(*index) != without);
    let fields = columns.map(|(_, column)| field(column)).collect::<Result<Vec<_>>>()?;
    Ok(Arc::new(Type::group_type_builder(spec.name).with_fields(fields).build()?))
}

fn field(column: &Column) -> Result<TypePtr> {
    let (physical, logical) = match column.kind {
        Kind::Utf8 | Kind::Utf8List => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        Kind::Int64 => (Physical::INT64, None),
        Kind::Float64 => (Physical::DOUBLE, None),
        Kind::Boolean => (Physical::BOOLEAN, None),
        Kind::Date => (Physical::INT32, Some(LogicalType::Date)),
        Kind::Timestamp => (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::MICROS))),
    };
    let repetition = if column.nullable { Repetition::OPTIONAL } else { Repetition::REQUIRED };
    let builder = Type::primitive_type_builder(column.name, physical).with_logical_type(logical).with_repetition(repetition);
    Ok(Arc::new(builder.build()?))
}

fn write_column(mut column: SerializedColumnWriter<'_>, frame: &Frame, index: usize) -> Result<()> {
    let nullable = frame.columns()[index].nullable;
    match frame.data(index) {
        Data::Utf8(texts) => write::<ByteArrayType>(&mut column, nullable, byte_arrays(texts, frame.len()))?,
        Data::Int64(values) | Data::Timestamp(values) => write::<Int64Type>(&mut column, nullable, values.iter().copied())?,
        Data::Float64(values) => write::<DoubleType>(&mut column, nullable, values.iter().copied())?,
        Data::Boolean(values) => write::<BoolType>(&mut column, nullable, values.iter().copied())?,
        Data::Date(values) => write::<Int32Type>(&mut column, nullable, values.iter().copied())?,
        Data::Utf8List(lists) => {
            let joined = lists.iter().map(|list| Some(ByteArray::from(list.join("; ").into_bytes())));
            write::<ByteArrayType>(&mut column, nullable, joined)?;
        }
    }
    column.close()?;
    Ok(())
}

/// The texts as slices of one shared buffer.
fn byte_arrays(texts: &Texts, rows: usize) -> impl Iterator<Item = Option<ByteArray>> {
    let buffer = Bytes::copy_from_slice(texts.buffer().as_bytes());
    (0..rows).map(move |row| texts.get(row).map(|_| ByteArray::from(buffer.slice(texts.range(row)))))
}

/// Writes one column: its values, and for a nullable one, which rows have one.
fn write<T: DataType>(
    column: &mut SerializedColumnWriter<'_>,
    nullable: bool,
    values: impl Iterator<Item = Option<T::T>>,
) -> Result<()> {
    let mut levels = Vec::new();
    let present: Vec<T::T> = values.inspect(|v| levels.push(i16::from(v.is_some()))).flatten().collect();
    debug_assert!(nullable || levels.len() == present.len(), "a column that is not nullable has a value in each row");
    column.typed::<T>().write_batch(&present, nullable.then_some(&levels[..]), None)?;
    Ok(())
}
