//! Eligible usage read back, an hour at a time: memory holds one hour and a batch, however large the month is.

use super::{CLASS, FILE, HOUR, ROW, VERSION, hours_of};
use crate::cube_file::CubeFileError;
use crate::side_file::{self, column, content};
use crate::source::Source;
use arrow_array::types::{Decimal128Type, Int32Type, Int64Type};
use arrow_array::{Decimal128Array, RecordBatch};
use billing::charge_class::Cube;
use billing::coverage::{CUT_MEASURES, EligibleLine};
use billing::money::Quantity;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use std::path::Path;

const ROWS_PER_BATCH: usize = 8_192;

/// A file of eligible usage: what is hashed is what is read.
pub struct StoredEligibleUsage {
    source: Source,
    metadata: ArrowReaderMetadata,
    hours: u32,
    classes: u32,
}

impl StoredEligibleUsage {
    /// Opens the file that belongs to a cube.
    ///
    /// # Errors
    /// [`CubeFileError`]: not such a file, of another month, or of a cube with other classes.
    pub fn open(path: &Path, cube: &Cube) -> Result<Self, CubeFileError> {
        let source = Source::open(path).map_err(content)?;
        let metadata = side_file::metadata(&source)?;
        side_file::check(metadata.metadata(), VERSION, cube)?;
        // A cube has at most `CLASSES_MAX` classes.
        let classes = u32::try_from(cube.classes.len()).unwrap_or(u32::MAX);
        Ok(Self { source, metadata, hours: hours_of(cube.period), classes })
    }

    /// The SHA-256 of the file.
    ///
    /// # Errors
    /// What the file system says.
    pub fn sha256(&self) -> std::io::Result<[u8; 32]> {
        Ok(self.source.sha256(|| false)?.unwrap_or_default())
    }

    /// The hours of the month, in order.
    ///
    /// # Errors
    /// [`CubeFileError`].
    pub fn hours(&self) -> Result<Hours, CubeFileError> {
        let builder =
            ParquetRecordBatchReaderBuilder::new_with_metadata(self.source.clone(), self.metadata.clone());
        Ok(Hours {
            reader: builder.with_batch_size(ROWS_PER_BATCH).build()?,
            hours: self.hours,
            classes: self.classes,
            batch: Vec::new().into_iter(),
            next: None,
            last: None,
        })
    }
}

/// The hours of a month, one after the other.
pub struct Hours {
    reader: ParquetRecordBatchReader,
    hours: u32,
    classes: u32,
    batch: std::vec::IntoIter<(u32, EligibleLine)>,
    /// The line after those that were given.
    next: Option<(u32, EligibleLine)>,
    /// Where the line before it stands.
    last: Option<(u32, u32, u32, u64)>,
}

impl Hours {
    /// Gives the next hour that has lines, and puts them in place of what `lines` holds; `None` at the end. Lines are in the order of
    /// class, file and row.
    ///
    /// # Errors
    /// [`CubeFileError`]: the file is damaged, or its rows are not in order.
    pub fn next_hour(&mut self, lines: &mut Vec<EligibleLine>) -> Result<Option<u32>, CubeFileError> {
        lines.clear();
        let first = match self.next.take() {
            None => self.next_line()?,
            line => line,
        };
        let Some((hour, line)) = first else { return Ok(None) };
        lines.push(line);
        while let Some((of, line)) = self.next_line()? {
            if of != hour {
                self.next = Some((of, line));
                break;
            }
            lines.push(line);
        }
        Ok(Some(hour))
    }

    fn next_line(&mut self) -> Result<Option<(u32, EligibleLine)>, CubeFileError> {
        loop {
            if let Some((hour, line)) = self.batch.next() {
                let place = (hour, line.class, line.file, line.row);
                if hour >= self.hours || line.class >= self.classes {
                    return Err(content("a line is of no hour of the month, or of no class of the cube"));
                }
                if self.last.is_some_and(|last| last >= place) {
                    return Err(content("its lines are not in order"));
                }
                self.last = Some(place);
                return Ok(Some((hour, line)));
            }
            let Some(batch) = self.reader.next() else { return Ok(None) };
            self.batch = decode(&batch?)?.into_iter();
        }
    }
}

fn decode(batch: &RecordBatch) -> Result<Vec<(u32, EligibleLine)>, CubeFileError> {
    let number = |name| column::<Int32Type>(batch, name);
    let [hours, classes, files] = [number(HOUR)?, number(CLASS)?, number(FILE)?];
    let rows = column::<Int64Type>(batch, ROW)?;
    let [usage, normalized, unblended, net, public] =
        CUT_MEASURES.map(|measure| column::<Decimal128Type>(batch, measure.name()));
    let amounts = [usage?, normalized?, unblended?, net?, public?];
    let below_0 = |_| content("a number is below 0");
    let line = |row: usize| {
        let amount = |values: &Decimal128Array| {
            Quantity::from_units(values.value(row)).map_err(|error| content(format!("an amount is {error}")))
        };
        let [usage, normalized, unblended, net, public] = amounts.map(amount);
        let line = EligibleLine {
            class: classes.value(row).try_into().map_err(below_0)?,
            file: files.value(row).try_into().map_err(below_0)?,
            row: rows.value(row).try_into().map_err(below_0)?,
            measures: [usage?, normalized?, unblended?, net?, public?],
        };
        Ok((hours.value(row).try_into().map_err(below_0)?, line))
    };
    (0..batch.num_rows()).map(line).collect()
}
