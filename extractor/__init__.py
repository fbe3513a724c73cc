"""mahdar reads news articles and writes down who met whom and who stands where, each record tied to its words.

>>> from extractor import Extractor, Document
>>> with Extractor() as mahdar:
...     result = mahdar.extract(text, published_at="2020-11-19")
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from extractor.asking.asker import Policy
    from extractor.asking.budget import Budget
    from extractor.asking.pace import Limits
    from extractor.asking.prices import Price
    from extractor.errors import (
        BadInputError,
        ExtractionError,
        MahdarError,
        NoModelError,
        PromptError,
        StoreError,
        UsageError,
    )
    from extractor.reading.document import Document
    from extractor.service import Extractor, Failure
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
    "Budget": "extractor.asking.budget",
    "Document": "extractor.reading.document",
    "Extraction": "schemas.records",
    "Extractor": "extractor.service",
    "Failure": "extractor.service",
    "Limits": "extractor.asking.pace",
    "Meeting": "schemas.records",
    "Policy": "extractor.asking.asker",
    "Price": "extractor.asking.prices",
    "Settings": "extractor.settings",
    "Stance": "schemas.records",
}
"""Where each name is defined; all others are errors. Imported when first asked for: `mahdar --help` is quick."""


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME.get(name, "extractor.errors")), name)
