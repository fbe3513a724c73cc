"""Evals: how extractions compare with labels.

`score_article` compares one extraction with the labels of its article, `summarise` puts a run together, `compare`
tests two runs. Nothing here calls a model, and nothing is imported before it is needed.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evals.scorer.config import SCORING, Scoring, as_json
    from evals.scorer.scoring import ArticleScore, score_article
    from evals.scorer.summary import Summary, summarise
    from evals.scorer.uncertainty import Comparison, compare, rows

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

_HOME = {
    "SCORING": "evals.scorer.config",
    "ArticleScore": "evals.scorer.scoring",
    "Comparison": "evals.scorer.uncertainty",
    "Scoring": "evals.scorer.config",
    "Summary": "evals.scorer.summary",
    "as_json": "evals.scorer.config",
    "compare": "evals.scorer.uncertainty",
    "rows": "evals.scorer.uncertainty",
    "score_article": "evals.scorer.scoring",
    "summarise": "evals.scorer.summary",
}
"""Where each name is defined."""


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
