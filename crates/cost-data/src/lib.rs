//! Cost files in: what AWS delivered for a month becomes a cost cube.
//!
//! [`delivery`] finds the files at their [`location`]s, [`layout`] tells which format they have, [`parquet_lines`] and [`csv_lines`] turn them into
//! batches, [`scan`] sums the batches by charge class, and [`reading`] drives it all over threads. Cost files are
//! untrusted, so [`worker`] does this in a child process under memory and time limits. Nothing here knows a price.

pub mod limits;

pub mod number;

pub mod diagnostics;
pub mod hash;

pub mod layout;
mod vocabulary;

pub mod dimensions;
mod focus;

pub mod delivery;
pub mod found;
pub mod manifest;
pub mod source_file;

pub mod location;

mod bucket;
mod fetch;
mod source;
mod sources;

pub mod pin;

mod batch;
mod codes;
mod csv_lines;
mod days;
mod net_amortized;
mod parquet_lines;
mod timestamp;

mod scan;

mod product_names;

pub mod reading;
pub mod report;

pub mod price_list;

pub mod cube_file;
pub mod daily_file;

pub mod commitment_inventory;
pub mod coverage_file;
pub mod covered_lines;
pub mod eligible_usage;
mod side_file;

pub mod worker;

pub mod export;
