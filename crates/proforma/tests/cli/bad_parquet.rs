//! Damaged and hostile Parquet files: refused under tight limits, or read to the right total, and never anything else.

use crate::small_files::{COST, columns, columns_with, parquet, run_of_column, run_of_file};
use crate::support::Done;
use arrow_array::types::Int32Type;
use arrow_array::{ArrayRef, DictionaryArray, Int32Array, StringArray};
use parquet::basic::{Compression, Encoding, GzipLevel, ZstdLevel};
use parquet::file::metadata::{
    ColumnChunkMetaData, ColumnChunkMetaDataBuilder, ParquetMetaData, ParquetMetaDataReader,
    ParquetMetaDataWriter, RowGroupMetaData,
};
use parquet::file::properties::{
    EnabledStatistics, WriterProperties, WriterPropertiesBuilder, WriterVersion,
};
use parquet::schema::types::ColumnPath;
use std::io::Write;
use std::sync::Arc;
use testkit::random::Random;

/// Limits under which every hostile file is read.
const TIGHT: [&str; 4] = ["--worker-memory", "512", "--worker-cpu", "10"];

/// Options without the parts that stand between a test and the bytes that it breaks.
fn plain() -> WriterPropertiesBuilder {
    WriterProperties::builder()
        .set_dictionary_enabled(false)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_offset_index_disabled(true)
}

/// Runs over a hostile file.
fn read(bytes: impl AsRef<[u8]>) -> Done {
    let done = run_of_file("lines.parquet", bytes).with(&TIGHT).go();
    assert!(
        !done.stderr.contains("panicked") && !done.stderr.contains("fault of the program"),
        "{}",
        done.stderr
    );
    done
}

/// Refuses a hostile file under its name.
#[track_caller]
fn refuse(bytes: impl AsRef<[u8]>, words: &[&str]) -> Done {
    read(bytes).refused(words).said(&["lines.parquet", "hint: copy the file again"])
}

#[test]
fn a_parquet_file_cut_anywhere_is_refused() {
    let whole = parquet(columns(300), WriterProperties::default());
    read(&whole).totals("300");
    let cuts = (0..64).map(|part| whole.len() * part / 64).chain([4, 8, 12, whole.len() - 1]);
    for length in cuts {
        refuse(&whole[..length], &["not a readable Parquet file"]);
    }
}

#[test]
fn a_flipped_bit_is_refused_or_changes_the_hash() {
    let codecs = [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::ZSTD(ZstdLevel::default()),
        Compression::GZIP(GzipLevel::default()),
    ];
    let mut random = Random::new(20_261_001);
    let (mut refused, mut read_on) = (0, 0);
    for codec in codecs {
        let whole = parquet(columns(40), WriterProperties::builder().set_compression(codec).build());
        let hash = |done: &Done| done.json("reconciliation.json")["files"][0]["sha256"].clone();
        let known = hash(&read(&whole).totals("40"));
        for _ in 0..40 {
            let mut bytes = whole.clone();
            bytes[random.index(whole.len())] ^= 1 << random.below(8);
            let done = read(&bytes);
            if done.status == 0 {
                assert_ne!(hash(&done), known);
                read_on += 1;
            } else {
                assert!(done.refused(&["error: "]).stderr.contains("nothing was written"));
                refused += 1;
            }
        }
    }
    assert!(refused > 40 && read_on > 10, "{refused} refused, {read_on} read");
}

/// What the footer says.
fn footer(bytes: &[u8]) -> ParquetMetaData {
    let mut file = tempfile::tempfile().expect("a temporary file");
    file.write_all(bytes).expect("room for a file");
    ParquetMetaDataReader::new().parse_and_finish(&file).expect("a sound file")
}

/// The file with another footer.
fn with_footer(bytes: &[u8], edit: impl Fn(ParquetMetaData) -> ParquetMetaData) -> Vec<u8> {
    let length: [u8; 4] = bytes[bytes.len() - 8..bytes.len() - 4].try_into().expect("four bytes");
    let length = usize::try_from(u32::from_le_bytes(length)).expect("a length");
    let mut edited = bytes[..bytes.len() - 8 - length].to_vec();
    let metadata = edit(footer(bytes));
    ParquetMetaDataWriter::new(&mut edited, &metadata).finish().expect("a footer is written");
    edited
}

/// The file with one column chunk edited in its footer.
fn with_chunk(
    bytes: &[u8],
    name: &str,
    edit: impl Fn(ColumnChunkMetaDataBuilder, &[ColumnChunkMetaData]) -> ColumnChunkMetaDataBuilder,
) -> Vec<u8> {
    with_group(bytes, |group| {
        let all = group.columns().to_vec();
        let edited = |column: &ColumnChunkMetaData| {
            if column.column_path().string() != name {
                return column.clone();
            }
            edit(column.clone().into_builder(), &all).build().expect("a column chunk")
        };
        let columns = all.iter().map(edited).collect();
        group.into_builder().set_column_metadata(columns).build().expect("a row group")
    })
}

/// The file with its one row group edited in its footer.
fn with_group(bytes: &[u8], edit: impl Fn(RowGroupMetaData) -> RowGroupMetaData) -> Vec<u8> {
    with_footer(bytes, |metadata| {
        let group = edit(metadata.row_group(0).clone());
        metadata.into_builder().set_row_groups(vec![group]).build()
    })
}

/// The file with another number of rows in its footer.
fn with_rows(bytes: &[u8], rows: i64) -> Vec<u8> {
    with_group(bytes, |group| group.into_builder().set_num_rows(rows).build().expect("a row group"))
}

/// A number of a page header: signed ones are folded, seven bits a byte.
fn varint(value: i64) -> Vec<u8> {
    let mut rest = u64::from_ne_bytes(((value << 1) ^ (value >> 63)).to_ne_bytes());
    let mut bytes = Vec::new();
    while rest > 0x7f {
        bytes.push(u8::try_from(rest & 0x7f | 0x80).expect("a byte"));
        rest >>= 7;
    }
    bytes.push(u8::try_from(rest).expect("a byte"));
    bytes
}

/// Numbers of a page header, in the order in which they stand there.
#[derive(Clone, Copy)]
enum PageNumber {
    Uncompressed = 1,
    Compressed = 2,
    Values = 3,
}

/// The file with a number in the header of its last column's first page changed, and the sizes in the footer with it.
fn with_page_number(number: PageNumber, value: i64) -> Vec<u8> {
    let whole = parquet(last_column_is_cost(), plain().set_compression(Compression::SNAPPY).build());
    let last = footer(&whole).row_group(0).columns().last().map(ColumnChunkMetaData::data_page_offset);
    let mut at = usize::try_from(last.expect("columns")).expect("an offset");
    // Field marks: 0x15 is a number, the next field; 0x2c the data page's own header, two fields on.
    for place in 0..=number as usize {
        let mark = if place == 3 { vec![0x2c, 0x15] } else { vec![0x15] };
        assert_eq!(whole[at..at + mark.len()], mark, "a page header begins otherwise");
        at += mark.len();
        if place < number as usize {
            at += whole[at..].iter().position(|byte| *byte < 0x80).expect("a number") + 1;
        }
    }
    let end = at + whole[at..].iter().position(|byte| *byte < 0x80).expect("a number") + 1;
    let edited = [&whole[..at], &varint(value), &whole[end..]].concat();
    let grown = i64::try_from(edited.len()).expect("small") - i64::try_from(whole.len()).expect("small");
    with_chunk(&edited, COST, |column, all| {
        let size = all.last().map(ColumnChunkMetaData::compressed_size).expect("columns");
        column.set_total_compressed_size(size + grown)
    })
}

/// The usual columns of 100 lines with the cost in the last place, where it may grow.
fn last_column_is_cost() -> Vec<(String, ArrayRef)> {
    let mut all = columns(100);
    let place = all.iter().position(|(name, _)| name == COST).expect("the cost column");
    let cost = all.remove(place);
    all.push(cost);
    all
}

#[test]
fn a_page_that_claims_two_gibibytes_ends_the_reader_and_no_more() {
    let done = run_of_file("lines.parquet", with_page_number(PageNumber::Uncompressed, 2_147_483_647))
        .with(&TIGHT)
        .go();
    let words =
        ["the reader was stopped", "more than 512 MiB of memory", "--worker-memory", "nothing was written"];
    done.refused(&words);
}

#[test]
fn a_page_that_says_what_cannot_be_is_refused() {
    read(with_page_number(PageNumber::Values, 100)).totals("100");
    for (number, value) in [
        (PageNumber::Uncompressed, -1),
        (PageNumber::Uncompressed, 1),
        (PageNumber::Compressed, -1),
        (PageNumber::Compressed, 2_147_483_647),
        (PageNumber::Compressed, 3),
        (PageNumber::Values, 1_000_000_000),
        (PageNumber::Values, -1),
        (PageNumber::Values, 99),
        (PageNumber::Values, 101),
    ] {
        refuse(with_page_number(number, value), &["row group 0"]);
    }
}

#[test]
fn a_footer_that_says_what_cannot_be_is_refused() {
    let whole = parquet(columns(100), plain().build());
    for (bytes, words) in [
        (
            with_chunk(&whole, COST, |c, _| c.set_data_page_offset(1 << 40)),
            ["unblended_cost`", "beyond the end"],
        ),
        (
            with_chunk(&whole, COST, |c, _| c.set_total_compressed_size(1 << 40)),
            ["unblended_cost`", "beyond the end"],
        ),
        (with_chunk(&whole, COST, |c, _| c.set_data_page_offset(-4)), ["unblended_cost`", "below 0"]),
        (with_chunk(&whole, COST, |c, _| c.set_total_compressed_size(-1)), ["unblended_cost`", "below 0"]),
        (
            with_chunk(&whole, COST, |c, _| c.set_total_uncompressed_size(1 << 50)),
            ["decompresses to", "bytes"],
        ),
        (
            with_chunk(&whole, COST, |c, all| c.set_data_page_offset(all[6].data_page_offset())),
            ["share bytes", "unblended_cost`"],
        ),
        (with_rows(&whole, 1_000_000_000), ["claims 1000000000 rows", "8 rows a byte"]),
        (with_rows(&whole, i64::MAX), ["claims 9223372036854775807 rows", "8 rows a byte"]),
        (with_rows(&whole, -1), ["claims", "rows"]),
        (with_rows(&whole, 101), ["row group 0", "1 rows less than its footer says"]),
        (with_rows(&whole, 99), ["row group 0", "more rows than its footer says"]),
    ] {
        refuse(bytes, &words);
    }
}

#[test]
fn rows_without_end_are_refused_before_and_while_they_are_read() {
    // Every value of every column is the same: 90,000 rows take a few kilobytes.
    let whole = parquet(columns(90_000), WriterProperties::default());
    assert!(whole.len() < 20_000, "{} bytes", whole.len());
    read(&whole).totals("90000");
    refuse(with_rows(&whole, 1_000_000_000), &["claims 1000000000 rows in", "8 rows a byte"]);
    refuse(with_rows(&whole, 100), &["row group 0", "more rows than its footer says"]);
    refuse(with_rows(&whole, 90_001), &["row group 0", "1 rows less than its footer says"]);
}

/// A text column of one value on all rows.
fn repeated(text: &str, rows: usize) -> ArrayRef {
    let keys = Int32Array::from(vec![0; rows]);
    let values: ArrayRef = Arc::new(StringArray::from(vec![text]));
    Arc::new(DictionaryArray::<Int32Type>::try_new(keys, values).expect("keys of values"))
}

#[test]
fn a_dictionary_that_unfolds_to_gigabytes_takes_no_more_than_its_own_size() {
    let properties = || WriterProperties::builder().set_dictionary_page_size_limit(4 << 20).build();
    let file = |text: &str, rows| {
        let columns = columns_with(rows, vec![("line_item_usage_type", repeated(text, rows))]);
        parquet(columns, properties())
    };
    // 20 GB of texts that are too long, and 4 GB of texts that are not.
    let words = ["row group 0:row 1:line_item_usage_type", "longer than 65536 bytes", "… and 19900 more"];
    read(file(&"k".repeat(1 << 20), 20_000)).refused(&words);
    read(file(&"k".repeat(50_000), 80_000)).totals("80000");
}

#[test]
fn texts_that_repeat_their_prefix_without_end_are_refused() {
    let rows = 700;
    let path = ColumnPath::from("line_item_usage_type");
    let properties = WriterProperties::builder()
        .set_column_dictionary_enabled(path.clone(), false)
        .set_column_encoding(path, Encoding::DELTA_BYTE_ARRAY)
        .set_statistics_enabled(EnabledStatistics::None);
    let columns = columns_with(rows, vec![("line_item_usage_type", repeated(&"k".repeat(1 << 20), rows))]);
    let bytes = parquet(columns, properties.build());
    assert!(bytes.len() < 4 << 20, "{} bytes", bytes.len());
    read(bytes).refused(&["more than 512 MiB of memory"]);
}

#[test]
fn what_is_not_read_is_told_from_what_is_broken() {
    let whole = parquet(columns(10), plain().build());
    let magic = |end: &[u8]| [&whole[..whole.len() - 4], end].concat();
    refuse(magic(b"PARX"), &["not a readable Parquet file", "Corrupt footer"]);
    refuse(magic(b"PARE"), &["not a readable Parquet file", "encrypt"]);
    let start = [b"OOPS", &whole[4..]].concat();
    read(start).totals("10");
    for codec in [Compression::LZ4, Compression::LZ4_RAW, Compression::LZO] {
        let bytes = with_chunk(&whole, COST, |column, _| column.set_compression(codec));
        refuse(bytes, &["`line_item_unblended_cost` of row group 0 is compressed by LZ", "does not read"]);
    }
}

#[test]
fn newer_pages_bloom_filters_and_damaged_indexes_do_not_matter() {
    let newer = WriterProperties::builder().set_writer_version(WriterVersion::PARQUET_2_0);
    read(parquet(columns(100), newer.build())).totals("100");
    let filtered = WriterProperties::builder().set_bloom_filter_enabled(true);
    read(parquet(columns(100), filtered.build())).totals("100");
    let mut indexed = parquet(columns(100), WriterProperties::default());
    let metadata = footer(&indexed);
    let chunks = metadata.row_group(0).columns();
    let place = |offset: Option<i64>| usize::try_from(offset.expect("an index")).expect("an offset");
    let indexes =
        place(chunks[0].column_index_offset())..place(chunks[chunks.len() - 1].offset_index_offset());
    indexed[indexes].fill(0xff);
    read(indexed).totals("100");
}

#[test]
fn a_file_of_another_kind_under_a_parquet_name_is_refused() {
    for content in ["", "line_item_unblended_cost\n1\n", "PAR1", "PAR1PAR1", "PAR1\0\0\0\0PAR1"] {
        refuse(content, &["not a readable Parquet file"]);
    }
    run_of_column("line_item_resource_id", Arc::new(StringArray::from(vec!["i-1"])))
        .with(&TIGHT)
        .go()
        .totals("1");
}
