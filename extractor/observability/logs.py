"""Logs: lines about calls, as text or as JSON, with the article's id and the fingerprint; never its words, never a key.

Everything mahdar logs goes to the logger `mahdar`, with what it is about as fields of the record (`extra`): a handler
of the caller's own finds them there. Which article a line is about is known from the task that runs. The loggers of
instructor, which write answers and articles at the level ERROR, are silent.
"""

import datetime as dt
import json
import logging
from contextvars import ContextVar
from typing import Final

from mahdar.documents.bidi import clean

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
HTTP_LOGGERS: Final = ("httpx2", "openai._base_client")
"""Those that log the URL of a request."""
SHORT: Final = 12
"""Characters of a fingerprint in a line of text."""

_CONTROLS: Final = {
    code: f"\\u{code:04x}" for code in (*range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A))
}
"""What a terminal obeys and JSON lets stand."""


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
        return json.dumps(line, ensure_ascii=False).translate(_CONTROLS)


class TextFormatter(logging.Formatter):
    """A record as words."""

    def format(self, record: logging.LogRecord) -> str:
        """Time, level, message, and the fields that are there."""
        when = dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(timespec="seconds")
        said = (
            f"{name}={str(value)[:SHORT] if name == 'fingerprint' else value}"
            for name, value in fields_of(record).items()
        )
        return " ".join((when, record.levelname.lower(), *map(clean, (record.getMessage(), *said))))


def silence_instructor() -> None:
    """Keep instructor's loggers from writing anything: their lines repeat answers, and with them an article's words."""
    logging.getLogger("instructor").setLevel(logging.CRITICAL + 1)


def hide_queries() -> None:
    """Keep the query of a URL, which may hold a key, out of what the HTTP clients log."""
    for name in HTTP_LOGGERS:
        logging.getLogger(name).addFilter(_without_query)


def _without_query(record: logging.LogRecord) -> bool:
    """Cut the query off every URL in a record, and its error, which names it. A filter that lets everything through."""
    record.exc_info = None
    if isinstance(record.args, tuple):
        record.args = tuple(
            str(one).partition("?")[0] if str(one).startswith(("http:", "https:")) else one for one in record.args
        )
    return True


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


def _without_article(record: logging.LogRecord) -> bool:
    """Whether a line of openai's client may be written: not the request with its messages while an article is asked."""
    return ARTICLE.get() is None or not str(record.msg).startswith("Request options")


logging.getLogger("mahdar").addFilter(about_article)
logging.getLogger("openai._base_client").addFilter(_without_article)
