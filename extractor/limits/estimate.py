"""Tokens of a request, before it is sent: how many at most, and about how many.

At most: no tokenizer of today makes more tokens of a text than UTF-8 makes bytes, since each falls back to bytes for
what it does not know; so the bytes of all that is sent, in the form that the mode gives it, are a bound for every
model, and so is what the request allows the answer to be. About: `estimate_tokens`, calibrated by script (see
`extractor.documents.passages`).
"""

import json
from functools import lru_cache
from typing import Final

from extractor.documents.passages import estimate_tokens
from extractor.errors import UsageError
from extractor.llm.request import Request
from extractor.llm.shaping import Shaper
from schemas.tasks import TaskSchema

TURN: Final = 16
"""Tokens that a chat template puts around a turn, at most."""
FORM: Final = 512
"""Tokens that instructor and an endpoint put around a schema, at most."""
ABOUT_TURN: Final = 4
ANSWER: Final = 0.4
"""Tokens of an answer for each of the question, instructions and schema included: the labels of 18 articles, written as
drafts, come to 0.35 on average, from 0 to 1."""
CHOICE: Final = 40
"""Tokens of the answer to a closed question."""
BOUNDS: Final = ("max_completion_tokens", "max_tokens")
REMEMBERED: Final = 64
"""Schemas, and turns, at most: those of closed questions never come again."""


def most_in(request: Request) -> int:
    """Input tokens, at most."""
    return len(_SHAPER.body(request)) + TURN * len(request.messages) + FORM


def most_out(request: Request) -> int:
    """Output tokens, at most.

    Raises:
        UsageError: the request bounds them nowhere.
    """
    for name in BOUNDS:
        if name in request.parameters:
            return int(request.parameters[name])
    raise UsageError(f"{request.model}: a limit on cost or tokens needs requests with {' or '.join(BOUNDS)}")


def about_in(request: Request) -> int:
    """Input tokens, by estimate, rather too many than too few."""
    turns = sum(_estimate(turn["content"]) + ABOUT_TURN for turn in request.messages)
    return turns + _estimate(_schema(request.schema))


def about_out(request: Request, tokens_in: int) -> int:
    """Output tokens, by estimate, of a request with so many input tokens."""
    return min(CHOICE if request.schema.closed else int(tokens_in * ANSWER), most_out(request))


def about(request: Request) -> int:
    """Tokens in and out, by estimate."""
    tokens_in = about_in(request)
    return tokens_in + about_out(request, tokens_in)


def _schema(schema: TaskSchema) -> str:
    known = _SCHEMAS.get(schema.sha256)  # in one step: another thread may clear them
    if known is None:
        if len(_SCHEMAS) >= REMEMBERED:
            _SCHEMAS.clear()
        known = _SCHEMAS[schema.sha256] = json.dumps(schema.json_schema, ensure_ascii=False)
    return known


_SCHEMAS: dict[str, str] = {}
"""By the schema's hash: the same for every article."""
_SHAPER: Final = Shaper()


@lru_cache(maxsize=REMEMBERED)
def _estimate(text: str) -> int:
    return estimate_tokens(text)
