"""mahdar reads news articles and writes down who met whom and who stands where, each record tied to its words.

>>> from extractor import Extractor, Document
>>> with Extractor() as mahdar:
...     result = mahdar.extract(text, published_at="2020-11-19")
"""

from extractor.asking import Policy
from extractor.document import Document
from extractor.errors import (
    BadInputError,
    ExtractionError,
    MahdarError,
    NoModelError,
    PromptError,
    StoreError,
    UsageError,
)
from extractor.service import Extractor, Failure
from extractor.settings import Settings
from schemas.records import Extraction, Meeting, Stance

__all__ = [
    "BadInputError",
    "Document",
    "Extraction",
    "ExtractionError",
    "Extractor",
    "Failure",
    "MahdarError",
    "Meeting",
    "NoModelError",
    "Policy",
    "PromptError",
    "Settings",
    "Stance",
    "StoreError",
    "UsageError",
]
