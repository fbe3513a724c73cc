"""Calls: requests and re-asks as they are sent, and the interface of what sends them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from mahdar.cache.completion import Completion
from mahdar.drafting import Request


@dataclass(frozen=True, slots=True)
class Call:
    """One call to an endpoint.

    Attributes:
        request: the request that it sends, or that it asks to correct the answer of.
        fingerprint: the request's; a re-ask has its own.
        components: the parts that are hashed into the fingerprint, by name.
        arguments: the keyword arguments of `chat.completions.create`: model, messages, form of the answer, parameters.
    """

    request: Request
    fingerprint: str
    components: Mapping[str, str]
    arguments: Mapping[str, Any]

    @property
    def tasks(self) -> str:
        """The request's tasks, joined for logs and messages."""
        return "+".join(self.request.tasks)


class Transport(Protocol):
    """Sends calls: to an endpoint, or to a test double such as a recording."""

    async def send(self, call: Call) -> Completion:
        """Send a call once.

        Raises:
            CallError: there is no completion; says whether a retry can help.
        """

    async def close(self) -> None:
        """Close the connections."""
