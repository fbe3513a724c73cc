"""Score linked records against labels, and gate the figures on accepted ones."""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations, product
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from mahdar.errors import UsageError
from mahdar.evals.linking.clusters import ClusterRates, b_cubed, of_pairs, pairwise
from mahdar.evals.linking.labels import FoundIds, LinkedArticle, LinkingLabels, Mentioned, located
from mahdar.runs.outputs import problem

TIE: Final = 1e-6
"""Difference that rounding makes. Linking is deterministic: a figure falls further only if something was changed."""
Item = TypeVar("Item", bound=Hashable)


@dataclass(frozen=True, slots=True)
class LinkingScore:
    """Score of linked records.

    Attributes:
        rates: name → rates: `actors pairwise`, `actors B³`, `actors hard`, `events pairwise`, …
        cases: case → number of hard pairs by result.
        errors: one line for each pair that is wrongly joined or left apart.
        left_out: name → number of labelled items without a record.
    """

    rates: dict[str, ClusterRates] = field(default_factory=dict)
    cases: dict[str, Counter[str]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)

    @property
    def figures(self) -> dict[str, float]:
        """All rates by name, rounded for the gate."""
        return {
            f"{name} {part}": round(value, 6)
            for name, rates in self.rates.items()
            for part, value in (("precision", rates.precision), ("recall", rates.recall), ("F1", rates.f1))
        }


class LinkingBaseline(BaseModel):
    """Accepted figures by label file and split."""

    model_config = ConfigDict(frozen=True)

    sets: Mapping[str, Mapping[str, float]] = {}


def score(labels: LinkingLabels, articles: Mapping[str, LinkedArticle], split: str | None = None) -> LinkingScore:
    """Score linked records.

    Args:
        labels: actors, events or both.
        articles: linked records by article.
        split: count only the actors, pairs and events of this half.
    """
    found = located(labels, articles)
    result = LinkingScore()
    if labels.actors:
        _score_actors(labels, found, split, result)
    if labels.events:
        _score_events(labels, found, split, result)
    return result


def fallen(score: LinkingScore, accepted: Mapping[str, float]) -> Iterator[str]:
    """Yield a line for each figure that fell below the accepted one."""
    for name, value in accepted.items():
        now = score.figures.get(name, 0.0)
        if value - now > TIE:
            yield f"{name}: {value:.3f} → {now:.3f}"


def read_baseline(path: Path) -> LinkingBaseline:
    """Read accepted figures.

    Raises:
        UsageError: the file cannot be read, or has no accepted figures.
    """
    try:
        return LinkingBaseline.model_validate_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}; --accept writes one") from None
    except ValidationError as error:
        raise UsageError(f"{path}: no accepted figures of linking: {problem(error)}") from None


def _score_actors(labels: LinkingLabels, found: FoundIds, split: str | None, result: LinkingScore) -> None:
    gold = {
        mention.key: actor.id for actor in labels.actors if split in {None, actor.split} for mention in actor.mentions
    }
    _score_clusters("actors", gold, found.mentions, result)
    if labels.pairs:
        chosen = [pair for pair in labels.pairs if split in {None, pair.split}]
        _score_pairs(
            "actors hard", ((pair.case, pair.a.key, pair.b.key, pair.same) for pair in chosen), found.mentions, result
        )


def _score_events(labels: LinkingLabels, found: FoundIds, split: str | None, result: LinkingScore) -> None:
    chosen = {event.id: event for event in labels.events if split in {None, event.split}}
    gold = {meeting: event.id for event in chosen.values() for meeting in event.meetings}
    _score_clusters("events", gold, found.meetings, result)
    pairs: list[tuple[str, Any, Any, bool]] = [
        (case, a, b, True)
        for event in chosen.values()
        for case in event.cases
        for a, b in combinations(event.meetings, 2)
    ]
    everything = {event.id: event for event in labels.events}
    pairs += [
        (look.case, a, b, False)
        for look in labels.look_alikes
        if split in {None, look.split}
        for one, other in combinations(look.events, 2)
        for a, b in product(everything[one].meetings, everything[other].meetings)
    ]
    if labels.look_alikes:
        _score_pairs("events hard", pairs, found.meetings, result)
    result.left_out["meetings in records without a label"] = str(found.unlabelled)


def _score_clusters(name: str, gold: Mapping[Item, str], found: Mapping[Item, str], result: LinkingScore) -> None:
    there = {item: cluster for item, cluster in gold.items() if item in found}
    put = {item: found[item] for item in there}
    result.rates[f"{name} pairwise"] = pairwise(there, put)
    result.rates[f"{name} B³"] = b_cubed(there, put)
    result.left_out[name] = f"{len(gold) - len(there)} of {len(gold)}"
    for a, b in combinations(there, 2):
        if (there[a] == there[b]) != (put[a] == put[b]):
            result.errors.append(f"{name}: {'apart' if there[a] == there[b] else 'joined'}: {_told(a)} and {_told(b)}")


def _score_pairs(
    name: str, pairs: Iterable[tuple[str, Item, Item, bool]], found: Mapping[Item, str], result: LinkingScore
) -> None:
    by_case = defaultdict[str, list[tuple[Item, Item, bool]]](list)
    every: dict[tuple[Item, Item, bool], None] = {}
    for case, a, b, same in pairs:
        by_case[f"{name}, {'one' if same else 'two'}: {case}"].append((a, b, same))
        every[a, b, same] = None
    result.rates[name], _ = of_pairs(every, found)
    for case, members in by_case.items():
        result.cases[case] = of_pairs(members, found)[1]


def _told(item: Any) -> str:
    if isinstance(item, Mentioned):
        return f"{item.document_id}: {item.name}"
    return f"{item.document_id}: {item.meeting or ', '.join(item.principals)} {item.day or ''}"
