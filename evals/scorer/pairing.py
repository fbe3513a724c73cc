"""One-to-one pairing, and F1 over the pairs."""

from collections.abc import Collection, Sequence


def best_pairs(worth: Sequence[Sequence[float]]) -> tuple[tuple[int, int], ...]:
    """Return the one-to-one pairs of rows and columns with the largest sum, without pairs that are worth 0."""
    if not any(any(row) for row in worth):
        return ()
    if len(worth) == len(worth[0]) == 1:
        return ((0, 0),)
    from scipy.optimize import linear_sum_assignment  # half a second to import

    rows, columns = linear_sum_assignment(worth, maximize=True)
    pairs = zip(rows.tolist(), columns.tolist(), strict=True)
    return tuple((row, column) for row, column in pairs if worth[row][column] > 0)


def soft_f1(worth: Sequence[Sequence[float]], gold: int, predicted: int) -> float:
    """Return F1 in which a pair counts its worth; 1 if there is nothing to find and nothing was found."""
    if not gold + predicted:
        return 1.0
    return 2 * sum(worth[row][column] for row, column in best_pairs(worth)) / (gold + predicted)


def set_f1(gold: Collection[str], predicted: Collection[str]) -> float:
    """Return F1 of two sets; 1 if both are empty."""
    ours, theirs = set(gold), set(predicted)
    return 2 * len(ours & theirs) / (len(ours) + len(theirs)) if ours or theirs else 1.0
