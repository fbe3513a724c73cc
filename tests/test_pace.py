"""The pace, the meters and the circuit breaker: values and what follows them; the driver under a clock of the test."""

import asyncio
import math
from collections.abc import Awaitable, Callable

import pytest

from mahdar import Limits, UsageError
from mahdar.limits.circuit import CLOSED, COOLDOWN, Circuit
from mahdar.limits.concurrency import MINUTE, Meter, Pace, Pacer


class Time:
    """A clock that sleeping moves on."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)


# --- the window


def test_answers_widen_the_window_by_a_step_a_window_full() -> None:
    pace = Pace(ceiling=32, window=8)
    for _ in range(8):
        pace = pace.answered()
    assert 9.7 < pace.window < 10


def test_the_window_never_passes_its_ceiling() -> None:
    pace = Pace(ceiling=4, window=3.9)
    for _ in range(9):
        pace = pace.answered()
    assert pace.window == 4


@pytest.mark.parametrize(
    ("started", "windows"),
    [
        pytest.param([1, 1, 1], [50], id="calls of one window halve it once"),
        pytest.param([1, 11, 12], [50, 25, 12.5], id="calls that started after the cut halve it again"),
        pytest.param([1, 11, 2, 10.5], [50, 25], id="a late one of the window before counts for nothing"),
    ],
)
def test_a_busy_endpoint_halves_the_window(started: list[float], windows: list[float]) -> None:
    pace, seen = Pace.at_ceiling(100), [100.0]
    for number, start in enumerate(started):
        pace = pace.slowed(start, now=10 + number)
        seen += [pace.window] if pace.window != seen[-1] else []
    assert seen[1:] == windows


def test_one_call_at_a_time_is_the_least() -> None:
    pace = Pace.at_ceiling(3)
    for number in range(9):
        pace = pace.slowed(number, now=number)
    assert pace.window == 1


def test_the_longer_of_two_waits_holds() -> None:
    assert Pace.at_ceiling(3).held(7).held(5).resume_at == 7


# --- the meters


@pytest.mark.parametrize("per_minute", [1, 2, 7, 60, 1_000, 30_000])
def test_no_minute_has_more_than_was_allowed_nor_much_less(per_minute: int) -> None:
    meter, now, starts = Meter.of(per_minute), 0.0, []
    while now < 3 * MINUTE:
        now += max(meter.wait(now), 0)
        starts.append(now)
        meter = meter.taken(1, now)
    for first in range(len(starts)):
        within = next((last for last in range(first, len(starts)) if starts[last] >= starts[first] + MINUTE), None)
        if within is None:
            break
        assert per_minute * 0.99 - 1 <= within - first <= per_minute
        if per_minute > 100 and first > 50:
            break


def test_tokens_that_were_not_needed_are_given_back() -> None:
    meter = Meter.of(600)
    assert meter.taken(100, 0).taken(-60, 0).due == pytest.approx(meter.taken(40, 0).due)


def test_more_than_a_minute_allows_starts_and_is_waited_off() -> None:
    meter = Meter.of(600)
    assert meter.wait(0) == -math.inf
    assert meter.taken(1_200, 0).wait(0) == pytest.approx(2 * MINUTE, rel=0.01)


@pytest.mark.parametrize("limits", [{"rpm": 0}, {"tpm": -5}])
def test_a_limit_of_nothing_is_refused(limits: dict[str, int]) -> None:
    with pytest.raises(UsageError, match="at least one a minute"):
        Limits(**limits)


# --- the driver


def starts(pacer: Pacer, time: Time, calls: int, work: Callable[[], Awaitable[None]], tokens: int = 0) -> list[float]:
    """When each of several calls starts."""
    began: list[float] = []

    async def call() -> None:
        async with pacer.slot(tokens):
            began.append(time.now)
            await work()

    async def run() -> None:
        await asyncio.gather(*(call() for _ in range(calls)))

    asyncio.run(run())
    return began


async def at_once() -> None:
    """Work that takes no time."""


def test_requests_a_minute_are_spread_evenly() -> None:
    time = Time()
    pacer = Pacer(9, Limits(rpm=60), clock=time, sleep=time.sleep)
    assert starts(pacer, time, 4, at_once) == pytest.approx([0, 1, 2, 3], abs=0.1)


def test_tokens_a_minute_are_spread_evenly() -> None:
    time = Time()
    pacer = Pacer(9, Limits(tpm=6_000), clock=time, sleep=time.sleep)
    assert starts(pacer, time, 4, at_once, tokens=1_000) == pytest.approx([0, 10, 20, 30], abs=0.1)


def test_a_wait_that_one_was_told_holds_all_others_back() -> None:
    time = Time()
    pacer = Pacer(9, clock=time, sleep=time.sleep)
    pacer.slowed(0, wait=30)
    assert starts(pacer, time, 3, at_once) == [30, 30, 30]
    assert pacer.pace.window == 4.5


def test_a_call_that_is_given_up_leaves_its_place() -> None:
    async def run() -> int:
        pacer, entered = Pacer(1), asyncio.Event()

        async def hold() -> None:
            async with pacer.slot():
                entered.set()
                await asyncio.Event().wait()

        holder = asyncio.create_task(hold())
        await entered.wait()
        waiting = [asyncio.create_task(hold()) for _ in range(3)]
        await asyncio.sleep(0)
        for task in (holder, *waiting):
            task.cancel()
        await asyncio.gather(holder, *waiting, return_exceptions=True)
        async with pacer.slot():
            return pacer.in_flight

    assert asyncio.run(run()) == 1


# --- the circuit


def row(*failures: tuple[float, float], permanent: bool = False) -> Circuit:
    """After calls that started and failed at these times, where three are too many and ten seconds too long."""
    circuit = CLOSED
    for started, now in failures:
        circuit = circuit.failed("away", started=started, now=now, limit=3, patience=10, permanent=permanent)
    return circuit


@pytest.mark.parametrize(
    ("circuit", "probes", "through"),
    [
        pytest.param(row((0, 1), (0, 1)), 0, True, id="few"),
        pytest.param(row((0, 1), (0, 1), (0, 1)), 1, True, id="too many, not too long"),
        pytest.param(row((0, 1), (0, 1), (0, 1), (0, 2), (0, 2)), 1, True, id="others that were under way with them"),
        pytest.param(row((0, 1), (0, 1), (0, 1), (3, 4)), 2, True, id="a single call, later"),
        pytest.param(row((0, 1), (0, 1), (0, 1), (3, 11)), 1, False, id="too many, too long"),
        pytest.param(row((0, 1), (0, 30)), 0, True, id="few, and long"),
        pytest.param(row((0, 1), (0, 1), (0, 1), permanent=True), 0, False, id="too many that waiting does not help"),
    ],
)
def test_a_circuit_opens_after_many_calls_and_a_while(circuit: Circuit, probes: int, *, through: bool) -> None:
    assert (circuit.probes, circuit.allows_call(11)) == (probes, through)


def test_an_open_circuit_lets_a_call_through_after_a_rest() -> None:
    circuit = row((0, 1), (0, 1), (0, 1), permanent=True)
    assert circuit.describe(1) == "3 calls in a row, over 0 s, failed; the last: away"
    assert circuit.allows_call(1 + COOLDOWN)
    again = circuit.failed("away", started=40, now=41, limit=3, patience=10)
    assert not again.allows_call(41)
