//! What a cost cube and the Parquet files beside it have in common: how they are opened, which cube they belong to, columns without nulls,
//! a hash of what is written.

use crate::cube_file::CubeFileError;
use crate::parquet_lines::{check_places, with_dictionaries};
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrowPrimitiveType, PrimitiveArray, RecordBatch};
use billing::charge_class::Cube;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::errors::ParquetError;
use parquet::file::metadata::{KeyValue, ParquetMetaData};
use parquet::file::reader::ChunkReader;
use sha2::{Digest, Sha256};
use std::io::{self, Write};

const LAYOUT: &str = "proforma.version";

/// What a file is, by its Parquet schema alone, texts as dictionaries: decoding Arrow's own copy of the schema panics where a byte of that
/// is wrong, and decoding a column where its place is none.
///
/// # Errors
/// What the Parquet reader says: it is no such file, or a damaged one.
pub fn metadata(file: &impl ChunkReader) -> parquet::errors::Result<ArrowReaderMetadata> {
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let metadata = ArrowReaderMetadata::load(file, options)?;
    check_places(metadata.metadata(), file.len()).map_err(ParquetError::General)?;
    with_dictionaries(&metadata)
}

/// What a file says of itself: the version of its layout, and the cube that it belongs to.
pub fn entries(version: &str, cube: &Cube) -> Vec<KeyValue> {
    let entry = |(key, value): (&str, String)| KeyValue::new(key.to_owned(), value);
    let of_cube =
        [("proforma.period", cube.period.to_string()), ("proforma.classes", cube.classes.len().to_string())];
    [(LAYOUT, version.to_owned())].into_iter().chain(of_cube).map(entry).collect()
}

/// Checks that a file has a layout and belongs to a cube.
///
/// # Errors
/// [`CubeFileError::Content`].
pub fn check(file: &ParquetMetaData, version: &str, cube: &Cube) -> Result<(), CubeFileError> {
    let said = file.file_metadata().key_value_metadata();
    let has = |expected: &&KeyValue| !said.into_iter().flatten().any(|entry| entry == *expected);
    match entries(version, cube).iter().find(has) {
        None => Ok(()),
        Some(lacking) if lacking.key == LAYOUT => Err(content("its layout has another version")),
        Some(_) => Err(content("it belongs to another cost cube")),
    }
}

/// A column of numbers, none of which is null.
///
/// # Errors
/// [`CubeFileError::Content`]: it is not there, or of another type.
pub fn column<'a, T: ArrowPrimitiveType>(
    batch: &'a RecordBatch,
    name: &str,
) -> Result<&'a PrimitiveArray<T>, CubeFileError> {
    let found = batch.column_by_name(name).filter(|column| column.null_count() == 0);
    let found = found.ok_or_else(|| content(format!("it has no column `{name}`")))?;
    found.as_primitive_opt().ok_or_else(|| content("a column is of another type"))
}

/// A file that does not hold what it should.
pub fn content(what: impl Into<String>) -> CubeFileError {
    CubeFileError::Content(what.into())
}

/// Writes and hashes what is written.
pub struct Hashed<W> {
    pub to: W,
    pub hash: Sha256,
}

impl<W> Hashed<W> {
    pub fn new(to: W) -> Self {
        Self { to, hash: Sha256::new() }
    }
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.to.write(bytes)?;
        self.hash.update(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}
