"""Measure the agreement of two annotators, by the scorer and by Krippendorff's α on closed fields."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mahdar.errors import UsageError
from mahdar.evals.running.corpus import Case, read_corpus
from mahdar.evals.scorer.scoring import ArticleScore, score_article
from mahdar.evals.scorer.summary import Summary, summarise
from mahdar.evals.scorer.uncertainty import RecordType
from mahdar.schemas.labels import as_extraction

CLOSED: Final[Mapping[RecordType, tuple[str, ...]]] = {
    "meetings": ("kind", "channel", "status"),
    "stances": ("polarity", "act", "speech", "holder_mode"),
}
Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Alpha:
    """Agreement on one closed field, beyond chance.

    Attributes:
        alpha: 1 if both always agree, 0 if as often as by chance; None if all values are equal.
        pairs: values of both annotators, of records that both have.
        agreed: pairs with equal values.
    """

    field: str
    pairs: int
    agreed: int
    alpha: float | None


@dataclass(frozen=True, slots=True)
class Agreement:
    """Agreement of two sets of labels of the same articles.

    Attributes:
        forth: score of the second against the first.
        back: score of the first against the second.
        alphas: one for each closed field.
    """

    forth: Summary
    back: Summary
    alphas: tuple[Alpha, ...]


def agreement(first: Path, second: Path, articles: Path) -> Agreement:
    """Compare two folders of labels.

    Raises:
        UsageError: a file is invalid, or the folders are of different articles.
    """
    ours, theirs = read_corpus_of(first, articles, second), read_corpus_of(second, articles, first)
    forth = [_score(one, other) for one, other in zip(ours, theirs, strict=True)]
    back = [_score(other, one) for one, other in zip(ours, theirs, strict=True)]
    pairs = list(zip(ours, theirs, forth, strict=True))
    alphas = []
    for records, fields in CLOSED.items():
        for field in fields:
            values = [pair for found in pairs for pair in _values(*found, records, field)]
            agreed = sum(one == other for one, other in values)
            alphas.append(Alpha(f"{records}.{field}", len(values), agreed, krippendorff(values)))
    return Agreement(summarise(forth), summarise(back), tuple(alphas))


def read_corpus_of(labels: Path, articles: Path, other: Path) -> tuple[Case, ...]:
    """Read the labels of one annotator.

    Raises:
        UsageError: one annotator has labelled an article that the other has not.
    """
    for one, another in ((labels, other), (other, labels)):
        apart = sorted({file.name for file in one.glob("*.json")} - {file.name for file in another.glob("*.json")})
        if apart:
            raise UsageError(
                "\n".join(f"{one / name}: not in {another}: label it there too, or move it away" for name in apart)
            )
    return read_corpus(articles, labels, partly=True)


def krippendorff(pairs: Pairs) -> float | None:
    """Return α for two coders, nominal values and no missing ones (Krippendorff, Content Analysis, 2019, ch. 12).

    None if all values are equal, since α is then 0/0.
    """
    counts = Counter(value for pair in pairs for value in pair)
    total = counts.total()
    by_chance = total * total - sum(count * count for count in counts.values())
    if not by_chance:
        return None
    observed = 2 * sum(one != other for one, other in pairs)
    return 1 - (total - 1) * observed / by_chance


def _score(gold: Case, predicted: Case) -> ArticleScore:
    text = gold.document.text
    return score_article(gold.labels, as_extraction(predicted.labels, text), text)


def _values(one: Case, other: Case, score: ArticleScore, records: RecordType, field: str) -> Iterable[tuple[str, str]]:
    """Return both annotators' values of a field, for records that both have."""
    ours, theirs = ({record.id: record for record in getattr(case.labels, records)} for case in (one, other))
    pairs = getattr(score, records).pairs
    return [(getattr(ours[pair.gold], field), getattr(theirs[pair.predicted], field)) for pair in pairs]
