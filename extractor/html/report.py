"""Render a file of extractions as report pages."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from markupsafe import Markup

from mahdar.errors import UsageError
from mahdar.html import page, payload
from mahdar.html.page import Language, PageSource
from mahdar.html.pictures import drawable, pictures
from mahdar.html.texts import Texts
from mahdar.runs.outputs import Output, Outputs
from mahdar.wording import installed_version

SOURCE: Final = PageSource("mahdar.html", "report.html.j2", ("page.css", "report.css"), ("page.js", "report.js"))
COUNTED: Final = ("articles", "meetings", "stances", "further", "rejected")
MOST_ARTICLES: Final = 2_000
MOST_BYTES: Final = 27_000_000
"""Most bytes of articles on a page, so that browsers open it quickly; the rest of a page adds 1 to 2 MB."""


@dataclass(frozen=True, slots=True)
class PagePart:
    """The articles of one page, each as JSON."""

    articles: tuple[str, ...]
    first: int
    """number of the first article, from 1"""

    @property
    def last(self) -> int:
        """Number of the last article."""
        return self.first + len(self.articles) - 1


@dataclass(slots=True)
class ReportTotals:
    """Counts over all articles of a report."""

    totals: Counter[str] = field(default_factory=Counter)
    absences: Counter[str] = field(default_factory=Counter)
    makers: Counter[str] = field(default_factory=Counter)
    prompts: dict[str, None] = field(default_factory=dict)
    ids: Counter[str] = field(default_factory=Counter)

    def add(self, output: Output, presence: str) -> None:
        """Count an article."""
        found = output.extraction
        self.totals.update(articles=1, meetings=len(found.meetings), stances=len(found.stances))
        self.totals.update(further=sum(map(len, found.more.values())), rejected=len(found.rejected))
        self.absences.update([presence])
        self.makers.update(set(found.provenance.made_by.values()))
        self.prompts.update(dict.fromkeys(found.provenance.prompts.values()))
        self.ids.update([found.document_id])

    @property
    def doubled(self) -> int:
        """Articles whose id an earlier one has."""
        return sum(count - 1 for count in self.ids.values())


def report(
    outputs: Outputs,
    texts: Texts,
    *,
    name: str = "report.html",
    language: Language = "en",
    most_articles: int = MOST_ARTICLES,
    draw: bool = True,
) -> Iterator[tuple[str, str]]:
    """Yield the pages of a report: one, or several if there are too many articles for one.

    Args:
        outputs: the extractions.
        texts: the known texts of their articles.
        name: file name of the first page; the second of `report.html` is `report-2.html`.
        language: of the interface when a page opens.
        most_articles: most articles on one page.
        draw: whether to draw pictures, if the extra `report` is installed.

    Yields:
        A page's file name, and its HTML.

    Raises:
        UsageError: the file cannot be read, or has no extraction and no failure.
    """
    tally, articles = ReportTotals(), list[str]()
    for output in outputs:
        text, presence = texts.find(output.extraction)
        tally.add(output, presence)
        articles.append(payload.safe_json(payload.article(output.extraction, text, presence)))
    failures = tuple(outputs.failures())
    if not articles and not failures:
        raise UsageError(f"{outputs.path}: no extraction in it; name what `mahdar extract -o` wrote")
    parts = tuple(split(articles, most_articles))
    names = [Path(name).with_stem(f"{Path(name).stem}-{number}").name for number in range(2, len(parts) + 1)]
    names = [Path(name).name, *names]
    shared: dict[str, Any] = {
        "title": outputs.path.name,
        "parts": names,
        "failures": failures,
        "pictures": pictures((output.extraction for output in outputs), draw=draw and drawable()),
        "undrawable": draw and not drawable(),
        "version": installed_version(""),
        "totals": {**{kind: tally.totals[kind] for kind in COUNTED}, "failed": len(failures)},
        "absences": {kind: tally.absences[kind] for kind in ("absent", "other")},
        "doubled": tally.doubled,
        "makers": tally.makers,
        "prompts": list(tally.prompts),
    }
    for number, part in enumerate(parts, start=1):
        payloads = Markup(f"[{','.join(part.articles)}]")  # noqa: S704  # each was escaped for a script element
        values = {"part": number, "first": part.first, "last": part.last, "payload": payloads}
        yield names[number - 1], page.render(SOURCE, language=language, **shared, **values)


def split(articles: Sequence[str], most_articles: int, most_bytes: int = MOST_BYTES) -> Iterator[PagePart]:
    """Distribute articles over pages, in order."""
    held: list[str] = []
    first, size = 1, 0
    for text in articles:
        length = len(text.encode())
        if held and (len(held) == most_articles or size + length > most_bytes):
            yield PagePart(tuple(held), first)
            first, size, held = first + len(held), 0, []
        held.append(text)
        size += length
    yield PagePart(tuple(held), first)
