"""Figures: what they count, what they say they leave out, and what is drawn of them."""

import json
import os
import re
import struct
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, get_args
from xml.etree import ElementTree as ET

import pytest
from press import actor, extraction, meeting, stance, written
from tiny import mahdar

from mahdar import UsageError
from mahdar.charts.drawing import png, svg
from mahdar.charts.figure import Figure
from mahdar.charts.figures import NAMES, figures
from mahdar.charts.wording import wording
from mahdar.schemas import Extraction
from mahdar.schemas.enums import Act, MeetingKind, Polarity, TopicCode

from loopback import PATIENCE

ISOLATES = {0x2068: None, 0x2069: None}
PRESS = (
    extraction(
        "muscat",
        [
            meeting("OM", "TN", date="2024-02-04", topics=["political_process", "economy_trade"]),
            meeting("OM", "TN", date="2024-03-01", kind="press_conference"),
            meeting("OM", "DZ", date="2024-03", topics=["political_process"], status="planned"),
        ],
        [
            stance("OM", "الحوار"),
            stance("OM", "الحوار", "against", "reject"),
            stance("TN", "المعابر", "neutral", "other"),
        ],
    ),
    extraction("amman", [meeting("JO", "EG", topics=["energy"])], language="en"),
    extraction("weather", language=None),
)
OMAN, TUNISIA = "بدر البوسعيدي", "نبيل عمار"


def rows(figure: Figure) -> list[tuple[object, ...]]:
    return [tuple(row[column] for column in figure.columns) for row in figure.rows]


def one(name: str, extractions: Iterable[Extraction] = PRESS, language: str = "en") -> Figure:
    return figures(extractions, language, [name])[name]


# What is counted


@pytest.mark.parametrize(
    ("name", "columns", "counted"),
    [
        (
            "articles",
            ("language", "meetings and stances", "meetings only", "stances only", "neither"),
            [("Arabic", 1, 0, 0, 0), ("English", 0, 1, 0, 0), ("language unknown", 0, 0, 0, 1)],
        ),
        (
            "meetings",
            ("kind", "held or ongoing", "planned or proposed", "postponed, cancelled or denied"),
            [("talks", 2, 1, 0), ("press conference", 1, 0, 0)],
        ),
        (
            "timeline",
            ("date", "held or ongoing", "planned or proposed", "postponed, cancelled or denied"),
            [("2024-02", 1, 0, 0), ("2024-03", 1, 1, 0), ("no date", 1, 0, 0)],
        ),
        (
            "network",
            ("one side", "country of the one", "other side", "country of the other", "meetings"),
            [(OMAN, "Oman", TUNISIA, "Tunisia", 2), ("أيمن الصفدي", "Jordan", "سامح شكري", "Egypt", 1)],
        ),
        (
            "countries",
            ("country", "meetings", "stances"),
            [("Oman", 3, 2), ("Tunisia", 2, 1), ("Algeria", 1, 0), ("Egypt", 1, 0), ("Jordan", 1, 0)],
        ),
        (
            "topics",
            ("topic", "2024-02", "2024-03", "no month"),
            [("political process", 1, 1, 0), ("economy, trade", 1, 0, 0), ("energy", 0, 0, 1)],
        ),
        (
            "acts",
            ("act", "in favour", "neutral", "against"),
            [("other", 0, 1, 0), ("reject", 0, 0, 1), ("support", 1, 0, 0)],
        ),
        (
            "matrix",
            ("holder", "target", "in favour", "against", "neutral"),
            [(OMAN, "الحوار", 1, 1, 0), (TUNISIA, "المعابر", 0, 0, 1)],
        ),
    ],
)
def test_a_figure_is_a_table_too(name: str, columns: tuple[str, ...], counted: list[tuple[object, ...]]) -> None:
    figure = one(name)
    assert (figure.name, figure.columns, rows(figure)) == (name, columns, counted)


def test_spellings_of_one_name_are_one_actor_and_the_commoner_is_shown() -> None:
    spelt = ["عبد الله اللافي", "عبدالله اللافي", "عبد الله اللافي"]
    met = [meeting(participants=[actor("LY", name), actor("TN")]) for name in spelt]
    assert rows(one("network", [extraction(meetings=met)])) == [
        ("عبد الله اللافي", "Libya", TUNISIA, "Tunisia", 3),
    ]


def test_a_role_without_a_name_is_another_person_in_another_country() -> None:
    minister = [actor(country, "وزير الخارجية", type="role") for country in ("MT", "LY")]
    found = rows(
        one("network", [extraction(meetings=[meeting(participants=[each, actor("TN")]) for each in minister])])
    )
    assert {side for row in found for side in (row[:2], row[2:4])} == {
        ("وزير الخارجية", "Malta"),
        ("وزير الخارجية", "Libya"),
        (TUNISIA, "Tunisia"),
    }


@pytest.mark.parametrize(
    ("countries", "ties"),
    [
        (("OM", "OM2", "TN"), {("OM", "TN"), ("OM2", "TN")}),  # one side of a table
        (("OM", "OM2"), {("OM", "OM2")}),  # nobody else is there
        (("OM", "TN", "DZ"), {("OM", "TN"), ("DZ", "OM"), ("DZ", "TN")}),
    ],
)
def test_those_of_one_country_do_not_meet_each_other(countries: tuple[str, ...], ties: set[tuple[str, str]]) -> None:
    met = meeting(participants=[actor(code[:2], code) for code in countries])
    assert {(str(row[0]), str(row[2])) for row in rows(one("network", [extraction(meetings=[met])]))} == ties


@pytest.mark.parametrize(
    ("dates", "periods", "notes"),
    [
        (["2024-02-04", "2024-02-06"], ["2024-02-04", "2024-02-06"], ()),
        (["2024-02-04", "2024-11-06"], ["2024-02", "2024-11"], ()),
        (["2015", "2024-11-06"], ["2015", "2024"], ()),
        (["2024-02-04/2024-02-06", "2024-02-05"], ["2024-02-04", "2024-02-05"], ()),
        (["2024-02-04", "2024-02-05"] * 2 + ["2024-02"], ["2024-02-04", "2024-02-05"], ("known only more roughly: 1",)),
        (["2024-02-04", "XXXX-02-05", None], ["2024", "year unknown", "no date"], ()),
        (["2024-02-04", "2024-02-05", *[None] * 20], ["2024-02-04", "2024-02-05"], ("without a date: 20",)),
        ([None] * 20, ["no date"], ()),
        (["0000-02-04"], ["year unknown"], ()),
        (["1945-02", *["2024-01", "2024-02"] * 3], ["2024-01", "2024-02"], ("long before or after: 1",)),
    ],
)  # fmt: skip
def test_a_timeline_fits_its_dates(dates: list[str | None], periods: list[str], notes: tuple[str, ...]) -> None:
    figure = one("timeline", [extraction(meetings=[meeting("OM", "TN", date=date) for date in dates])])
    assert ([row[0] for row in rows(figure)], figure.notes) == (periods, notes)


def test_earlier_months_of_a_topic_are_summed() -> None:
    dates = [f"20{year}-{month:02}" for year in (21, 22) for month in range(1, 13)]
    figure = one("topics", [extraction(meetings=[meeting("OM", "TN", date=date, topics=["energy"]) for date in dates])])
    assert figure.columns[:3] == ("topic", "< 2021-07", "2021-07")
    assert rows(figure) == [("energy", 6, *[1] * 18)]


CROWD = [
    extraction(
        f"a{number}",
        [meeting(participants=[actor("OM"), actor("TN", f"ضيف {number}")])],
        [stance("OM", f"موضوع {number}"), stance("TN", "الحوار", holders=[actor("TN", f"ضيف {number}")])],
    )
    for number in range(40)
]


@pytest.mark.parametrize(
    ("name", "shown", "notes"),
    [
        ("network", 29, ("not shown of those who met: 11",)),
        ("matrix", 12, ("holders not shown: 29", "targets not shown: 16")),
    ],
)
def test_what_a_picture_has_no_room_for_is_said(name: str, shown: int, notes: tuple[str, ...]) -> None:
    figure = one(name, CROWD)
    holders_or_ties = {row[0] for row in rows(figure)} if name == "matrix" else rows(figure)
    assert (len(holders_or_ties), figure.notes) == (shown, notes)


def test_meetings_that_are_not_drawn_are_said() -> None:
    met = [
        meeting("OM", "TN"),
        meeting("OM", "TN", status="denied"),
        meeting("OM", "TN", kind="visit", status="planned"),
    ]
    visit = meeting(kind="visit", participants=[actor("OM"), actor("TN", capacity="host")])
    figure = one("network", [extraction(meetings=[*met, visit])])
    assert figure.notes == ("planned, cancelled or denied, not drawn: 2", "with one named side, not drawn: 1")


def test_a_figure_without_anything_to_show_is_not_there() -> None:
    assert list(figures([extraction(stances=[stance("OM", "الحوار")])])) == ["articles", "countries", "acts", "matrix"]
    assert figures([]) == {}


# Languages


@pytest.mark.parametrize(
    ("language", "title", "country"),
    [
        ("ar", "السجلات حسب البلد", "تونس"),
        ("en", "Records by country", "Tunisia"),
        ("fr", "Relevés par pays", "Tunisie"),
    ],
)
def test_figures_speak_three_languages(language: str, title: str, country: str) -> None:
    figure = one("countries", language=language)
    assert figure.title == title
    assert country in svg(figure).translate(ISOLATES)


@pytest.mark.parametrize(
    ("kind", "terms"),
    [("kind", MeetingKind), ("act", Act), ("topic", TopicCode), ("polarity", Polarity)],
)
@pytest.mark.parametrize("language", ["ar", "en", "fr"])
def test_every_term_of_a_closed_list_has_a_name(language: str, kind: str, terms: Any) -> None:
    assert set(wording(language).texts[kind]) == set(get_args(terms))


@pytest.mark.parametrize("language", ["ar", "fr"])
def test_no_language_lacks_a_word(language: str) -> None:
    def keys(texts: Any) -> set[str]:
        return {
            f"{name}.{each}" for name, value in texts.items() for each in (value if isinstance(value, dict) else "-")
        }

    assert keys(wording(language).texts) == keys(wording("en").texts)


def test_another_language_is_refused() -> None:
    with pytest.raises(UsageError, match="language 'de': figures have ar, en, fr"):
        figures([], "de")


# Drawing

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "javascript:alert(1)",
    "{{7*7}} ${alert(1)} datum.n",
    "]]><!--",
    "قبل\u202eبعد\u2066",
    "سطر\nآخر\x1b[2J",
    "بلا\uffff\ufffe حرف",
]
DRAWN = {"svg", "g", "rect", "path", "line", "text"}


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_a_drawing_is_inert(name: str, *, dark: bool) -> None:
    met = [meeting(participants=[actor(None, name), actor("TN")], topics=["energy"]) for name in HOSTILE]
    stood = [stance("OM", name, holders=[actor("OM", name)]) for name in HOSTILE]
    drawing = svg(one(name, [extraction("<b>", met, stood, language="x<y\x1b\uffff")]), dark=dark)
    root = ET.fromstring(drawing)
    assert {element.tag.partition("}")[2] for element in root.iter()} <= DRAWN
    attributes = {key: value for element in root.iter() for key, value in element.attrib.items()}
    assert not [key for key in attributes if key.startswith("on") or key in {"style", "class"} or "href" in key]
    assert not re.search(r"url\(|@import|[\u202a-\u202e\u2066-\u2069]|\x1b", drawing)
    assert (root.attrib["role"], root.attrib["direction"]) == ("img", "ltr")


def test_hostile_names_are_drawn_as_they_are_written() -> None:
    met = [meeting(participants=[actor(None, name), actor("TN")]) for name in HOSTILE]
    root = ET.fromstring(svg(one("network", [extraction(meetings=met)])))
    texts = {"".join(element.itertext()).translate(ISOLATES) for element in root.iter() if element.tag.endswith("text")}
    assert {"<script>alert(1)</script>", "]]><!--", "{{7*7}} ${alert(1)} datum.n", "قبلبعد"} <= texts


@pytest.mark.parametrize(("scale", "dark"), [(1, False), (2, True)])
def test_a_png_has_the_size_of_the_drawing(scale: int, *, dark: bool) -> None:
    figure = one("timeline")
    root = ET.fromstring(svg(figure, dark=dark))
    image = png(figure, scale=scale, dark=dark)
    assert image[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", image[16:24]) == tuple(int(root.attrib[side]) * scale for side in ("width", "height"))


def test_a_png_has_letters_for_arabic() -> None:
    """Boxes in place of letters would make pictures of two names alike."""
    pictures = [png(one("network", [extraction(meetings=[meeting(participants=[actor("TN"), actor("OM", name)])])]))
                for name in ("بدر", "بدز", "بدر")]  # fmt: skip
    assert pictures[0] != pictures[1]
    assert pictures[0] == pictures[2]


def test_a_page_can_paint_behind_a_drawing() -> None:
    figure = one("meetings")
    assert "#ffffff" in svg(figure)
    assert "#ffffff" not in svg(figure, background=False)


def test_the_same_meetings_make_the_same_picture() -> None:
    code = "import sys; sys.path.insert(0, 'tests'); import test_plot as t; print(t.one('network', t.CROWD).spec)"
    told = [
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            check=True,
            timeout=PATIENCE,
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=Path(__file__).parents[1],
        ).stdout
        for seed in ("1", "2")
    ]
    assert told[0] == told[1]


# mahdar plot


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return written(tmp_path / "output.jsonl", PRESS)


def test_figures_are_drawn_in_the_terminal(output: Path) -> None:
    ended = mahdar("plot", output, "countries", "matrix")
    assert ended.code == 0
    assert ended.out.translate(ISOLATES).splitlines() == [
        "Records by country",
        "█ meetings  ▒ stances",
        " Oman     5  ████████████▒▒▒▒▒▒▒▒ ",
        " Tunisia  3  ████████▒▒▒▒         ",
        " Algeria  1  ████                 ",
        " Egypt    1  ████                 ",
        " Jordan   1  ████                 ",
        "",
        "Who stands where",
        "+ in favour  − against  ± neutral",
        " بدر البوسعيدي  +1 −1  الحوار  ",
        " نبيل عمار      ±1     المعابر ",
        "",
    ]


def test_every_figure_is_drawn_in_the_terminal_in_arabic(output: Path) -> None:
    ended = mahdar("plot", output, "--language", "ar")
    titles = [wording("ar").title(name) for name in NAMES]
    lines = ended.out.translate(ISOLATES).splitlines()
    assert [line for line in lines if line in titles] == titles


@pytest.mark.parametrize(("file", "start"), [("a.svg", b"<svg"), ("a.PNG", b"\x89PNG")])
def test_one_figure_goes_into_a_file(output: Path, tmp_path: Path, file: str, start: bytes) -> None:
    ended = mahdar("plot", output, "acts", "-o", tmp_path / file, "--dark")
    assert (ended.code, ended.out) == (0, "")
    assert (tmp_path / file).read_bytes().startswith(start)


def test_all_figures_go_into_a_folder(output: Path, tmp_path: Path) -> None:
    assert mahdar("plot", output, "-o", tmp_path / "new" / "figures", "--scale", 1).code == 0
    written_ = sorted(path.name for path in (tmp_path / "new" / "figures").iterdir())
    assert written_ == sorted(f"{name}{ending}" for name in NAMES for ending in (".png", ".svg"))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("pie",), "no figure 'pie': there are articles, meetings, timeline"),
        (("acts", "-o", "a.pdf"), "pictures are .png or .svg"),
        (("-o", "a.png"), "one file holds one figure, name it"),
        (("acts", "-o", "output.jsonl/figures"), "the folder cannot be created: Not a directory"),
        (("acts", "-o", "nowhere/a.svg"), "cannot be written: No such file or directory"),
        (("--language", "de"), "figures have ar, en, fr"),
    ],
)
def test_what_cannot_be_drawn_is_told_on_one_line(
    output: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], told: str
) -> None:
    monkeypatch.chdir(output.parent)
    ended = mahdar("plot", output.name, *arguments)
    assert ended.code == 2
    assert told in ended.err
    assert len(ended.err.splitlines()) == 1


def test_what_is_in_no_figure_is_said(tmp_path: Path) -> None:
    failed = {"document_id": "lost", "failure": "timeout", "message": "too slow", "attempts": 2}
    file = written(tmp_path / "output.jsonl", [extraction("only")])
    written(tmp_path / "output.jsonl.errors.jsonl", [], failed, failed)
    ended = mahdar("plot", file, "articles", "acts")
    assert (ended.code, ended.err) == (0, "nothing to draw for acts\n2 articles failed, in no figure\n")
    assert mahdar("plot", file, "acts").err.endswith("nothing to draw for acts\n")


def test_without_the_extra_the_terminal_still_draws_and_a_file_names_the_remedy(output: Path) -> None:
    block = "import sys; sys.modules.update(networkx=None, vl_convert=None, numpy=None); "
    run = "from mahdar.cli.app import main; main(sys.argv[1:])"
    for arguments, code, told in (
        ([], 0, "Who met whom"),
        (["-o", str(output.parent / "figures")], 2, "pip install 'mahdar[report]'"),
    ):
        done = subprocess.run(
            [sys.executable, "-c", block + run, "plot", output, "network", *arguments],
            capture_output=True,
            timeout=PATIENCE,
            check=False,
            cwd=Path(__file__).parents[1],
        )
        assert (done.returncode, told in (done.stdout + done.stderr).decode()) == (code, True)


def test_the_help_names_every_figure() -> None:
    words = mahdar("plot", "--help").out.replace(",", " ").replace(";", " ").split()
    assert set(NAMES) <= set(words)


def test_the_figures_of_a_run_file_can_be_drawn(tmp_path: Path) -> None:
    outcomes = [{"document_id": id_, "extraction": extraction(id_).model_dump(mode="json")} for id_ in "abcde"]
    file = tmp_path / "run.json"
    file.write_text(json.dumps({"repeats": [outcomes]}), encoding="utf-8")
    ended = mahdar("plot", file, "articles")
    assert ended.out.translate(ISOLATES).splitlines()[2].split() == ["Arabic", "5", "▞" * 20]


def test_a_specification_is_json() -> None:
    assert all(json.dumps(dict(figure.spec), ensure_ascii=False) for figure in figures(PRESS).values())
