"""mahdar show: records of a file of outputs, for a reader; and how such a file is read."""

import gzip
import hashlib
import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from press import actor, evidence, extraction, meeting, stance, written
from pyarrow import Table
from pyarrow.parquet import write_table
from tiny import mahdar

from mahdar import UsageError
from mahdar.runs.outputs import Outputs
from mahdar.schemas import Extraction

from loopback import PATIENCE

MET = "استقبل وزير الخارجية العُماني بدر البوسعيدي في مسقط، الأحد 4 فبراير 2024، نظيره التونسي نبيل عمار."
SAID = "وأكد البوسعيدي دعم بلاده للحوار بين الليبيين."
ARTICLE = f"{MET}\n\nهبت رياح شديدة.\n{SAID} انتهى\n"
SIGNS = str.maketrans({"\u2066": "[", "\u2067": "[", "\u2068": "[", "\u2069": "]"})
FAILED = {"document_id": "lost", "failure": "refused", "message": "the model refused", "attempts": 1}


def talks(id_: str = "talks", text: str = ARTICLE) -> Extraction:
    return extraction(
        id_,
        [meeting("OM", "TN", date="2024-02-04", evidence=evidence(MET))],
        [stance("OM", "للحوار", meeting="m1", evidence=[*evidence(SAID, ARTICLE.index(SAID)), *evidence(MET)])],
        text_sha256=hashlib.sha256(text.encode()).hexdigest(),
    )


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return written(tmp_path / "output.jsonl", [talks(), extraction("weather"), talks("2024/talks.txt")], FAILED)


@pytest.fixture
def articles(tmp_path: Path) -> Path:
    folder = tmp_path / "articles"
    folder.mkdir()
    (folder / "talks.txt").write_text(ARTICLE, encoding="utf-8")
    return folder


def shown(*arguments: object) -> list[str]:
    ended = mahdar("show", *arguments)
    assert (ended.code, ended.err) == (0, "")
    return [line.rstrip() for line in ended.out.translate(SIGNS).splitlines() if line.strip(" ─")]


def test_all_records_are_shown_and_what_failed(output: Path) -> None:
    lines = shown(output)
    assert [line for line in lines if line.startswith("[")] == [
        "[talks] · ar · meetings 1 · stances 1",
        "[weather] · ar · meetings 0 · stances 0",
        "[2024/talks.txt] · ar · meetings 1 · stances 1",
        "[lost] failed: refused: the model refused",
    ]


@pytest.mark.parametrize(
    ("records", "errors"),
    [
        ("out.jsonl", "out.jsonl.errors.jsonl"),
        ("out.parquet.jsonl", "out.parquet.errors.jsonl"),
        ("out.duckdb.jsonl", "out.duckdb.errors.jsonl"),
    ],
)
def test_what_failed_is_found_beside_the_records_of_every_form(tmp_path: Path, records: str, errors: str) -> None:
    file = written(tmp_path / records, [talks()])
    written(tmp_path / errors, [], FAILED)
    written(tmp_path / "out.errors.jsonl", [], FAILED)
    assert [failure.document_id for failure in Outputs(file).failures()] == ["lost"]


@pytest.mark.parametrize(
    ("wanted", "begins"),
    [
        ("talks", ["[talks] · ar", "  m1   kind", "  s1   act", "press · "]),
        ("talks/m1", ["[talks] · ar", "  m1   kind"]),
        ("2024/talks.txt/s1", ["[2024/talks.txt] · ar", "  s1   act"]),
        ("lost", ["[lost] failed: refused"]),
    ],
)
def test_an_article_or_a_record_is_chosen_by_its_id(output: Path, wanted: str, begins: list[str]) -> None:
    lines = shown(output, wanted)
    assert [line[: len(begin)] for line, begin in zip(_heads(lines), begins, strict=True)] == begins


def _heads(lines: list[str]) -> list[str]:
    return [line for line in lines if not line.startswith("     ")]


def test_evidence_is_shown_in_its_article(output: Path, articles: Path) -> None:
    assert shown(output, "talks", "--articles", articles)[-4:] == [
        f"[**{MET.removesuffix(' عمار.')}]",
        "[عمار.**\u00a0[[m1\u00a0s1]]]",
        "[هبت رياح شديدة.]",
        f"[**{SAID}**\u00a0[[s1]] انتهى]",
    ]


@pytest.mark.parametrize("name", ["rows.csv.gz", "rows.parquet", "rows.jsonl"])
def test_evidence_is_shown_in_rows_of_every_form(tmp_path: Path, output: Path, name: str) -> None:
    row = {"key": 7, "body": ARTICLE}
    if name == "rows.parquet":
        write_table(Table.from_pylist([row]), tmp_path / name)
    elif name == "rows.jsonl":
        (tmp_path / name).write_text(json.dumps(row), encoding="utf-8")
    else:
        (tmp_path / name).write_bytes(gzip.compress(f'key,body\n7,"{ARTICLE}"\n'.encode()))
    lines = shown(output, "talks/s1", "--articles", tmp_path / name, "--text-column", "body")
    assert lines[-1] == f"[**{SAID}**\u00a0[[s1]] انتهى]"


def test_a_record_is_shown_with_the_paragraphs_of_its_evidence(output: Path, articles: Path) -> None:
    assert "[هبت رياح شديدة.]" not in shown(output, "talks/s1", "--articles", articles)


def test_overlapping_evidence_is_one_stretch_with_all_its_records(tmp_path: Path, articles: Path) -> None:
    pieces = [evidence(MET[:40]), evidence(MET[20:60], 20)]
    met = [meeting("OM", "TN", evidence=piece) for piece in pieces]
    one = extraction("talks", met, text_sha256=talks().text_sha256)
    lines = shown(written(tmp_path / "overlap.jsonl", [one]), "--articles", articles)
    assert f"**{MET[:60].rstrip()}**\u00a0[[m1\u00a0m2]]" in "".join(lines)


@pytest.mark.parametrize(
    ("id_", "told"),
    [
        ("weather", "article 'weather': not found: give --articles what it was extracted from"),
        ("changed", "another text than was extracted"),
        ("../../etc/passwd", "not found"),
    ],
)
def test_a_text_that_is_not_there_or_another_is_said(tmp_path: Path, articles: Path, id_: str, told: str) -> None:
    (articles / "changed.txt").write_text("نص آخر\n", encoding="utf-8")
    lines = shown(written(tmp_path / "a.jsonl", [extraction(id_)]), "--articles", articles)
    assert told in " ".join(lines)


def test_an_article_cannot_command_the_terminal(tmp_path: Path, articles: Path) -> None:
    text = "التقى\x1b[2J الوزير \u202eنظيره\n"
    (articles / "talks.txt").write_text(text, encoding="utf-8")
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    met = meeting("OM", "TN", participants=[actor("OM", "اسم\x1b]0;x\x07"), actor("TN")], evidence=evidence(text[:-1]))
    one = extraction("talks", [met], text_sha256=sha256)
    ended = mahdar("show", written(tmp_path / "a.jsonl", [one]), "--articles", articles)
    assert not {"\x1b", "\x07", "\u202e"}.intersection(ended.out)


def test_a_record_of_a_later_task_is_shown_as_lines(tmp_path: Path) -> None:
    line = talks().model_dump(mode="json")
    party = {"name": "بدر البوسعيدي", "type": "person", "role": "وزير الخارجية العُماني", "country": "OM"}
    agreed = {
        "id": "g1",
        "parties": [party, {"name": "تونس", "type": "country", "country": "TN"}],
        "subject": "اتفاق الصيد",
        "signed_on": {"text": "الأحد 4 فبراير", "value": "2024-02-04", "resolution": "explicit", "flags": []},
        "due": {"text": "قريبا", "value": None, "resolution": "unresolved", "flags": []},
        "terms": [{"text": "بحر عمان", "code": "fishing"}],
        "binding": True,
        "evidence": evidence(),
        "attribution": [],
    }
    line["more"] = {"agreements": [agreed]}
    lines = shown(written(tmp_path / "a.jsonl", [], line), "talks/g1")
    assert [" ".join(each.split()) for each in lines[1:7]] == [
        "g1 parties [بدر البوسعيدي] — [وزير الخارجية العُماني] · OM",
        "[تونس] · TN",
        "subject [اتفاق الصيد]",
        "signed on 2024-02-04 · [الأحد 4 فبراير]",
        "due date unknown · [قريبا]",
        "terms [بحر عمان] · [fishing]",
    ]
    assert not any(sign in " ".join(lines) for sign in "{}'")


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ("tolk", "no article 'tolk'; the nearest is 'talks'"),
        ("2023/talks.txt/m1", "no article '2023/talks.txt/m1'; the nearest is '2024/talks.txt'"),
        ("tolks/m1", "no article 'tolks/m1'; the nearest is 'talks'"),
        ("talks/m9", "article 'talks' has no record 'm9': it has m1, s1"),
        ("weather/m1", "article 'weather' has no record 'm1': it has none"),
    ],
)
def test_what_is_not_there_is_named(output: Path, wanted: str, told: str) -> None:
    ended = mahdar("show", output, wanted)
    assert (ended.code, ended.out) == (2, "")
    assert told in ended.err


@pytest.mark.parametrize(
    ("wanted", "whole"),
    [("w", "weather"), ("2024/t", "2024/talks.txt"), ("20/m1", "2024/talks.txt/m1"), ("lo", "lost")],
)
def test_what_an_article_alone_begins_with_names_it(output: Path, wanted: str, whole: str) -> None:
    assert shown(output, wanted) == shown(output, whole)


def test_what_several_articles_begin_with_names_none(tmp_path: Path) -> None:
    output = written(tmp_path / "output.jsonl", [talks("002-a"), talks("002-b"), talks("003")])
    ended = mahdar("show", output, "002/m1")
    assert (ended.code, ended.out) == (2, "")
    assert "no article '002/m1'; several begin so: '002-a', '002-b'; ID is" in ended.err


# Reading

GOOD = talks().model_dump_json()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"{GOOD}\n{GOOD[:-9]}\n", ":2: no JSON object on this line"),
        (f"{GOOD}\n\n[1]\n", ":3: no JSON object on this line"),
        ('{"id": 1}\n', ":1: no extraction: $.document_id: Field required"),
        (f'{GOOD[:-1]}, "more": {{"x": 7}}}}\n', ":1: no extraction: $.more"),
        ('{"failure": "timeout"}\n', ":1: no failure as `mahdar extract` writes it"),
        ('{\n "repeats"\n', "neither JSON Lines nor a run file"),
        ('{\n "repeats": [[], []]\n}\n', "$.repeats: one is scored again, got 2"),
        ("", "nothing in it"),
        ("\ufeff" + GOOD, ":1: no JSON object on this line"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "output.jsonl"
    file.write_text(text, encoding="utf-8")
    for command in (["show"], ["plot"] if told != "nothing in it" else ["show"]):
        ended = mahdar(*command, file)
        assert ended.code == 2
        assert f"{file}" in ended.err
        assert told in ended.err


def test_what_stands_before_a_torn_line_is_shown(tmp_path: Path) -> None:
    file = tmp_path / "output.jsonl"
    file.write_text(f"{GOOD}\n{GOOD[:-9]}", encoding="utf-8")
    ended = mahdar("show", file)
    assert ended.code == 2
    assert "[talks] · ar" in ended.out.translate(SIGNS)


@pytest.mark.parametrize(
    ("name", "told"), [("nowhere", "No such file or directory"), (".", "Is a directory"), ("utf16", "is not UTF-8")]
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str, told: str) -> None:
    (tmp_path / "utf16").write_bytes(GOOD.encode("utf-16"))
    with pytest.raises(UsageError, match=told):
        list(Outputs(tmp_path / name))


@pytest.mark.parametrize("name", ["records.parquet", "records.duckdb"])
def test_the_records_beside_what_was_made_of_them_are_read(tmp_path: Path, output: Path, name: str) -> None:
    made, records = tmp_path / name, tmp_path / f"{name}.jsonl"
    made.write_bytes(b"PAR1\xff")
    with pytest.raises(UsageError) as refusal:
        list(Outputs(made))
    assert str(refusal.value) == f"{made}: is no JSON Lines, and {name}.jsonl, from which it is made, is not beside it"
    records.write_bytes(output.read_bytes())
    assert [one.place for one in Outputs(made)] == [one.place for one in Outputs(records)]


def test_outputs_can_be_gone_through_twice_with_their_lines_and_failures(output: Path) -> None:
    outputs = Outputs(output)
    found: list[Any] = [[(one.place, one.line["document_id"]) for one in outputs] for _time in range(2)]
    assert found[0] == found[1]
    assert found[0][1] == (f"{output}:2", "weather")
    assert [failure.document_id for failure in outputs.failures()] == ["lost"]


@pytest.mark.parametrize(
    ("pager", "start"), [("sed s/^/paged:/", "paged:"), ("no-such-pager", ""), ("'", ""), (" ", "")]
)
def test_a_terminal_is_paged_where_it_can_be(output: Path, pager: str, start: str) -> None:
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80", "PAGER": pager}
    process = subprocess.Popen(
        [sys.executable, "-m", "mahdar.cli.app", "show", str(output), "weather"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment,
        cwd=Path(__file__).parents[1],
    )
    os.close(theirs)
    screen = b"".join(iter(lambda: _read(ours), b"")).decode()
    os.close(ours)
    assert process.wait(PATIENCE) == 0
    assert all(line.startswith(start) for line in screen.splitlines())
    assert "weather" in screen


def _read(terminal: int) -> bytes:
    """Bytes from a terminal; none when its last user has gone, which Linux calls an error."""
    try:
        return os.read(terminal, 65_536)
    except OSError:
        return b""
