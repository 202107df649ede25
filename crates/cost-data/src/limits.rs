//! Everything has a limit with a name.

/// How many problems are shown; all are counted.
pub const DIAGNOSTICS_SHOWN_MAX: usize = 100;
/// How many rejected rows `--accept-rejects` lists; all are counted.
pub const REJECTS_LISTED_MAX: usize = 10_000;
/// How many accounts are named that have no account id.
pub const ODD_ACCOUNTS_SHOWN_MAX: usize = 10;
/// How many columns a file may have.
pub const COLUMNS_MAX: usize = 10_000;
/// How long a text that takes part in pricing may be, in bytes.
pub const TEXT_BYTES_MAX: usize = 65_536;
/// How long a CSV record may be, in bytes: more is a quote that is never closed.
pub const RECORD_BYTES_MAX: u64 = 64 << 20;
/// How much a file may grow by decompression: this many times its size, beyond [`EXPANSION_FREE_BYTES`].
pub const EXPANSION_RATIO_MAX: u64 = 200;
/// What decompression may always yield, in bytes.
pub const EXPANSION_FREE_BYTES: u64 = 64 << 20;
/// How many rows a Parquet file may claim per byte of its size, beyond [`ROWS_FREE`].
pub const ROWS_PER_BYTE_MAX: u64 = 8;
/// How many rows a Parquet file may always claim.
pub const ROWS_FREE: u64 = 100_000;
/// How many charge classes a month may have.
pub const CLASSES_MAX: usize = 5_000_000;
/// How many files a delivery may have.
pub const FILES_MAX: usize = 100_000;
/// How large a manifest may be, in bytes.
pub const MANIFEST_BYTES_MAX: u64 = 64 << 20;
/// How often a reading starts again because the delivery changed under it.
pub const RESTARTS_MAX: u32 = 3;
/// A single amount or quantity must be below this, in whole units: larger is a broken file.
pub const NUMBER_UNITS_MAX: i128 = 1_000_000_000_000;
/// How many rows are handled at once.
pub const BATCH_ROWS: usize = 8_192;
/// How many rows of a Parquet file are taken apart by billing group at once.
pub const EXPORT_BATCH_ROWS: usize = 65_536;
/// How many bytes of CSV records are handled at once.
pub const BATCH_BYTES: usize = 32 << 20;
/// How many sums of lines a question may have: some hundred bytes each.
pub const LINE_SUMS_MAX: usize = 200_000;
/// Address space of the reading child: this, and [`WORKER_THREAD_BYTES`] per thread.
pub const WORKER_BASE_BYTES: u64 = 1 << 30;
/// Address space per reading thread: its stack and its share of the allocator.
pub const WORKER_THREAD_BYTES: u64 = 192 << 20;
/// The longest line that the parent takes from the reading child; its report has some hundred bytes for each file.
pub const WORKER_MESSAGE_BYTES: u64 = 64 << 20;
/// CPU time of the reading child: this many seconds, and [`WORKER_SECONDS_PER_MIB`].
pub const WORKER_BASE_SECONDS: u64 = 120;
/// CPU seconds per mebibyte of cost files.
pub const WORKER_SECONDS_PER_MIB: u64 = 2;
/// Address space for fetching from object stores: connections, their buffers and their threads.
pub const WORKER_FETCH_BYTES: u64 = 512 << 20;
/// How long a connection to an object store may take to be made, in seconds.
pub const STORE_CONNECT_SECONDS: u64 = 5;
/// How long an object store may be silent within an answer, in seconds.
pub const STORE_SILENCE_SECONDS: u64 = 20;
/// How often a request to an object store is repeated.
pub const STORE_RETRIES_MAX: usize = 6;
/// After how many seconds a request to an object store is not repeated any more.
pub const STORE_RETRY_SECONDS: u64 = 45;
/// How often a part of an object is asked for again, from where it broke off, without one more byte of it.
pub const STORE_RESUMES_MAX: u32 = 4;
/// How many parts of objects are fetched or sent at once.
pub const STORE_TRANSFERS: usize = 4;
/// How much of an object is asked for at once.
pub const STORE_PART_BYTES: u64 = 32 << 20;
/// How much of each object is fetched first: enough for the footer of a Parquet file or the header of a CSV file.
pub const STORE_LOOK_BYTES: u64 = 1 << 20;
/// How much of a file is sent to an object store at once; all parts are in memory while they are sent.
pub const STORE_SEND_BYTES: usize = 8 << 20;
/// How many ranges the price of a SKU may have in one offer file; AWS's own have fewer than ten.
pub const PRICE_RANGES_MAX: usize = 1_000;
