"""Render a run as tables for the terminal: figures with their intervals, fields and articles."""

import os
import sys
from collections.abc import Iterator, Sequence
from statistics import fmean, stdev
from typing import Final

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from mahdar.documents.bidi import clean, isolated
from mahdar.evals.comparing.ablate import Variant
from mahdar.evals.comparing.agreement import Agreement
from mahdar.evals.comparing.figures import HEADLINES, figures
from mahdar.evals.running.runs import CaseResult, Run
from mahdar.evals.scorer.rates import RecordCounts
from mahdar.evals.scorer.summary import SliceSummary, Summary, TypeSummary
from mahdar.evals.scorer.uncertainty import Interval
from mahdar.wording import cost

PIPED_WIDTH: Final = 120
"""Columns of the output if it is no terminal."""
FAILED: Final = 300
"""Characters shown of a failure's message."""


def console() -> Console:
    """Return a console on standard output that does not colour numbers."""
    free = sys.stdout.isatty() or "COLUMNS" in os.environ
    return Console(highlight=False, width=None if free else PIPED_WIDTH)


def run(made: Run) -> RenderableType:
    """Return all tables of a run."""
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
    """Yield who made the records, with which prompts, and the version of the scoring."""
    yield Text(clean(made.heading), "bold")
    if made.asked.said:
        yield Text(clean(made.asked.said), "dim")
    yield from (Text(clean(f"{task}: {ref}"), "dim") for task, ref in made.asked.prompts.items())
    yield Text(f"scoring {made.scoring_version} sha256:{made.scoring_sha256[:12]}", "dim")


def headline(summary: Summary) -> Table:
    """Return soft F1 with its interval, and precision, recall, F1, quality and counts."""
    table = figures_table(
        "records", "soft F1", interval_name(summary), "P", "R", "F1", "quality", "aligned", "predicted", "gold"
    )
    rows: list[tuple[str, TypeSummary | SliceSummary, str]] = [
        ("meetings", summary.meetings, interval(summary.meetings.micro_interval)),
        ("stances", summary.stances, interval(summary.stances.micro_interval)),
        ("  not affirming", summary.stances_not_affirming, ""),
    ]
    for name, found, bounds in rows:
        shares = (
            found.micro.records.precision,
            found.micro.records.recall,
            found.micro.records.f1,
            found.micro.quality,
        )
        sizes = (found.counts.aligned, found.counts.predicted, found.counts.gold)
        table.add_row(name, number(found.micro.soft.f1), bounds, *map(number, shares), *map(str, sizes))
    for value, score in summary.polarity.items():
        rates, counts = score.rates, score.counts
        numbers = (number(rates.precision), number(rates.recall), number(rates.f1))
        table.add_row(f"  {value}", "", "", *numbers, "", str(counts.right), str(counts.predicted), str(counts.gold))
    return table


def repeated(made: Run) -> Iterator[RenderableType]:
    """Yield mean and spread of the headlines if a run was repeated."""
    if len(made.repeats) == 1:
        return
    found = [figures(summary) for summary in made.summaries]
    table = figures_table("repeats", "mean", "spread (SD)", "each")
    for name in HEADLINES:
        values = [one[name] for one in found]
        table.add_row(name, number(fmean(values)), number(stdev(values)), "  ".join(map(number, values)))
    yield table
    yield f"the other tables are of the first of {len(found)} repeats"


def fields(summary: Summary) -> Table:
    """Return the score of each field."""
    table = figures_table("field", "F1", "P", "R", "mean", "correct", "incorrect", "missing", "spurious")
    for name, records in (("meetings", summary.meetings), ("stances", summary.stances)):
        for field, score in records.fields.items():
            rates, counts = score.rates, score.counts
            shares = (rates.f1, rates.precision, rates.recall, score.mean)
            sizes = (counts.correct, counts.incorrect, counts.missing, counts.spurious)
            table.add_row(f"{name}: {field}", *map(number, shares), *map(str, sizes))
        table.add_section()
    return table


def articles(outcomes: Sequence[CaseResult], summary: Summary) -> Table:
    """Return the score of each article, and the mean over articles."""
    table = figures_table("article", "meetings", "a/p/g", "stances", "a/p/g", "rejected", "tokens", "seconds")
    for one in outcomes:
        score, effort = one.score, one.score.effort
        rejected = str(len(one.extraction.rejected)) if one.extraction else "failed"
        table.add_row(
            isolated(one.document_id),
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
    """Yield the articles without an extraction, with the reason."""
    for one in outcomes:
        if one.failed:
            said = clean(one.failed.message)[:FAILED]
            yield Text(f"{isolated(one.document_id)} failed and scores zero: {one.failed.failure}: {said}", "red")


def remarks(outcomes: Sequence[CaseResult], summary: Summary) -> Iterator[RenderableType]:
    """Yield counts of evidence, rejected records, calls, tokens, cost and seconds."""
    found, effort = summary.grounding, summary.effort
    unchecked = f", {found.unchecked} unchecked" if found.unchecked else ""
    yield f"evidence   {found.exact} exact, {found.folded} folded, {found.not_found} not found{unchecked}"
    types = (summary.meetings, summary.stances)
    rejected = sum(len(one.extraction.rejected) for one in outcomes if one.extraction)
    noise, duplicates = sum(one.only_in_noise for one in types), sum(one.duplicates for one in types)
    yield f"records    {rejected} rejected, {duplicates} duplicates, {noise} resting on headlines or furniture alone"
    answered = f"{effort.valid_at_first} of {summary.articles} articles valid at the first try"
    yield f"answers    {answered}, {effort.calls} calls, {effort.reasks} re-asked, {summary.failed} articles failed"
    priced = cost(None if effort.unpriced else effort.cost)
    yield f"spent      {effort.tokens_in:,} + {effort.tokens_out:,} tokens, {priced}, {effort.seconds:.1f} s"


def number(value: float | None) -> str:
    """Format a score without the leading zero: `.412`; None is `–`."""
    if value is None:
        return "–"
    text = f"{value:.3f}"
    return text.replace("0.", ".", 1) if abs(value) < 1 else text


def interval(found: Interval) -> str:
    """Format the bounds of an interval; `–` if it has none."""
    if found.low is None or found.high is None:
        return "–"
    return f"[{number(found.low)}, {number(found.high)}]"


def interval_name(summary: Summary) -> str:
    """Return level, method and number of articles of the headline's interval."""
    found = summary.meetings.micro_interval
    return f"{found.level:.0%} ({found.method}, n={found.articles})"


def figures_table(first: str, *columns: str) -> Table:
    """Return an empty table with a column of names and columns of numbers."""
    table = Table(box=box.HORIZONTALS, padding=(0, 1))
    table.add_column(first, overflow="fold")
    for name in columns:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _counts(counts: RecordCounts) -> str:
    return f"{counts.aligned}/{counts.predicted}/{counts.gold}"


def agreement(found: Agreement) -> RenderableType:
    """Return the scores of two annotators against each other, and α for each closed field."""
    scores = figures_table("records", "A is gold: soft F1", "B is gold: soft F1", "F1", "in A", "in both", "in B")
    for name in ("meetings", "stances"):
        forth, back = getattr(found.forth, name), getattr(found.back, name)
        counts = forth.counts
        shares = (number(forth.micro.soft.f1), number(back.micro.soft.f1), number(forth.micro.records.f1))
        scores.add_row(name, *shares, str(counts.gold), str(counts.aligned), str(counts.predicted))
    alphas = figures_table("closed field of records in both", "pairs", "agreed", "Krippendorff's α")
    for one in found.alphas:
        alphas.add_row(one.field, str(one.pairs), str(one.agreed), number(one.alpha))
    return Group(scores, alphas, f"{found.forth.articles} articles; α is – if all values are equal")


def ablation(found: Sequence[tuple[Variant, Run]]) -> RenderableType:
    """Return the scores of all variants, one a row."""
    columns = ("meetings soft F1", "interval", "stances soft F1", "interval", "evidence", "failed", "tokens", "seconds")
    table = figures_table("variant", *columns)
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
