"""Where a run's tables go, and what cannot be exported. What the tables hold is tested in `test_tables.py`."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from newsroom import ARTICLE, configured, reads_well, weather

from mahdar import Document, Extractor
from mahdar.cli.app import main
from mahdar.runs.lines import json_line

from loopback import Asked, Endpoint, Reply, completion

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two articles, one of them with a meeting and a stance."""
    folder = tmp_path_factory.mktemp("records")
    documents = [Document("خبر-1", ARTICLE, "2024-02-05"), Document("=2+3", weather(3))]
    with Endpoint(reads_well) as endpoint, Extractor(configured(endpoint, folder), store=None) as mahdar:
        lines = [json_line(mahdar.extract(document)) for document in documents]
    (folder / "out.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder / "out.jsonl"


@pytest.fixture
def mahdar(capfd: pytest.CaptureFixture[str]) -> Command:
    def run(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        return int(ended.value.code or 0), *capfd.readouterr()

    return run


def without_nothing(value: Any) -> Any:
    """JSON less what is null or empty, which Parquet and JSON tell apart in other ways."""
    if isinstance(value, dict):
        return {name: kept for name, inside in value.items() if (kept := without_nothing(inside)) not in (None, [], {})}
    return [without_nothing(inside) for inside in value] if isinstance(value, list) else value


def test_one_parquet_file_loses_nothing(tmp_path: Path, records: Path, mahdar: Command) -> None:
    assert mahdar("export", records, "-o", tmp_path / "out.parquet")[0] == 0
    rows = pq.read_table(tmp_path / "out.parquet").to_pylist()
    for row in rows:
        row["published_at"] = row["published_at"] and str(row["published_at"])
        row["more"], row["kept"] = json.loads(row["more"]), json.loads(row["kept"])
        for part in ("made_by", "prompts", "schemas"):
            row["provenance"][part] = json.loads(row["provenance"][part])
    lines = [json.loads(line) for line in records.read_bytes().splitlines()]
    assert without_nothing(rows) == without_nothing(lines)


def test_an_empty_run_has_tables_with_columns(tmp_path: Path, mahdar: Command) -> None:
    (tmp_path / "out.jsonl").touch()
    for name in ("out.duckdb", "out.parquet"):
        assert mahdar("export", tmp_path / "out.jsonl", "-o", tmp_path / name)[0] == 0
    assert mahdar("export", tmp_path / "out.jsonl", "-o", tmp_path / "flat", "--format", "parquet")[0] == 0
    names = pq.read_schema(tmp_path / "flat" / "stances.parquet").names
    assert names[:3] == ["article_id", "record_id", "published_at"]
    assert pq.read_table(tmp_path / "out.parquet").num_rows == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["out.jsonl", "-o", "out.csv"], "out.csv: CSV is several tables, each a file; name a folder"),
        (["out.jsonl", "-o", "out.ods"], "out.ods: mahdar does not write .ods; name .jsonl, .parquet, .duckdb or "),
        (["out.jsonl", "-o", "tables2"], "tables2: no format given; add --format csv, or / at its end for a folder"),
        (["out.jsonl", "-o", "other.jsonl"], "other.jsonl: is JSON Lines already"),
        (["out.jsonl", "-o", "x", "--format", "ods"], "format 'ods': not known; use one of jsonl, csv, parquet, du"),
        (["gone.jsonl", "-o", "x.parquet"], "gone.jsonl: cannot be read: No such file"),
        (["strange.jsonl", "-o", "x.parquet"], "strange.jsonl:1: not an extraction, it lacks document_id, "),
        (["other.jsonl", "-o", "x.parquet"], "other.jsonl: has records that cannot be written as parquet (Attrib"),
        (["other.jsonl", "-o", "x.duckdb"], "other.jsonl: has records that cannot be written as duckdb (TypeErr"),
        (["out.jsonl", "-o", "folder.parquet"], "folder.parquet is a folder, and parquet takes a file: name another"),
        (["out.jsonl", "-o", "out.jsonl", "--format", "csv"], "out.jsonl is a file, and csv takes a folder: name a"),
    ],
)
def test_what_cannot_be_exported_is_told(
    tmp_path: Path, mahdar: Command, monkeypatch: pytest.MonkeyPatch, *, arguments: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("out.jsonl").touch()
    Path("folder.parquet").mkdir()
    Path("strange.jsonl").write_text('{"a": 1}\n', encoding="utf-8")
    other: dict[str, Any] = {"document_id": "1", "text_sha256": "0", "language": "ar", "published_at": None}
    other |= {"meetings": [1], "stances": [], "rejected": [], "provenance": {}}
    Path("other.jsonl").write_text(f"{json.dumps(other)}\n", encoding="utf-8")
    code, _, err = mahdar("export", *arguments)
    assert (code, err[: len(f"mahdar: {said}")]) == (2, f"mahdar: {said}")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "folder.parquet",
        "other.jsonl",
        "out.jsonl",
        "strange.jsonl",
    ]


# A run that writes another form


def refusing(asked: Asked) -> Reply:
    return completion(None, refusal="لا") if "هبت" in asked.article else reads_well(asked)


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    with Endpoint(refusing) as endpoint:
        monkeypatch.setenv("OPENAI_BASE_URL", endpoint.url)
        monkeypatch.setenv("MAHDAR_MODEL", "loopback")
        yield endpoint


@pytest.mark.parametrize(
    ("output", "made", "kept"),
    [
        ("out.parquet", ["out.parquet"], "out.parquet.jsonl"),
        ("out.duckdb", ["out.duckdb"], "out.duckdb.jsonl"),
        ("out.xlsx", ["out.xlsx"], "out.xlsx.jsonl"),
        ("tables", ["tables/meetings.csv", "tables/stances.csv"], "tables/extractions.jsonl"),
    ],
)
def test_a_run_writes_the_form_that_is_asked_for(
    tmp_path: Path, mahdar: Command, served: Endpoint, *, output: str, made: list[str], kept: str
) -> None:
    rows = [{"id": "1", "text": ARTICLE}, {"id": "2", "text": weather(2)}]
    (tmp_path / "in.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    if output == "tables":
        (tmp_path / output).mkdir()
    assert mahdar("extract", tmp_path / "in.jsonl", "-o", tmp_path / output)[0] == 1
    assert all((tmp_path / name).is_file() for name in made)
    assert len((tmp_path / kept).read_bytes().splitlines()) == 1
    asked = len(served.requests)
    (tmp_path / made[0]).unlink()
    code, _, err = mahdar("extract", tmp_path / "in.jsonl", "-o", tmp_path / output)
    assert (code, len(served.requests)) == (1, asked)
    assert "0 of 2 articles" in err
    assert "1 done before, 1 failed before" in err
    assert (tmp_path / made[0]).is_file(), "made again of what was kept"
    errors = tmp_path / (f"{output}.errors.jsonl" if output != "tables" else f"{kept}.errors.jsonl")
    assert json.loads(errors.read_bytes())["document_id"] == "2"

    code, out, _ = mahdar("status", tmp_path / output, "--json")
    told, made_by = json.loads(out), {"meetings": "loopback", "stances": "loopback"}
    assert (told["state"], told["total"], told["done"], told["failed"]) == ("complete", 2, 1, {"refused": 1})
    assert (told["records"], told["tokens"], told["run"]["made_by"]) == (2, 240, made_by)
    lines = mahdar("status", tmp_path / output)[1].splitlines()
    assert lines[:4] == [
        "state     complete",
        "done      1 of 2 articles, 0 from the cache",
        "failed    1 refused",
        "records   2, 0 rejected",
    ]
    assert "made by   loopback" in lines


@pytest.mark.parametrize(
    ("options", "made"),
    [
        (["-o", "new/"], "new/meetings.csv"),
        (["-o", "out.jsonl.gz"], "out.jsonl.gz"),
        (["-o", "out.ndjson"], "out.ndjson"),
        (["-o", "out.txt", "--format", "jsonl"], "out.txt"),
    ],
)
def test_a_name_or_an_option_tells_the_form(
    tmp_path: Path,
    mahdar: Command,
    *,
    served: Endpoint,
    monkeypatch: pytest.MonkeyPatch,
    options: list[str],
    made: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("1.txt").write_text(ARTICLE, encoding="utf-8")
    assert mahdar("extract", "1.txt", *options)[0] == 0
    assert Path(made).is_file()
    assert mahdar("status", options[1])[1].startswith("state     complete\n")


def test_a_file_of_others_is_not_replaced(tmp_path: Path, mahdar: Command, served: Endpoint) -> None:
    (tmp_path / "1.txt").write_text(ARTICLE, encoding="utf-8")
    (tmp_path / "out.parquet").write_text("mine", encoding="utf-8")
    code, _, err = mahdar("extract", tmp_path / "1.txt", "-o", tmp_path / "out.parquet")
    assert (code, served.requests) == (2, [])
    assert "out.parquet has something in it: give --overwrite to replace it, or another name" in err
    assert mahdar("extract", tmp_path / "1.txt", "-o", tmp_path / "out.parquet", "--overwrite")[0] == 0
    assert pq.read_table(tmp_path / "out.parquet").num_rows == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-o", "/proc/nowhere/tables", "--format", "csv"], "/proc/nowhere/tables cannot be used: No such file"),
        (["-o", "1.txt", "--format", "csv", "--overwrite"], "1.txt is a file, and csv takes a folder: name another"),
        (["-o", f"{'ط' * 200}.jsonl"], f"{'ط' * 200}.jsonl cannot be used: File name too long; name another"),
        (["-o", f"{'ط' * 200}.jsonl", "--retry-errors"], "--retry-errors takes what an earlier run failed on"),
        (["-o", "parts.parquet"], "parts.parquet is a folder, and parquet takes a file: name another"),
        (["articles", "-o", "articles"], "'articles' is where the results go: name another folder with --output"),
        (["-o", "out.json"], "out.json: mahdar does not write .json; name .jsonl, .parquet, .duckdb or .xlsx, a fold"),
        (["-o", "x.foo"], "x.foo: mahdar does not write .foo"),
        (["-o", "tables"], "tables: no format given; add --format csv"),
        (["-o", "parts.jsonl"], "parts.jsonl is a folder, and jsonl takes a file: name another"),
    ],
)
def test_a_place_that_cannot_be_used_is_told_before_anything_is_asked(
    tmp_path: Path,
    mahdar: Command,
    *,
    served: Endpoint,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("1.txt").write_text(ARTICLE, encoding="utf-8")
    Path("2.txt").write_text(ARTICLE, encoding="utf-8")
    for name in ("parts.parquet", "parts.jsonl", "articles"):
        Path(name).mkdir()
    Path("articles", "3.txt").write_text(ARTICLE, encoding="utf-8")
    code, _, err = mahdar("extract", "2.txt", *arguments)
    assert (code, err[: len(f"mahdar: {said}")], served.requests) == (2, f"mahdar: {said}", [])


def test_a_name_that_is_not_utf_8_is_told_escaped(tmp_path: Path, mahdar: Command, served: Endpoint) -> None:
    (tmp_path / "1.txt").write_text(ARTICLE, encoding="utf-8")
    output = os.fsdecode(os.fsencode(tmp_path) + b"/out-\xe9.jsonl")
    code, _, err = mahdar("extract", tmp_path / "1.txt", "-o", output)
    assert (code, len(served.requests)) == (0, 1)
    assert err.endswith("out-\\udce9.jsonl\n")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("gone.jsonl", "/gone.jsonl: no run has written here; name the --output of a `mahdar extract`"),
        ("in.jsonl", "in.jsonl.ledger.jsonl was written by an older mahdar and cannot be resumed"),
    ],
)
def test_the_status_of_what_is_no_run_is_refused(tmp_path: Path, mahdar: Command, name: str, said: str) -> None:
    (tmp_path / "in.jsonl.ledger.jsonl").write_text("{}\n", encoding="utf-8")
    code, out, err = mahdar("status", tmp_path / name)
    assert (code, out) == (2, "")
    assert said in err
