"""Decoding parameters that an endpoint accepts: configured, or learnt from its refusals.

They change what is sent, never the fingerprint, which names what was asked.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from mahdar.errors import UsageError
from mahdar.limits.estimate import LIMIT_PARAMETERS

REFUSAL_STATUSES: Final = frozenset({400, 422})
"""HTTP statuses of a refusal that may name a parameter."""
MAX_SENDS: Final = 6
"""Maximum of times that one call is sent while the endpoint refuses parameters: the name of the token limit, its size,
the context and the temperature may each take one."""
MIN_ANSWER_TOKENS: Final = 256
"""Minimum of tokens that an answer is limited to."""
CONTEXT_MARGIN: Final = 16
"""Tokens that an endpoint may add to a prompt."""
OPTIONAL_PARAMETERS: Final = ("temperature", "seed", "parallel_tool_calls")
"""Parameters that can be left out."""
_UNSUPPORTED: Final = re.compile(
    r"unsupported|not supported|not support|unrecognized|unknown|unexpected|extra_forbidden|not permitted|not allowed"
    r"|deprecated",
    re.IGNORECASE,
)
_BOUND: Final = r"max.?(?:imum.?)?(?:completion.?|output.?|new.?)?tokens"
_OUTPUT: Final = re.compile(
    r"supports at most (\d{1,9}) completion tokens|> (\d{1,9}), which is the maximum allowed number of output"
    rf"|{_BOUND}.{{0,120}}?(?:\[\d+, ?|\(inclusive\) to )(\d{{1,9}})"
    rf"|{_BOUND}.{{0,120}}?(?:less than or equal to|smaller than or equal to|<=|at most|up to|not exceed|cannot exceed"
    r"|no (?:more|greater) than|limit of|maximum(?: allowed| value)?(?: is)?|be greater than(?: \w+=)?(?:\w+=)?)"
    r" ?[`(]?(\d{1,9})"
    r"|max_tokens > (\d{1,9}) must have stream",
    re.IGNORECASE,
)
_EXCLUSIVE: Final = " (exclusive)"
_CONTEXT: Final = re.compile(
    r"context (?:length|window) (?:is|of) (\d{1,9})|\d+ \+ \d+ > (\d{1,9})|must be <= (\d{1,9})\. given"
    r"|equal to max_seq_len \((\d{1,9})|model token limit: (\d{1,9})",
    re.IGNORECASE,
)
_PROMPT: Final = re.compile(
    r"\((\d{1,9}) (?:in the messages|of text input|in the prompt)|(?:has|contains) (\d{1,9}) input tokens"
    r"|(\d{1,9}) \+ \d+ > \d+|given: (\d{1,9}) `?inputs|(\d{1,9}) tokens from the input",
    re.IGNORECASE,
)
_TOTAL: Final = re.compile(r"max_total_tokens \((\d{1,9})|\(requested: (\d{1,9})\)", re.IGNORECASE)
"""Tokens of prompt and answer together."""
_AT_LEAST: Final = re.compile(r"contains at least (\d{1,9}) input|upper bound for (\d{1,9}) input", re.IGNORECASE)
"""Tokens that the prompt exceeds: vLLM stops counting where the answer would not fit."""


@dataclass(frozen=True, slots=True)
class AcceptedParameters:
    """What is known of the parameters that an endpoint accepts.

    Attributes:
        renamed: name of the bound on an answer's tokens that the endpoint refuses → name that it accepts.
        dropped: parameters that it refuses.
        output: tokens of an answer, at most; None where unknown.
        context: tokens of prompt and answer together, and tokens for each byte of a prompt; None where unknown.
    """

    renamed: Mapping[str, str] = field(default_factory=dict)
    dropped: frozenset[str] = frozenset()
    output: int | None = None
    context: tuple[int, float] | None = None

    @classmethod
    def parse(cls, value: str) -> "AcceptedParameters":
        """Parse the value of `MAHDAR_PARAMETERS`: `max_completion_tokens=8000 -temperature`.

        Raises:
            UsageError: a part of the value is not understood.
        """
        accepted = cls()
        for part in value.replace(",", " ").split():
            name, equals, limit = part.partition("=")
            if name in LIMIT_PARAMETERS and (not equals or (limit.isdecimal() and int(limit) > 0)):
                other = next(one for one in LIMIT_PARAMETERS if one != name)
                accepted = replace(accepted, renamed={other: name}, output=int(limit) if limit else accepted.output)
            elif part.startswith("-") and part[1:] in OPTIONAL_PARAMETERS:
                accepted = replace(accepted, dropped=accepted.dropped | {part[1:]})
            else:
                bounds, optional = " or ".join(LIMIT_PARAMETERS), ", ".join(f"-{one}" for one in OPTIONAL_PARAMETERS)
                raise UsageError(
                    f"MAHDAR_PARAMETERS {part!r}: not understood; write {bounds}, with =TOKENS for the most that an "
                    f"answer may have, and {optional} for what is to be left out"
                )
        return accepted

    def apply_to(self, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the arguments of a call as the endpoint accepts them."""
        if self == NOTHING_KNOWN:
            return arguments
        accepted = {self.renamed.get(name, name): one for name, one in arguments.items() if name not in self.dropped}
        for name in LIMIT_PARAMETERS:
            if name in accepted:
                value = accepted[name]
                accepted[name] = min(value, self.output or value, self._room(accepted) or value)
        return accepted

    def after_refusal(self, sent: Mapping[str, Any], message: str) -> "AcceptedParameters":
        """Return what is known after a refusal.

        Args:
            sent: the arguments that were refused.
            message: of the refusal.
        """
        message = re.sub(r"(?<=\d),(?=\d{3}\b)", "", message)
        bound = next((sent[name] for name in LIMIT_PARAMETERS if name in sent), 0)
        context, output = _number(_CONTEXT, message), _output(message)
        if context and (prompt := _prompt(message, context, bound)):
            return replace(self, context=(context, prompt / max(prompt_bytes(sent), 1)))
        if output and output < bound:
            return replace(self, output=output)
        changeable = (*LIMIT_PARAMETERS, *OPTIONAL_PARAMETERS)
        named = [name for name in changeable if name in sent and re.search(rf"\b{name}\b", message)]
        renamed = {
            name: next(other for other in LIMIT_PARAMETERS if other != name)
            for name in named
            if name in LIMIT_PARAMETERS and name not in self.renamed.values() and _UNSUPPORTED.search(message)
        }
        dropped = self.dropped | (frozenset(named) & frozenset(OPTIONAL_PARAMETERS))
        return replace(self, renamed={**self.renamed, **renamed}, dropped=dropped)

    def _room(self, arguments: Mapping[str, Any]) -> int | None:
        """Return the tokens that the context leaves for an answer; None where it is unknown, or leaves too few."""
        if self.context is None:
            return None
        context, rate = self.context
        left = context - round(prompt_bytes(arguments) * rate) - CONTEXT_MARGIN
        return left if left >= MIN_ANSWER_TOKENS else None


NOTHING_KNOWN: Final = AcceptedParameters()


def prompt_bytes(arguments: Mapping[str, Any]) -> int:
    """Return the UTF-8 bytes of a call's messages."""
    return len(prompt_text(arguments).encode("utf-8", "surrogatepass"))


def prompt_text(arguments: Mapping[str, Any]) -> str:
    """Return the texts of a call's messages, joined."""
    return "".join(str(turn.get("content") or "") for turn in arguments["messages"])


def _prompt(message: str, context: int, bound: int) -> int | None:
    """Return the tokens of a prompt by a refusal; None where it does not say them.

    Where the refusal says only how many they exceed, half of what is left of the context is added, so that each refusal
    halves the answer that is asked for.
    """
    if (least := _number(_AT_LEAST, message)) is not None:
        return (least + context) // 2
    total = _number(_TOTAL, message)
    return max(total - bound, 0) if total else _number(_PROMPT, message)


def _output(message: str) -> int | None:
    """Return the tokens that an answer may have by a refusal; None where it does not say them."""
    found = _OUTPUT.search(message)
    if found is None:
        return None
    return int(next(filter(None, found.groups()))) - message[found.end() :].startswith(_EXCLUSIVE)


def _number(pattern: re.Pattern[str], message: str) -> int | None:
    found = pattern.search(message)
    return int(next(filter(None, found.groups()))) if found else None
