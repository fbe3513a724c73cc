"""What an endpoint taught: the parameters that it does not take as they are, learnt from its first refusal.

What was learnt changes what is sent, never the fingerprint: that names what was asked.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from mahdar.llm.request import BOUNDS

TEACHING: Final = frozenset({400, 422})
"""Statuses of a refusal that may name a parameter."""
MOST: Final = 4
"""Lessons of one call: the name of the bound, its size, the context, the temperature."""
LEAST: Final = 256
"""Tokens of an answer under which it is not asked for."""
SPARE: Final = 16
"""Tokens between prompt and bound: what an endpoint adds by itself."""
OPTIONAL: Final = ("temperature", "seed", "parallel_tool_calls")
"""Parameters that can be left out."""
_UNSUPPORTED: Final = re.compile(
    r"unsupported|not supported|not support|unrecognized|unknown|unexpected|extra_forbidden|not permitted|not allowed"
    r"|deprecated",
    re.IGNORECASE,
)
_OUTPUT: Final = re.compile(
    r"supports at most (\d{1,9}) completion tokens|> (\d{1,9}), which is the maximum allowed number of output"
    r"|range of max_tokens (?:is|should be) \[\d+, ?(\d{1,9})\]"
    r"|max.?(?:completion.|output.|new.)?tokens\W.{0,40}"
    r"(?:less than or equal to|<=|at most|up to|cannot exceed) `?(\d{1,9})"
    r"|max_tokens > (\d{1,9}) must have stream",
    re.IGNORECASE,
)
_CONTEXT: Final = re.compile(
    r"context length (?:is|of) (\d{1,9})|\d+ \+ \d+ > (\d{1,9})|must be <= (\d{1,9})\. given", re.IGNORECASE
)
_PROMPT: Final = re.compile(
    r"\((\d{1,9}) (?:in the messages|of text input|in the prompt)|(?:has|contains)(?: at least)? (\d{1,9}) input tokens"
    r"|(\d{1,9}) \+ \d+ > \d+|given: (\d{1,9}) `?inputs",
    re.IGNORECASE,
)


class Lessons:
    """What one endpoint taught during a run."""

    def __init__(self) -> None:
        self._renamed: dict[str, str] = {}
        self._dropped: set[str] = set()
        self._output: int | None = None
        self._context: tuple[int, float] | None = None  # its tokens, and a prompt's tokens for each byte

    def applied(self, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """The arguments as the endpoint takes them, by all that was learnt."""
        if not (self._renamed or self._dropped or self._output or self._context):
            return arguments
        made = {self._renamed.get(name, name): one for name, one in arguments.items() if name not in self._dropped}
        for name in BOUNDS:
            if name in made:
                made[name] = min(made[name], self._output or made[name], self._room(made) or made[name])
        return made

    def learn(self, sent: Mapping[str, Any], words: str) -> None:
        """Learn from a refusal.

        Args:
            sent: the arguments that were refused.
            words: of the refusal.
        """
        words = re.sub(r"(?<=\d),(?=\d{3})", "", words)
        context, prompt, output = _number(_CONTEXT, words), _number(_PROMPT, words), _number(_OUTPUT, words)
        if context and prompt:
            self._context = context, prompt / _bytes(sent)
        elif output:
            self._output = output
        elif _UNSUPPORTED.search(words):
            named = [name for name in (*BOUNDS, *OPTIONAL) if name in sent and re.search(rf"\b{name}\b", words)]
            for name in named:
                if name in OPTIONAL:
                    self._dropped.add(name)
                elif name not in self._renamed.values():
                    self._renamed[name] = next(other for other in BOUNDS if other != name)

    def _room(self, arguments: Mapping[str, Any]) -> int | None:
        """Tokens that the context leaves for an answer; None where it is unknown, or leaves too few to ask."""
        if self._context is None:
            return None
        context, rate = self._context
        left = context - round(_bytes(arguments) * rate) - SPARE
        return left if left >= LEAST else None


def prompt_bytes(arguments: Mapping[str, Any]) -> int:
    """The bytes of a call's messages."""
    return sum(len(str(turn.get("content") or "").encode("utf-8", "surrogatepass")) for turn in arguments["messages"])


def _bytes(arguments: Mapping[str, Any]) -> int:
    return max(prompt_bytes(arguments), 1)


def _number(pattern: re.Pattern[str], words: str) -> int | None:
    found = pattern.search(words)
    return int(next(filter(None, found.groups()))) if found else None
