//! Writes cost lines in every form in which AWS delivers them, with AWS's folder layout and manifests.
//!
//! The folder that a test passes stands for the root of the bucket. Same lines and options, same bytes: no clock, no
//! random names. Everything here panics when the disk fails, for only tests call it.

mod cell;
mod fields;
mod focus;
mod manifest;
mod parquet_file;
mod text;

#[cfg(test)]
mod tests;

use std::fs;
use std::path::{Path, PathBuf};

use crate::line::Line;
use crate::random::Random;
use fields::fields_of;

pub use focus::FocusForm;

/// The kinds of cost files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// CUR 2.0: underscore names, maps, doubles.
    Cur2Parquet,
    /// CUR 2.0: underscore names, maps as JSON text, gzip.
    Cur2Csv,
    /// The legacy report: `lineItem/UsageAmount`, a column per tag and product attribute.
    LegacyCsv(Packing),
    /// The legacy report for Athena: underscore names, a column per tag and product attribute.
    LegacyParquet,
    /// FOCUS as AWS exports it; takes lines of [`crate::focus::as_told`] only.
    Focus(FocusForm),
}

/// The versions of FOCUS that AWS exports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FocusVersion {
    /// `FOCUS_1_0_AWS`.
    V1_0,
    /// `FOCUS_1_2_AWS`.
    V1_2,
}

impl Form {
    /// Both of AWS's FOCUS tables, in every packing and in both spellings.
    pub const FOCUS: [Self; 6] = [
        Self::focus(FocusVersion::V1_0, None, false),
        Self::focus(FocusVersion::V1_2, None, false),
        Self::focus(FocusVersion::V1_2, None, true),
        Self::focus(FocusVersion::V1_0, Some(Packing::Gzip), false),
        Self::focus(FocusVersion::V1_2, Some(Packing::Plain), true),
        Self::focus(FocusVersion::V1_2, Some(Packing::Zip), false),
    ];

    const fn focus(version: FocusVersion, csv: Option<Packing>, lower_case: bool) -> Self {
        Self::Focus(FocusForm { version, csv, lower_case })
    }

    /// Every form of CUR, for tests that run through all.
    pub const ALL: [Self; 6] = [
        Self::Cur2Parquet,
        Self::Cur2Csv,
        Self::LegacyCsv(Packing::Plain),
        Self::LegacyCsv(Packing::Gzip),
        Self::LegacyCsv(Packing::Zip),
        Self::LegacyParquet,
    ];

    fn is_legacy(self) -> bool {
        matches!(self, Self::LegacyCsv(_) | Self::LegacyParquet)
    }

    fn is_parquet(self) -> bool {
        self.packing().is_none()
    }

    /// How CSV is packed; `None` is Parquet.
    fn packing(self) -> Option<Packing> {
        match self {
            Self::Cur2Parquet | Self::LegacyParquet => None,
            Self::Cur2Csv => Some(Packing::Gzip),
            Self::LegacyCsv(packing) => Some(packing),
            Self::Focus(form) => form.csv,
        }
    }
}

/// How a CSV file is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// Not at all.
    Plain,
    /// `.csv.gz`.
    Gzip,
    /// `.csv.zip` with one member.
    Zip,
}

/// The folders and manifests around the data files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Data files only, directly in the folder.
    Loose,
    /// One version that is overwritten, with its manifest.
    Overwrite,
    /// Every version is kept: legacy keeps assemblies, 2.0 executions.
    KeepVersions {
        /// Whether an older version, with only the first half of the lines, lies beside the newest.
        with_older: bool,
    },
}

/// The order of the rows over all files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// As the lines are given.
    AsGiven,
    /// Shuffled by a seed.
    Shuffled(u64),
}

/// How numbers look in CSV; rates keep their own text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbers {
    /// As AWS writes today: `24.0`, `7.32E-7`.
    Java,
    /// As in old reports: `24.0000000000`, and instants without milliseconds.
    Fixed,
}

/// The Parquet type of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CostType {
    /// What AWS writes.
    Double,
    /// Loses digits, as some rewritten files do.
    Float,
    /// `DECIMAL(precision, scale)`; digits beyond the scale are rounded half away from zero.
    Decimal(u8, u8),
    /// Plain decimal text.
    Text,
}

/// The Parquet type of instants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeType {
    /// 64-bit milliseconds.
    Millis,
    /// 64-bit microseconds.
    Micros,
    /// 64-bit nanoseconds.
    Nanos,
    /// The deprecated 96-bit form.
    Int96,
    /// `2026-10-01T00:00:00.000Z`.
    Text,
}

/// The Parquet compression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// What AWS uses.
    Snappy,
    /// Zstandard.
    Zstd,
    /// Gzip.
    Gzip,
    /// None.
    None,
}

/// Everything about the written files but the lines.
#[derive(Clone, Debug)]
pub struct WriteOptions {
    /// The kind of files.
    pub form: Form,
    /// The month, `2026-10`; the folder names follow from it, not from the lines.
    pub period: String,
    /// Folders and manifests.
    pub delivery: Delivery,
    /// The name of the report or export.
    pub name: String,
    /// The key prefix in the bucket; may be empty.
    pub prefix: String,
    /// The bucket that the manifest names.
    pub bucket: String,
    /// Over how many files the rows are spread.
    pub files: usize,
    /// The order of the rows.
    pub order: Order,
    /// Numbers in CSV.
    pub numbers: Numbers,
    /// Numbers in Parquet.
    pub costs: CostType,
    /// Instants in Parquet.
    pub times: TimeType,
    /// Compression in Parquet.
    pub codec: Codec,
    /// Rows per row group in Parquet.
    pub row_group_rows: usize,
    /// Columns that the files lack, by their CUR 2.0 names (`product` and `resource_tags` too), or those of FOCUS.
    pub leave_out: Vec<String>,
}

impl WriteOptions {
    /// Returns what AWS does by default: one overwritten file with its manifest.
    pub fn new(form: Form, period: &str) -> Self {
        Self {
            form,
            period: period.to_owned(),
            delivery: Delivery::Overwrite,
            name: "cost-report".to_owned(),
            prefix: "exports".to_owned(),
            bucket: "example-bucket".to_owned(),
            files: 1,
            order: Order::AsGiven,
            numbers: Numbers::Java,
            costs: CostType::Double,
            times: TimeType::Millis,
            codec: Codec::Snappy,
            row_group_rows: 100_000,
            leave_out: Vec::new(),
        }
    }
}

/// Writes a month under the folder and returns the data files of the newest version, in the order of the manifest.
pub fn write_month(folder: &Path, lines: &[Line], options: &WriteOptions) -> Vec<PathBuf> {
    if let Delivery::KeepVersions { with_older: true } = options.delivery {
        write_version(folder, &lines[..lines.len() / 2], options, manifest::OLDER);
    }
    write_version(folder, lines, options, manifest::NEWEST)
}

/// Returns the manifest of the newest version that [`write_month`] writes; none for loose files.
pub fn manifest_path(folder: &Path, options: &WriteOptions) -> Option<PathBuf> {
    manifest::keys(options, manifest::NEWEST).map(|keys| folder.join(keys.newest_manifest))
}

fn write_version(
    folder: &Path,
    lines: &[Line],
    options: &WriteOptions,
    version: manifest::Version,
) -> Vec<PathBuf> {
    let mut rows: Vec<&Line> = lines.iter().collect();
    if let Order::Shuffled(seed) = options.order {
        Random::new(seed).shuffle(&mut rows);
    }
    let fields = fields_of(lines, options);
    let keys = manifest::data_keys(options, version);
    let rows_per_file = rows.len().div_ceil(keys.len()).max(1);
    let mut parts = rows.chunks(rows_per_file);
    let mut paths = Vec::new();
    for key in &keys {
        let path = folder.join(key);
        create_parent(&path);
        let part = parts.next().unwrap_or_default();
        if options.form.is_parquet() {
            parquet_file::write(&path, &fields, part, options);
        } else {
            text::write(&path, &fields, part, options);
        }
        paths.push(path);
    }
    manifest::write(folder, &fields, &keys, options, version);
    paths
}

fn create_parent(path: &Path) {
    let parent = path.parent().expect("a key has a folder");
    fs::create_dir_all(parent).expect("the test folder can be written");
}
