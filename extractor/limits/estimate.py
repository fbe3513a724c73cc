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

BOUNDS: Final = ("max_completion_tokens", "max_tokens")
"""The parameters that bound the tokens of an answer."""
TURN: Final = 16
"""Tokens that a chat template adds to a message, at most."""
FORM: Final = 512
"""Tokens that an endpoint adds to a schema, at most."""
ABOUT_TURN: Final = 4
"""Tokens that a chat template adds to a message, by estimate."""
ANSWER: Final = 3.1
"""Tokens of an answer for each token of the last message, which shows the article: the mean over 28 articles, with
tokens estimated as here; the most was 6.5."""
FORMS: Final = ("response_format", "tools")
"""The arguments that hold a schema."""
REMEMBERED: Final = 64
"""Messages and schemas whose estimate is cached."""


def most_in(arguments: Arguments) -> int:
    """Return the most input tokens that a call can have."""
    sent = json.dumps(arguments, ensure_ascii=False)
    return len(sent.encode("utf-8", "replace")) + TURN * len(arguments["messages"]) + FORM


def most_out(arguments: Arguments) -> int:
    """Return the most output tokens that a call can have.

    Raises:
        UsageError: the call does not bound them.
    """
    for name in BOUNDS:
        if name in arguments:
            return int(arguments[name])
    raise UsageError(f"{arguments.get('model')}: a limit on cost or tokens needs requests with {' or '.join(BOUNDS)}")


def about_in(arguments: Arguments) -> int:
    """Estimate the input tokens of a call, rather too many than too few."""
    turns = sum(_estimate(turn["content"] or "") + ABOUT_TURN for turn in arguments["messages"])
    forms = (json.dumps(arguments[name], ensure_ascii=False) for name in FORMS if name in arguments)
    return turns + sum(map(_estimate, forms))


def about_out(question: str, parameters: Arguments) -> int:
    """Estimate the output tokens of a call from the length of the article.

    Args:
        question: the first request's last message, which shows the article.
        parameters: decoding parameters, which bound the answer.
    """
    return min(int(_estimate(question) * ANSWER), most_out(parameters))


@lru_cache(maxsize=REMEMBERED)
def _estimate(text: str) -> int:
    return estimate_tokens(text)
