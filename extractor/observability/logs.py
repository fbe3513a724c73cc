"""Logs: lines about calls, as text or as JSON, with the article's id and the fingerprint; never its words, never a key.

Everything mahdar logs goes to the logger `mahdar`, with what it is about as fields of the record (`extra`): a handler
of the caller's own finds them there. Which article a line is about is known from the task that runs.
"""

import datetime as dt
import json
import logging
from contextvars import ContextVar
from typing import Final

ARTICLE: Final[ContextVar[str | None]] = ContextVar("mahdar_article", default=None)
"""The id of the article that the running task extracts."""
FIELDS: Final = (
    "document_id",
    "task",
    "fingerprint",
    "attempts",
    "failure",
    "again",
    "calls",
    "cached",
    "tokens_in",
    "tokens_out",
    "seconds",
)
"""The fields of a record that are mahdar's, in the order in which they are written."""
SHORT: Final = 12
"""Characters of a fingerprint in a line of text."""


def about_article(record: logging.LogRecord) -> bool:
    """Name the article in a record. A filter that lets everything through."""
    if not hasattr(record, "document_id"):
        record.document_id = ARTICLE.get()
    return True


class JsonFormatter(logging.Formatter):
    """A record as JSON on one line."""

    def format(self, record: logging.LogRecord) -> str:
        """Time, level, message, and the fields that are there."""
        when = dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(timespec="milliseconds")
        line = {"time": when, "level": record.levelname.lower(), "message": record.getMessage(), **fields_of(record)}
        return json.dumps(line, ensure_ascii=False)


class TextFormatter(logging.Formatter):
    """A record as words."""

    def format(self, record: logging.LogRecord) -> str:
        """Time, level, message, and the fields that are there."""
        when = dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(timespec="seconds")
        said = (
            f"{name}={str(value)[:SHORT] if name == 'fingerprint' else value}"
            for name, value in fields_of(record).items()
        )
        return " ".join((when, record.levelname.lower(), record.getMessage(), *said))


def fields_of(record: logging.LogRecord) -> dict[str, object]:
    """What a record is about."""
    found = {name: getattr(record, name, None) for name in FIELDS}
    return {name: value for name, value in found.items() if value is not None}


def log_to_standard_error(*, as_json: bool) -> None:
    """Write what is logged from now on to standard error, calls included."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if as_json else TextFormatter())
    log = logging.getLogger("mahdar")
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False


logging.getLogger("mahdar").addFilter(about_article)
