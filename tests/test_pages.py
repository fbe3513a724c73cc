"""Saved web pages: from files and columns to documents, and nothing in them runs, is fetched or stops a run."""

import datetime as dt
import json
import sys
import time
from pathlib import Path
from typing import Final

import pytest
from tiny import mahdar

from mahdar.documents.document import BadInput, Document, check_date_format, parse_day
from mahdar.documents.pages import MAX_PAGE, MAX_TAGS, is_page, is_page_data, read_page
from mahdar.errors import BadInputError, UsageError
from mahdar.runs.rows import Columns
from mahdar.runs.sources import Articles

PARAGRAPHS: Final = (
    "استقبل وزير الخارجية التونسي نبيل عمار، اليوم الأحد في مقر الوزارة، نظيره العماني بدر البوسعيدي.",
    "وأكد الوزيران خلال اللقاء حرص البلدين على تعزيز التعاون في مجالات التجارة والسياحة والتعليم العالي.",
    "وقال عمار إن بلاده تدعم الحوار بين الليبيين، مشددا على رفض أي تدخل أجنبي في الشأن الليبي.",
)
TEXT: Final = "\n".join(PARAGRAPHS)
BODY: Final = "".join(f"<p>{paragraph}</p>" for paragraph in PARAGRAPHS)
TITLE: Final = "عمار يستقبل البوسعيدي"
URL: Final = "https://news.example/ammar"
DAY: Final = dt.date(2024, 2, 4)


def page(head: str = "", body: str = BODY, charset: str = "utf-8") -> str:
    """A page as news sites make them, with menus, scripts and other articles around the text."""
    return f"""<!DOCTYPE html>
<html lang="ar" dir="rtl"><head><meta charset="{charset}"><title>{TITLE} | وكالة الأنباء</title>
<meta property="og:title" content="{TITLE}"><link rel="canonical" href="{URL}">{head}
<script>document.location = "https://evil.example/";</script><style>p {{ color: red }}</style></head>
<body onload="alert(1)"><nav><a href="/">الرئيسية</a><a href="/sport">رياضة</a></nav>
<article>{body}</article><aside><h3>اقرأ أيضا</h3><a href="/x">خبر آخر</a></aside>
<footer>جميع الحقوق محفوظة 2021</footer></body></html>"""


PUBLISHED: Final = '<meta property="article:published_time" content="2024-02-04T23:30:00+01:00">'
LINKED_DATA: Final = (
    '<script type="application/ld+json">{"@type": "NewsArticle",\n "datePublished": "2024-02-04"}</script>'
)


def test_a_page_gives_text_title_day_and_address() -> None:
    found = read_page(page(PUBLISHED))
    assert (found.text, found.published_at, dict(found.kept)) == (TEXT, DAY, {"title": TITLE, "url": URL})


@pytest.mark.parametrize(
    ("head", "day"),
    [
        (PUBLISHED, DAY),
        (LINKED_DATA, DAY),
        ('<script type="application/ld+json">{"datePublished": "2024-02</script>', None),
        ("", None),
    ],
    ids=["meta", "linked data", "broken linked data", "only a year in the footer"],
)
def test_a_day_is_declared_or_unknown_and_never_guessed(head: str, day: dt.date | None) -> None:
    assert read_page(page(head)).published_at == day


def test_a_part_of_a_page_is_read_as_one() -> None:
    assert is_page(BODY)
    assert read_page(BODY).text == TEXT
    assert not is_page("قال &quot;نعم&quot; مرة &quot;أخرى&quot;.")
    assert not is_page(TEXT)


@pytest.mark.parametrize("address", ["javascript:alert(1)", "/ammar", "data:text/html,x", "https://x.example/ a"])
def test_an_address_is_one_of_the_web_or_left_out(address: str) -> None:
    assert read_page(page().replace(URL, address)).kept.get("url", "").startswith(("https://", ""))
    assert address not in read_page(page().replace(URL, address)).kept.values()


@pytest.mark.parametrize(
    ("declared", "written"),
    [
        ("utf-8", "utf-8"),
        ("windows-1256", "cp1256"),
        ("ISO-8859-6", "iso8859_6"),
        ("windows-1256", "utf-8"),
        ("utf-8", "utf-8-sig"),
        ("utf-16", "utf-16"),
    ],
)
def test_bytes_are_read_in_the_encoding_that_they_are_in(declared: str, written: str) -> None:
    data = page(charset=declared).encode(written)
    assert is_page_data(data)
    assert read_page(data).text == TEXT


@pytest.mark.parametrize(
    ("html", "reason"),
    [
        (page(charset="utf-16le").encode("cp1256"), "has lost|is a web page that"),
        (page(charset="koi-7").encode("cp1256"), "is a web page that says it is 'koi-7', and is not: save it as UTF-8"),
        (f"<html><body>{BODY}".encode("cp1256"), "is a web page that is not UTF-8 and does not say its encoding"),
        ("<html><body></body></html>", "is a web page in which no article is found: save its text"),
        ("<html>" + "<div>" * 30_000 + BODY, "is a web page in which no article is found"),
        ("<html>" + "<p>خبر " * (MAX_TAGS + 1), "is a web page with 50,002 tags, more than the 50,000 one may have"),
        ("<html>" + "x" * MAX_PAGE, "is a web page of 20,000,006 bytes, more than the 20,000,000 one may have"),
        (f"<html>{BODY}" + "<p a=1>خ</p>" * 9 + "x" * 5_000_000, "is a web page with 5,000,.* characters, more than"),
        ('<!doctype html><html data-mahdar="report">' + BODY, "is a report that mahdar wrote, and no article"),
        (page(body="<p>" + PARAGRAPHS[0].encode().decode("latin-1") * 5 + "</p>"), "was UTF-8 once and has been read"),
    ],
    ids=["lies", "no encoding", "no charset", "empty", "deep", "tags", "bytes", "markup", "own", "misread"],
)
def test_a_page_that_gives_no_article_is_refused_by_name(html: str | bytes, reason: str) -> None:
    with pytest.raises(BadInputError, match=reason):
        read_page(html)


@pytest.mark.parametrize(
    "hostile",
    [
        '<img src="data:image/png;base64,' + "A" * 15_000_000 + '">',
        "<script>" + "var a = 1;\n" * 1_000_000 + "</script>",
        '<script type="application/ld+json">' + '[{"@type":' * 100_000 + "</script>",
        "<p " + " ".join(f"a{number}=1" for number in range(500_000)) + ">",
        "<!-- " + "x" * 10_000_000 + " -->",
        "<script " * (MAX_TAGS - 10),
        "\0\ud800",
    ],
    ids=["picture", "script", "linked data", "attributes", "comment", "open tags", "no characters"],
)
def test_what_is_long_deep_or_broken_beside_an_article_takes_no_time(hostile: str) -> None:
    started = time.monotonic()
    assert read_page(page(body=BODY + hostile)).text.startswith(PARAGRAPHS[0])
    assert time.monotonic() - started < 30, "without the bounds some take minutes"


@pytest.mark.parametrize(("end", "expected"), [("<html>", True), ("x", False)])
def test_many_comments_before_a_page_take_no_time(end: str, *, expected: bool) -> None:
    started = time.monotonic()
    assert is_page("<!---->" * 500 + end) is expected
    assert time.monotonic() - started < 30, "a pattern that backtracks takes years"


def found(folder: Path, columns: Columns | None = None, day: dt.date | None = None) -> list[Document | BadInput]:
    return list(Articles([folder], columns, published_at=day))


def test_pages_of_a_folder_are_read_and_the_parts_of_a_page_are_not(tmp_path: Path) -> None:
    (tmp_path / "ammar.html").write_bytes(page(PUBLISHED, charset="windows-1256").encode("cp1256"))
    (tmp_path / "undated.htm").write_text(page(), encoding="utf-8")
    (tmp_path / "ammar_files").mkdir()
    (tmp_path / "ammar_files" / "frame.html").write_text(page(), encoding="utf-8")
    (tmp_path / "plain.txt").write_text(TEXT, encoding="utf-8")
    (tmp_path / "saved.txt").write_text(page(), encoding="utf-8")
    kept = {"title": TITLE, "url": URL}
    given = dt.date(2024, 3, 1)
    assert found(tmp_path, day=given) == [
        Document("ammar", TEXT, DAY, kept=kept),
        Document("plain", TEXT, given),
        Document("saved", TEXT, given, kept=kept),
        Document("undated", TEXT, given, kept=kept),
    ]


def rows_of(tmp_path: Path, *texts: str) -> Path:
    file = tmp_path / "archive.jsonl"
    rows = [{"id": f"a{number}", "text": text, "url": "https://mine.example/"} for number, text in enumerate(texts)]
    file.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    return file


def test_pages_in_a_column_are_read_and_the_columns_that_are_kept_come_first(tmp_path: Path) -> None:
    assert found(rows_of(tmp_path, page(PUBLISHED), BODY, TEXT), Columns(keep=("url",))) == [
        Document("a0", TEXT, DAY, kept={"title": TITLE, "url": "https://mine.example/"}),
        Document("a1", TEXT, kept={"url": "https://mine.example/"}),
        Document("a2", TEXT, kept={"url": "https://mine.example/"}),
    ]


def test_without_the_extra_a_file_of_pages_says_so_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "trafilatura", None)
    first, text, last = found(rows_of(tmp_path, *[page()] * 40, TEXT, *[page()] * 60))
    place = f"{tmp_path}/archive.jsonl"
    assert first == BadInput("archive:1", f"{place}:1 is a web page; to read it: pip install 'mahdar[web]'")
    assert text == Document("a40", TEXT)
    assert last == BadInput(
        "archive:101",
        f"{place}:101 is a web page as well, the last of 99 behind the first; to read them: pip install 'mahdar[web]'",
    )


def test_a_page_is_extracted_and_shown_on_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("ammar.html").write_text(page(PUBLISHED), encoding="utf-8")
    ended = mahdar("extract", "ammar.html", "--model", "offline", "-o", "out.jsonl")
    assert ended.code == 0, ended.err
    record = json.loads(Path("out.jsonl").read_bytes())
    assert (record["published_at"], record["kept"]) == ("2024-02-04", {"title": TITLE, "url": URL})
    assert [one["date"]["value"] for one in record["meetings"]] == ["2024-02-04"]
    shown = mahdar("report", "out.jsonl", "--articles", "ammar.html", "--no-pictures")
    assert (shown.code, "texts of" in shown.err) == (0, False), "the same page gives the same text"


# --- days as they are written


@pytest.mark.parametrize(
    ("value", "form"),
    [
        ("04/02/2024", "%d/%m/%Y"),
        ("٠٤/٠٢/٢٠٢٤", "%d/%m/%Y"),
        ("04\u200f/02\u200f/2024", "%d/%m/%Y"),
        (" 4.2.2024 ", "%d.%m.%Y"),
        ("02/04/24 23:30", "%m/%d/%y %H:%M"),
    ],
)
def test_a_day_of_another_form(value: str, form: str) -> None:
    assert check_date_format(form) == form
    assert parse_day(value, form) == DAY


def test_a_column_of_days_of_another_form(tmp_path: Path) -> None:
    table = tmp_path / "archive.csv"
    table.write_text(f"id,day,text\na,04/02/2024,{PARAGRAPHS[1]}\nb,2024-02-04,{PARAGRAPHS[2]}\n", encoding="utf-8")
    good, bad = found(table, Columns(date="day", date_format="%d/%m/%Y"))
    assert good == Document("a", PARAGRAPHS[1], DAY)
    assert bad == BadInput("b", f"{table}:3 published_at '2024-02-04' is no date of the form '%d/%m/%Y'")


@pytest.mark.parametrize("form", ["%d/%m", "DD/MM/YYYY", "%Q", "%H:%M", ""])
def test_a_form_without_a_day_is_refused(tmp_path: Path, form: str) -> None:
    with pytest.raises(UsageError, match="needs day, month and year, for example %d/%m/%Y"):
        check_date_format(form)
    (tmp_path / "a.csv").write_text(f"id,text\na,{TEXT[:40]}\n", encoding="utf-8")
    ended = mahdar("extract", tmp_path / "a.csv", "--date-format", form)
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
