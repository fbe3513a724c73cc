"""mahdar reads news articles and writes down who met whom and who stands where, each record tied to its words.

>>> from mahdar import Extractor, Document
>>> with Extractor() as mahdar:
...     result = mahdar.extract(text, published_at="2020-11-19")
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mahdar.documents.document import Document
    from mahdar.errors import (
        BadInputError,
        ExtractionError,
        MahdarError,
        NoModelError,
        PromptError,
        StoreError,
        UsageError,
    )
    from mahdar.limits.budget import Budget
    from mahdar.limits.concurrency import Limits
    from mahdar.limits.prices import Price
    from mahdar.llm.client import Policy
    from mahdar.results import Failure
    from mahdar.schemas.records import Extraction, Meeting, Stance
    from mahdar.service import Extractor
    from mahdar.settings import Settings
    from mahdar.tables.reading import read_tables

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
    "read_tables",
]

_HOME = {
    "Budget": "mahdar.limits.budget",
    "Document": "mahdar.documents.document",
    "Extraction": "mahdar.schemas.records",
    "Extractor": "mahdar.service",
    "Failure": "mahdar.results",
    "Limits": "mahdar.limits.concurrency",
    "Meeting": "mahdar.schemas.records",
    "Policy": "mahdar.llm.client",
    "Price": "mahdar.limits.prices",
    "Settings": "mahdar.settings",
    "Stance": "mahdar.schemas.records",
    "read_tables": "mahdar.tables.reading",
}
"""The module that defines each name; all others are errors. Loaded at first use, so that `mahdar --help` is quick."""

if __name__ != "mahdar":
    # Imported from a clone as `extractor`: the public names are those of `mahdar`, and there are no submodules, since
    # a module that is loaded under two names has two copies of each class.
    __path__ = []


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(import_module(_HOME.get(name, "mahdar.errors")), name)
    except ModuleNotFoundError as error:
        if error.name != "mahdar":
            raise
        raise ImportError("mahdar is not installed: pip install mahdar, or in a clone: make demo") from error


def __dir__() -> list[str]:
    return sorted(__all__)
