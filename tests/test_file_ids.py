"""Ids of files over several runs into the same results: a file keeps its id, whatever other files come and go."""

import gzip
import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest
from newsroom import weather
from tiny import mahdar

from mahdar import Document
from mahdar.runs.outputs import Outputs

Files = Mapping[str, int | None]
"""the number of the text of each file: 0 for an empty one, None for a file that is removed"""
Step = tuple[Files, str, str, Mapping[str, int]]
"""files that are written, options, the counts of the run, and the texts of the records by id afterwards"""
NUMBERS: Final = {Document("", weather(number)).sha256: number for number in range(1, 10)}
X: Final[Step] = ({"m/x.txt": 1}, "", "1 of 1 article, 0 failed", {"x": 1})
"""The first run: one file."""


def write(folder: Path, files: Files) -> None:
    for name, number in files.items():
        file = folder / name
        if number is None:
            file.unlink()
            continue
        file.parent.mkdir(parents=True, exist_ok=True)
        text = weather(number) if number else ""
        if ".jsonl" in name:
            text = json.dumps({"text": text}, ensure_ascii=False)
        file.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())


def extracted(inputs: str, out: Path, *options: str) -> tuple[str, dict[str, int]]:
    """Run the command; return its counts, and the number of the text of each record by its id."""
    ended = mahdar("extract", inputs, "-o", out, *options)
    summary = ended.err.splitlines()[-1].partition(" → ")[0]
    ids = [(one.extraction.document_id, NUMBERS[one.extraction.text_sha256]) for one in Outputs(out)]
    assert len(ids) == len(dict(ids)), "a record stands twice"
    return summary.replace(" 0 records, 0 rejected,", "").replace(" (--retry-errors takes them)", ""), dict(ids)


SECOND_FILE: Final[dict[str, list[Step]]] = {
    "behind": [
        X,
        ({"m/sub/x.txt": 2}, "", "1 of 2 articles, 0 failed, 1 done before", {"x": 1, "sub/x.txt": 2}),
        ({}, "--update-changed", "nothing to do: 2 of 2 done before", {"x": 1, "sub/x.txt": 2}),
    ],
    "in front": [
        X,
        ({"a/x.txt": 2}, "", "1 of 2 articles, 0 failed, 1 done before", {"x": 1, "a/x.txt": 2}),
        ({}, "--retry-errors", "no failures to retry", {"x": 1, "a/x.txt": 2}),
    ],
    "a copy": [
        X,
        ({"a/x.txt": 1}, "", "1 of 2 articles, 0 failed, 1 done before", {"x": 1, "a/x.txt": 1}),
        ({}, "", "nothing to do: 2 of 2 done before", {"x": 1, "a/x.txt": 1}),
    ],
    "of another ending": [
        X,
        ({"m/x.md": 2}, "", "1 of 2 articles, 0 failed, 1 done before", {"x": 1, "x.md": 2}),
    ],
    "while the first changes": [
        X,
        (
            {"m/x.txt": 3, "a/x.txt": 2},
            "",
            "1 of 2 articles, 0 failed, 1 with another text or day than before",
            {"x": 1, "a/x.txt": 2},
        ),
        ({}, "--update-changed", "1 of 2 articles, 0 failed, 1 done before", {"x": 3, "a/x.txt": 2}),
        ({}, "", "nothing to do: 2 of 2 done before", {"x": 3, "a/x.txt": 2}),
    ],
    "while the first is updated": [
        X,
        ({"m/x.txt": 3, "a/x.txt": 2}, "--update-changed", "2 of 2 articles, 0 failed", {"x": 3, "a/x.txt": 2}),
    ],
    "while the first is mended": [
        ({"m/x.txt": 0}, "", "0 of 1 article, 1 failed", {}),
        ({"m/x.txt": 1, "a/x.txt": 2}, "--retry-errors", "1 of 1 article, 0 failed", {"x": 1}),
        ({}, "", "1 of 2 articles, 0 failed, 1 done before", {"x": 1, "a/x.txt": 2}),
    ],
    "while the first still fails": [
        ({"m/x.txt": 0}, "", "0 of 1 article, 1 failed", {}),
        ({"a/x.txt": 0}, "", "0 of 2 articles, 1 failed, 1 failed before", {}),
        ({"m/x.txt": 1, "a/x.txt": 2}, "--retry-errors", "2 of 2 articles, 0 failed", {"x": 1, "a/x.txt": 2}),
    ],
    "of rows": [
        ({"m/x.jsonl": 1}, "", "1 of 1 article, 0 failed", {"x:1": 1}),
        ({"a/x.jsonl": 2}, "", "1 of 2 articles, 0 failed, 1 done before", {"x:1": 1, "a/x.jsonl:1": 2}),
        (
            {"m/x.jsonl": 3},
            "--update-changed",
            "1 of 2 articles, 0 failed, 1 done before",
            {"x:1": 3, "a/x.jsonl:1": 2},
        ),
    ],
}
OTHER_CHANGES: Final[dict[str, list[Step]]] = {
    "a file is removed": [
        ({"m/x.txt": 1, "a/x.txt": 2}, "", "2 of 2 articles, 0 failed", {"m/x.txt": 1, "a/x.txt": 2}),
        ({"a/x.txt": None}, "--update-changed", "nothing to do: 1 of 1 done before", {"m/x.txt": 1, "a/x.txt": 2}),
        ({"a/x.txt": 2}, "", "nothing to do: 2 of 2 done before", {"m/x.txt": 1, "a/x.txt": 2}),
    ],
    "the common folder is another": [
        ({"m/x.txt": 1, "m/b/x.txt": 2}, "", "2 of 2 articles, 0 failed", {"x.txt": 1, "b/x.txt": 2}),
        ({"c/y.txt": 3}, "", "1 of 3 articles, 0 failed, 2 done before", {"x.txt": 1, "b/x.txt": 2, "y": 3}),
        (
            {"b/x.txt": 4},
            "",
            "1 of 4 articles, 0 failed, 3 done before",
            {"x.txt": 1, "b/x.txt": 2, "y": 3, "in/b/x.txt": 4},
        ),
        (
            {"m/b/x.txt": 5, "b/x.txt": 6},
            "--update-changed",
            "2 of 4 articles, 0 failed, 2 done before",
            {"x.txt": 1, "b/x.txt": 5, "y": 3, "in/b/x.txt": 6},
        ),
    ],
    "files are packed": [
        ({"m/x.txt": 1, "a/x.txt": 2}, "", "2 of 2 articles, 0 failed", {"m/x.txt": 1, "a/x.txt": 2}),
        (
            {"m/x.txt": None, "m/x.txt.gz": 1, "a/x.txt": None, "a/x.txt.gz": 3},
            "--update-changed",
            "1 of 2 articles, 0 failed, 1 done before",
            {"m/x.txt": 1, "a/x.txt": 3},
        ),
        ({"m/x.txt.gz": None, "m/x.txt": 1}, "", "nothing to do: 2 of 2 done before", {"m/x.txt": 1, "a/x.txt": 3}),
        ({"a/x.txt": 4}, "", "1 of 3 articles, 0 failed, 2 done before", {"m/x.txt": 1, "a/x.txt": 3, "in/a/x.txt": 4}),
    ],
}


@pytest.mark.parametrize("steps", (SECOND_FILE | OTHER_CHANGES).values(), ids=(SECOND_FILE | OTHER_CHANGES).keys())
def test_a_file_keeps_its_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, steps: list[Step]) -> None:
    monkeypatch.setenv("MAHDAR_MODEL", "offline")
    for files, options, counts, records in steps:
        write(tmp_path / "in", files)
        found = extracted(f"{tmp_path}/in/**/*", tmp_path / "out.jsonl", *options.split())
        assert found == (counts, records)


def test_files_that_are_moved_together_keep_their_ids(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAHDAR_MODEL", "offline")
    out, first, second = tmp_path / "out.jsonl", tmp_path / "first", tmp_path / "second"
    write(first, {"m/x.txt": 1})
    extracted(str(first), out)
    write(first, {"a/x.txt": 2, "b/x.txt": 3})
    extracted(str(first), out)
    first.rename(second)
    records = {"x": 1, "a/x.txt": 2, "b/x.txt": 3}
    assert extracted(str(second), out) == ("nothing to do: 3 of 3 done before", records)
    write(second, {"m/x.txt": 4, "a/x.txt": 5})
    counts = "2 of 3 articles, 0 failed, 1 done before"
    assert extracted(str(second), out, "--update-changed") == (counts, records | {"x": 4, "a/x.txt": 5})


def with_three_ids(folder: Path, out: Path) -> dict[str, int]:
    for files in ({"m/x.txt": 1}, {"a/x.txt": 2, "b/x.txt": 3}):
        write(folder, files)
        extracted(str(folder), out)
    return {"x": 1, "a/x.txt": 2, "b/x.txt": 3}


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param("DELETE FROM files", id="lost"),
        pytest.param("UPDATE files SET id = 'c/x.txt' WHERE id = 'a/x.txt'", id="another id"),
        pytest.param("UPDATE files SET place = 9 WHERE id = 'x'", id="another file"),
    ],
)
def test_ids_are_found_again_by_names_and_texts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str) -> None:
    monkeypatch.setenv("MAHDAR_MODEL", "offline")
    out, folder = tmp_path / "out.jsonl", tmp_path / "in"
    records = with_three_ids(folder, out)
    ledger = tmp_path / "out.jsonl.ledger.sqlite"
    assert str(tmp_path).encode() not in ledger.read_bytes()
    with closing(sqlite3.connect(ledger)) as database, database:
        database.execute(damage)
    assert extracted(str(folder), out) == ("nothing to do: 3 of 3 done before", records)
    write(folder, {"m/x.txt": 4})
    assert extracted(str(folder), out, "--update-changed")[1] == records | {"x": 4}


def test_ids_are_kept_if_the_ledger_is_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAHDAR_MODEL", "offline")
    out, folder = tmp_path / "out.jsonl", tmp_path / "in"
    with_three_ids(folder, out)
    ledger = tmp_path / "out.jsonl.ledger.sqlite"
    ledger.write_bytes(bytes(100) + ledger.read_bytes()[100:])
    write(folder, {"m/x.txt": 4, "a/x.txt": 5, "b/x.txt": 6})
    counts = "3 of 3 articles, 0 failed"
    assert extracted(str(folder), out, "--update-changed") == (counts, {"x": 4, "a/x.txt": 5, "b/x.txt": 6})
