"""The matrix of stances: holders by targets."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from mahdar.charts import chart
from mahdar.charts.figure import Figure
from mahdar.charts.tally import Key, Tally
from mahdar.charts.wording import Wording

HOLDERS: Final = 12
TARGETS: Final = 25
"""Holders and targets shown; a note gives the number of the others."""
STEP: Final = 24
COLUMN: Final = 40
LETTER: Final = 8
"""Pixels: least width of a column, and width of a letter in the widest cell."""
POLARITIES: Final = ("favor", "against", "neutral")
LEANINGS: Final = ("favor", "mostly_favor", "evenly", "mostly_against", "against", "neutral")
SIGNS: Final = {"favor": "+", "against": "−", "neutral": "±"}

Cell = Mapping[str, int]
"""Polarity → number of stances."""


def matrix(counted: Tally, words: Wording) -> Figure:
    """Return the most frequent holders and targets, with the number of stances by polarity."""
    all_holders, all_targets = _totals(counted.stands, 0), _totals(counted.stands, 1)
    holders = [key for key, _number in all_holders.most_common(HOLDERS)]
    about = _totals({key: number for key, number in counted.stands.items() if key[0] in holders}, 1)
    targets = [key for key, _number in about.most_common(TARGETS)]
    cells: dict[tuple[Key, Key], Counter[str]] = {}
    for (holder, target, polarity), number in counted.stands.items():
        if holder in holders and target in targets:
            cells.setdefault((holder, target), Counter())[polarity] += number
    holders = [holder for holder in holders if any((holder, target) in cells for target in targets)]
    notes = words.notes(other_holders=len(all_holders) - len(holders), other_targets=len(all_targets) - len(targets))
    names = [counted.actors.name(key) for key in holders], [counted.targets.name(key) for key in targets]
    numbered = {(holders.index(holder), targets.index(target)): cell for (holder, target), cell in cells.items()}
    return _figure(numbered, *names, words, notes)


def _totals(stands: Mapping[tuple[Key, Key, str], int], place: int) -> Counter[Key]:
    """Count the stances of each holder (0) or target (1), in an order that does not depend on the articles'."""
    totals: Counter[Key] = Counter()
    for key, number in sorted(stands.items()):
        totals[key[place]] += number
    return totals


def _figure(
    cells: Mapping[tuple[int, int], Cell],
    holders: Sequence[str],
    targets: Sequence[str],
    words: Wording,
    notes: tuple[str, ...],
) -> Figure:
    polarities = [words.say("polarity", name) for name in POLARITIES]
    headings = (*words.columns("holder", "target"), *polarities)
    ordered = sorted(cells.items(), key=lambda one: (one[0][0], one[0][1]))
    rows = tuple(
        dict(
            zip(headings, (holders[holder], targets[target], *(cell.get(name, 0) for name in POLARITIES)), strict=True)
        )
        for (holder, target), cell in ordered
    )
    across, below = chart.labels(holders), chart.labels(targets)
    values = [
        {
            "column": across[holder],
            "row": below[target],
            "leaning": words.say("leaning", _leaning(cell)),
            "text": " ".join(f"{SIGNS[name]}{cell[name]}" for name in POLARITIES if cell.get(name)),
        }
        for (holder, target), cell in ordered
    ]
    spec = _spec(values, across, below, words) if values else {}
    return chart.figure("matrix", words, spec, rows, columns=headings, notes=notes)


def _spec(values: Sequence[Mapping[str, str]], across: list[str], below: list[str], words: Wording) -> chart.Spec:
    leanings = [words.say("leaning", name) for name in LEANINGS]
    columns = across[::-1] if words.mirrored else across
    colour = chart.colours("leaning", leanings, "leaning", [value["leaning"] for value in values], words)
    turned = {**chart.GRID, "orient": "top", "labelAngle": -45, "labelAlign": "left"}
    return {
        "data": {"values": list(values)},
        "width": {"step": max(COLUMN, LETTER * max(len(value["text"]) for value in values))},
        "height": {"step": STEP},
        "encoding": {
            "x": chart.categories("column", columns, **turned),
            "y": chart.down("row", below, words, **chart.GRID),
        },
        "layer": [
            {"mark": {"type": "rect", "style": "tile"}, "encoding": {"color": colour}},
            {"mark": {"type": "text", "color": "#1a1a1a"}, "encoding": {"text": {"field": "text"}}},
        ],
    }


def _leaning(cell: Cell) -> str:
    """Classify a cell by its polarities; `mostly` means at least twice as often."""
    favor, against = cell.get("favor", 0), cell.get("against", 0)
    if not (favor and against):
        return "favor" if favor else "against" if against else "neutral"
    if favor >= 2 * against:
        return "mostly_favor"
    return "mostly_against" if against >= 2 * favor else "evenly"
