"""The log: one JSON object a line, with article and fingerprints where there are any, and never a text or a key."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from extractor.errors import UsageError

TOLD: Final = (
    *("article", "fingerprint", "fingerprints", "failure", "attempts", "model", "tokens_in", "tokens_out"),
    *("cost", "cached", "seconds"),
)
"""What a record may have beside its message; nothing else is written, so that no text gets in by mistake."""


class JsonLine(logging.Formatter):
    """A record as JSON on one line."""

    def format(self, record: logging.LogRecord) -> str:
        """Time, level, message, and what else may be told."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
        }
        line |= {name: value for name in TOLD if (value := getattr(record, name, None)) is not None}
        return json.dumps(line, ensure_ascii=False, default=str)


@contextmanager
def logged(path: Path | None) -> Iterator[None]:
    """Add what is logged to a file, until it is left.

    Raises:
        UsageError: the file cannot be written.
    """
    if path is None:
        yield
        return
    logger = logging.getLogger("mahdar")
    try:
        handler = logging.FileHandler(path, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}; name another file with --log") from None
    handler.setFormatter(JsonLine())
    before = logger.level
    shown = logging.lastResort or logging.NullHandler()  # warnings still come to standard error
    for one in (handler, shown):
        logger.addHandler(one)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.setLevel(before)
        for one in (handler, shown):
            logger.removeHandler(one)
        handler.close()
