"""Decoding parameters that an endpoint takes: configured, or learnt from its refusals.

They change what is sent, never the fingerprint, which names what was asked.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from mahdar.errors import UsageError
from mahdar.limits.estimate import BOUNDS

TEACHING: Final = frozenset({400, 422})
"""Statuses of a refusal that may name a parameter."""
MOST: Final = 4
"""Times that one call is sent, to learn the name of the bound, its size, the context and the temperature."""
LEAST: Final = 256
"""Tokens; no shorter answer is asked for."""
SPARE: Final = 16
"""Tokens that an endpoint may add to a prompt."""
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


@dataclass(frozen=True, slots=True)
class TakenParameters:
    """What is known of the parameters that an endpoint takes.

    Attributes:
        renamed: name of the bound on an answer's tokens that the endpoint refuses → name that it takes.
        dropped: parameters that it refuses.
        output: tokens of an answer, at most; None where unknown.
        context: tokens of prompt and answer together, and tokens for each byte of a prompt; None where unknown.
    """

    renamed: Mapping[str, str] = field(default_factory=dict)
    dropped: frozenset[str] = frozenset()
    output: int | None = None
    context: tuple[int, float] | None = None

    @classmethod
    def said(cls, words: str) -> "TakenParameters":
        """Parse the value of `MAHDAR_PARAMETERS`: `max_completion_tokens=8000 -temperature`.

        Raises:
            UsageError: a word is not understood.
        """
        taken = cls()
        for word in words.replace(",", " ").split():
            name, bounded, most = word.partition("=")
            if name in BOUNDS and (not bounded or (most.isdecimal() and int(most) > 0)):
                other = next(one for one in BOUNDS if one != name)
                taken = replace(taken, renamed={other: name}, output=int(most) if most else taken.output)
            elif word.startswith("-") and word[1:] in OPTIONAL:
                taken = replace(taken, dropped=taken.dropped | {word[1:]})
            else:
                bounds, optional = " or ".join(BOUNDS), ", ".join(f"-{one}" for one in OPTIONAL)
                raise UsageError(
                    f"MAHDAR_PARAMETERS {word!r}: not understood; write {bounds}, with =TOKENS for the most that an "
                    f"answer may have, and {optional} for what is to be left out"
                )
        return taken

    def applied(self, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the arguments of a call as the endpoint takes them."""
        if self == NOTHING_KNOWN:
            return arguments
        taken = {self.renamed.get(name, name): one for name, one in arguments.items() if name not in self.dropped}
        for name in BOUNDS:
            if name in taken:
                taken[name] = min(taken[name], self.output or taken[name], self._room(taken) or taken[name])
        return taken

    def learnt(self, sent: Mapping[str, Any], words: str) -> "TakenParameters":
        """Return what is known after a refusal.

        Args:
            sent: the arguments that were refused.
            words: of the refusal.
        """
        words = re.sub(r"(?<=\d),(?=\d{3})", "", words)
        context, prompt, output = _number(_CONTEXT, words), _number(_PROMPT, words), _number(_OUTPUT, words)
        if context and prompt:
            return replace(self, context=(context, prompt / max(prompt_bytes(sent), 1)))
        if output:
            return replace(self, output=output)
        if not _UNSUPPORTED.search(words):
            return self
        named = [name for name in (*BOUNDS, *OPTIONAL) if name in sent and re.search(rf"\b{name}\b", words)]
        renamed = {
            name: next(other for other in BOUNDS if other != name)
            for name in named
            if name in BOUNDS and name not in self.renamed.values()
        }
        dropped = self.dropped | (frozenset(named) & frozenset(OPTIONAL))
        return replace(self, renamed={**self.renamed, **renamed}, dropped=dropped)

    def _room(self, arguments: Mapping[str, Any]) -> int | None:
        """Return the tokens that the context leaves for an answer; None where it is unknown, or leaves too few."""
        if self.context is None:
            return None
        context, rate = self.context
        left = context - round(prompt_bytes(arguments) * rate) - SPARE
        return left if left >= LEAST else None


NOTHING_KNOWN: Final = TakenParameters()


def prompt_bytes(arguments: Mapping[str, Any]) -> int:
    """Return the UTF-8 bytes of a call's messages."""
    return sum(len(str(turn.get("content") or "").encode("utf-8", "surrogatepass")) for turn in arguments["messages"])


def _number(pattern: re.Pattern[str], words: str) -> int | None:
    found = pattern.search(words)
    return int(next(filter(None, found.groups()))) if found else None
