"""Evals: how extractions compare with labels.

`score_article` compares one extraction with the labels of its article, `summarise` puts a run together, `compare`
tests two runs. Nothing here calls a model, and nothing heavy is imported before it is needed.
"""

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
