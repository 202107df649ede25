"""Every byte of a Parquet file, as it is stored and as it is when its pages are unpacked.

Pages are walked by hand: what a library does not show, a search for what must not be there would miss.
"""
from dataclasses import dataclass

import pyarrow
import pyarrow.parquet as pq

DATA, DICTIONARY = 0, 2
CODECS = {"SNAPPY": "snappy", "GZIP": "gzip", "ZSTD": "zstd"}


@dataclass
class Page:
    column: str
    kind: int
    content: bytes


def pages(path):
    """The pages of a file, unpacked. Whatever lies between them is an error."""
    raw = path.read_bytes()
    metadata = pq.read_metadata(path)
    found, end = [], 4
    assert raw[:4] == raw[-4:] == b"PAR1"
    for group in range(metadata.num_row_groups):
        for place in range(metadata.num_columns):
            column = metadata.row_group(group).column(place)
            at = min(offset for offset in (column.dictionary_page_offset, column.data_page_offset) if offset)
            assert at == end, f"{end - at} bytes before {column.path_in_schema} are of no page"
            end = at + column.total_compressed_size
            while at < end:
                kind, unpacked, packed, at = page_header(raw, at)
                content = raw[at:at + packed]
                if column.compression in CODECS:
                    codec = CODECS[column.compression]
                    content = pyarrow.decompress(content, decompressed_size=unpacked, codec=codec, asbytes=True)
                assert len(content) == unpacked
                found.append(Page(column.path_in_schema, kind, content))
                at += packed
            assert at == end
    assert end + metadata.serialized_size + 8 == len(raw), "bytes between the last page and the footer"
    return found


def page_header(raw, at):
    """A page header: its kind, its sizes unpacked and packed, and where it ends."""
    fields, at = struct(raw, at)
    assert fields[1] in (DATA, DICTIONARY), "a page of an unexpected kind"
    return fields[1], fields[2], fields[3], at


# ---- Thrift's compact protocol, as far as page headers need it.

TRUE, FALSE, BYTE, BINARY, STRUCT = 1, 2, 3, 8, 12


def struct(raw, at):
    fields, number = {}, 0
    while raw[at]:
        step, kind = raw[at] >> 4, raw[at] & 15
        at += 1
        if step:
            number += step
        else:
            delta, at = zigzag(raw, at)
            number = delta
        fields[number], at = value(raw, at, kind)
    return fields, at + 1


def value(raw, at, kind):
    if kind in (TRUE, FALSE):
        return kind == TRUE, at
    if kind == BYTE:
        return raw[at], at + 1
    if kind == BINARY:
        length, at = varint(raw, at)
        return raw[at:at + length], at + length
    if kind == STRUCT:
        return struct(raw, at)
    assert kind in (4, 5, 6), f"Thrift type {kind} in a page header"
    return zigzag(raw, at)


def zigzag(raw, at):
    number, at = varint(raw, at)
    return (number >> 1) ^ -(number & 1), at


def varint(raw, at):
    number = shift = 0
    while True:
        byte = raw[at]
        number |= (byte & 0x7F) << shift
        shift, at = shift + 7, at + 1
        if byte < 0x80:
            return number, at
