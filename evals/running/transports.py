"""Transports that write answers down, and that give back what was written down."""

from mahdar.cache.completion import Completion
from mahdar.evals.running.recording import Recordings
from mahdar.llm.call import Call, Transport
from mahdar.llm.reply import CallError


class RecordingTransport:
    """Sends calls through another transport, and records what comes. What is recorded already is not asked again.

    Args:
        recordings: where the answers are kept.
        transport: what asks the endpoint.
    """

    def __init__(self, recordings: Recordings, transport: Transport) -> None:
        self._recordings = recordings
        self._transport = transport

    async def send(self, call: Call) -> Completion:
        """The recorded answer, or that of one call.

        Raises:
            CallError: no completion came.
            StoreError: the answer cannot be written.
        """
        known = self._recordings.get(call.fingerprint)
        if known is not None:
            return known
        completion = await self._transport.send(call)
        first = call.request.fingerprint
        self._recordings.put(
            call.fingerprint,
            completion,
            call.request.components,
            question=str(call.arguments["messages"][-1].get("content") or ""),
            reask_of=first if call.fingerprint != first else None,
        )
        return completion

    async def close(self) -> None:
        """Close the transport below."""
        await self._transport.close()


class ReplayTransport:
    """Answers from recordings alone, without the network.

    A request without an answer fails, and the recordings then say what has changed. A re-ask without one fails as well,
    and the answer before it stands: a validator that finds more than it did shows in the score.
    """

    def __init__(self, recordings: Recordings) -> None:
        self._recordings = recordings

    async def send(self, call: Call) -> Completion:
        """The recorded answer.

        Raises:
            CallError: there is none.
        """
        known = self._recordings.get(call.fingerprint)
        if known is not None:
            return known
        if call.fingerprint != call.request.fingerprint:
            self._recordings.miss_reask(call.request.components)
        else:
            self._recordings.miss(call.request.components)
        raise CallError("refused", "not recorded", again=False, billed=False)

    async def close(self) -> None:
        """Nothing is held open."""
