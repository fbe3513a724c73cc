"""Score extractions against labels.

`score_article` compares one extraction with the labels of its article, `summarise` adds the articles of a run up,
`compare` tests whether two runs differ. Nothing here calls a model. Names are imported when they are first used, so
that `mahdar --help` stays fast.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mahdar.evals.scorer.config import SCORING, Scoring, as_json
    from mahdar.evals.scorer.scoring import ArticleScore, score_article
    from mahdar.evals.scorer.summary import Summary, summarise
    from mahdar.evals.scorer.uncertainty import Comparison, compare, rows

__all__ = [
    "SCORING",
    "ArticleScore",
    "Comparison",
    "Scoring",
    "Summary",
    "as_json",
    "compare",
    "rows",
    "score_article",
    "summarise",
]

_HOMES = {
    "config": ("SCORING", "Scoring", "as_json"),
    "scoring": ("ArticleScore", "score_article"),
    "summary": ("Summary", "summarise"),
    "uncertainty": ("Comparison", "compare", "rows"),
}
"""Module of `mahdar.evals.scorer` → the names that it defines."""


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"mahdar.evals.scorer.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


if __name__ != "mahdar.evals":  # a second name would make second classes
    raise ImportError("this folder is installed as mahdar.evals: import that")
