"""Evals: how extractions compare with labels.

`score_article` compares one extraction with the labels of its article, `summarise` puts a run together, `compare`
tests two runs. Nothing here calls a model, and nothing is imported before it is needed.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evals.config import SCORING, Scoring, as_json
    from evals.scoring import ArticleScore, score_article
    from evals.summary import Summary, summarise
    from evals.uncertainty import Comparison, compare, rows

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
    "SCORING": "evals.config",
    "ArticleScore": "evals.scoring",
    "Comparison": "evals.uncertainty",
    "Scoring": "evals.config",
    "Summary": "evals.summary",
    "as_json": "evals.config",
    "compare": "evals.uncertainty",
    "rows": "evals.uncertainty",
    "score_article": "evals.scoring",
    "summarise": "evals.summary",
}
"""Where each name is defined."""


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
