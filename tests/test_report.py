"""What `mahdar report` writes, refuses, and says; how it looks is for tests/test_report_browser.py."""

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import pytest
from tiny import mahdar

from mahdar.html.page import Language, interface, visible
from mahdar.html.payload import safe_json
from mahdar.html.report import report, split
from mahdar.html.texts import Texts
from mahdar.runs.outputs import Outputs
from mahdar.schemas.enums import (
    Act,
    Capacity,
    Channel,
    DateFlag,
    DateResolution,
    Format,
    HolderMode,
    MeetingKind,
    OutcomeType,
    Polarity,
    Speech,
    Status,
    TopicCode,
)

import reports


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    return reports.write(reports.newsroom()[0], tmp_path / "records.jsonl")


def test_a_report_is_one_file_that_refers_to_nothing_outside(lines: Path, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    ended = mahdar("report", str(lines), "-o", str(page), "--no-pictures", "--language", "ar")
    assert (ended.code, ended.out, ended.err) == (0, "", f"report → {page}\n")
    html = page.read_text(encoding="utf-8")
    assert html.startswith('<!doctype html>\n<html lang="ar" dir="rtl"')
    assert re.findall(r"https?:|@import|url\(", html) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["records.jsonl", "report.html"]


def test_how_many_texts_were_found_is_said_where_some_are_missing(lines: Path, tmp_path: Path) -> None:
    (tmp_path / "any-name.txt").write_bytes(reports.EMOJI.encode())
    page = tmp_path / "report.html"
    ended = mahdar("report", str(lines), "--articles", str(tmp_path), "-o", str(page), "--no-pictures")
    assert (ended.code, ended.out) == (0, "")
    assert ended.err == f"mahdar: texts of 2 of 5 articles found in --articles\nreport → {page}\n"


def test_the_policy_names_the_only_script_and_style_that_run(lines: Path) -> None:
    ((_name, html),) = report(Outputs(lines), Texts(), draw=False)
    policy = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]+)"', html)[0].replace("&#39;", "'")
    parts = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    scripts, styles = (
        re.findall(r"<script>(.*?)</script>", html, re.DOTALL),
        re.findall(r"<style>(.*?)</style>", html, re.DOTALL),
    )
    assert parts == {
        "default-src": "'none'",
        "script-src": sha256(scripts[0]),
        "style-src": sha256(styles[0]),
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    assert (len(scripts), len(styles)) == (1, 1)


def sha256(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_a_second_report_replaces_the_first_and_nothing_else(lines: Path, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    options = (str(lines), "-o", str(page), "--no-pictures")
    assert [mahdar("report", *options).code for _ in range(2)] == [0, 0]
    page.write_text("<html>mine</html>", encoding="utf-8")
    ended = mahdar("report", *options)
    assert ended.code == 2
    assert ended.err == (
        f"mahdar: {page} is not a report of mahdar: give --overwrite to replace it, or another name with -o\n"
    )
    assert page.read_text(encoding="utf-8") == "<html>mine</html>"
    assert mahdar("report", *options, "--overwrite").code == 0
    assert mahdar("report", str(lines), "-o", str(lines), "--no-pictures").code == 2


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("none.jsonl",), "none.jsonl: cannot be read: No such file or directory; check the path"),
        (("empty.jsonl",), "empty.jsonl: no extraction in it; name what `mahdar extract -o` wrote"),
        (("text.jsonl",), "text.jsonl:1: no JSON object on this line; `mahdar extract -o FILE` writes one an article"),
        (
            ("shape.jsonl",),
            "shape.jsonl:2: no extraction: $.text_sha256: Field required",
        ),
        (("empty.jsonl", "--articles", "nowhere.jsonl"), "'nowhere.jsonl': no such file or folder: check the path"),
        (
            ("empty.jsonl", "--articles", "text.jsonl"),
            "--articles text.jsonl: ",
        ),
        (("good.jsonl", "-o", "no/where.html"), "no/where.html cannot be written: No such file or directory"),
    ],
)
def test_what_cannot_be_shown_is_refused_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty.jsonl").touch()
    Path("text.jsonl").write_text("التقى الوزيران\n", encoding="utf-8")
    good = reports.write([reports.extraction("a", "نص")], Path("good.jsonl")).read_text(encoding="utf-8")
    Path("shape.jsonl").write_text(good + '{"document_id": "b"}\n', encoding="utf-8")
    ended = mahdar("report", *options)
    assert ended.code == 2
    assert ended.err.startswith(f"mahdar: {said}")
    assert ended.err.count("\n") == 1
    assert not Path("report.html").exists()


def test_more_articles_than_a_browser_reads_at_once_become_several_pages(lines: Path) -> None:
    pages = dict(report(Outputs(lines), Texts(), name="all.html", draw=False, most_articles=2))
    assert list(pages) == ["all.html", "all-2.html", "all-3.html"]
    said = [re.sub("<[^>]+>", "", re.findall(r'data-t="parts"[^>]*>(.*?)</span>', html)[0]) for html in pages.values()]
    assert [text.partition(". ")[0] for text in said] == [
        "Part 1 of 3: articles 1 to 2 of 5",
        "Part 2 of 3: articles 3 to 4 of 5",
        "Part 3 of 3: articles 5 to 5 of 5",
    ]
    assert [len(payload(html)) for html in pages.values()] == [2, 2, 1]
    assert all(f'href="{name}"' in pages["all.html"] for name in ("all-2.html", "all-3.html"))


def payload(html: str) -> list[dict[str, object]]:
    found = re.findall(r'<script type="application/json" id="payload">(.*?)</script>', html, re.DOTALL)
    articles: list[dict[str, object]] = json.loads(found[0])
    return articles


def test_a_page_is_full_by_its_size_as_well() -> None:
    parts = list(split(["aaaa", "bbbb", "cc", "ddddddddddd", "e"], most_articles=100, most_bytes=10))
    assert [(part.first, part.last, part.articles) for part in parts] == [
        (1, 3, ("aaaa", "bbbb", "cc")),
        (4, 4, ("ddddddddddd",)),
        (5, 5, ("e",)),
    ]


def test_articles_that_failed_are_named(lines: Path) -> None:
    failed = {"document_id": "004", "failure": "refused", "message": "declined <b>", "attempts": 2}
    reports.write([failed], lines.with_name("records.jsonl.errors.jsonl"))
    ((_name, html),) = report(Outputs(lines), Texts(), draw=False)
    assert "declined &lt;b&gt;" in html
    assert '<dd data-number="1">1</dd>' in html.partition('data-t="total.failed"')[2]


def test_texts_are_found_by_their_hash_and_a_text_of_that_name_is_not_enough(tmp_path: Path) -> None:
    lines, texts = reports.newsroom()
    outputs = Outputs(reports.write(lines, tmp_path / "records.jsonl"))
    file = reports.write_texts(texts, tmp_path / "texts.jsonl")
    folder = tmp_path / "articles"
    folder.mkdir()
    (folder / "any-name.txt").write_bytes(reports.EMOJI.encode())
    found = [Texts.of(paths) for paths in ([file], [folder], [folder, file])]
    presences = [[each.find(output.extraction)[1] for output in outputs] for each in found]
    assert presences == [
        ["found", "found", "found", "absent", "other"],
        ["found", "absent", "found", "absent", "absent"],
        ["found", "found", "found", "absent", "other"],
    ]


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("</script><!--", r'"\u003c/script\u003e\u003c!--"'),
        ("a&b", r'"a\u0026b"'),
        ("\u2028\u202e\u200f", r'"\u2028\u202e\u200f"'),
        ("لقاء", '"لقاء"'),
    ],
)
def test_json_may_stand_in_a_script_element(value: str, written: str) -> None:
    assert safe_json(value) == written
    assert json.loads(written) == value


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("abc\u202edef", "abc⟦U+202E⟧def"),
        ("\u2067\x00\x1b[2J", "⟦U+2067⟧⟦U+0000⟧⟦U+001B⟧[2J"),
        ("می‌خواهم\r\n", "می‌خواهم\r\n"),
    ],
)
def test_controls_are_written_out(text: str, seen: str) -> None:
    assert visible(text) == seen


def is_plural(name: str, words: Mapping[str, str]) -> bool:
    """Whether a name is that of another's form for a count."""
    return name.endswith((".zero", ".one", ".two", ".few", ".many", ".other")) and name.rpartition(".")[0] in words


def test_every_language_of_the_interface_says_everything() -> None:
    fields = {
        language: {
            name: set(re.findall(r"\{(\w+)\}", text)) for name, text in words.items() if not is_plural(name, words)
        }
        for language, words in interface().items()
    }
    assert fields["ar"] == fields["en"] == fields["fr"]


@pytest.mark.parametrize(
    ("language", "count", "word"),
    [
        ("ar", 1, "مقال"),
        ("ar", 2, "مقالان"),
        ("ar", 3, "مقالات"),
        ("ar", 10, "مقالات"),
        ("ar", 11, "مقالًا"),
        ("ar", 100, "مقال"),
        ("ar", 103, "مقالات"),
        ("fr", 1, "article"),
        ("fr", 2, "articles"),
        ("en", 1, "article"),
        ("en", 2, "articles"),
    ],
)
def test_a_count_takes_the_form_that_the_language_has_for_it(
    tmp_path: Path, language: Language, count: int, word: str
) -> None:
    text = "قال الوزير إن اللقاء كان مهما."
    file = reports.write([reports.extraction(f"a{number}", text) for number in range(count)], tmp_path / "out.jsonl")
    ((_name, html),) = report(Outputs(file), Texts(), language=language, draw=False)
    said = re.findall(r'<span data-t="total.articles"[^>]*>([^<]+)</span></dt><dd data-number="(\d+)"', html)
    assert said == [(word, str(count))]


@pytest.mark.parametrize(
    ("start", "terms"),
    [
        ("kind", MeetingKind),
        ("status", Status),
        ("channel", Channel),
        ("format", Format),
        ("capacity", Capacity),
        ("topic", TopicCode),
        ("outcome", OutcomeType),
        ("act", Act),
        ("polarity", Polarity),
        ("speech", Speech),
        ("holder_mode", HolderMode),
        ("why", DateResolution),
        ("why", DateFlag),
    ],
)
def test_every_term_of_a_closed_list_has_a_word(start: str, terms: Any) -> None:
    assert {f"{start}.{term}" for term in get_args(terms)} - interface()["en"].keys() == set()
