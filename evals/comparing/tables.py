"""Render a comparison of runs as tables: figures, articles, and the records that changed, side by side."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from mahdar.documents.bidi import Bidi, clean, isolated
from mahdar.evals.comparing.compare import Move, RecordChange, RunComparison
from mahdar.evals.comparing.figures import HEADLINES
from mahdar.evals.running.runs import Run
from mahdar.evals.scorer.uncertainty import Comparison
from mahdar.evals.tables import figures_table, interval, interval_name, number

HASH: Final = re.compile(r"\b([0-9a-f]{8})[0-9a-f]{56}\b")


def comparison(found: RunComparison, before: Run, after: Run) -> RenderableType:
    """Return tables of everything that differs between two runs."""
    same = not (found.moves or found.changes or found.articles)
    parts: list[RenderableType] = [*_asked(before, after)]
    parts += [_test(name, test) for name, test in found.tests.items()]
    if same:
        return Group(*parts, "no figure and no record differs")
    return Group(*parts, _moves("figure", found.moves), _articles(found), *_records(found.changes))


def headlines(*made: Run) -> Table:
    """Return soft F1 of runs with its interval, one run a row."""
    of = made[0].summary
    table = figures_table("made by", "meetings soft F1", interval_name(of), "stances soft F1", interval_name(of))
    for run in made:
        records = (run.summary.meetings, run.summary.stances)
        cells = [cell for one in records for cell in (number(one.micro.soft.f1), interval(one.micro_interval))]
        table.add_row(clean(run.asked.makers), *cells)
    return table


def signed(value: float) -> str:
    """Format a difference with its sign."""
    if not round(value, 3):
        return "±.000"
    return f"+{number(value)}" if value > 0 else number(value).replace("-", "−")


def _asked(before: Run, after: Run) -> Iterator[RenderableType]:
    for name, run in (("A", before), ("B", after)):
        yield Text(clean(f"{name}  {run.heading}"), "bold")
    ours, theirs = (dict(_flat(run.asked.model_dump(exclude={"said"}))) for run in (before, after))
    for name in {**ours, **theirs}:
        if ours.get(name) != theirs.get(name):
            yield Text(clean(f"{name}: {ours.get(name, '–')} → {theirs.get(name, '–')}"), "dim")


def _flat(asked: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield every part by its dotted name, hashes cut to 8 digits."""
    for name, value in asked.items():
        if isinstance(value, Mapping):
            yield from _flat({f"{name}.{key}": part for key, part in value.items()})
        else:
            yield name, HASH.sub(r"\1", str(value))


def _test(name: str, test: Comparison) -> str:
    tried = "all exchanges" if test.exact else "a sample of the exchanges"
    ties = test.articles - test.wins - test.losses
    told = (
        f"{name}: soft F1 {signed(test.difference)}; {test.wins} articles won, {test.losses} lost, {ties} even; "
        f"paired permutation of {test.articles} articles, {tried}: p = {test.p_value:.4g}"
    )
    return f"{told}\n   {test.note}" if test.note else told


def _moves(first: str, moves: Sequence[Move]) -> Table:
    table = figures_table(first, "A", "B", "B − A")
    for move in sorted(moves, key=lambda one: one.difference):
        table.add_row(move.figure, number(move.before), number(move.after), signed(move.difference))
    return table


def _articles(found: RunComparison) -> Table:
    """Return the headlines of each article that differs, and how many of its figures rose and fell."""
    table = figures_table(
        "article", *(f"{name} {side}" for name in HEADLINES for side in ("A", "B")), "figures up", "down"
    )
    for article, moves in found.articles.items():
        by_name = {move.figure: move for move in moves}
        cells = [number(value) for name in HEADLINES for value in (by_name[name].before, by_name[name].after)]
        up, down = sum(move.difference > 0 for move in moves), sum(move.difference < 0 for move in moves)
        table.add_row(isolated(article), *cells, str(up), str(down))
    return table


def _records(changes: Sequence[RecordChange]) -> Iterator[RenderableType]:
    if not changes:
        return
    table = Table(box=box.HORIZONTALS, padding=(0, 1), show_lines=True)
    for name in ("record", "labels", "A", "B"):
        table.add_column(name, overflow="fold", ratio=None if name == "record" else 1)
    for change in changes:
        named = f"{isolated(change.article)} {change.gold.id}" if change.gold else isolated(change.article)
        moved = "{:.2f} → {:.2f}".format(*change.worth) if change.gold else "made up"
        cells = (gist(record) if record else "–" for record in (change.gold, change.before, change.after))
        table.add_row(Bidi("\n".join((named, moved, *change.fields))), *map(Bidi, cells))
    yield table


def gist(record: Any) -> str:
    """Return the fields that tell a label or prediction from others, one a line."""
    return "\n".join(part for part in (_stance(record) if hasattr(record, "act") else _meeting(record)) if part)


def _meeting(record: Any) -> Iterator[str]:
    yield f"{record.kind} · {record.status} · {record.channel}"
    yield from (f"{isolated(actor.name)} · {actor.country or '–'} · {actor.capacity}" for actor in record.participants)
    date, place = record.date, record.place
    yield f"{date.value or 'no value'} {isolated(date.text or '')}" if date else ""
    spot = [isolated(place.city)] if place and place.city else []
    spot += [place.country] if place and place.country else []
    yield " · ".join(spot)


def _stance(record: Any) -> Iterator[str]:
    yield f"{record.act} · {record.polarity} · {record.speech}"
    yield from (isolated(actor.name) for actor in record.holders)
    yield f"→ {isolated(record.target.text)}"
    yield isolated(record.proposition)
