"""Counts that add up over articles, and the precision, recall and F1 that follow from them."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from statistics import fmean
from typing import Self


@dataclass(frozen=True, slots=True)
class Counts:
    """Numbers that are added field by field."""

    def __add__(self, other: Self) -> Self:
        names = [field.name for field in fields(self)]
        return type(self)(*(getattr(self, name) + getattr(other, name) for name in names))


@dataclass(frozen=True, slots=True)
class Rates:
    """Precision, recall and F1, each from 0 to 1."""

    precision: float
    recall: float
    f1: float

    @classmethod
    def of(cls, right: float, predicted: int, gold: int) -> "Rates":
        """Return the rates; all are 1 if there is nothing to find and nothing was found."""
        if not predicted + gold:
            return cls(1.0, 1.0, 1.0)
        return cls(
            right / predicted if predicted else 0.0, right / gold if gold else 0.0, 2 * right / (predicted + gold)
        )


@dataclass(frozen=True, slots=True)
class RecordCounts(Counts):
    """Records of one type: aligned |A|, predicted |P|, gold |G|; credit Φ is the summed quality of aligned pairs."""

    aligned: int = 0
    predicted: int = 0
    gold: int = 0
    credit: float = 0.0


@dataclass(frozen=True, slots=True)
class RecordRates:
    """Rates that follow from record counts."""

    records: Rates
    soft: Rates
    """a pair counts its quality; soft F1 is the headline"""
    quality: float | None
    """mean quality of aligned pairs; None without pairs"""

    @classmethod
    def of(cls, counts: RecordCounts) -> "RecordRates":
        """Return the rates of one article, or the micro rates of several."""
        return cls(
            Rates.of(counts.aligned, counts.predicted, counts.gold),
            Rates.of(counts.credit, counts.predicted, counts.gold),
            counts.credit / counts.aligned if counts.aligned else None,
        )

    @classmethod
    def zero(cls) -> "RecordRates":
        """Return the rates of an article whose extraction failed, even if there was nothing to find."""
        return cls(Rates(0.0, 0.0, 0.0), Rates(0.0, 0.0, 0.0), None)

    @classmethod
    def mean(cls, rates: Iterable["RecordRates"]) -> "RecordRates":
        """Return macro rates, in which every article counts equally."""
        rows = list(rates)
        known = [row.quality for row in rows if row.quality is not None]
        return cls(
            _mean([row.records for row in rows]), _mean([row.soft for row in rows]), fmean(known) if known else None
        )


@dataclass(frozen=True, slots=True)
class FieldCounts(Counts):
    """Judgements of a field over aligned pairs; fields of records without a partner are missing or spurious."""

    correct: int = 0
    incorrect: int = 0
    missing: int = 0
    spurious: int = 0
    judged: int = 0
    """aligned pairs in which gold or prediction states the field"""
    credit: float = 0.0
    """sum of the field's scores in these pairs"""


@dataclass(frozen=True, slots=True)
class FieldScore:
    """Counts of a field and their rates."""

    counts: FieldCounts
    rates: Rates
    mean: float | None
    """mean score over the judged pairs; None without any"""

    @classmethod
    def of(cls, counts: FieldCounts) -> "FieldScore":
        """Return precision over predicted values, and recall over gold values."""
        stated = counts.correct + counts.incorrect
        rates = Rates.of(counts.correct, stated + counts.spurious, stated + counts.missing)
        return cls(counts, rates, counts.credit / counts.judged if counts.judged else None)


@dataclass(frozen=True, slots=True)
class ClassCounts(Counts):
    """Counts of one value of a closed field: correctly predicted, predicted, in gold."""

    right: int = 0
    predicted: int = 0
    gold: int = 0


@dataclass(frozen=True, slots=True)
class ClassScore:
    """Counts of a value and their rates."""

    counts: ClassCounts
    rates: Rates

    @classmethod
    def of(cls, counts: ClassCounts) -> "ClassScore":
        """Return precision, recall and F1 of the value."""
        return cls(counts, Rates.of(counts.right, counts.predicted, counts.gold))


def _mean(rows: list[Rates]) -> Rates:
    if not rows:
        return Rates(0.0, 0.0, 0.0)
    return Rates(*(fmean(getattr(row, name) for row in rows) for name in ("precision", "recall", "f1")))
