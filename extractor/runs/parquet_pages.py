"""Read the headers of Parquet pages, to know how much a page unpacks to before it is unpacked.

A page is the smallest part of a Parquet file that can be unpacked, and may hold a value of any size. pyarrow gives the
sizes of whole column chunks only. A header is a struct in Thrift's compact protocol (`PageHeader` in
https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift).
"""

from collections.abc import Iterator
from typing import Any, BinaryIO, Final, NamedTuple

_TYPE, _UNPACKED, _PACKED, _DATA, _DATA_V2 = 1, 2, 3, 5, 8
"""Numbers of the fields of a `PageHeader`; in the headers of data pages, field 1 is the number of values."""
_DICTIONARY: Final = 2
"""Type of a page that holds the distinct values of its chunk."""
_SHORT: Final = 1 << 10
"""Bytes of most headers; one with long statistics is read again with more."""


class ParquetPage(NamedTuple):
    """Number of values of a page, 0 of a dictionary; and the bytes that it unpacks to."""

    values: int
    unpacked: int


def pages(stream: BinaryIO, chunk: Any) -> Iterator[ParquetPage]:
    """Yield the pages of a column chunk in their order, without unpacking them.

    Args:
        stream: the Parquet file.
        chunk: a `pyarrow.parquet.ColumnChunkMetaData` of it.

    Raises:
        ValueError: there is no page header where one must be.
    """
    at = chunk.data_page_offset
    if chunk.dictionary_page_offset is not None:
        at = min(at, chunk.dictionary_page_offset)
    end = at + chunk.total_compressed_size
    while at < end:
        header, size = _header(stream, at, end)
        values = 0 if header[_TYPE] == _DICTIONARY else header.get(_DATA, header.get(_DATA_V2, {1: 0}))[1]
        packed, unpacked = header.get(_PACKED, -1), header.get(_UNPACKED, -1)
        if packed < 0 or unpacked < 0:  # a negative length would lead back, and the pages would never end
            raise ValueError(f"no page header at byte {at}")
        yield ParquetPage(values, unpacked)
        at += size + packed


def _header(stream: BinaryIO, at: int, end: int) -> tuple[dict[int, Any], int]:
    """Return the fields of the header at an offset, and its length in bytes."""
    length = _SHORT
    while True:
        stream.seek(at)
        data = stream.read(min(length, end - at))
        try:
            return _struct(data, 0)
        except IndexError:  # the header is longer than what was read
            if length >= end - at:
                raise ValueError(f"no page header at byte {at}") from None
            length *= 16


def _struct(data: bytes, at: int) -> tuple[dict[int, Any], int]:
    """Parse a struct of numbers, texts and structs; return its fields by number, and the offset behind it."""
    fields: dict[int, Any] = {}
    number = 0
    while data[at]:
        step, kind = divmod(data[at], 16)
        at += 1
        if step:
            number += step
        else:
            number, at = _integer(data, at)
        if kind in {1, 2}:  # true, false
            fields[number] = kind == 1
        elif kind in {4, 5, 6}:
            fields[number], at = _integer(data, at)
        elif kind == 8:  # bytes, by length
            length, at = _varint(data, at)
            at += length
        elif kind == 12:
            fields[number], at = _struct(data, at)
        else:
            raise ValueError(f"a page header has no field of type {kind}")
    return fields, at + 1


def _integer(data: bytes, at: int) -> tuple[int, int]:
    value, at = _varint(data, at)
    return (value >> 1) ^ -(value & 1), at


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not data[at - 1] & 0x80:
            return value, at
