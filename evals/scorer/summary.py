"""Add the scores of a run's articles up: micro and macro rates with intervals."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import TypeVar

from mahdar.evals.scorer.config import SCORING, Scoring
from mahdar.evals.scorer.grounding import Grounding
from mahdar.evals.scorer.rates import ClassScore, Counts, FieldScore, RecordCounts, RecordRates
from mahdar.evals.scorer.scoring import ArticleScore, Effort, Slice, TypeScore
from mahdar.evals.scorer.uncertainty import Interval, RecordType, macro_interval, micro_interval, rows

AnyCounts = TypeVar("AnyCounts", bound=Counts)


@dataclass(frozen=True, slots=True)
class SliceSummary:
    """Score of a part of a run's records."""

    counts: RecordCounts
    micro: RecordRates
    macro: RecordRates


@dataclass(frozen=True, slots=True)
class TypeSummary:
    """Score of a run's records of one type."""

    counts: RecordCounts
    micro: RecordRates
    macro: RecordRates
    micro_interval: Interval
    """interval of micro soft F1, the headline"""
    macro_interval: Interval
    """interval of the mean of the articles' soft F1"""
    fields: Mapping[str, FieldScore]
    duplicates: int
    only_in_noise: int


@dataclass(frozen=True, slots=True)
class Summary:
    """Score of a run, with the version of the scoring and the scores of its articles."""

    scoring_version: str
    scoring_sha256: str
    articles: int
    failed: int
    meetings: TypeSummary
    stances: TypeSummary
    stances_not_affirming: SliceSummary
    polarity: Mapping[str, ClassScore]
    grounding: Grounding
    effort: Effort
    per_article: tuple[ArticleScore, ...]


def summarise(articles: Iterable[ArticleScore], scoring: Scoring = SCORING) -> Summary:
    """Summarise the articles of a run.

    Args:
        articles: one score for each article, failed ones included.
        scoring: weights and thresholds that they were scored with.

    Raises:
        ValueError: there is no article, one is given twice, or one was scored with other weights.
    """
    scored = tuple(articles)
    _check(scored, scoring)
    return Summary(
        scoring_version=scoring.version,
        scoring_sha256=scoring.sha256,
        articles=len(scored),
        failed=sum(article.failed for article in scored),
        meetings=_type_summary(scored, "meetings", scoring),
        stances=_type_summary(scored, "stances", scoring),
        stances_not_affirming=_slice_summary([article.stances_not_affirming for article in scored]),
        polarity={
            value: ClassScore.of(_total([article.polarity[value].counts for article in scored]))
            for value in scored[0].polarity
        },
        grounding=_total([article.grounding for article in scored]),
        effort=_total([article.effort for article in scored]),
        per_article=scored,
    )


def _check(scored: Sequence[ArticleScore], scoring: Scoring) -> None:
    if not scored:
        raise ValueError("no articles: a run has a score for each, failed ones included")
    names = [article.document_id for article in scored]
    twice = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    if twice:
        raise ValueError(f"document_id {twice[0]!r} is scored twice: one score an article")
    others = [article for article in scored if article.scoring_sha256 != scoring.sha256]
    if others:
        raise ValueError(
            f"{others[0].document_id}: scored by {others[0].scoring_sha256}, not {scoring.sha256}: rescore"
        )


def _type_summary(scored: Sequence[ArticleScore], records: RecordType, scoring: Scoring) -> TypeSummary:
    scores: list[TypeScore] = [getattr(article, records) for article in scored]
    total = _slice_summary(scores)
    found = rows(scored, records)
    return TypeSummary(
        counts=total.counts,
        micro=total.micro,
        macro=total.macro,
        micro_interval=micro_interval(found, scoring.resampling),
        macro_interval=macro_interval(found, scoring.resampling),
        fields={
            name: FieldScore.of(_total([score.fields[name].counts for score in scores])) for name in scores[0].fields
        },
        duplicates=sum(len(score.duplicates) for score in scores),
        only_in_noise=sum(len(score.only_in_noise) for score in scores),
    )


def _slice_summary(scores: Sequence[TypeScore | Slice]) -> SliceSummary:
    counts = _total([score.counts for score in scores])
    return SliceSummary(counts, RecordRates.of(counts), RecordRates.mean(score.rates for score in scores))


def _total(counts: Sequence[AnyCounts]) -> AnyCounts:
    return reduce(add, counts)
