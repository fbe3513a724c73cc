"""mahdar reads news articles and writes down who met whom and who stands where, each record tied to its words.

>>> from extractor import Extractor, Document
>>> with Extractor() as mahdar:
...     result = mahdar.extract(text, published_at="2020-11-19")
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from extractor.documents.document import Document
    from extractor.errors import (
        BadInputError,
        ExtractionError,
        MahdarError,
        NoModelError,
        PromptError,
        StoreError,
        UsageError,
    )
    from extractor.limits.budget import Budget
    from extractor.limits.concurrency import Limits
    from extractor.limits.prices import Price
    from extractor.llm.client import Policy
    from extractor.results import Failure
    from extractor.service import Extractor
    from extractor.settings import Settings
    from schemas.records import Extraction, Meeting, Stance

__all__ = [
    "BadInputError",
    "Budget",
    "Document",
    "Extraction",
    "ExtractionError",
    "Extractor",
    "Failure",
    "Limits",
    "MahdarError",
    "Meeting",
    "NoModelError",
    "Policy",
    "Price",
    "PromptError",
    "Settings",
    "Stance",
    "StoreError",
    "UsageError",
]

_HOME = {
    "Budget": "extractor.limits.budget",
    "Document": "extractor.documents.document",
    "Extraction": "schemas.records",
    "Extractor": "extractor.service",
    "Failure": "extractor.results",
    "Limits": "extractor.limits.concurrency",
    "Meeting": "schemas.records",
    "Policy": "extractor.llm.client",
    "Price": "extractor.limits.prices",
    "Settings": "extractor.settings",
    "Stance": "schemas.records",
}
"""Where each name is defined; all others are errors. Imported when first asked for: `mahdar --help` is quick."""


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME.get(name, "extractor.errors")), name)
