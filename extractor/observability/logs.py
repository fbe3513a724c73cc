"""Log calls as text or as JSON, with the article's id and the fingerprint; never an article's words, never a key.

mahdar logs to the logger `mahdar`, with fields on the record (`extra`) that a caller's handler can use. The id of the
article comes from the asyncio task that runs. The loggers of instructor, which write answers and articles at the level
ERROR, are silenced.
"""

import datetime as dt
import json
import logging
from contextvars import ContextVar
from typing import Final

from mahdar.documents.bidi import clean

ARTICLE: Final[ContextVar[str | None]] = ContextVar("mahdar_article", default=None)
"""Id of the article that the running asyncio task extracts; None outside an extraction."""
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
"""Fields that mahdar sets on a record, in the order in which they are written."""
HTTP_LOGGERS: Final = ("httpx2", "openai._base_client")
"""Loggers that write the URL of a request."""
SHORT: Final = 12
"""Characters of a fingerprint in a line of text."""

_CONTROLS: Final = {
    code: f"\\u{code:04x}" for code in (*range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A))
}
"""Characters that control a terminal or the direction of text, and that JSON does not escape."""


def about_article(record: logging.LogRecord) -> bool:
    """Set the article's id on a record; a filter that passes every record."""
    if not hasattr(record, "document_id"):
        record.document_id = ARTICLE.get()
    return True


class JsonFormatter(logging.Formatter):
    """Formats a record as JSON on one line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return time, level, message, and the fields that are set."""
        when = dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(timespec="milliseconds")
        line = {"time": when, "level": record.levelname.lower(), "message": record.getMessage(), **fields_of(record)}
        return json.dumps(line, ensure_ascii=False).translate(_CONTROLS)


class TextFormatter(logging.Formatter):
    """Formats a record as text on one line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return time, level, message, and the fields that are set."""
        when = dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(timespec="seconds")
        said = (
            f"{name}={str(value)[:SHORT] if name == 'fingerprint' else value}"
            for name, value in fields_of(record).items()
        )
        return " ".join((when, record.levelname.lower(), *map(clean, (record.getMessage(), *said))))


def silence_instructor() -> None:
    """Silence instructor's loggers, which write answers, and with them an article's words."""
    logging.getLogger("instructor").setLevel(logging.CRITICAL + 1)


def hide_queries() -> None:
    """Keep the queries of URLs, which may hold a key, out of the logs of the HTTP clients."""
    for name in HTTP_LOGGERS:
        logging.getLogger(name).addFilter(_without_query)


def _without_query(record: logging.LogRecord) -> bool:
    """Remove the query of every URL in a record, and the exception, which may show it; passes every record."""
    record.exc_info = None
    if isinstance(record.args, tuple):
        record.args = tuple(
            str(one).partition("?")[0] if str(one).startswith(("http:", "https:")) else one for one in record.args
        )
    return True


def fields_of(record: logging.LogRecord) -> dict[str, object]:
    """Return the fields of a record that mahdar has set."""
    return {name: value for name in FIELDS if (value := getattr(record, name, None)) is not None}


def log_to_standard_error(*, as_json: bool) -> None:
    """Log to standard error at the level INFO, which includes calls.

    Args:
        as_json: whether lines are JSON, else text.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if as_json else TextFormatter())
    log = logging.getLogger("mahdar")
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False


def _without_article(record: logging.LogRecord) -> bool:
    """Whether a record of openai's client may be written: not one with an article's messages."""
    return ARTICLE.get() is None or not str(record.msg).startswith("Request options")


logging.getLogger("mahdar").addFilter(about_article)
logging.getLogger("openai._base_client").addFilter(_without_article)
