"""Articles from files of every form: each is read or named as unreadable, one at a time, under an id of its own."""

import datetime as dt
import gzip
import json
import os
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from mahdar.documents.document import BadInput, Document
from mahdar.errors import MahdarError, UsageError
from mahdar.runs.rows import Columns
from mahdar.runs.sources import Articles

FIRST = "وصل الوفد إلى المنامة، ثم غادرها «مساء»."
SECOND = "أعلنت الوزارة، أمس، تأجيل الجلسة.\nولم تذكر سببا."
DAY = dt.date(2024, 2, 5)
ROWS: list[dict[str, Any]] = [
    {"id": "أ-1", "text": FIRST, "published_at": "2024-02-05", "source": "وكالة"},
    {"id": "أ-2", "text": SECOND, "published_at": None, "source": None},
]
EXPECTED = [Document("أ-1", FIRST, DAY), Document("أ-2", SECOND)]


def jsonl(rows: list[Any]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def csv(rows: list[dict[str, Any]], delimiter: str = ",") -> bytes:
    cells = [[*rows[0]], *([row[name] or "" for name in rows[0]] for row in rows)]
    lines = (delimiter.join('"' + str(cell).replace('"', '""') + '"' for cell in row) for row in cells)
    return "\r\n".join(lines).encode()


def parquet(rows: list[dict[str, Any]]) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(rows), sink)
    return bytes(sink.getvalue())


def zstd(data: bytes) -> bytes:
    half = len(data) // 2
    return zstandard.compress(data[:half]) + zstandard.compress(data[half:])


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("rows.jsonl", jsonl(ROWS)),
        ("rows.ndjson", b"\xef\xbb\xbf" + jsonl(ROWS).replace(b"\n", b"\r\n\r\n")),
        ("rows.jsonl", jsonl(ROWS).rstrip()),
        ("rows.JSONL.gz", gzip.compress(jsonl(ROWS), mtime=0)),
        ("rows.jsonl.zst", zstd(jsonl(ROWS))),
        ("rows.csv", csv(ROWS)),
        ("rows.csv", b"\xef\xbb\xbf" + csv(ROWS)),
        ("rows.csv", csv(ROWS, ";")),
        ("rows.tsv", csv(ROWS, "\t")),
        ("rows.csv.gz", gzip.compress(csv(ROWS), mtime=0)),
        ("rows.parquet", parquet(ROWS)),
        ("rows.parquet", parquet([{**row, "published_at": DAY if row["published_at"] else None} for row in ROWS])),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_rows_are_articles_in_every_form(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    articles = Articles([tmp_path / name])
    assert list(articles) == EXPECTED
    assert list(articles) == EXPECTED, "they can be gone through again"
    assert articles.total is None


@pytest.mark.parametrize("name", ["خبر.txt", "خبر.txt.gz", "خبر.txt.zst", "خبر.TXT"])
def test_a_text_is_an_article_packed_or_not(tmp_path: Path, name: str) -> None:
    pack: Callable[[bytes], bytes] = {".gz": gzip.compress, ".zst": zstd}.get(Path(name).suffix, bytes)
    (tmp_path / name).write_bytes(pack(FIRST.encode()))
    articles = Articles([tmp_path], published_at="2024-02-05")
    assert (list(articles), articles.total) == ([Document("خبر", FIRST, DAY)], 1)


def test_columns_are_named(tmp_path: Path) -> None:
    row = {"text": "عنوان", "body": FIRST, "key": 17, "seen": "2024-02-05T23:30:00+04:00"}
    (tmp_path / "rows.jsonl").write_bytes(jsonl([row]))
    assert list(Articles([tmp_path / "rows.jsonl"], Columns("body", "key", "seen"), published_at="2020-01-01")) == [
        Document("17", FIRST, DAY)
    ]


def test_a_row_without_id_is_named_by_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(f'text\n"{SECOND}"\n{FIRST[:5]}\n', encoding="utf-8")
    assert [article.id for article in Articles([tmp_path / "rows.csv"], published_at="2024-02-05")] == [
        "rows:2",
        "rows:4",
    ]


@pytest.mark.parametrize(
    ("name", "data", "columns", "reasons"),
    [
        ("r.jsonl", b'{"text": \n["a"]\n', Columns(), ["1 is no JSON (", "2 is no JSON object: ['a']"]),
        ("r.jsonl", b'{"text": "\xff"}\n', Columns(), ["1 is not UTF-8 at byte 10"]),
        ("r.jsonl", b"[" * 100_000, Columns(), ["1 is JSON too deeply nested"]),
        ("r.jsonl", b'{"body": "x"}\n', Columns(), ["1 has no column 'text', but 'body': name it with --text-col"]),
        (
            "r.jsonl",
            b'{"text": " \\n"}\n{"text": 5}\n',
            Columns(),
            ["1 is empty: give", "2 has no text in 'text': 5"],
        ),
        ("r.jsonl", b'{"text": "x", "id": []}', Columns(), ["1 has an id that is no text and no number: []"]),
        ("r.jsonl", b'{"text": "x"}', Columns(id="key"), ["1 has no id in 'key'; its columns are 'text'"]),
        ("r.jsonl", b'{"text": "x"}', Columns(date="day"), ["1 has no column 'day', but 'text'"]),
        ("r.jsonl", b'{"text": "x", "published_at": "5/2/2024"}', Columns(), ["1 published_at '5/2/2024' is not a d"]),
        ("r.jsonl", b'{"text": "x", "published_at": "2024-13-01 10:00"}', Columns(), ["1 published_at '2024-13-01 "]),
        ("r.jsonl", b'{"text": "x", "published_at": 5}', Columns(), ["1 has a date that is no text: 5"]),
        ("r.csv", b"id,text\n1,a,b\n2\n", Columns(), ["2 has 3 cells where the heading has 2", "3 has 1 cells"]),
        ("r.csv", b"id,text\n1,\xc7\xe1\n", Columns(), ["2 is not UTF-8"]),
        ("r.jsonl.gz", gzip.compress(jsonl(ROWS), mtime=0)[:-9], Columns(), ["3 and what follows cannot be read: "]),
        ("r.jsonl.gz", b"text", Columns(), ["1 and what follows cannot be read: Not a gzipped file"]),
        ("r.jsonl.zst", b"text", Columns(), ["1 and what follows cannot be read: "]),
        ("r.parquet", b"text", Columns(), ["1 and what follows cannot be read: "]),
        (
            "r.parquet",
            parquet([{"text": None}, {"text": " "}]),
            Columns(),
            ["1 has no text in 'text': None", "2 is em"],
        ),
    ],
)
def test_a_row_that_is_no_article_is_named_with_its_place(
    tmp_path: Path, *, name: str, data: bytes, columns: Columns, reasons: list[str]
) -> None:
    file = tmp_path / name
    file.write_bytes(data)
    found = [one for one in Articles([file], columns) if isinstance(one, BadInput)]
    assert [one.reason[: len(f"{file}:{reason}")] for one, reason in zip(found, reasons, strict=True)] == [
        f"{file}:{reason}" for reason in reasons
    ]
    assert [one.id for one in found] == [f"r:{reason.partition(' ')[0]}" for reason in reasons]


@pytest.mark.parametrize(
    ("name", "data", "columns", "said"),
    [
        ("r.csv", b"title,body\n1,2\n", Columns(), "'text', but 'title', 'body'"),
        ("r.csv.gz", gzip.compress(b"id,text\n1,2\n", mtime=0), Columns("body"), "'body', but 'id', 'text'"),
        ("r.csv", b"", Columns(), "'text', but nothing"),
        ("r.parquet", parquet([{"body": "x"}]), Columns(), "'text', but 'body'"),
    ],
)
def test_a_table_without_the_texts_column_is_refused_at_once(
    tmp_path: Path, *, name: str, data: bytes, columns: Columns, said: str
) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(UsageError) as refusal:
        Articles([tmp_path / name], columns)
    assert str(refusal.value) == f"{tmp_path / name} has no column {said}: name it with --text-column"


def test_a_bad_row_has_the_id_that_it_says(tmp_path: Path) -> None:
    rows = [{"id": "أ-1", "text": " "}, {"id": "أ-1", "text": " "}, {"id": [], "text": FIRST}, ROWS[1]]
    (tmp_path / "rows.jsonl").write_bytes(jsonl(rows))
    ids = [one.id for one in Articles([tmp_path / "rows.jsonl"])]
    assert ids == ["أ-1", f"{tmp_path}/rows.jsonl:2", "rows:3", "أ-2"], "none of them is lost"


def test_what_follows_a_bad_row_is_read(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_bytes(b"{\n" + b'{"text": "' + b"x" * 17_000_000 + b'"}\n' + jsonl(ROWS))
    bad, long, *good = Articles([tmp_path / "rows.jsonl"])
    assert isinstance(bad, BadInput)
    assert long == BadInput("rows:2", f"{tmp_path}/rows.jsonl:2 is longer than 16,000,000 bytes")
    assert good == EXPECTED


def test_an_id_that_is_taken_is_never_lost(tmp_path: Path) -> None:
    rows = [*ROWS, {**ROWS[0], "source": "أخرى"}, {"id": "أ-1", "text": SECOND}]
    (tmp_path / "rows.jsonl").write_bytes(jsonl(rows))
    articles = Articles([tmp_path / "rows.jsonl"])
    *good, bad = articles
    place = f"{tmp_path}/rows.jsonl:4"
    said = f"{place} has the id 'أ-1', as an earlier article with another text: give every article an id of its own"
    assert (good, bad) == (EXPECTED, BadInput(place, said))
    assert articles.repeated == 1, "the same article once more is counted, and read once"


def test_folders_patterns_and_files_are_read_once_in_order(tmp_path: Path) -> None:
    for name in ("b/2.txt", "b/1.txt", "a.txt", "c.jsonl", ".hidden.txt", "b/note.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(jsonl(ROWS) if name == "c.jsonl" else FIRST.encode())
    assert [one.id for one in Articles([tmp_path])] == ["a", "1", "2"]
    everything = [tmp_path / "b" / "2.txt", tmp_path, f"{tmp_path}/**/*.txt", f"{tmp_path}/[c]*.jsonl"]
    assert [one.id for one in Articles(everything)] == ["2", "a", "1", "أ-1", "أ-2"]
    assert Articles(everything[:-1]).total == 3


def test_a_run_does_not_read_what_it_writes(tmp_path: Path) -> None:
    for name in ("rows.jsonl", "out.jsonl"):
        (tmp_path / name).write_bytes(jsonl(ROWS))
    assert list(Articles([f"{tmp_path}/*.jsonl"], without=[tmp_path / "out.jsonl"])) == EXPECTED
    with pytest.raises(UsageError, match="is where the results go: name another file with --output"):
        Articles([tmp_path / "out.jsonl"], without=[tmp_path / "out.jsonl"])


def test_files_of_one_name_are_told_apart(tmp_path: Path) -> None:
    for name in ("2020/talks.txt", "2021/talks.txt", "2021/visit.txt", "2021/talks.jsonl"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(jsonl([{"text": FIRST}]) if name.endswith("jsonl") else FIRST.encode())
    assert [one.id for one in Articles([tmp_path, tmp_path / "2021" / "talks.jsonl"])] == [
        "2020/talks.txt",
        "2021/talks.txt",
        "visit",
        "2021/talks.jsonl:1",
    ]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("nowhere.jsonl", "'nowhere.jsonl': no such file or folder"),
        ("nowhere-*.jsonl", "pattern 'nowhere-*.jsonl' matches no file"),
        ("empty", "folder 'empty' has no .txt or .html files"),
        ("memory://nowhere.jsonl", "'memory://nowhere.jsonl': no such file"),
        ("nothing://x.jsonl", "'nothing://x.jsonl' cannot be read: Protocol not known: nothing"),
        ("zip://x.txt::empty.zip", "'zip://x.txt::empty.zip' cannot be read: File is not a zip file; check the URL"),
        ("nothing://u:sesam@x/y?token=sesam", "'nothing://x/y' cannot be read: Protocol not known: nothing"),
        ("sesam://u:sesam@x/y", "'sesam://x/y' cannot be read: ValueError; check the URL"),
    ],
)
def test_what_is_not_there_is_told_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, said: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty.zip").touch()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MahdarError) as refusal:
        Articles([path])
    assert str(refusal.value).startswith(said)


@pytest.fixture
def elsewhere() -> Iterator[Any]:
    """A file system that is not this machine's."""
    files = fsspec.filesystem("memory")
    yield files
    files.rm("/", recursive=True)


def test_urls_are_read(elsewhere: Any) -> None:
    elsewhere.pipe({"/news/a.txt": FIRST.encode(), "/news/2/a.txt.gz": gzip.compress(SECOND.encode())})
    elsewhere.pipe({"/news/rows.jsonl.zst": zstd(jsonl(ROWS)), "/news/rows.parquet": parquet(ROWS)})
    folder = Articles(["memory://news"])
    assert ([one.id for one in folder], folder.total) == (["memory:///news/2/a.txt.gz", "memory:///news/a.txt"], 2)
    assert list(Articles(["memory://news/*.zst"])) == EXPECTED
    assert list(Articles(["memory://news/rows.parquet"])) == EXPECTED


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["rows.parquet"], "reading Parquet takes pyarrow; pip install 'mahdar[files]'"),
        (["rows.jsonl.zst"], "reading .zst files takes zstandard; pip install 'mahdar[files]'"),
        (["memory://rows.jsonl"], "'memory://rows.jsonl': reading URLs takes fsspec; pip install 'mahdar[files]'"),
        (["rows.jsonl", "-o", "out.parquet"], "writing parquet takes pyarrow; pip install 'mahdar[files]'"),
        (["rows.jsonl", "-o", "out.duckdb"], "writing duckdb takes pyarrow; pip install 'mahdar[files]'"),
        (["rows.csv.gz", "-o", "out.jsonl"], None),
    ],
)
def test_what_the_extra_is_for_is_told_where_it_is_missing(
    tmp_path: Path, arguments: list[str], said: str | None
) -> None:
    for name, data in (("rows.parquet", parquet(ROWS)), ("rows.jsonl.zst", b""), ("rows.jsonl", b"")):
        (tmp_path / name).write_bytes(data)
    (tmp_path / "rows.csv.gz").write_bytes(gzip.compress(b"id,text\n1,\n"))
    code = (
        "import sys; sys.modules.update(dict.fromkeys(['pyarrow', 'duckdb', 'fsspec', 'zstandard']));"
        "from mahdar.cli.app import main; main(['extract', *sys.argv[1:]])"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OPENAI_BASE_URL": "http://127.0.0.1:9/v1"}
    command = [sys.executable, "-c", code, *arguments, "--model", "loopback"]
    ended = subprocess.run(command, capture_output=True, env=environment, cwd=tmp_path, encoding="utf-8", check=False)
    assert (ended.returncode, ended.stdout) == (1 if said is None else 2, "")
    assert ended.stderr.startswith(f"mahdar: {said}" if said else "1: bad_input: ")


def test_only_what_is_asked_for_is_read(tmp_path: Path) -> None:
    line = json.dumps({"text": FIRST * 500}, ensure_ascii=False).encode() + b"\n"
    (tmp_path / "rows.jsonl").write_bytes(line * 2_000)
    articles = Articles([tmp_path / "rows.jsonl"])
    tracemalloc.start()
    for _ in articles:
        pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20 * len(line), "one article at a time, of 70 MB"
