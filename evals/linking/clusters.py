"""Compare two clusterings of the same items: pairwise, and by B³ (Bagga and Baldwin, 1998)."""

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from math import comb
from typing import TypeVar

Item = TypeVar("Item", bound=Hashable)


@dataclass(frozen=True, slots=True)
class ClusterRates:
    """Precision and recall of a clustering; each is 1 if there are no pairs or items to be wrong about."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


def pairwise(gold: Mapping[Item, Hashable], found: Mapping[Item, Hashable]) -> ClusterRates:
    """Return precision and recall of pairs in one cluster.

    Args:
        gold: item → its true cluster.
        found: item → its found cluster, for the same items.
    """
    both = _pairs(Counter((gold[item], found[item]) for item in gold).values())
    return ClusterRates(
        _share(both, _pairs(Counter(found[item] for item in gold).values())),
        _share(both, _pairs(Counter(gold.values()).values())),
    )


def b_cubed(gold: Mapping[Item, Hashable], found: Mapping[Item, Hashable]) -> ClusterRates:
    """Return B³: for each item, the correct share of its found cluster, and the found share of its true one; means.

    Args:
        gold: item → its true cluster.
        found: item → its found cluster, for the same items.
    """
    together = Counter((gold[item], found[item]) for item in gold)
    true, put = Counter(gold.values()), Counter(found[item] for item in gold)
    size = len(gold)
    return ClusterRates(
        _share(sum(together[gold[item], found[item]] / put[found[item]] for item in gold), size),
        _share(sum(together[gold[item], found[item]] / true[gold[item]] for item in gold), size),
    )


def of_pairs(
    pairs: Iterable[tuple[Item, Item, bool]], found: Mapping[Item, Hashable]
) -> tuple[ClusterRates, Counter[str]]:
    """Return the rates over given pairs, and the number of pairs by result.

    Args:
        pairs: two items, and whether they are one; pairs with an item that was not found are counted as `left out`.
        found: item → its found cluster.
    """
    counts = Counter[str]()
    for a, b, same in pairs:
        if a not in found or b not in found:
            counts["left out"] += 1
        else:
            counts[f"{'one' if same else 'two'}, {'one' if found[a] == found[b] else 'two'} found"] += 1
    right = counts["one, one found"]
    return ClusterRates(
        _share(right, right + counts["two, one found"]), _share(right, right + counts["one, two found"])
    ), counts


def _pairs(sizes: Iterable[int]) -> int:
    return sum(comb(size, 2) for size in sizes)


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 1.0
