"""Tokens of a call, before it is sent: how many at most, and about how many.

At most: no tokenizer of today makes more tokens of a text than UTF-8 makes bytes, since each falls back to bytes for
what it does not know; so the bytes of all that is sent, in the form that the mode gives it, are a bound for every
model, and so is what the call allows the answer to be. About: `estimate_tokens`, calibrated by script (see
`mahdar.documents.passages`).
"""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from mahdar.documents.passages import estimate_tokens
from mahdar.errors import UsageError

Arguments = Mapping[str, Any]
"""The keyword arguments of `chat.completions.create`, from `mahdar.llm.conversation.arguments_of`, or of a call."""

BOUNDS: Final = ("max_completion_tokens", "max_tokens")
"""The parameters that bound the tokens of an answer."""
TURN: Final = 16
"""Tokens that a chat template puts around a turn, at most."""
FORM: Final = 512
"""Tokens that an endpoint puts around a schema, at most."""
ABOUT_TURN: Final = 4
ANSWER: Final = 3.1
"""Tokens of an answer for each of the last turn, which shows the article: the mean over 28 articles, estimated as here;
the most was 6.5."""
FORMS: Final = ("response_format", "tools")
"""The arguments that hold a schema."""
REMEMBERED: Final = 64
"""Turns and schemas whose estimate is kept."""


def most_in(arguments: Arguments) -> int:
    """Input tokens, at most."""
    sent = json.dumps(arguments, ensure_ascii=False)
    return len(sent.encode("utf-8", "replace")) + TURN * len(arguments["messages"]) + FORM


def most_out(arguments: Arguments) -> int:
    """Output tokens, at most.

    Raises:
        UsageError: the call bounds them nowhere.
    """
    for name in BOUNDS:
        if name in arguments:
            return int(arguments[name])
    raise UsageError(f"{arguments.get('model')}: a limit on cost or tokens needs requests with {' or '.join(BOUNDS)}")


def about_in(arguments: Arguments) -> int:
    """Input tokens, by estimate, rather too many than too few."""
    turns = sum(_estimate(turn["content"] or "") + ABOUT_TURN for turn in arguments["messages"])
    forms = (json.dumps(arguments[name], ensure_ascii=False) for name in FORMS if name in arguments)
    return turns + sum(map(_estimate, forms))


def about_out(question: str, parameters: Arguments) -> int:
    """Output tokens, by estimate: they follow the article, not the instructions.

    Args:
        question: the first request's last turn, which shows the article.
        parameters: that bound the answer.
    """
    return min(int(_estimate(question) * ANSWER), most_out(parameters))


@lru_cache(maxsize=REMEMBERED)
def _estimate(text: str) -> int:
    return estimate_tokens(text)
