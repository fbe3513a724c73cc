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

_HOME = {
    "SCORING": "mahdar.evals.scorer.config",
    "ArticleScore": "mahdar.evals.scorer.scoring",
    "Comparison": "mahdar.evals.scorer.uncertainty",
    "Scoring": "mahdar.evals.scorer.config",
    "Summary": "mahdar.evals.scorer.summary",
    "as_json": "mahdar.evals.scorer.config",
    "compare": "mahdar.evals.scorer.uncertainty",
    "rows": "mahdar.evals.scorer.uncertainty",
    "score_article": "mahdar.evals.scorer.scoring",
    "summarise": "mahdar.evals.scorer.summary",
}
"""Name → the module that defines it."""


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


if __name__ != "mahdar.evals":  # a second name would make second classes
    raise ImportError("this folder is installed as mahdar.evals: import that")
