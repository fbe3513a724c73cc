"""Inputs as they are met, broken, damaged, packed: each row is an article, or named with its place."""

import csv
import datetime as dt
import gzip
import io
import json
import os
import quopri
import subprocess
import sys
import time
import tracemalloc
from base64 import b64encode
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from mahdar import Document, Extractor
from mahdar.documents.document import BadInput, read_documents
from mahdar.errors import ExtractionError, UsageError
from mahdar.resolving.dates import resolve_date
from mahdar.runs.csv_rows import CsvRows
from mahdar.runs.sources import Articles
from mahdar.validation.source import Source

SAID = "قال الوزير إن الاجتماع كان مهما"
ARTICLE = "التقى وزير الخارجية الليبي نظيره المصري في القاهرة، وأكد أن الحوار مستمر بين البلدين."
MARKED = (
    "is HTML, not plain text ({} tags and entities such as {!r}): extract its text first, or unescape it with "
    "html.unescape"
)
MISREAD = (
    "was UTF-8 once and has been read as cp1252, so that its letters are wrong ('Ù‚Ø§Ù„ Ø§Ù„Ù'...): fetch it again and "
    "read it as UTF-8"
)
ENCODED = "is encoded, not plain text ({}...): decode it first"
OVERSIZE = "has {:,} bytes, more than the 2,000,000 an article may have: split it"
DAY = dt.date(2024, 2, 5)
MEGABYTE = 1_000_000

Door = Callable[[str, Path], str]


def read(folder: Path, name: str, data: str | bytes) -> list[Document | BadInput]:
    (folder / name).write_bytes(data.encode() if isinstance(data, str) else data)
    return list(Articles([folder / name]))


def outcomes(found: Sequence[Document | BadInput], folder: Path) -> list[tuple[str, str]]:
    """Ids with texts, or with what is wrong less the folder's name."""
    return [(one.id, one.text if isinstance(one, Document) else one.reason.replace(f"{folder}/", "")) for one in found]


def refusal(found: Document | BadInput) -> str:
    assert isinstance(found, BadInput), found
    return found.reason


def test_a_pair_of_entities_left_over_costs_no_article(tmp_path: Path) -> None:
    text = f"قال الوزير &quot;نرفض&quot; القرار.\n{SAID} " + "وغادر الوفد المدينة بعد ساعة. " * 20
    (tmp_path / "a.txt").write_text(text, encoding="utf-8")
    assert [document.text for document in read_documents([tmp_path / "a.txt"]) if isinstance(document, Document)] == [
        text
    ]


def as_file(text: str, folder: Path) -> str:
    (folder / "a.txt").write_text(text, encoding="utf-8", newline="")
    return refusal(*read_documents([folder / "a.txt"])).removeprefix(f"{folder}/a.txt ")


def as_json(text: str, folder: Path) -> str:
    row = json.dumps({"id": "a", "text": text}, ensure_ascii=False)
    return refusal(*read(folder, "rows.jsonl", row)).removeprefix(f"{folder}/rows.jsonl:1 ")


def as_csv(text: str, folder: Path) -> str:
    table = io.StringIO()
    csv.writer(table).writerows([["id", "text"], ["a", text]])
    return refusal(*read(folder, "rows.csv", table.getvalue())).removeprefix(f"{folder}/rows.csv:2 ")


def as_document(text: str, folder: Path) -> str:
    with Extractor(model="offline") as mahdar, pytest.raises(ExtractionError) as error:
        mahdar.extract(Document("a", text))
    assert error.value.failure == "bad_input"
    return str(error.value).removeprefix("document 'a' ")


# --- texts that are none


@pytest.mark.parametrize("door", [as_file, as_json, as_csv, as_document])
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Ù‚Ø§Ù„ Ø§Ù„ÙˆØ²ÙŠØ±", MISREAD),
        ("ﻗﺎﻝ \ufffd\ufffd\ufffd\ufffdﻳﺮ", "has lost 4 of 10 characters, replaced by U+FFFD: fetch it again"),
        ("??? ?????? ?? قال", "has more question marks than letters, which a conversion replaced: fetch it again"),
        (f"{SAID}: &quot;نعم&quot;", MARKED.format(2, "&quot;")),
        ("".join(f"&#{ord(letter)};" for letter in "قال"), MARKED.format(3, "&#1602;")),
        (f'{{"body": "{SAID}"}}', "is JSON, not text: write one object a line as .jsonl"),
        (f'{{"body": "{SAID}"}}\n{{"body": "نعم"}}', "is JSON, not text: write one object a line as .jsonl"),
        (f'["{SAID}"]', "is JSON, not text: write one object a line as .jsonl"),
        ("%PDF-1.7", "is a PDF, not text: extract its text first, for example with pdftotext"),
        ("١٢٣ - 5", "has no letters ('١٢٣ - 5'): give the article's text"),
        (" \n", "is empty: give the article's text"),
        ('\ufeff{"body": "نعم"}', "is JSON, not text: write one object a line as .jsonl"),
        (f'[{{"body": "{SAID}', "is JSON, not text: write one object a line as .jsonl"),
        (f"{{'body': '{SAID}'}}", "is JSON, not text: write one object a line as .jsonl"),
        (json.dumps(SAID), ENCODED.format("'\\\\u0642'")),
        (repr(SAID.encode()), ENCODED.format("'\\\\xd9'")),
        (quote(SAID), ENCODED.format("'%D9'")),
        (b64encode(ARTICLE.encode()).decode(), ENCODED.format("'2KfZhNiq2YLZ'")),
        (quopri.encodestring(ARTICLE.encode()).decode(), ENCODED.format("'=D8'")),
    ],
)
def test_a_text_that_is_none_is_refused_alike_at_every_door(tmp_path: Path, door: Door, text: str, said: str) -> None:
    assert door(text, tmp_path) == said


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        *(("utf-8", read_as) for read_as in ("cp1252", "latin-1", "cp1256", "cp1250", "cp1251", "mac_roman", "cp437")),
        *(("utf-8", read_as) for read_as in ("cp850", "cp720", "cp864", "iso8859-6", "mac_arabic", "koi8-r")),
        *(("cp1256", read_as) for read_as in ("cp1252", "latin-1", "cp1251")),
        *(("iso8859-6", read_as) for read_as in ("cp1252", "latin-1", "cp1256")),
    ],
)
def test_letters_of_another_encoding_are_refused(tmp_path: Path, written: str, read_as: str) -> None:
    text = (ARTICLE * 3).encode(written, errors="ignore").decode(read_as, errors="ignore")
    assert ", so that its letters are wrong (" in as_json(text, tmp_path)


@pytest.mark.parametrize(("read_as", "letters"), [("mac_roman", "√©"), ("cp437", "├⌐"), ("cp1252", "Ã©")])
def test_french_letters_of_another_encoding_are_refused(tmp_path: Path, read_as: str, letters: str) -> None:
    text = f"Le ministre a {letters}t{letters} re{letters}u, a d{letters}clar{letters} son entourage."
    assert as_json(text, tmp_path).startswith(f"was UTF-8 once and has been read as {read_as}, ")


@pytest.mark.parametrize(
    "text",
    [
        f"<doc id='1'>{SAID}</doc>",
        f'<news:item lang="ar"><headline>{SAID}</headline></news:item>',
        f"\ufeff<!DOCTYPE html><html><p>{SAID}",
    ],
)
def test_an_element_of_xml_is_no_text(tmp_path: Path, text: str) -> None:
    assert as_document(text, tmp_path).startswith("is an HTML or XML page, not plain text")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            f"<!DOCTYPE html>\n<html><body><p>{SAID}</p></body></html>",
            (
                "is an HTML or XML page, not plain text: read it with mahdar.documents.pages.read_page, or extract the "
                "article's text first"
            ),
        ),
        (f"<p>{SAID}</p>", MARKED.format(2, "<p>")),
    ],
)
def test_a_page_is_read_from_a_file_and_no_text_of_a_document(tmp_path: Path, text: str, said: str) -> None:
    assert as_document(text, tmp_path) == said
    for name, content in (
        ("a.txt", text),
        ("a.jsonl", json.dumps({"id": "a", "text": text}, ensure_ascii=False)),
        ("a.csv", f'id,text\na,"{text}"\n'),
    ):
        assert read(tmp_path, name, content) == [Document("a", SAID)]
        (tmp_path / name).unlink()


@pytest.mark.parametrize(
    "text",
    [
        f"{ARTICLE * 10} &nbsp;",
        f"{ARTICLE * 3}<br>",
        f"{ARTICLE} AT&T و R&D; وهل؟؟؟ 3 < 5",
        f"[1] {ARTICLE}",
        f"{ARTICLE} ???",
        "Le ministre a été reçu à l’Élysée : « C’était déjà décidé », a déclaré son entourage.",
        f"{ARTICLE} https://www.example.org/%D9%82%D8%A7%D9%84-%D8%A7%D9%84%D9%88%D8%B2%D9%8A%D8%B1",
        f"<b>طرابلس</b> {ARTICLE}",
        f"«{SAID}» = 12 √4",
    ],
)
def test_what_is_stray_in_a_text_stays_as_it_is(tmp_path: Path, text: str) -> None:
    row = json.dumps({"id": "a", "text": text}, ensure_ascii=False)
    assert read(tmp_path, "rows.jsonl", row) == [Document("a", text)]
    with Extractor(model="offline") as mahdar:
        assert mahdar.extract(text).document_id == Document("a", text).sha256[:12]


# --- quote marks in tables


def test_a_quote_mark_that_is_not_closed_costs_its_row_alone(tmp_path: Path) -> None:
    rows = [f'1,"{SAID}', *(f"{number},{SAID}" for number in range(2, 50)), f'50,"{SAID}"', f"51,{SAID}"]
    bad, *good = outcomes(read(tmp_path, "rows.csv", "id,text\n" + "\n".join(rows) + "\n"), tmp_path)
    told = "has a quote mark that is not closed: close it, and double the quote marks inside a text"
    assert bad == ("rows:2", f"rows.csv:2 {told}")
    assert good == [(str(number), SAID) for number in range(2, 52)]


UNCLOSED = "has a quote mark that is not closed"
REMEDY = "close it, and double the quote marks inside a text"


@pytest.mark.parametrize(
    ("name", "table", "expected"),
    [
        ("t.tsv", 'id\ttext\n1\t"نرفض" قال\n', [("1", '"نرفض" قال')]),
        ("t.tsv", 'id\ttext\n1\tقال "نرفض"\n2\tقال 12" فقط\n', [("1", 'قال "نرفض"'), ("2", 'قال 12" فقط')]),
        ("t.csv", 'id,text\n1,"قال ""نعم"", ثم\nغادر"\n2,"نعم"\n', [("1", 'قال "نعم", ثم\nغادر'), ("2", "نعم")]),
        ("t.csv", 'id,text\r1,"قال\rنعم"\r2,لا\r', [("1", "قال\rنعم"), ("2", "لا")]),
        ("t.csv", 'id,text\n1,"قال "نعم" ثم غادر"\n2,لا\n', [("1", '"قال "نعم" ثم غادر"'), ("2", "لا")]),
        (
            "t.csv",
            'id,text\n1,نعم\n2,"قال الوزير إن الاجت',
            [("1", "نعم"), ("t:3", f"t.csv:3 {UNCLOSED}: {REMEDY}")],
        ),
        (  # closed at a line's end, as a text over several lines would be
            "t.csv",
            'id,text\n17,"قال\n18,نعم\n19,لا"\n20,ربما\n',
            [("t:2", f"t.csv:2 {UNCLOSED}: {REMEDY}"), ("18", "نعم"), ("19", 'لا"'), ("20", "ربما")],
        ),
        (
            "t.csv",
            'text,published_at\n"قال,2024-02-05\nنعم,2024-02-06\nلا",2024-02-07\n',
            [("t:2", f"t.csv:2 {UNCLOSED}: {REMEDY}"), ("t:3", "نعم"), ("t:4", 'لا"')],
        ),
        (  # rows that are told by their addresses
            "t.csv",
            'url,text\nhttps://a.ly/x,"قال\nhttps://a.ly/y,نعم\nhttps://a.ly/z,لا"\n',
            [("t:2", f"t.csv:2 {UNCLOSED}: {REMEDY}"), ("t:3", "نعم"), ("t:4", 'لا"')],
        ),
        (  # lines of a text that have a comma too
            "t.csv",
            'id,text\n1,"Dear all,\nHowever, they met.\nIn 2020, they met again."\n',
            [("1", "Dear all,\nHowever, they met.\nIn 2020, they met again.")],
        ),
        (  # a row's own cells behind the text of two lines
            "t.csv",
            'text,id,date\n"عنوان\nقال ""نرفض"" القرار",17,2024-02-05\n"نعم\nلا",18,2024-02-06\n',
            [("17", 'عنوان\nقال "نرفض" القرار'), ("18", "نعم\nلا")],
        ),
        (
            "t.csv",
            'id,text,published_at\n1,"عنوان\nقال وزير الخارجية, إن بلاده ترفض",2024-02-05\n2,لا,2024-02-06\n',
            [("1", "عنوان\nقال وزير الخارجية, إن بلاده ترفض"), ("2", "لا")],
        ),
        (  # a sentence that begins with a number
            "t.csv",
            'id,text\n1,"عنوان\n7, قال الوزير\nثم غادر"\n2,لا\n',
            [("1", "عنوان\n7, قال الوزير\nثم غادر"), ("2", "لا")],
        ),
        (
            "t.csv",
            'id,text\n1,"قال\nنعم\nلا\n2,ربما\n',
            [("t:2", f"t.csv:2 {UNCLOSED}, and the 2 lines after it are not rows: {REMEDY}"), ("2", "ربما")],
        ),
        (  # in one column every line looks like a row
            "t.csv",
            'text\nنعم\n"قال\nربما\n\n"لا"\n"ثم\n',
            [("t:2", "نعم"), ("t:3", f"t.csv:3 {UNCLOSED}, and the 3 lines after it are not rows: {REMEDY}")],
        ),
        (
            "t.csv",
            "id,text\n1,قال, ثم غادر\n2,ربما\n",
            [
                ("t:2", "t.csv:2 has 3 cells where the heading has 2: put quotes around texts with commas"),
                ("2", "ربما"),
            ],
        ),
    ],
)
def test_quote_marks_in_tables(tmp_path: Path, name: str, table: str, expected: list[tuple[str, str]]) -> None:
    assert outcomes(read(tmp_path, name, table), tmp_path) == expected


def test_what_an_unclosed_quote_mark_spoils_is_one_complaint(tmp_path: Path) -> None:
    found = outcomes(read(tmp_path, "t.csv", 'id,text\n1,"' + "قال\n" * 668_417), tmp_path)
    assert found == [("t:2", f"t.csv:2 {UNCLOSED}, and the 668,416 lines after it are not rows: {REMEDY}")]


def test_many_faults_in_a_row_are_named_and_then_counted(tmp_path: Path) -> None:
    lines = ["[", *['{"text":'] * 5_000, json.dumps({"id": "a", "text": SAID}, ensure_ascii=False)]
    *faults, good = outcomes(read(tmp_path, "t.jsonl", "\n".join(lines)), tmp_path)
    assert [id_ for id_, _ in faults] == [f"t:{number}" for number in range(1, 22)]
    assert faults[-1][1].endswith("; the same for 4,981 rows in a row, up to 5001")
    assert good == ("a", SAID)


@pytest.mark.parametrize(
    ("line", "outcomes_of"),
    [('a",b,"c', 21), ('"a,b', 21), ('"a"",b', 21), ('1,"', 25_000)],  # of the last, two lines are a whole row
)
def test_a_table_of_quote_marks_is_read_in_time(tmp_path: Path, line: str, outcomes_of: int) -> None:
    started = time.monotonic()
    found = read(tmp_path, "t.csv", "id,text\n" + f"{line}\n" * 50_000)
    assert len(found) == outcomes_of
    assert time.monotonic() - started < 30, "each line may reach to the end of the file"


CELLS = st.text(st.sampled_from('اب1,;"\n\r\t |') | st.characters(codec="utf-8", exclude_characters="\0"), max_size=40)


@given(st.lists(st.tuples(CELLS, CELLS), max_size=5), st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
def test_what_a_writer_of_tables_wrote_is_read_as_it_was(rows: list[tuple[str, str]], quoting: Literal[0, 1]) -> None:
    table = io.StringIO()
    csv.writer(table, quoting=quoting).writerows([("id", "text", "source"), *(("خبر", *row) for row in rows)])
    table.seek(0)
    read_back = [row for _, row in CsvRows(table, "text")]
    assert read_back == [{"id": "خبر", "text": text, "source": source} for text, source in rows]


@given(st.text(st.sampled_from('اب1,"\n\r'), max_size=60))
def test_every_line_of_any_table_is_a_row_or_a_fault(lines: str) -> None:
    rows = list(CsvRows(io.StringIO(f"id,text\n{lines}", newline=""), "text"))
    assert [number for number, _ in rows] == sorted({number for number, _ in rows})
    assert len(rows) > 0 or not lines.strip("\r\n")


def test_a_row_with_one_key_twice_is_named(tmp_path: Path) -> None:
    rows = f'{{"id": "1", "text": "{SAID}", "text": "{ARTICLE}"}}\n{{"id": "2", "text": "{SAID}"}}\n'
    told = "t.jsonl:1 has a duplicate key: give each column a name of its own"
    assert outcomes(read(tmp_path, "t.jsonl", rows), tmp_path) == [("t:1", told), ("2", SAID)]


def test_a_table_in_another_encoding_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"t\.tsv is not UTF-8: save the file as UTF-8"):
        read(tmp_path, "t.tsv", f"id\ttext\n1\t{SAID}\n".encode("utf-16"))


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has several columns 'text': give each a name of its own"):
        read(tmp_path, "t.csv", "id,text,text\n1,نعم,لا\n")


# --- what is packed small


def arrow_peak(file: Path) -> int:
    """Read a file in a process of its own; the most bytes that Arrow held there."""
    program = (
        "import sys, pyarrow; from mahdar.runs.sources import Articles;"
        "list(Articles(sys.argv[1:])); print(pyarrow.default_memory_pool().max_memory())"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", program, str(file)]
    return int(subprocess.run(command, capture_output=True, env=environment, encoding="utf-8", check=True).stdout)


def zipped(lines: Sequence[tuple[bytes, int]]) -> bytes:
    """Lines, each repeated within itself, packed without ever being whole."""
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=1) as file:
        for piece, times in lines:
            for _ in range(times):
                file.write(piece)
    return packed.getvalue()


@pytest.mark.parametrize("mark", [b"", b'"'])
def test_a_line_of_a_table_is_never_held_whole(tmp_path: Path, mark: bytes) -> None:
    start = f"id,text\n1,{SAID}\n2,".encode() + mark
    data = zipped([(start, 1), (b"x" * MEGABYTE, 200), (mark + f"\n3,{SAID}\n".encode(), 1)])
    assert len(data) < 2 * MEGABYTE
    tracemalloc.start()
    found = outcomes(read(tmp_path, "t.csv.gz", data), tmp_path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found == [("1", SAID), ("t:3", "t.csv.gz:3 is longer than 16,000,000 bytes"), ("3", SAID)]
    assert peak < 100 * MEGABYTE


def test_a_field_that_is_too_long_costs_its_row_alone(tmp_path: Path) -> None:
    long = f"{SAID}\n" * 60_000
    found = outcomes(read(tmp_path, "t.csv", f'id,text\n1,"{long}"\n2,{SAID}\n'), tmp_path)
    assert found == [
        ("1", f"t.csv:2 {OVERSIZE.format(3_480_000)}"),
        ("2", SAID),
    ]


def test_a_text_that_stands_in_many_rows_of_parquet_is_not_unpacked_for_each(tmp_path: Path) -> None:
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * 64 + [1], pa.int32()), ["x" * 10 * MEGABYTE, SAID])
    table = pa.table({"id": [str(number) for number in range(65)], "text": texts})
    file = tmp_path / "t.parquet"
    pq.write_table(table, file, compression="zstd", dictionary_pagesize_limit=1 << 30, store_schema=False)
    assert (tmp_path / "t.parquet").stat().st_size < 3_000
    *bad, good = outcomes(list(Articles([tmp_path / "t.parquet"])), tmp_path)
    assert good == ("64", SAID)
    assert bad[63] == (
        "63",
        f"t.parquet:64 has in 'text' a value that {OVERSIZE.format(10_000_000)}",
    )
    assert len(bad) == 64
    assert arrow_peak(tmp_path / "t.parquet") < 400 * MEGABYTE, "ten megabytes for each of 64 rows are 640"


def test_rows_of_parquet_that_unpack_to_more_than_articles_are_not_unpacked(tmp_path: Path) -> None:
    with pq.ParquetWriter(tmp_path / "t.parquet", pa.schema({"text": pa.string()}), compression="brotli") as file:
        file.write_table(pa.table({"text": ["x" * 150 * MEGABYTE, SAID]}))
        file.write_table(pa.table({"text": [SAID]}))
    assert (tmp_path / "t.parquet").stat().st_size < 5_000
    told = (
        "t.parquet:1 and the rows after it, 2 in all, cannot be read: a page of them unpacks to 150,000,065 bytes: "
        "write smaller pages, and texts that are articles"
    )
    assert outcomes(list(Articles([tmp_path / "t.parquet"])), tmp_path) == [("t:1", told), ("t:3", SAID)]
    assert arrow_peak(tmp_path / "t.parquet") < MEGABYTE


def test_a_page_of_parquet_that_leads_back_to_itself_is_no_page(tmp_path: Path) -> None:
    file = tmp_path / "t.parquet"
    pq.write_table(pa.table({"text": ["x" * 150 * MEGABYTE, SAID]}), file, compression="brotli")
    content = bytearray(file.read_bytes())
    content[4:15] = b"\x15\x00\x15\x02\x15\x15\x2c\x15\x02\x00\x00"  # 11 bytes, and the page has -11
    file.write_bytes(content)
    told = "t.parquet:1 and what follows cannot be read: no page header at byte 4"
    assert outcomes(list(Articles([file])), tmp_path) == [("t:1", told)]


@pytest.mark.parametrize(
    ("size", "complaint", "most"),
    [
        (150, f"t.parquet:2000 has in 'text' a value that {OVERSIZE.format(150_000_000)}", 600),
        (
            600,
            (
                "t.parquet:1025 and the rows after it, 2,976 in all, cannot be read: a page of them unpacks to "
                "600,062,414 bytes: write smaller pages, and texts that are articles"
            ),
            64,
        ),
    ],
    ids=["costs its row alone", "is not unpacked"],
)
def test_a_huge_value_among_small_ones_in_parquet(tmp_path: Path, size: int, complaint: str, most: int) -> None:
    texts = [SAID] * 4_000
    texts[1_999] = "x" * size * MEGABYTE
    file = tmp_path / "t.parquet"
    pq.write_table(pa.table({"text": texts}), file, compression="zstd", use_dictionary=False, data_page_size=1_000)
    assert file.stat().st_size < MEGABYTE
    found = outcomes(list(Articles([file])), tmp_path)
    assert [said for _, said in found if said != SAID] == [complaint]
    assert len(found) == (4_000 if size == 150 else 1_025)
    assert arrow_peak(file) < most * MEGABYTE


# --- dates and moments


@pytest.mark.parametrize(
    ("value", "day"),
    [
        ("2024-02-05", DAY),
        ("2024-02-05 ", DAY),
        (" 2024-02-05\n", DAY),
        ("\u200f2024-02-05\u200e", DAY),
        ("2024-02-05T23:30:00+04:00", DAY),
        ("2024-02-05 23:30:00Z", DAY),
        (" ", None),
        ("", None),
        (None, None),
    ],
)
def test_blanks_around_a_date_do_not_count(tmp_path: Path, value: str | None, day: dt.date | None) -> None:
    row = json.dumps({"id": "a", "text": SAID, "published_at": value}, ensure_ascii=False)
    assert read(tmp_path, "t.jsonl", row) == [Document("a", SAID, day)]
    if day is not None:
        assert Document("a", SAID, value) == Document("a", SAID, day)  # type: ignore[arg-type]  # a string too


def moments(kind: pa.DataType, values: Sequence[int | None]) -> bytes:
    rows = {"id": [str(number) for number in range(1, len(values) + 1)], "text": [SAID] * len(values)}
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({**rows, "published_at": pa.array(values, pa.int64()).cast(kind)}), sink)
    return bytes(sink.getvalue())


NOON = 1_707_134_400


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        (pa.timestamp("s"), [NOON, 10**14, None], [DAY, "OverflowError: ", None]),
        (pa.timestamp("ns"), [NOON * 10**9 + 1], [DAY]),
        (pa.timestamp("us", "Asia/Dubai"), [(NOON + 9 * 3_600) * 10**6], [dt.date(2024, 2, 6)]),
        (pa.timestamp("us", "Mars/Phobos"), [NOON * 10**6, None], ["UnknownTimeZoneError: ", None]),
    ],
)
def test_a_moment_that_cannot_be_read_costs_its_row_alone(
    tmp_path: Path, kind: pa.DataType, values: list[int | None], expected: list[dt.date | str | None]
) -> None:
    found = read(tmp_path, "t.parquet", moments(kind, values))
    for number, (one, wanted) in enumerate(zip(found, expected, strict=True), start=1):
        assert one.id == str(number)
        if isinstance(one, BadInput):
            said = f"{tmp_path}/t.parquet:{number} has in 'published_at' a value that cannot be read: {wanted}"
            assert one.reason.startswith(said)
        else:
            assert one.published_at == wanted


def test_bytes_that_are_no_utf8_cost_their_row_alone(tmp_path: Path) -> None:
    texts = pa.Array.from_buffers(pa.string(), 2, pa.array([b"\xff", SAID.encode()], pa.binary()).buffers())
    pq.write_table(pa.table({"text": texts}), tmp_path / "t.parquet")
    bad, good = outcomes(list(Articles([tmp_path / "t.parquet"])), tmp_path)
    assert bad[1].startswith("t.parquet:1 has in 'text' a value that cannot be read: UnicodeDecodeError: ")
    assert good == ("t:2", SAID)


# --- gzip, presentation forms, arguments


@pytest.mark.parametrize("behind", [b"x", b"no gzip"])
def test_bytes_behind_the_end_of_gzip_cost_no_row(tmp_path: Path, behind: bytes) -> None:
    rows = [json.dumps({"id": id_, "text": SAID}, ensure_ascii=False) for id_ in ("a", "b")]
    data = gzip.compress("\n".join(rows).encode()) + behind
    told = "bytes that are not gzip follow its end: unpack it with gzip -d, and look"
    assert outcomes(read(tmp_path, "t.jsonl.gz", data), tmp_path) == [
        ("a", SAID),
        ("b", SAID),
        ("t:3", f"t.jsonl.gz:3 and what follows cannot be read: {told}"),
    ]
    article = gzip.compress(SAID.encode())
    assert outcomes(read(tmp_path, "a.txt.gz", article + behind), tmp_path) == [
        ("a", f"a.txt.gz cannot be read: {told}")
    ]
    assert outcomes(read(tmp_path, "a.txt.gz", article + article + b"\0" * 512), tmp_path) == [("a", SAID * 2)]


@pytest.mark.parametrize("skippable", [b"", b"\x50\x2a\x4d\x18\x03\0\0\0abc"])
def test_a_zstd_file_that_was_cut_is_no_whole_file(tmp_path: Path, skippable: bytes) -> None:
    text = "".join(f"{SAID} في {number} مدينة. " for number in range(8_000))
    packed = zstandard.compress(text.encode())
    cut = "cannot be read: Compressed file ended before its last frame did"
    for data, expected in (
        (skippable + packed, text),
        (packed + packed, text + text),
        (packed[: len(packed) // 2], f"a.txt.zst {cut}"),
        (packed[:-1], f"a.txt.zst {cut}"),
        (packed + packed[:-1], f"a.txt.zst {cut}"),
        (packed + b"no zstd", "a.txt.zst cannot be read: zstd decompressor error: Unknown frame descriptor"),
    ):
        assert outcomes(read(tmp_path, "a.txt.zst", data), tmp_path) == [("a", expected)]
    rows = "".join(json.dumps({"id": id_, "text": SAID}, ensure_ascii=False) + "\n" for id_ in ("a", "b"))
    assert outcomes(read(tmp_path, "t.jsonl.zst", zstandard.compress(rows.encode()) + packed[:-1][:9]), tmp_path) == [
        ("a", SAID),
        ("b", SAID),
        ("t:3", f"t.jsonl.zst:3 and what follows {cut}"),
    ]


PRESENTED = "ﻗﺎﻝ ﺍﻟﻮﺯﻳﺮ ﺇﻥ ﺍﻻﺟﺘﻤﺎﻉ ﻓﻲ ﺭﻭﻣﺎ ﻛﺎﻥ ﻣﻬﻤﺎ. ﻭﻋﻘﺪ ﻳﻮﻡ 05/06/2020."


def test_presentation_forms_are_arabic() -> None:
    with Extractor(model="offline") as mahdar:
        assert mahdar.extract(PRESENTED).language == "ar"


@pytest.mark.parametrize(
    ("text", "value"),
    [("05/06/2020", "2020-06-05"), ("19 ﻧﻮﻓﻤﺒﺮ 2020", "2020-11-19"), ("ﺃﻣﺲ", "2020-11-19")],
)
def test_dates_in_presentation_forms(text: str, value: str) -> None:
    assert resolve_date(text, published_at=dt.date(2020, 11, 20), article=PRESENTED).value == value


@pytest.mark.parametrize(
    ("article", "kind"), [(None, "NoneType"), (Path("a.txt"), "PosixPath"), (ARTICLE.encode(), "bytes")]
)
def test_what_is_no_article_is_a_type_error(article: Any, kind: str) -> None:
    said = (
        f'an article is a str or a Document, not {kind}: read a file with Path.read_text(encoding="utf-8"), decode '
        "bytes with bytes.decode()"
    )
    with Extractor(model="offline") as mahdar:
        for ask in (mahdar.extract, mahdar.plan, mahdar.forecast, lambda one: list(mahdar.extract_many([one]))):
            with pytest.raises(TypeError) as error:
                ask(article)
            assert str(error.value) == said


@pytest.mark.parametrize(
    ("article", "kind"),
    [
        (ARTICLE, "str"),
        (ARTICLE.encode(), "bytes"),
        (Path("a.txt"), "PosixPath"),
        (Document("a", ARTICLE), "Document"),
        ({"id": "a", "text": ARTICLE}, "dict"),
        (io.StringIO(ARTICLE), "StringIO"),
        (None, "NoneType"),
    ],
)
def test_one_article_where_several_are_wanted_is_a_type_error(article: Any, kind: str) -> None:
    with Extractor(model="offline") as mahdar, pytest.raises(TypeError) as error:
        list(mahdar.extract_many(article))
    assert str(error.value) == (
        f"extract_many takes an iterable of articles, not one {kind}: give [article], or call extract(article)"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"id": 5}, "a document's id is a str, not int"),
        ({"published_at": 20240205}, "published_at is a str or a date, not int: for example 2020-07-20"),
    ],
)
def test_a_document_says_which_argument_is_wrong(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(TypeError) as error:
        Document(**{"id": "a", "text": ARTICLE, **arguments})
    assert str(error.value) == said


# --- long articles that repeat themselves

DENIED = "لن يوافق الوزير على أهمية التعاون بين البلدين في مجال الطاقة."


@pytest.mark.parametrize("break_", [" ", "\n"])
def test_quotes_of_sentences_that_are_repeated_are_found_in_time(break_: str) -> None:
    words = DENIED.split()
    source = Source((DENIED + break_) * 4_300)
    started = time.monotonic()
    for times in range(30):
        for last in range(5, len(words) + 1):
            assert source.find_quote(" ".join(words[:last])) is not None
            assert source.find_quote(" ".join(words[1:last])) is None
            assert source.why_not(" ".join(words[1:last])) == "leaves out the negation before it", times
    assert time.monotonic() - started < 30, "each of 540 look-ups took a third of a second"


def test_an_article_half_of_captions_is_read_in_time() -> None:
    text = f"صورة من الأرشيف\n{DENIED}\n" * 2_000
    started = time.monotonic()
    with Extractor(model="offline") as mahdar:
        assert mahdar.extract(text).meetings == ()
    assert time.monotonic() - started < 60
