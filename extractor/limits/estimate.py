"""Tokens of a call before it is sent: an upper bound, and an estimate.

The bound of the input is the number of UTF-8 bytes of all that is sent, in the form of the mode: no tokenizer of today
makes more tokens of a text, since each falls back to bytes for what it does not know. The bound of the output is the
one that the call sets. The estimate is `estimate_tokens`, calibrated by script (see `mahdar.documents.passages`).
"""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from mahdar.documents.passages import estimate_tokens
from mahdar.errors import UsageError

Arguments = Mapping[str, Any]
"""The keyword arguments of `chat.completions.create`."""

LIMIT_PARAMETERS: Final = ("max_completion_tokens", "max_tokens")
"""The parameters that bound the tokens of an answer."""
MAX_MESSAGE_OVERHEAD: Final = 16
"""Tokens that a chat template adds to a message, at most."""
MAX_SCHEMA_OVERHEAD: Final = 512
"""Tokens that an endpoint adds to a schema, at most."""
ESTIMATED_MESSAGE_OVERHEAD: Final = 4
"""Tokens that a chat template adds to a message, by estimate."""
OUTPUT_RATIO: Final = 3.1
"""Output tokens for each token of the last message, which shows the article: the mean over 28 articles, with
tokens estimated as here; the maximum was 6.5."""
SCHEMA_ARGUMENTS: Final = ("response_format", "tools")
"""The arguments that hold a schema."""
CACHE_SIZE: Final = 64
"""Messages and schemas whose estimates are cached."""


def max_input_tokens(arguments: Arguments) -> int:
    """Return an upper bound of the input tokens of a call."""
    sent = json.dumps(arguments, ensure_ascii=False)
    return (
        len(sent.encode("utf-8", "replace")) + MAX_MESSAGE_OVERHEAD * len(arguments["messages"]) + MAX_SCHEMA_OVERHEAD
    )


def max_output_tokens(arguments: Arguments) -> int:
    """Return an upper bound of the output tokens of a call.

    Raises:
        UsageError: the call does not bound them.
    """
    for name in LIMIT_PARAMETERS:
        if name in arguments:
            return int(arguments[name])
    needed = " or ".join(LIMIT_PARAMETERS)
    raise UsageError(f"{arguments.get('model')}: a limit on cost or tokens needs requests with {needed}")


def estimate_input_tokens(arguments: Arguments) -> int:
    """Estimate the input tokens of a call, rather too many than too few."""
    messages = sum(
        _estimate(message["content"] or "") + ESTIMATED_MESSAGE_OVERHEAD for message in arguments["messages"]
    )
    schemas = (json.dumps(arguments[name], ensure_ascii=False) for name in SCHEMA_ARGUMENTS if name in arguments)
    return messages + sum(map(_estimate, schemas))


def estimate_output_tokens(question: str, parameters: Arguments) -> int:
    """Estimate the output tokens of a call from the length of the article.

    Args:
        question: the first request's last message, which shows the article.
        parameters: decoding parameters, which bound the answer.
    """
    return min(int(_estimate(question) * OUTPUT_RATIO), max_output_tokens(parameters))


@lru_cache(maxsize=CACHE_SIZE)
def _estimate(text: str) -> int:
    return estimate_tokens(text)
