"""Columns of the input that go along with the records: `--keep`."""

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pytest
from tiny import mahdar

TEXT: Final = "التقى رئيس ناميبيا نتومبو ناندي ندايتوا وزير الخارجية الجزائري أحمد عطاف في ويندهوك، وأكدا دعم الحوار."
ROW: Final = {
    "id": "1",
    "text": TEXT,
    "url": "https://example.org/1",
    "title": " «قمة» في ويندهوك ",
    "seen": dt.date(2024, 2, 5),
}
AS_TEXT: Final = {"url": ROW["url"], "title": "«قمة» في ويندهوك", "seen": "2024-02-05"}


def as_csv(file: Path) -> None:
    pd.DataFrame([ROW, ROW | {"id": "2", "title": None}]).to_csv(file, index=False)


def as_jsonl(file: Path) -> None:
    found = [
        ROW | {"seen": "2024-02-05"},
        {"id": "2", "text": TEXT, "url": ROW["url"], "seen": "2024-02-05", "title": " "},
    ]
    file.write_text("".join(f"{json.dumps(one)}\n" for one in found), encoding="utf-8")


def as_parquet(file: Path) -> None:
    pd.DataFrame([ROW, ROW | {"id": "2", "title": None}]).to_parquet(file)


@pytest.mark.parametrize(("name", "write"), [("in.csv", as_csv), ("in.jsonl", as_jsonl), ("in.parquet", as_parquet)])
def test_columns_are_kept_as_text(tmp_path: Path, name: str, write: Callable[[Path], None]) -> None:
    write(tmp_path / name)
    options = ("--keep", "url, title,seen", "--model", "offline", "-o", tmp_path / "out.jsonl")
    assert mahdar("extract", tmp_path / name, *options).code == 0
    found = map(json.loads, (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines())
    without = {name: text for name, text in AS_TEXT.items() if name != "title"}
    assert {one["document_id"]: one["kept"] for one in found} == {"1": AS_TEXT, "2": without}


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (17, "17"),
        (True, "true"),
        ("\ud83d", "\\ud83d"),
        (["أ", 1], '["أ", 1]'),
        ({"أ": None}, '{"أ": null}'),
        (None, None),
    ],
)
def test_a_value_of_any_form_is_kept_as_text(tmp_path: Path, value: Any, kept: str | None) -> None:
    (tmp_path / "in.jsonl").write_text(f"{json.dumps({'id': '1', 'text': TEXT, 'x': value})}\n", encoding="utf-8")
    options = ("--keep", "x", "--model", "offline", "-o", tmp_path / "out.jsonl")
    assert mahdar("extract", tmp_path / "in.jsonl", *options).code == 0
    assert json.loads((tmp_path / "out.jsonl").read_bytes())["kept"] == ({} if kept is None else {"x": kept})


def test_a_column_that_is_not_there_is_told_before_anything_is_read(tmp_path: Path) -> None:
    as_csv(tmp_path / "in.csv")
    ended = mahdar("extract", tmp_path / "in.csv", "--keep", "titel", "--model", "offline")
    said = "has no column 'titel' to keep, but 'id', 'text', 'url', 'title', 'seen': correct --keep\n"
    assert (ended.code, ended.out, ended.err) == (2, "", f"mahdar: {tmp_path}/in.csv {said}")


def test_a_name_that_no_line_has_is_named_at_the_end(tmp_path: Path) -> None:
    as_jsonl(tmp_path / "in.jsonl")
    options = ("--keep", "titel,url,ulr,title", "--model", "offline", "-o", tmp_path / "out.jsonl")
    ended = mahdar("extract", tmp_path / "in.jsonl", *options)
    said, _ = ended.err.split("\n", 1)
    assert (ended.code, said) == (0, "no article has a column 'titel', 'ulr' to keep: correct --keep")


def test_a_run_goes_on_with_the_same_columns_only(tmp_path: Path) -> None:
    as_csv(tmp_path / "in.csv")
    command = ("extract", tmp_path / "in.csv", "--model", "offline", "-o", tmp_path / "out.jsonl")
    assert mahdar(*command, "--keep", "url,title").code == 0
    assert mahdar(*command, "--keep", "title, url").code == 0
    for keep, told in ((("--keep", "url,title,seen"), "seen,title,url"), ((), "none")):
        ended = mahdar(*command, *keep)
        wanted = f"is of another run, which differs in keep (title,url → {told}): give --overwrite"
        assert (ended.code, wanted in ended.err) == (2, True), ended.err
