"""What a reader of a report sees and does, in a real browser.

Each page is opened from its file, without a server; whatever it would ask the network for is collected.
"""

import unicodedata
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import pytest
from tiny import mahdar

from mahdar.documents.folding import fold
from mahdar.evals.running import corpus, runs
from mahdar.schemas.records import Extraction

import reports

playwright = pytest.importorskip("playwright.sync_api", reason="no Playwright here: pip install 'mahdar[dev]'")

SOON: Final = 10_000  # milliseconds until what should happen must have


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("reports")


def written(folder: Path, name: str, *options: str) -> str:
    page = folder / f"{name}.html"
    command = ("eval", "report") if "--against" in options else ("report",)
    ended = mahdar(*command, *options, "-o", str(page))
    assert (ended.code, ended.out) == (0, "")
    return page.as_uri()


@pytest.fixture(scope="module")
def seeds(folder: Path) -> str:
    lines = reports.write(reports.seeds(), folder / "seeds.jsonl")
    return written(folder, "seeds", str(lines), "--articles", str(reports.ARTICLES))


@pytest.fixture(scope="module")
def newsroom(folder: Path) -> str:
    lines, texts = reports.newsroom()
    file = reports.write(lines, folder / "newsroom.jsonl")
    articles = reports.write_texts(texts, folder / "texts.jsonl")
    return written(folder, "newsroom", str(file), "--articles", str(articles), "--no-pictures")


class Reader:
    """A window with a page in it, and what the page did that it should not."""

    def __init__(self, page: Any, faults: list[str]) -> None:
        self.page = page
        self.faults = faults

    def visit(self, address: str) -> Any:
        self.page.goto(address)
        self.faults[:] = [fault for fault in self.faults if fault != f"request: {address.partition('#')[0]}"]
        return self.page

    def draw(self) -> None:
        """Bring every article into being, as printing does."""
        self.page.evaluate("dispatchEvent(new Event('beforeprint'))")


@pytest.fixture
def reader(browser: Any) -> Iterator[Reader]:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme="light")
    page = context.new_page()
    page.set_default_timeout(SOON)
    with reports.collected(page) as faults:
        yield Reader(page, faults)
        assert faults == []
    context.close()


def test_a_report_opens_with_its_numbers_pictures_and_tables(reader: Reader, seeds: str) -> None:
    page = reader.visit(seeds)
    assert page.locator(".totals dd").all_inner_texts() == ["5", "12", "41", "0"]
    assert page.locator("article.article").count() == 5
    assert page.locator("#shown").inner_text() == ALL
    pictures = page.locator("[data-language=en] img.in-light")
    assert pictures.count() > 4
    assert pictures.evaluate_all("all => all.every((one) => one.complete && one.naturalWidth > 50)")
    assert page.locator("[data-language=en] figure").count() == page.locator("[data-language=en] table").count()


def covered(found: Extraction, text: str, record: str) -> str:
    """The article's letters that speak for a record, in order."""
    pieces = [piece for all_ in found.records.values() for one in all_ if one.id == record for piece in one.evidence]
    offsets = sorted({offset for piece in pieces for offset in range(piece.start, piece.end)})
    return "".join(text[offset] for offset in offsets)


def marked(page: Any, article: int, record: str) -> str:
    """The letters that a page marks for a record."""
    return str(
        page.locator(f"#a{article} mark").evaluate_all(
            "(all, id) => all.filter((one) => one.dataset.label.split(', ').includes(id))"
            ".map((one) => one.textContent).join('')",
            record,
        )
    )


def test_without_pictures_the_tables_stand_alone(reader: Reader, newsroom: str) -> None:
    page = reader.visit(newsroom)
    assert page.locator("img").count() == 0
    table = page.locator("[data-language=en] .picture-network table")
    assert table.is_visible()
    assert {"سامي", "Ann"} <= set(table.locator("td").all_inner_texts())


def test_marks_stand_at_the_offsets_of_the_evidence(reader: Reader, seeds: str) -> None:
    page = reader.visit(seeds)
    reader.draw()
    for number, found in enumerate(reports.seeds()):
        text = (reports.ARTICLES / f"{found.document_id}.txt").read_bytes().decode()
        assert page.locator(f"#a{number} .text").evaluate("one => one.textContent") == text
        for task in found.records.values():
            assert all(marked(page, number, one.id) == covered(found, text, one.id) for one in task)


def test_offsets_count_characters_that_a_script_counts_twice(reader: Reader, newsroom: str) -> None:
    page = reader.visit(newsroom)
    reader.draw()
    assert {marked(page, 0, f"m{number}") for number in range(1, 5)} == {reports.MET}


def test_a_record_lights_up_its_words_and_words_their_records(reader: Reader, seeds: str) -> None:
    page = reader.visit(seeds)
    reader.draw()
    article = page.locator("#a0")
    lit = "all => all.map((one) => one.dataset.label ?? one.querySelector('.id').textContent)"
    article.locator(".card .id").first.focus()
    labels = article.locator("mark.lit").evaluate_all(lit)
    assert labels
    assert all("m1" in label.split(", ") for label in labels)
    assert article.locator(".card.lit").evaluate_all(lit) == ["m1"]
    both = article.locator("mark", has=page.locator("a")).filter(has_text="تشبث الشعب").first
    both.locator("a").focus()
    assert article.locator(".card.lit").evaluate_all(lit) == both.get_attribute("data-label").split(", ")
    article.locator(".card .id").nth(1).hover()
    assert "s1" in article.locator(".card.lit").evaluate_all(lit)


ALL: Final = "5 of 5 articles, 53 of 53 records"
FILTERS: Final = (
    ("country", "CN", "1 of 5 articles, 6 of 53 records"),
    ("act", "reject", "2 of 5 articles, 2 of 53 records"),
    ("polarity", "against", "4 of 5 articles, 7 of 53 records"),
    ("topic", "energy", "1 of 5 articles, 10 of 53 records"),
    ("actor", "باشاغا", "3 of 5 articles, 24 of 53 records"),
    ("from", "2020-11-19", "1 of 5 articles, 6 of 53 records"),
    ("to", "2020-11-18", "Nothing here fits all filters."),
    ("search", "خلوصى اكار", "1 of 5 articles, 16 of 53 records"),
    ("search", "الغـــواصة الصفراء", "Nothing here fits all filters."),
)


def test_filters(reader: Reader, seeds: str) -> None:
    page = reader.visit(seeds)
    for field, value, told in FILTERS:
        place = page.locator(f"#filters [name={field}]")
        if place.evaluate("one => one.tagName") == "SELECT":
            place.select_option(value)
        else:
            place.fill(value)
        playwright.expect(page.locator("#shown")).to_have_text(told)
        assert page.locator("#said").inner_text() == told
        page.locator("#filters button[type=reset]").click()
        playwright.expect(page.locator("#shown")).to_have_text(ALL)


def test_affirmations_and_rejected_items_have_a_switch(reader: Reader, seeds: str, newsroom: str) -> None:
    page = reader.visit(seeds)
    page.locator("[name=affirming]").uncheck()
    playwright.expect(page.locator("#shown")).to_have_text("5 of 5 articles, 35 of 53 records")
    page = reader.visit(newsroom)
    reader.draw()
    rejected = page.locator("#a0 .rejected")
    assert not rejected.is_visible()
    page.locator("[name=rejected]").check()
    playwright.expect(rejected).to_be_visible()
    assert [text in rejected.inner_text() for text in ("$.stances[0]", "not in the article", "شبح")] == [True] * 3


def test_a_link_leads_to_its_record_past_filters(reader: Reader, newsroom: str) -> None:
    page = reader.visit(f"{newsroom}#2020%2Fdated/m3")
    here = page.locator(".card.here")
    assert here.locator(".id").inner_text() == "m3"
    playwright.expect(here).to_be_focused()
    playwright.expect(here).to_be_in_viewport()
    page.locator("[name=country]").select_option("FR")
    page.locator("[name=search]").fill("ministers")
    playwright.expect(page.locator("#a0")).to_be_hidden()
    page.evaluate("location.hash = '#2020%2Fdated/m2'")
    playwright.expect(page.locator(".card.here .id")).to_have_text("m2")
    playwright.expect(page.locator("#said")).to_have_text("Filters were cleared to show this record.")
    page.evaluate("location.hash = '#2020%2Fdated/m9'")
    playwright.expect(page.locator("#said")).to_have_text("There is no record under this link.")


def test_how_a_date_was_worked_out_is_told(reader: Reader, newsroom: str) -> None:
    page = reader.visit(newsroom)
    reader.draw()
    told = page.locator("#a0 .card .why").all_inner_texts()
    assert told == [
        "July 20, 2020 · stated in full · the weekday named is another",
        "July 20, 2020 · counted from the day of publication (2020-07-21)",
        "July 20, year unknown · the article leaves the year open",
        "does not lead to one day",
    ]
    assert page.locator("#a0 .card .value").all_inner_texts() == ["2020-07-20", "2020-07-20", "XXXX-07-20", "no date"]


def test_a_record_of_a_further_task_has_its_fields_as_lines(reader: Reader, newsroom: str) -> None:
    page = reader.visit(newsroom)
    reader.draw()
    parties, terms = (" ".join(row.inner_text().split()) for row in page.locator("#a1r1 dl > div").all()[:2])
    assert (parties, terms) == ("parties Ann FR France minister", "terms sea · 3 fish")


def test_a_headline_stands_above_its_article_and_leads_to_its_source(reader: Reader, folder: Path) -> None:
    kept = {"title": "قمة البحر", "url": "https://example.org/1?a=b&c", "outlet": "صحيفة الساحل"}
    found = [
        reports.extraction("english", reports.ENGLISH, kept=kept),
        reports.extraction("plain", reports.ENGLISH, kept={"url": "javascript:alert(1)"}),
    ]
    page = reader.visit(written(folder, "kept", str(reports.write(found, folder / "kept.jsonl")), "--no-pictures"))
    assert page.locator("article.article h3").all_inner_texts() == ["قمة البحر", "plain"]
    assert page.locator("#a0 .about").first.inner_text() == "english · صحيفة الساحل · Source ↗"
    link = page.locator("#a0 a.source")
    shown = [link.get_attribute(name) for name in ("href", "rel")]
    assert shown == ["https://example.org/1?a=b&c", "noopener noreferrer"]
    assert page.locator("a.source").count() == 1, "what is no address of the web is text"
    assert page.locator("#a1 .about").first.inner_text() == "javascript:alert(1)"


def test_a_text_that_is_another_or_absent_is_never_shown(reader: Reader, newsroom: str) -> None:
    page = reader.visit(newsroom)
    reader.draw()
    assert page.locator("#a3 .text, #a4 .text").count() == 0
    assert "not at hand" in page.locator("#a3 .paper").inner_text()
    assert "not the one that was extracted" in page.locator("#a4 .paper").inner_text()
    assert page.locator("#a4 q").inner_text() == "قديم"
    assert "جديد" not in page.content()
    assert page.locator("#a2 mark").count() == 0
    assert page.locator("#a2 .loud").inner_text() == "not at its offsets in this text"


POSITIONS: Final = """(place, words) => {
  const walker = document.createTreeWalker(place, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const at = node.data.indexOf(words);
    if (at < 0) continue;
    return [...words].map((_, step) => {
      const range = new Range();
      range.setStart(node, at + step);
      range.setEnd(node, at + step + 1);
      return range.getBoundingClientRect().left;
    });
  }
}"""


def test_arabic_runs_to_the_left_and_english_to_the_right(reader: Reader, newsroom: str) -> None:
    page = reader.visit(newsroom)
    reader.draw()
    directions = [
        page.locator(f"#a{number} .text").evaluate("one => getComputedStyle(one).direction") for number in (0, 1)
    ]
    assert directions == ["rtl", "ltr"]
    arabic = page.locator("#a0 .text").evaluate(POSITIONS, "خبر عاجل")
    english = page.locator("#a1 .text").evaluate(POSITIONS, "ministers")
    assert arabic == sorted(arabic, reverse=True)
    assert english == sorted(english)
    first, column = (page.locator(place).bounding_box() for place in ("#a0 mark", "#a0 .text"))
    assert first["x"] + first["width"] > column["x"] + column["width"] / 2


def test_the_order_that_is_seen_is_the_order_that_is_there(reader: Reader, newsroom: str) -> None:
    page = reader.visit(newsroom)
    reader.draw()
    assert "They⟦U+202E⟧agreed⟦U+202C⟧ on trade." in page.locator("#a1 .text").inner_text()
    places = page.locator("#a1 .text").evaluate(POSITIONS, "agreed")
    assert places == sorted(places)


def folded_alike() -> list[str]:
    """Characters that every version of Unicode has known for long, but for those of one square each."""
    return [
        chr(code)
        for code in (*range(0x3400), *range(0xF900, 0x10000))
        if unicodedata.ucd_3_2_0.category(chr(code)) not in {"Cn", "Cs", "Co"}
    ]


def test_the_page_folds_as_the_extractor_does(reader: Reader, seeds: str) -> None:
    page = reader.visit(seeds)
    texts = [
        *folded_alike(),
        "  عبدُ اللهِ  اللّافي،«أكّـــد»؟ ",
        "خلوصى آكار وٱلمنفى",
        "۲۰۲۰ / ٢٠٢٠ / 2020",
        "STRASSE Straße L’Accord «½»",
        "ﻻ ﷲ ﷺ",
        "",
    ]
    folds = page.evaluate("texts => texts.map((text) => Page.fold(text))", texts)
    assert [(text, found) for text, found in zip(texts, folds, strict=True) if found != fold(text)] == []


def test_found_words_light_up_where_the_article_has_them(reader: Reader, seeds: str) -> None:
    page = reader.visit(f"{seeds}#001_7696498eca8da83d")
    page.locator("[name=search]").fill("انقره")
    playwright.expect(page.locator("#shown")).to_contain_text("1 of 5 articles")
    found = set(page.evaluate("[...CSS.highlights.get('found')].map((range) => range.toString())"))
    assert found == {"أنـقـرة", "أنقرة"}


def test_the_interface_speaks_three_languages(reader: Reader, seeds: str) -> None:
    page = reader.visit(seeds)
    expected = {
        "ar": ("rtl", "مَن التقى مَن، وما موقف كل طرف"),
        "fr": ("ltr", "Qui a rencontré qui, et qui prend position sur quoi"),
    }
    for language, (direction, tagline) in expected.items():
        page.locator("#language").select_option(language)
        assert page.locator("html").get_attribute("dir") == direction
        assert page.locator(".kicker").inner_text() == tagline
        assert page.locator(f"[data-language={language}]").is_visible()
        reader.draw()
        assert page.locator("#a0 .text").evaluate("one => getComputedStyle(one).direction") == "rtl"
        assert "undefined" not in page.locator("main").inner_text()
        words = {"ar": "مقالات", "fr": "articles"}  # of five
        assert page.locator("[data-t='total.articles']").inner_text().casefold() == words[language]


def test_light_and_dark(reader: Reader, seeds: str) -> None:
    page = reader.visit(seeds)
    paper = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(paper)
    page.emulate_media(color_scheme="dark")
    dark = page.evaluate(paper)
    assert light != dark
    assert page.locator("[data-language=en] img.in-dark").first.is_visible()
    page.locator("#theme").select_option("light")
    assert page.evaluate(paper) == light
    assert not page.locator("[data-language=en] img.in-dark").first.is_visible()


def test_a_keyboard_is_enough(reader: Reader, newsroom: str) -> None:
    page = reader.visit(newsroom)
    reader.draw()
    focused = "document.activeElement.id || document.activeElement.name || document.activeElement.className"
    page.keyboard.press("Tab")
    assert page.evaluate(focused) == "skip"
    page.keyboard.press("Enter")
    reached = []
    while "rejected" not in reached and len(reached) < 60:
        page.keyboard.press("Tab")
        reached.append(page.evaluate(focused))
    assert {"search", "country", "actor", "topic", "act", "polarity", "from", "to", "rejected"} <= set(reached)
    page.locator("#a0 mark a").first.focus()
    page.keyboard.press("Enter")
    playwright.expect(page.locator("#a0 .card").first).to_be_focused()
    page.locator("#a0 .jump").first.press("Enter")
    playwright.expect(page.locator("#a0 mark a").first).to_be_focused()


def test_everything_on_the_page_has_a_name_for_those_who_hear_it(reader: Reader, seeds: str) -> None:
    page = reader.visit(seeds)
    reader.draw()
    nameless = """() =>
      [...document.querySelectorAll('a, button, input, select, img, section, article, h1, h2, h3, h4')]
      .filter((one) => !(one.textContent.trim() || one.alt || one.labels?.length || one.ariaLabel))
      .map((one) => one.outerHTML.slice(0, 80))"""
    assert page.evaluate(nameless) == []
    headings = page.evaluate("[...document.querySelectorAll('h1, h2, h3, h4')].map((one) => Number(one.tagName[1]))")
    assert headings[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(headings))


SURFACE: Final = """() => {
  for (const box of document.querySelectorAll('input[type=checkbox]')) if (!box.checked) box.click();
  dispatchEvent(new Event('beforeprint'));
  for (const one of document.querySelectorAll('details')) one.open = true;
  for (const one of document.querySelectorAll('a[href^="#"], mark, .card')) {
    one.focus();
    for (const kind of ['pointerenter', 'mouseover', 'click']) one.dispatchEvent(new MouseEvent(kind));
  }
  const attributes = [...document.querySelectorAll('*')].flatMap((one) => [...one.attributes]);
  const handlers = attributes.filter((one) => /^(on|autofocus$)/.test(one.name)).map((one) => one.name);
  const links = attributes.filter((one) => /^(href|src|action|data|srcset|xlink:href)$/.test(one.name))
    .map((one) => one.value).filter((to) => !/^(#|data:image\\/svg)/.test(to));
  const strange = 'iframe, object, embed, base, link, form:not(#filters), b, svg:not(.bar)';
  return {
    canary: window.canary ?? null,
    polluted: ({}).shown ?? null,
    scripts: document.scripts.length,
    handlers, links,
    tags: [...document.querySelectorAll(strange)].map((one) => one.tagName),
    controls: document.body.textContent.match(/[\\u202a-\\u202e\\u2066-\\u2069\\u200f]/g),
    straight: [...document.querySelectorAll('bdi, .text')].every((one) => one.closest('[dir]') !== null),
  };
}"""
STILL: Final = {
    "canary": None,
    "polluted": None,
    "handlers": [],
    "links": [],
    "tags": [],
    "controls": None,
    "straight": True,
}


def test_nothing_of_an_article_or_a_model_runs(reader: Reader, folder: Path) -> None:
    found, text = reports.harmful()
    file = reports.write([found], folder / f"{reports.HANDLER.replace('/', '')}.jsonl")
    reports.write([reports.harmful_failure()], folder / f"{file.name}.errors.jsonl")
    texts = reports.write_texts({"x": text}, folder / "harmful.jsonl")
    page = reader.visit(written(folder, "harmful", str(file), "--articles", str(texts)))
    for language in ("en", "ar", "fr"):
        page.locator("#language").select_option(language)
        assert page.evaluate(SURFACE) == STILL | {"scripts": 3}
    seen = page.locator("main").inner_text()
    for name in ("name", "role", "city", "target", "item", "other", "reason", "message", "failed"):
        assert f"{name} abc⟦U+202E⟧def⟦U+202C⟧ {reports.SCRIPT}" in seen
    assert "{{ 7 * 7 }}" in seen
    for place in page.locator("#a0 .text, #a0 .card .name, .failures td:first-child bdi").all():
        order = place.evaluate(POSITIONS, "def")
        assert order == sorted(order)


def test_the_policy_of_a_page_is_in_force(reader: Reader, newsroom: str) -> None:
    page = reader.visit(newsroom)
    page.evaluate("""() => {
      const script = document.createElement('script');
      script.textContent = "window.canary = 'script'";
      const button = document.createElement('button');
      button.setAttribute('onclick', "window.canary = 'handler'");
      const style = document.createElement('style');
      style.textContent = 'body { display: none }';
      document.body.append(script, button, style);
      button.click();
    }""")
    assert page.evaluate("fetch('http://127.0.0.1:9/').then(() => 'sent', () => 'refused')") == "refused"
    assert page.evaluate("window.canary ?? null") is None
    assert page.locator("body").is_visible()
    assert len(reader.faults) >= 4
    assert all("Content Security Policy" in fault or "request: http://127.0.0.1:9/" in fault for fault in reader.faults)
    reader.faults.clear()


def test_a_run_shows_what_changed_and_what_is_not_right(reader: Reader, folder: Path) -> None:
    page = reader.visit(written(folder, "eval", *evaluated(folder)))
    headings = page.locator("main h2").all_inner_texts()
    assert headings == ["What changed", "Scores", "By field", "Articles"]
    changes = page.locator(".change h4").all_inner_texts()
    assert changes == ["▼ 000_64624abc260ecb33 m1 1.000 → .000"]
    missed = page.locator(".eval-missed .record")
    assert missed.locator("h5").text_content().strip() == "m1"
    assert page.locator(".fields svg.bar .value").count() == 15
    page.locator("#wrong").check()
    assert page.locator(".pair:visible").count() == 0
    assert missed.is_visible()
    page.locator("#language").select_option("ar")
    assert page.locator("main h2").first.inner_text() == "ما تغيّر"
    row = page.locator(".fields tbody tr").first.locator("td.number bdi")
    assert row.nth(1).inner_text() == "–"
    assert row.evaluate_all("all => all.every((one) => getComputedStyle(one).direction === 'ltr')")


def evaluated(folder: Path) -> tuple[str, ...]:
    """The options for a run that has lost a meeting which the one before it had."""
    labels = corpus.read_labels(reports.ROOT / "seeds" / "labels")["000_64624abc260ecb33"]
    found = next(reports.seeds())
    runs.write(reports.run(labels, found), folder / "before.json")
    worse = found.model_copy(update={"meetings": ()})
    runs.write(reports.run(labels, worse), folder / "after.json")
    return str(folder / "after.json"), "--against", str(folder / "before.json")


def test_nothing_of_a_run_runs(reader: Reader, folder: Path) -> None:
    found = Extraction.model_validate(reports.harmful()[0])
    runs.write(reports.harmful_run(found), folder / "harmful-before.json")
    after = folder / f"{reports.HANDLER.replace('/', '')}.json"
    runs.write(reports.harmful_run(found, stances=()), after)
    page = reader.visit(written(folder, "eval-harm", str(after), "--against", str(folder / "harmful-before.json")))
    assert page.evaluate(SURFACE) == STILL | {"scripts": 2}
    seen = page.locator("main").inner_text()
    assert f"venue abc⟦U+202E⟧def⟦U+202C⟧ {reports.SCRIPT}" in seen
    assert f"gold s1 abc⟦U+202E⟧def⟦U+202C⟧ {reports.SCRIPT}" in seen
