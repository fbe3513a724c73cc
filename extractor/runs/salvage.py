"""Make a damaged ledger anew of the rows in it that are as they were written.

SQLite refuses a file whose first page is damaged, and loses what lies below a damaged inner page of a table. The rows
themselves are in the leaf pages, each of which can be read alone: https://sqlite.org/fileformat2.html, sections 1.6
(pages), 2.1 (records) and 4.1 (write-ahead log). Whatever a damaged page yields is compared with the checksum of its
row, so that only rows that were written by this run are taken over.

What is not found is unknown to the new ledger: `Results` sets aside the lines that it does not know, and the articles
are extracted again.
"""

import struct
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Final

from mahdar.limits.budget import Spending
from mahdar.runs.entry import Entry, is_intact, run_key
from mahdar.runs.identity import Identity
from mahdar.runs.ledger import PAGE, Ledger, Progress
from mahdar.runs.lines import checksum, sync_folder, whole_lines

Value = str | bytes | int | float | None

WAL: Final = "-wal"
"""Suffix of the write-ahead log beside a database."""
_LEAF: Final = 0x0D
"""First byte of a leaf page of a table."""
_WAL_HEADER: Final = 32
_FRAME_HEADER: Final = 24
_INTEGERS: Final = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}
"""Bytes of an integer by its serial type."""
_RUN_COLUMNS: Final = 6
_SHORT_COLUMNS: Final = 3
"""Of the tables `charges`, `files` and `replacements`."""


def salvage(path: Path, run: Identity, records: Path) -> int | None:
    """Replace a damaged ledger by a new one that holds what can be read of it.

    Of several rows of one article, which are left over in free pages and in the write-ahead log, the one whose line is
    in the records counts; if there is none, the latest. Records that wait to replace others are not taken over: their
    articles are extracted again. Tokens and cost are those of the run's row, or if that is damaged, the sum over the
    articles found. Of several ids of one file, or files of one id, the last one read counts. All rows found are held in
    memory.

    Args:
        path: the ledger, which no process has open.
        run: the identity of the run.
        records: the file of records.

    Returns:
        The number of entries found; None if nothing in the file is of this run, and the file is left as it is.
    """
    key = run_key(run)
    with records.open("rb") as file:
        lines = {checksum(line) for line, _ in whole_lines(file)}
    kept: dict[str, tuple[tuple[bool, int, int], Entry]] = {}
    spent: Progress | None = None
    charged = Spending()
    files = list[tuple[Value, ...]]()
    for rowid, row in _rows(path):
        if len(row) == _SHORT_COLUMNS and row[0] is None:  # SQLite keeps an integer key as the rowid alone
            place = int.from_bytes(rowid.to_bytes(8), signed=True)
            if is_intact(key, (place, *row[1:])):
                files.append((place, *row[1:]))
        elif len(row) in {_RUN_COLUMNS, _SHORT_COLUMNS}:
            if not is_intact(key, row):
                continue
            if len(row) == _RUN_COLUMNS:
                spent = _larger(spent, row)
            else:
                tokens, cost, _ = row
                charged = Spending(max(charged.cost, Decimal(str(cost))), max(charged.tokens, int(tokens or 0)))
        elif (entry := Entry.from_row(row, key)) is not None:
            rank = (entry.line in lines, rowid, entry.at)  # every entry that is written gets a higher rowid
            if entry.id not in kept or kept[entry.id][0] < rank:
                kept[entry.id] = (rank, entry)
    if not kept and spent is None:
        return None
    entries = [entry for _, entry in sorted(kept.values(), key=lambda found: found[0][1:])]
    _replace(path, run, entries, replace(spent or _sum(entries), charged=charged), files)
    return len(entries)


def _replace(path: Path, run: Identity, entries: list[Entry], spent: Progress, files: list[tuple[Value, ...]]) -> None:
    made = path.with_name(f".{path.name}.new")
    made.unlink(missing_ok=True)
    ledger = Ledger(made, create=True)
    try:
        ledger.begin(run, entries, spent, files)
    finally:
        ledger.close()
    for end in (WAL, "-shm"):
        path.with_name(path.name + end).unlink(missing_ok=True)
    made.replace(path)
    sync_folder(path.parent)


def _larger(spent: Progress | None, row: list[Value]) -> Progress:
    """Return the larger of what is known to be spent and what a row of the run says: an old row may be left over."""
    _, total, tokens_in, tokens_out, cost, _ = row
    found = Progress(
        total=total if isinstance(total, int) else None,
        tokens_in=int(tokens_in or 0),
        tokens_out=int(tokens_out or 0),
        cost=None if cost is None else float(cost),
    )
    return found if spent is None or spent.tokens < found.tokens else spent


def _sum(entries: list[Entry]) -> Progress:
    costs = [entry.cost for entry in entries]
    return Progress(
        tokens_in=sum(entry.tokens_in for entry in entries),
        tokens_out=sum(entry.tokens_out for entry in entries),
        cost=None if None in costs else sum(cost or 0.0 for cost in costs),
    )


def _rows(path: Path) -> Iterator[tuple[int, list[Value]]]:
    """Yield what may be rows of tables, with their rowids, in the database and in its write-ahead log."""
    for page in _pages(path):
        if page[:1] != bytes([_LEAF]):
            continue
        (cells,) = struct.unpack_from(">H", page, 3)
        for cell in range(min(cells, PAGE // 2)):
            try:
                (at,) = struct.unpack_from(">H", page, 8 + 2 * cell)
                yield _cell(page, at)
            except (IndexError, ValueError, struct.error):
                continue


def _pages(path: Path) -> Iterator[bytes]:
    for file, header, before in ((path, 0, 0), (path.with_name(path.name + WAL), _WAL_HEADER, _FRAME_HEADER)):
        if not file.exists():
            continue
        with file.open("rb") as opened:
            opened.seek(header)
            while len(frame := opened.read(before + PAGE)) == before + PAGE:
                yield frame[before:]


def _cell(page: bytes, at: int) -> tuple[int, list[Value]]:
    """Return the rowid and the values of a cell; of a row that goes on in other pages ValueError or garbage comes."""
    length, at = _varint(page, at)
    rowid, at = _varint(page, at)
    if at + length > PAGE:
        raise ValueError(length)
    record = page[at : at + length]
    end, head = _varint(record, 0)
    body, values = end, list[Value]()
    while head < end:
        kind, head = _varint(record, head)
        value, body = _value(record, kind, body)
        values.append(value)
    if not values:
        raise ValueError("a row has columns")
    return rowid, values


def _value(record: bytes, kind: int, at: int) -> tuple[Value, int]:
    if kind == 0:
        return None, at
    if kind in {8, 9}:
        return kind - 8, at
    if kind in _INTEGERS:
        end = at + _INTEGERS[kind]
        return int.from_bytes(record[at:end], "big", signed=True), end
    if kind == 7:
        return struct.unpack_from(">d", record, at)[0], at + 8
    end = at + (kind - 12) // 2
    return (record[at:end].decode() if kind % 2 else record[at:end]), end


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Return the integer of one to nine bytes at a place, and the place behind it."""
    value = 0
    for place in range(8):
        byte = data[at + place]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + place + 1
    return value << 8 | data[at + 8], at + 9
