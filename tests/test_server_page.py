"""The service's page, in a real browser: articles in, records beside their words out, and nothing else runs."""

import json
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from newsroom import ANSWER, ARTICLE, MET, NOTHING, PRINCIPALS, SAID, configured, reads_well, weather
from serving import PATIENCE, Served, serving, until

from mahdar.server.service import Bounds

from loopback import Endpoint, completion

SOON: Final = 20_000
SECRET: Final = "a-secret-of-the-desk"
HOSTILE: Final = (
    f"{MET}\n\n{''.join(map(weather, range(20)))}"
    "<script>document.title = 'run'</script><img src=x onerror=\"document.title = 'run'\"> {{ 7 * 7 }} {% raw %} ${1}\n"
    "\u202eمنعكس\u202c \u2066 \u0007 </textarea></script><!-- ]]> javascript:alert(1)\n"
)
PAGE: Final = (
    "<!doctype html><html lang=ar><head><title>لقاء في نواكشوط</title><link rel=canonical href='https://news.example/7'>"
    f"<script>document.title = 'run'</script></head><body onload=\"document.title='run'\"><article><p>{MET}</p>"
    f"<p>{SAID}</p></article></body></html>"
)


@pytest.fixture(scope="module")
def newsroom(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("page")
    with Endpoint(reads_well) as endpoint, serving(configured(endpoint, folder / "cache"), folder / "serve") as one:
        yield one


class Window:
    """A browser's window on the page, and what went wrong in it."""

    def __init__(self, browser: Any, **options: Any) -> None:
        self.context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, "locale": "en", **options})
        self.faults: list[str] = []
        self.page = self.context.new_page()
        self.page.set_default_timeout(SOON)
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", lambda message: message.type == "error" and self.faults.append(message.text))

    def visit(self, service: Served, path: str = "/") -> Any:
        origin = service.server.url
        self.page.on("request", lambda one: one.url.startswith((origin, "blob:")) or self.faults.append(one.url))
        self.page.goto(f"{origin}{path}")
        return self.page

    def saved(self, button: str) -> Path:
        with self.page.expect_download() as download:
            self.page.click(button)
        return Path(download.value.path())


def wait_for_records(page: Any) -> None:
    """Wait until articles are shown, and have those drawn that are out of view, as printing does."""
    page.locator("article.article").first.wait_for()
    page.evaluate("dispatchEvent(new Event('beforeprint'))")


@pytest.fixture
def window(browser: Any) -> Iterator[Window]:
    opened = Window(browser)
    yield opened
    opened.context.close()
    assert opened.faults == []


def test_a_pasted_article_comes_back_as_records_beside_their_words(window: Window, newsroom: Served) -> None:
    page = window.visit(newsroom)
    page.get_by_label("Article", exact=True).fill(ARTICLE)
    page.get_by_label("Day of publication").fill("2024-02-05")
    page.get_by_role("button", name="Extract").click()
    wait_for_records(page)
    assert page.locator(".card .name").all_inner_texts()[:2] == PRINCIPALS
    assert page.locator(".text").evaluate("one => one.textContent") == ARTICLE
    marks = page.locator("mark[data-label=m1]").evaluate_all("all => all.map((one) => one.textContent).join('')")
    assert marks == MET
    page.locator("mark[data-label=m1]").first.hover()
    assert page.locator(".card.meeting.lit").count() == 1
    assert page.locator("#told").inner_text() == "Done. Articles: 1, failed: 0"
    lines = window.saved("#save-json").read_text(encoding="utf-8").splitlines()
    found = [json.loads(line) for line in lines]
    assert [(one["document_id"], one["published_at"], len(one["meetings"])) for one in found] == [
        ("pasted", "2024-02-05", 1)
    ]
    assert "meetings.csv" in zipfile.ZipFile(window.saved("#save-tables")).namelist()


def test_files_are_dropped_together_and_failures_are_named(window: Window, newsroom: Served) -> None:
    page = window.visit(newsroom)
    files = [("one.txt", ARTICLE.encode()), ("two.txt", weather(2).encode()), ("three.txt", b"\x00\x01\xff" * 99)]
    chosen = [{"name": name, "mimeType": "text/plain", "buffer": data} for name, data in files]
    page.get_by_label("Files").set_input_files(chosen)
    assert page.locator("#chosen li").count() == 3
    page.click("#begin")
    wait_for_records(page)
    assert page.locator("article.article").count() == 2
    assert page.locator("#failed li strong").all_inner_texts() == ["bad_input"]
    assert page.locator("#told").inner_text() == "Done. Articles: 2, failed: 1"


def test_a_table_becomes_a_job_whose_progress_is_told(browser: Any, tmp_path: Path) -> None:
    held = threading.Event()
    window = Window(browser)
    with (
        Endpoint(lambda asked: completion(ANSWER if MET in asked.article else NOTHING, after=held)) as model,
        serving(configured(model, tmp_path / "c"), tmp_path / "s", concurrency=2) as service,
    ):
        page = window.visit(service)
        rows = [{"id": f"w{number}", "text": weather(number)} for number in range(5)] + [
            {"id": "news", "text": ARTICLE}
        ]
        table = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
        page.get_by_label("Files").set_input_files([{"name": "a.jsonl", "mimeType": "", "buffer": table}])
        page.click("#begin")
        page.locator("#told", has_text="Articles so far").wait_for()
        held.set()
        wait_for_records(page)
        assert page.locator("article.article").count() == 6
        assert page.locator(".card").count() == 2
        assert "meetings.csv" in zipfile.ZipFile(window.saved("#save-tables")).namelist()
        window.context.close()
    assert window.faults == []


def test_what_is_cancelled_is_not_asked_further(browser: Any, tmp_path: Path) -> None:
    held = threading.Event()
    window = Window(browser)
    with (
        Endpoint(lambda _: completion(NOTHING, after=held)) as model,
        serving(configured(model, tmp_path / "c"), tmp_path / "s", bounds=Bounds(at_once=1, grace=PATIENCE)) as service,
    ):
        page = window.visit(service)
        files = [{"name": f"{n}.txt", "mimeType": "text/plain", "buffer": weather(n).encode()} for n in range(4)]
        page.get_by_label("Files").set_input_files(files)
        page.click("#begin")
        model.await_requests(1)
        page.get_by_role("button", name="Cancel").click()
        page.locator("#told", has_text="Cancelled").wait_for()
        until(lambda: "mahdar_requests_under_way 1.0" in service.get("/metrics").text)
        assert len(model.requests) == 1
        held.set()
        window.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "fr", "ar"])
@pytest.mark.parametrize("width", [1280, 360])
def test_the_page_speaks_three_languages_on_every_screen(
    browser: Any, newsroom: Served, scheme: str, language: str, width: int
) -> None:
    options = {"locale": language, "color_scheme": scheme, "viewport": {"width": width, "height": 800}}
    window = Window(browser, **options)
    page = window.visit(newsroom)
    assert page.evaluate("[document.documentElement.lang, document.documentElement.dir]") == [
        language,
        "rtl" if language == "ar" else "ltr",
    ]
    page.fill("#text", ARTICLE)
    page.click("#begin")
    wait_for_records(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    words = page.locator("[data-t]").evaluate_all(
        "all => all.map((one) => one.dataset.t).filter((name) => !Page.has(name))"
    )
    assert words == []
    unnamed = page.locator("input:not([type=hidden]), select, textarea, button").evaluate_all(
        "all => all.filter((one) => !(one.labels?.length || one.textContent.trim())).map((one) => one.outerHTML)"
    )
    assert unnamed == []
    assert page.locator("#text, #begin, .aside, .card dt").evaluate_all(CONTRAST) == []
    window.context.close()
    assert window.faults == []


CONTRAST: Final = """all => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const channels = (colour) => {
    canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3).map((one) => one / 255);
  };
  const light = (colour) => {
    const [r, g, b] = channels(colour).map((one) => (one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (one) => {
    const colour = getComputedStyle(one).backgroundColor;
    return colour === "rgba(0, 0, 0, 0)" && one.parentElement ? behind(one.parentElement) : colour;
  };
  return all.filter((one) => one.offsetParent).map((one) => {
    const [front, back] = [light(getComputedStyle(one).color), light(behind(one))];
    return [one.outerHTML.slice(0, 60), (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05)];
  }).filter(([_, ratio]) => ratio < 4.5);
}"""
"""Elements whose words have less than 4.5 times the contrast of what is behind them (WCAG 2, 1.4.3)."""


def test_everything_is_done_by_keyboard(window: Window, newsroom: Served) -> None:
    page = window.visit(newsroom)
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "text":
            break
    page.keyboard.insert_text(ARTICLE)
    page.keyboard.press("Control+Enter")
    wait_for_records(page)
    page.locator("#found-title:focus").wait_for()  # a reader hears that there is something
    for wanted in ("save-json", "save-tables"):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.id") == wanted
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_nothing_of_an_article_runs(window: Window, newsroom: Served) -> None:
    page = window.visit(newsroom)
    files = [
        {
            "name": "<img src=x onerror=\"document.title='run'\">.txt",
            "mimeType": "text/plain",
            "buffer": HOSTILE.encode(),
        },
        {
            "name": "page.html",
            "mimeType": "text/html",
            "buffer": PAGE.encode(),
        },
    ]
    page.get_by_label("Files").set_input_files(files)
    page.fill("#text", HOSTILE)
    page.click("#begin")
    wait_for_records(page)
    shown = page.locator(".text").first.evaluate("one => one.textContent")
    assert "<script>document.title = 'run'</script>" in shown
    assert "⟦U+202E⟧" in shown
    assert "{{ 7 * 7 }}" in shown
    article = page.locator("article.article", has_text="page.html")  # of a saved page the article alone
    assert MET in article.locator(".text").evaluate("one => one.textContent")
    assert article.locator("mark[data-label=m1]").count() > 0
    assert (page.title(), page.locator("#articles script, #articles img").count()) == ("mahdar · mahdar", 0)


def test_an_article_of_twenty_megabytes_is_refused_before_it_is_sent(window: Window, newsroom: Served) -> None:
    page = window.visit(newsroom)
    page.get_by_label("Files").set_input_files(
        [{"name": "big.txt", "mimeType": "text/plain", "buffer": b"a" * 20_000_000}]
    )
    page.click("#begin")
    page.locator("#told", has_text="larger than 2 MB").wait_for()


def test_a_page_of_a_service_with_tokens_asks_for_one(browser: Any, tmp_path: Path) -> None:
    with (
        Endpoint(reads_well) as model,
        serving(configured(model, tmp_path), tmp_path / "s", tokens=f"desk:{SECRET}") as service,
    ):
        window = Window(browser)
        page = window.visit(service)
        page.fill("#text", ARTICLE)
        page.get_by_label("Token", exact=True).fill("something-else-entirely")
        page.click("#begin")
        page.locator("#told", has_text="unauthorized").wait_for()
        page.get_by_label("Token", exact=True).fill(SECRET)
        page.click("#begin")
        wait_for_records(page)
        assert SECRET not in page.content()
        window.context.close()


def test_the_description_for_people_needs_no_network(window: Window, newsroom: Served) -> None:
    page = window.visit(newsroom, "/docs")
    told = page.locator(".operation h2").all_inner_texts()
    assert told[0] == "POST /v1/extractions"
    assert {"POST /v1/jobs", "GET /v1/jobs/{job_id}/tables.zip", "GET /metrics"} <= set(told)
