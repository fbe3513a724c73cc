"""Tables: a run for a reader, figures with their intervals, per field and per article."""

import os
import sys
from collections.abc import Iterator, Sequence
from statistics import fmean, stdev
from typing import Final

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from mahdar.documents.bidi import clean, own
from mahdar.evals.comparing.ablate import Variant
from mahdar.evals.comparing.agreement import Agreement
from mahdar.evals.comparing.figures import HEADLINES, figures
from mahdar.evals.running.runs import CaseResult, Run
from mahdar.evals.scorer.rates import FieldScore, RecordCounts, RecordRates
from mahdar.evals.scorer.scoring import Effort
from mahdar.evals.scorer.summary import SliceSummary, Summary, TypeSummary
from mahdar.evals.scorer.uncertainty import Interval
from mahdar.wording import cost

PIPED_WIDTH: Final = 120
"""Columns where no terminal says how many there are."""
FAILED: Final = 300
"""Characters of a failure's message."""


def console() -> Console:
    """Standard output, without colours for numbers."""
    free = sys.stdout.isatty() or "COLUMNS" in os.environ
    return Console(highlight=False, width=None if free else PIPED_WIDTH)


def run(made: Run) -> RenderableType:
    """Everything a run says of itself."""
    summary = made.summary
    return Group(
        *identity(made),
        headline(summary),
        *repeated(made),
        fields(summary),
        articles(made.outcomes, summary),
        *failures(made.outcomes),
        *remarks(made.outcomes, summary),
    )


def identity(made: Run) -> Iterator[RenderableType]:
    """Who made the records, by which prompts, and what they were scored by."""
    asked = made.asked
    yield Text(clean(f"{asked.system} · {asked.makers} · {made.run_mode} · {made.when:%Y-%m-%d %H:%M} UTC"), "bold")
    if asked.said:
        yield Text(clean(asked.said), "dim")
    yield from (Text(clean(f"{task}: {ref}"), "dim") for task, ref in asked.prompts.items())
    yield Text(f"scoring {made.scoring_version} sha256:{made.scoring_sha256[:12]}", "dim")


def headline(summary: Summary) -> Table:
    """Soft F1 with its interval, and what it is made of."""
    table = _table(
        "records", "soft F1", interval_name(summary), "P", "R", "F1", "quality", "aligned", "predicted", "gold"
    )
    table.add_row("meetings", *_records(summary.meetings))
    table.add_row("stances", *_records(summary.stances))
    table.add_row("  not affirming", *_slice(summary.stances_not_affirming))
    for value, score in summary.polarity.items():
        rates, counts = score.rates, score.counts
        numbers = (number(rates.precision), number(rates.recall), number(rates.f1))
        table.add_row(f"  {value}", "", "", *numbers, "", str(counts.right), str(counts.predicted), str(counts.gold))
    return table


def repeated(made: Run) -> Iterator[RenderableType]:
    """Mean and spread of the headlines, where a run was repeated."""
    if len(made.repeats) == 1:
        return
    found = [figures(summary) for summary in made.summaries]
    table = _table("repeats", "mean", "spread (SD)", "each")
    for name in HEADLINES:
        values = [one[name] for one in found]
        table.add_row(name, number(fmean(values)), number(stdev(values)), "  ".join(map(number, values)))
    yield table
    yield f"the other tables are of the first of {len(found)} repeats"


def fields(summary: Summary) -> Table:
    """Each field of each record type."""
    table = _table("field", "F1", "P", "R", "mean", "correct", "incorrect", "missing", "spurious")
    for name, records in (("meetings", summary.meetings), ("stances", summary.stances)):
        for field, score in records.fields.items():
            table.add_row(f"{name}: {field}", *_field(score))
        table.add_section()
    return table


def articles(outcomes: Sequence[CaseResult], summary: Summary) -> Table:
    """Each article, and the mean over articles."""
    table = _table("article", "meetings", "a/p/g", "stances", "a/p/g", "rejected", "tokens", "seconds")
    for one in outcomes:
        score, effort = one.score, one.score.effort
        rejected = str(len(one.extraction.rejected)) if one.extraction else "failed"
        table.add_row(
            own(one.document_id),
            number(score.meetings.rates.soft.f1),
            _counts(score.meetings.counts),
            number(score.stances.rates.soft.f1),
            _counts(score.stances.counts),
            rejected,
            f"{effort.tokens_in + effort.tokens_out:,}",
            f"{effort.seconds:.0f}",
        )
    table.add_section()
    table.add_row(
        "mean over articles",
        number(summary.meetings.macro.soft.f1),
        interval(summary.meetings.macro_interval),
        number(summary.stances.macro.soft.f1),
        interval(summary.stances.macro_interval),
    )
    return table


def failures(outcomes: Sequence[CaseResult]) -> Iterator[RenderableType]:
    """The articles without an extraction, and why."""
    for one in outcomes:
        if one.failed:
            said = clean(one.failed.message)[:FAILED]
            yield Text(f"{own(one.document_id)} failed and scores zero: {one.failed.failure}: {said}", "red")


def remarks(outcomes: Sequence[CaseResult], summary: Summary) -> Iterator[RenderableType]:
    """Grounding, rejects, effort."""
    found, effort = summary.grounding, summary.effort
    unchecked = f", {found.unchecked} unchecked" if found.unchecked else ""
    yield f"evidence   {found.exact} exact, {found.folded} folded, {found.not_found} not found{unchecked}"
    types = (summary.meetings, summary.stances)
    rejected = sum(len(one.extraction.rejected) for one in outcomes if one.extraction)
    noise, duplicates = sum(one.only_in_noise for one in types), sum(one.duplicates for one in types)
    yield f"records    {rejected} rejected, {duplicates} duplicates, {noise} resting on headlines or furniture alone"
    answered = f"{effort.valid_at_first} of {summary.articles} articles valid at the first try"
    yield f"answers    {answered}, {effort.calls} calls, {effort.reasks} re-asked, {summary.failed} articles failed"
    yield f"spent      {_spent(effort)}"


def number(value: float | None) -> str:
    """A score as papers write it: .412."""
    if value is None:
        return "–"
    text = f"{value:.3f}"
    return text.replace("0.", ".", 1) if abs(value) < 1 else text


def interval(found: Interval) -> str:
    """The bounds, or nothing where there are none."""
    if found.low is None or found.high is None:
        return "–"
    return f"[{number(found.low)}, {number(found.high)}]"


def interval_name(summary: Summary) -> str:
    """How the interval of the headline was computed."""
    found = summary.meetings.micro_interval
    return f"{found.level:.0%} ({found.method}, n={found.articles})"


def _table(first: str, *columns: str) -> Table:
    table = Table(box=box.HORIZONTALS, padding=(0, 1))
    table.add_column(first, overflow="fold")
    for name in columns:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _records(found: TypeSummary) -> tuple[str, ...]:
    soft, rest = _rates(found.micro)
    return soft, interval(found.micro_interval), *rest, *_numbers(found)


def _slice(found: SliceSummary) -> tuple[str, ...]:
    soft, rest = _rates(found.micro)
    return soft, "", *rest, *_numbers(found)


def _rates(rates: RecordRates) -> tuple[str, tuple[str, ...]]:
    records = rates.records
    rest = (number(records.precision), number(records.recall), number(records.f1), number(rates.quality))
    return number(rates.soft.f1), rest


def _numbers(found: TypeSummary | SliceSummary) -> tuple[str, str, str]:
    return str(found.counts.aligned), str(found.counts.predicted), str(found.counts.gold)


def _field(score: FieldScore) -> tuple[str, ...]:
    rates, counts = score.rates, score.counts
    shares = (number(rates.f1), number(rates.precision), number(rates.recall), number(score.mean))
    return *shares, str(counts.correct), str(counts.incorrect), str(counts.missing), str(counts.spurious)


def _counts(counts: RecordCounts) -> str:
    return f"{counts.aligned}/{counts.predicted}/{counts.gold}"


def _spent(effort: Effort) -> str:
    priced = cost(None if effort.unpriced else effort.cost)
    return f"{effort.tokens_in:,} + {effort.tokens_out:,} tokens, {priced}, {effort.seconds:.1f} s"


def agreement(found: Agreement) -> RenderableType:
    """Two annotators: the scorer both ways, and α."""
    scores = _table("records", "A is gold: soft F1", "B is gold: soft F1", "F1", "in A", "in both", "in B")
    for name in ("meetings", "stances"):
        forth, back = getattr(found.forth, name), getattr(found.back, name)
        counts = forth.counts
        shares = (number(forth.micro.soft.f1), number(back.micro.soft.f1), number(forth.micro.records.f1))
        scores.add_row(name, *shares, str(counts.gold), str(counts.aligned), str(counts.predicted))
    alphas = _table("closed field of records in both", "pairs", "agreed", "Krippendorff's α")
    for one in found.alphas:
        alphas.add_row(one.field, str(one.pairs), str(one.agreed), number(one.alpha))
    return Group(scores, alphas, f"{found.forth.articles} articles; α is – where all values are one")


def ablation(found: Sequence[tuple[Variant, Run]]) -> RenderableType:
    """Every variant on a row."""
    columns = ("meetings soft F1", "interval", "stances soft F1", "interval", "evidence", "failed", "tokens", "seconds")
    table = _table("variant", *columns)
    for variant, made in found:
        summary, effort = made.summary, made.summary.effort
        asked = (made.asked.makers, made.asked.mode or "")
        table.add_row(
            clean(" ".join((*variant.tasks, *asked))),
            number(summary.meetings.micro.soft.f1),
            interval(summary.meetings.micro_interval),
            number(summary.stances.micro.soft.f1),
            interval(summary.stances.micro_interval),
            number(figures(summary).get("evidence.found")),
            str(summary.failed),
            f"{effort.tokens_in + effort.tokens_out:,}",
            f"{effort.seconds:.0f}",
        )
    return Group(table, f"intervals: {interval_name(found[0][1].summary)}, the article as the unit")
