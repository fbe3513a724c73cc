"""What a terminal shows of an extraction."""

import io

import pytest
from rich.console import Console

from mahdar.cli.display import extraction
from mahdar.documents.bidi import Bidi, clean, isolated
from mahdar.schemas import (
    Actor,
    Date,
    Evidence,
    Extraction,
    Meeting,
    Outcome,
    Participant,
    Place,
    Provenance,
    Rejected,
    Stance,
    Target,
    Topic,
)
from mahdar.wording import cost

QUOTE = "استقبل وزير الخارجية العُماني بدر البوسعيدي في مسقط، الأحد 4 فبراير 2024، نظيره التونسي نبيل عمار."
STAND = "وأكد البوسعيدي دعم بلاده للحوار."
HOST = Participant(name="بدر البوسعيدي", type="person", role="وزير الخارجية العُماني", country="OM")
GUEST = Participant(name="نبيل عمار", type="person", country="TN", capacity="attendee")
MEETING = Meeting(
    id="m1",
    kind="talks",
    channel="in_person",
    status="held",
    participants=(HOST, GUEST),
    date=Date(text="الأحد 4 فبراير 2024", value="2024-02-04", resolution="explicit", flags=("weekday_mismatch",)),
    place=Place(city="مسقط", country="OM"),
    topics=(Topic(text="الحوار", code="political_process"),),
    outcomes=(Outcome(text="لجنة مشتركة", type="joint_body"),),
    attribution=("وكالة الأنباء العمانية",),
    evidence=(
        Evidence(quote=QUOTE, start=0, end=len(QUOTE), match="exact"),
        Evidence(quote=STAND, start=200, end=200 + len(STAND), match="exact"),
    ),
)
STANCE = Stance(
    id="s1",
    meeting="m1",
    holders=(Actor(name="بدر البوسعيدي", type="person"),),
    holder_mode="individual",
    on_behalf_of="سلطنة عمان",
    target=Target(text="الحوار"),
    addressee="الأطراف",
    polarity="favor",
    act="support",
    proposition="أكد البوسعيدي دعم بلاده للحوار",
    speech="indirect",
    evidence=(Evidence(quote=STAND, start=200, end=200 + len(STAND), match="exact"),),
)
QWEN = {"meetings": "qwen", "stances": "qwen"}
MADE = Provenance(made_by=QWEN, tokens_in=1200, tokens_out=340, cost=0.0, reasks=1, seconds=31.24, calls=3)


def screen(result: Extraction, width: int = 70) -> list[str]:
    """The lines a terminal of this width shows, the isolates drawn as brackets."""
    console = Console(width=width, file=io.StringIO(), highlight=False)
    with console.capture() as shown:
        console.print(extraction(result))
    return [line.rstrip() for line in shown.get().translate({0x2068: "[", 0x2069: "]"}).splitlines()]


def test_an_article_is_shown_as_a_block_a_record() -> None:
    result = Extraction(
        document_id="002",
        text_sha256="0" * 64,
        language="ar",
        published_at="2024-02-05",
        meetings=(MEETING,),
        stances=(STANCE,),
        rejected=(
            Rejected(task="stances", path="$.stances[1]", reason="target: not in the article", item={"name": "شيء"}),
        ),
        provenance=MADE,
    )
    assert screen(result) == [
        "[002] · ar · published 2024-02-05 · meetings 1 · stances 1",
        " ────────────────────────────────────────────────────────────────────",
        "  m1   kind     talks · held · in_person · CAMEO 040",
        "       who      [بدر البوسعيدي] — [وزير الخارجية العُماني] · OM",
        "                [نبيل عمار] · TN · attendee",
        "       when     2024-02-04 · [الأحد 4 فبراير 2024] · weekday mismatch",
        "       where    [مسقط] · OM",
        "       about    [الحوار] (political_process)",
        "       agreed   [لجنة مشتركة] (joint_body)",
        "       via      [وكالة الأنباء العمانية]",
        "       says     [استقبل وزير الخارجية العُماني بدر البوسعيدي في مسقط،]",
        "                [الأحد 4 فبراير 2024، نظيره التونسي نبيل عمار.] (+1",
        "                more)",
        " ────────────────────────────────────────────────────────────────────",
        "  s1   act      support · favor · individual · indirect · at m1 ·",
        "                CAMEO 051",
        "       who      [بدر البوسعيدي]",
        "       for      [سلطنة عمان]",
        "       target   [الحوار]",
        "       to       [الأطراف]",
        "       that     [أكد البوسعيدي دعم بلاده للحوار]",
        "       says     [وأكد البوسعيدي دعم بلاده للحوار.]",
        " ────────────────────────────────────────────────────────────────────",
        "1 rejected",
        " stances[1]  target: not in the article: [شيء]",
        "qwen · 1,200 + 340 tokens · $0 · 1 re-asked · 31.2 s",
        "",
    ]


def test_an_article_without_records_says_so() -> None:
    made = Provenance(made_by=QWEN, cached=True, cost=0.0)
    assert screen(Extraction(document_id="003", text_sha256="0" * 64, provenance=made)) == [
        "[003] · language unknown · meetings 0 · stances 0",
        "qwen · from the cache · $0 · 0.0 s",
        "",
    ]


def test_a_headline_and_what_else_was_kept_stand_below_the_id() -> None:
    kept = {"url": "https://example.org/1", "title": "قمة\x1b في مسقط", "outlet": "صحيفة الساحل"}
    made = Provenance(made_by=QWEN, cached=True, cost=0.0)
    assert screen(Extraction(document_id="003", text_sha256="0" * 64, kept=kept, provenance=made))[:3] == [
        "[003] · language unknown · meetings 0 · stances 0",
        "[قمة في مسقط]",
        "[https://example.org/1] · [صحيفة الساحل]",
    ]


@pytest.mark.parametrize("width", [*range(8, 40), 80, 120])
def test_no_line_leaves_an_isolate_open_or_is_wider_than_its_cell(width: int) -> None:
    console = Console(width=width, file=io.StringIO())
    lines = console.render_lines(Bidi(f"{isolated(QUOTE)} — {isolated(STAND)} · OM"), pad=False)
    texts = ["".join(segment.text for segment in line) for line in lines]
    assert all(text.count("\u2068") == text.count("\u2069") for text in texts)
    words = " ".join(texts).translate({0x2068: None, 0x2069: None}).split()
    assert "".join(words) == f"{QUOTE} — {STAND} · OM".replace(" ", "")
    assert all(sum(segment.cell_length for segment in line) <= width for line in lines)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("التقى\n\n  الوزير\tنظيره", "التقى الوزير نظيره"),
        ("قبل \x1b[2Jبعد", "قبل [2Jبعد"),
        ("قبل\u202eبعد\u2069", "قبلبعد"),
        ("قبل\x9b2Jبعد", "قبل 2Jبعد"),
        ("می‌خواهم", "می‌خواهم"),
    ],
)
def test_an_article_cannot_command_the_terminal(text: str, shown: str) -> None:
    assert clean(text) == shown


@pytest.mark.parametrize(
    ("dollars", "shown"), [(None, "cost unknown"), (0.0, "$0"), (0.00123, "$0.0012"), (12.5, "$12.5000")]
)
def test_cost(dollars: float | None, shown: str) -> None:
    assert cost(dollars) == shown


@pytest.mark.parametrize(
    ("item", "line"),
    [
        ({"evidence": ["قال الوزير كلاما"], "name": "س"}, " x  why: [قال الوزير كلاما]"),
        ("نص", " x  why: [نص]"),
        (None, " x  why"),
        ({"kind": "talks"}, " x  why"),
        ("كلمة " * 30, f" x  why: [{'كلمة ' * 16}…]"),
    ],
)
def test_a_rejected_item_is_shown_by_its_words(item: object, line: str) -> None:
    rejected = (Rejected(task="meetings", path="$.x", reason="why", item=item),)
    made = Provenance(made_by=QWEN)
    result = Extraction(document_id="004", text_sha256="0" * 64, rejected=rejected, provenance=made)
    assert screen(result, width=160)[2] == line
