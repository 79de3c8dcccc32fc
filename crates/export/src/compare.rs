//! Two Parquet files of the same attempts: how many rows differ, in some columns.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use ::parquet::file::reader::{FileReader, SerializedFileReader};
use ::parquet::schema::types::{Type, TypePtr};

use crate::{Error, Result};

/// How many rows a Parquet file holds, by its own words.
pub fn parquet_rows(path: &Path) -> Result<u64> {
    let reader = File::open(path).map_err(Error::from).and_then(|file| Ok(SerializedFileReader::new(file)?));
    let reader = reader.map_err(|e| e.at(path))?;
    Ok(u64::try_from(reader.metadata().file_metadata().num_rows()).unwrap_or(0))
}

/// How many rows of a file are others than those at the same place of `after`, which holds a file; in `columns`, or in all where there are
/// none. `None`: they do not have the same number of rows, or not these columns.
pub fn rows_that_differ(before: &Path, after: &[u8], columns: &[&str]) -> Result<Option<u64>> {
    let before = File::open(before).map_err(Error::from).and_then(|file| Ok(SerializedFileReader::new(file)?));
    let before = before.map_err(|e| e.at(Path::new("attempts")))?;
    let after = SerializedFileReader::new(bytes::Bytes::copy_from_slice(after))?;
    let (Some(left), Some(right)) = (only(before.metadata(), columns)?, only(after.metadata(), columns)?) else {
        return Ok(None);
    };
    if before.metadata().file_metadata().num_rows() != after.metadata().file_metadata().num_rows() {
        return Ok(None);
    }
    let mut differ = 0;
    for (left, right) in before.get_row_iter(Some(left))?.zip(after.get_row_iter(Some(right))?) {
        differ += u64::from(left? != right?);
    }
    Ok(Some(differ))
}

/// The schema of some columns.
fn only(metadata: &::parquet::file::metadata::ParquetMetaData, columns: &[&str]) -> Result<Option<Type>> {
    let schema = metadata.file_metadata().schema();
    let wanted = |field: &&TypePtr| columns.is_empty() || columns.contains(&field.name());
    let fields: Vec<Arc<Type>> = schema.get_fields().iter().filter(wanted).cloned().collect();
    if fields.is_empty() || !columns.is_empty() && fields.len() != columns.len() {
        return Ok(None);
    }
    Ok(Some(Type::group_type_builder(schema.name()).with_fields(fields).build()?))
}
