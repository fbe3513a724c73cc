"""An extraction shows itself in a notebook, and nothing in it runs."""

import re

import pytest

from mahdar.schemas.records import Extraction

import reports


def test_an_extraction_shows_its_records_from_right_to_left() -> None:
    found = next(iter(reports.seeds()))
    html = found._repr_html_()
    assert html.startswith('<div dir="rtl">')
    assert all(f'<bdi dir="auto">{actor.name}</bdi>' in html for one in found.meetings for actor in one.participants)
    assert "<mark" not in html


def test_beside_its_article_the_words_are_marked() -> None:
    text = "استقبل الوزير نظيره. وأكد <b>دعم</b> الحوار."
    quote = "وأكد <b>دعم</b> الحوار."
    found = Extraction.model_validate(
        reports.extraction("a", text, meetings=[reports.meeting(reports.evidence(text, quote))])
    )
    marked = re.findall(r"<mark[^>]*>([^<]*)</mark>", found.beside(text)._repr_html_())
    assert marked == ["وأكد &lt;b&gt;دعم&lt;/b&gt; الحوار."]
    assert "<mark" not in found.beside("نص آخر")._repr_html_()
    assert "another text than the one that was extracted" in found.beside("نص آخر")._repr_html_()


def test_hostile_words_stay_words_and_nothing_is_fetched() -> None:
    line, text = reports.harmful()
    found = Extraction.model_validate(line)
    for html in (found._repr_html_(), found.beside(text)._repr_html_()):
        tags = set(re.findall(r"<(\w+)", html))
        assert tags <= {
            "div",
            "p",
            "strong",
            "bdi",
            "table",
            "caption",
            "thead",
            "tbody",
            "tr",
            "th",
            "td",
            "br",
            "mark",
        }
        assert re.findall(r"<[^>]*\b(?:on\w+|src|href)=", html) == []
        assert not re.search("[\u202a-\u202e\u2066-\u2069]", html)


def test_an_extraction_becomes_the_tables_of_an_export() -> None:
    pytest.importorskip("pandas")
    found = next(iter(reports.seeds()))
    frames = found.to_pandas()
    assert frames["meetings"]["record_id"].tolist() == [one.id for one in found.meetings]
    assert frames["participants"]["name"].tolist() == [
        actor.name for one in found.meetings for actor in one.participants
    ]
