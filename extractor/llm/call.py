"""A call: one request as it is sent, first asked or asked again, and who sends it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from mahdar.cache.completion import Completion
from mahdar.drafting import Request


@dataclass(frozen=True, slots=True)
class Call:
    """One call of an endpoint.

    Attributes:
        request: that it serves.
        fingerprint: the request's, or that of a re-ask, which adds the answers so far.
        components: what the fingerprint is made of, part by part.
        arguments: the keyword arguments of `chat.completions.create`: model, messages, form of the answer, parameters.
    """

    request: Request
    fingerprint: str
    components: Mapping[str, str]
    arguments: Mapping[str, Any]

    @property
    def tasks(self) -> str:
        """The tasks that it serves, as a line of a log or a message names them."""
        return "+".join(self.request.tasks)


class Transport(Protocol):
    """What sends calls: an endpoint, or a test double such as a recording."""

    async def send(self, call: Call) -> Completion:
        """Make one call, without a retry.

        Raises:
            CallError: no completion came; says whether asking again can help.
        """

    async def close(self) -> None:
        """Let go of connections."""
