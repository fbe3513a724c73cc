"""Implement `mahdar extract --dry-run`: estimate requests, tokens and cost for each model, without a call."""

import operator
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from mahdar.documents.document import BadInput, Document
from mahdar.errors import BadInputError
from mahdar.limits.estimate import OUTPUT_RATIO
from mahdar.llm.endpoint import OPENAI
from mahdar.llm.forecast import Forecast
from mahdar.service import Extractor
from mahdar.settings import Settings
from mahdar.wording import counted

HEADINGS: Final = ("made by", "requests", "cached", "to ask", "tokens in", "tokens out", "cost", "at most")
METHOD: Final = (
    "Tokens are estimated by the characters of each script, rather too many than too few; an answer counts as "
    f"{OUTPUT_RATIO:g} times its article. At most: every request asked twice, every answer as long as allowed. "
    "Nothing was asked."
)


def assumed(settings: Settings) -> Settings:
    """Return the settings to estimate with: a model without an endpoint is assumed to be OpenAI's."""
    if settings.offline or settings.embedded:
        return settings
    return replace(settings, base_url=settings.base_url or OPENAI)


def estimated(models: Iterable[Extractor], documents: Iterable[Document | BadInput]) -> Iterator[str]:
    """Yield the lines of the report. The documents are iterated once, since standard input cannot be read twice."""
    asked = tuple(models)
    totals, unread = [Forecast()] * len(asked), 0
    for document in documents:
        try:
            if isinstance(document, Document):
                each = [mahdar.forecast(document) for mahdar in asked]
                totals = list(map(operator.add, totals, each))
                continue
        except BadInputError:
            pass
        unread += 1
    yield counted(totals[0].articles, "article") + (f", {unread:,} cannot be read" if unread else "")
    yield from _table([HEADINGS, *map(_row, asked, totals)])
    yield METHOD


def _row(mahdar: Extractor, total: Forecast) -> tuple[str, ...]:
    counts = (total.requests, total.cached, total.requests - total.cached, total.tokens_in, total.tokens_out)
    known = mahdar.price is not None or total.requests == total.cached
    costs = (f"${total.cost:,.2f}", f"${total.most_cost:,.2f}") if known else ("unknown", "unknown")
    makers = ", ".join(dict.fromkeys(maker.name for maker in mahdar.made_by.values()))
    return (makers, *(f"{count:,}" for count in counts), *costs)


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for name, *figures in rows:
        cells = (figure.rjust(width) for figure, width in zip(figures, widths[1:], strict=True))
        yield "  ".join((name.ljust(widths[0]), *cells))
