"""Transports that record answers, and that replay recorded ones."""

from mahdar.cache.completion import Completion
from mahdar.evals.running.recording import Recordings
from mahdar.llm.call import Call, Transport
from mahdar.llm.reply import CallError


class RecordingTransport:
    """Sends calls through another transport and records the answers. A recorded answer is not asked for again.

    Args:
        recordings: holds the answers.
        transport: sends the calls.
    """

    def __init__(self, recordings: Recordings, transport: Transport) -> None:
        self._recordings = recordings
        self._transport = transport

    async def send(self, call: Call) -> Completion:
        """Return the recorded answer, or send the call and record its answer.

        Raises:
            CallError: the call failed.
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
        """Close the wrapped transport."""
        await self._transport.close()


class ReplayTransport:
    """Answers from recordings, without the network.

    A request that is not recorded fails and is noted in the recordings, which then name what has changed. A re-ask that
    is not recorded fails too, and the answer before it stands: a stricter validator shows in the score.
    """

    def __init__(self, recordings: Recordings) -> None:
        self._recordings = recordings

    async def send(self, call: Call) -> Completion:
        """Return the recorded answer.

        Raises:
            CallError: the call is not recorded.
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
        """Do nothing: no connection is open."""
