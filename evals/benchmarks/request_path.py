"""The request path beside the bare SDK and plain instructor: what a call costs, how many run at once, what a hit costs.

Run it from anywhere: `python evals/benchmarks/request_path.py`. No socket is opened: the same in-process transport
answers all three, at once or after 50 ms, with the same three meetings. Times are the best of several rounds, taken in
turns, on whatever else the machine does meanwhile.

What a call of each holds:

    SDK         `chat.completions.create` with messages that are ready
    instructor  `create(response_model=…)` with messages that are ready: the same call, read into the same drafts
    mahdar      the template rendered, the fingerprint, a miss in the store, the call, the answer read and judged item
                by item, and kept on disk
"""

import asyncio
import itertools
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import diskcache
import httpx2
import instructor
import openai
from pydantic import BaseModel

from extractor.cache.disk import DiskStore
from extractor.llm.client import Asker, Policy
from extractor.llm.endpoint import Endpoint
from extractor.llm.request import Request, build_request
from extractor.llm.transport import Door
from prompts import ARTICLE, PromptLibrary
from schemas.drafts import MeetingDraft
from schemas.tasks import task_schema

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "seeds" / "articles" / "000_64624abc260ecb33.txt").read_text(encoding="utf-8")
URL, KEY, MODEL = "http://endpoint.invalid/v1", "sk-benchmark-0123456789", "benchmark"
PARAMETERS: Mapping[str, Any] = {"max_tokens": 6_000, "temperature": 0}
ROUNDS = 40
CALLS = 20
"""In a round, one after the other: a round is short, so that one of them has the processor to itself."""
IN_FLIGHT = 100
AT_ONCE = 1_000
"""Calls in all, with `IN_FLIGHT` of them under way."""
DELAY = 0.05
"""Seconds until an answer comes, there."""
ROUNDS_AT_ONCE = 2
NUMBERS = itertools.count()
"""One for each article asked about, so that none is answered from the store."""
STARTS = 5


class Meetings(BaseModel):
    """The same drafts for instructor, which derives a class of its own from what it is given."""

    meetings: tuple[MeetingDraft, ...]


Call = Callable[[], Awaitable[object]]

PROMPT = PromptLibrary().get("meetings")
SCHEMA = task_schema("meetings")
COMPLETION = json.dumps(
    {
        "id": "1",
        "object": "chat.completion",
        "created": 1,
        "model": MODEL,
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "message": {
                    "role": "assistant",
                    "content": json.dumps(PROMPT.examples[0].answer, ensure_ascii=False),
                },
            }
        ],
        "usage": {"prompt_tokens": 3_000, "completion_tokens": 600, "total_tokens": 3_600},
    },
    ensure_ascii=False,
).encode()


def transport(delay: float) -> httpx2.MockTransport:
    """What answers every request in this process, after a while."""

    async def answer(_: httpx2.Request) -> httpx2.Response:
        if delay:
            await asyncio.sleep(delay)
        return httpx2.Response(200, headers={"content-type": "application/json"}, content=COMPLETION)

    return httpx2.MockTransport(answer)


def request(article: str) -> Request:
    """The question mahdar asks of an article."""
    return build_request(PROMPT, SCHEMA, {ARTICLE: article}, model=MODEL, mode="json_schema", parameters=PARAMETERS)


def client(delay: float) -> openai.AsyncOpenAI:
    """The SDK's client over that transport."""
    http_client = openai.DefaultAsyncHttpxClient(transport=transport(delay))
    return openai.AsyncOpenAI(api_key=KEY, base_url=URL, max_retries=0, http_client=http_client)


def sdk(delay: float) -> Call:
    """The bare SDK."""
    asked: Any = [dict(message) for message in request(TEXT).messages]
    schema: Any = {"name": "MeetingDrafts", "schema": SCHEMA.json_schema, "strict": True}
    create = client(delay).chat.completions.create
    form: Any = {"type": "json_schema", "json_schema": schema}
    return lambda: create(model=MODEL, messages=asked, response_format=form, temperature=0, max_tokens=6_000)


def plain_instructor(delay: float) -> Call:
    """Instructor without more, its cache off."""
    asked: Any = [dict(message) for message in request(TEXT).messages]
    made: Any = instructor.from_openai(client(delay), mode=instructor.Mode.JSON_SCHEMA, model=MODEL)
    return lambda: made.create(response_model=Meetings, strict=False, messages=asked, temperature=0, max_tokens=6_000)


def door(delay: float) -> Door:
    """This project's client over that transport."""
    return Door(Endpoint(base_url=URL, api_key=KEY, model=MODEL), timeout=60, transport=transport(delay))


def mahdar(delay: float, store: DiskStore | None) -> Call:
    """This project; every call is about another article, so that none is answered from the store."""
    asker = Asker(door(delay), store, policy=Policy(), concurrency=IN_FLIGHT)
    return lambda: asker.answer(request(f"{TEXT}\n{next(NUMBERS)}"))


def hit(store: DiskStore) -> Call:
    """This project, asked again what is stored; each time the request is made anew."""
    asker = Asker(door(0), store, policy=Policy(), concurrency=1)
    return lambda: asker.answer(request(TEXT))


async def milliseconds(calls: Mapping[str, Call]) -> dict[str, float]:
    """The mean of a round's calls, in its best round; rounds take turns."""
    best = dict.fromkeys(calls, float("inf"))
    for call in calls.values():
        await call()
    for _ in range(ROUNDS):
        for name, call in calls.items():
            start = time.perf_counter()
            for _ in range(CALLS):
                await call()
            best[name] = min(best[name], (time.perf_counter() - start) / CALLS * 1_000)
    return best


async def per_second(calls: Mapping[str, Call]) -> dict[str, tuple[float, float]]:
    """Calls a second with `IN_FLIGHT` under way, in the best round: by the clock, and of the processor's time."""
    best = dict.fromkeys(calls, (0.0, 0.0))
    for _ in range(ROUNDS_AT_ONCE):
        for name, call in calls.items():
            best[name] = max(best[name], await _rates(call))
    return best


async def _rates(call: Call) -> tuple[float, float]:
    slots = asyncio.Semaphore(IN_FLIGHT)

    async def one() -> None:
        async with slots:
            await call()

    await call()
    start, spent = time.perf_counter(), time.process_time()
    await asyncio.gather(*(one() for _ in range(AT_ONCE)))
    return AT_ONCE / (time.perf_counter() - start), AT_ONCE / (time.process_time() - spent)


def start_up(*arguments: str) -> tuple[float, float]:
    """Seconds a fresh Python takes, less what it takes for nothing: elapsed, and of the processor."""

    def best(*command: str) -> tuple[float, float]:
        return min(_run(*command) for _ in range(STARTS + 1)), min(_processor(*command) for _ in range(STARTS))

    (elapsed, spent), (bare, bare_spent) = best(*arguments), best("-c", "pass")
    return elapsed - bare, spent - bare_spent


def _run(*arguments: str) -> float:
    start = time.perf_counter()
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL, env=environment)  # noqa: S603 own program
    return time.perf_counter() - start


def _processor(*arguments: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    _run(*arguments)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def show(name: str, *values: str) -> None:
    """Print one row."""
    print(f"{name:<46}" + "".join(f"{value:>12}" for value in values))


def kinds(delay: float, store: DiskStore) -> dict[str, Call]:
    """What is compared; "no store" is mahdar without keeping answers."""
    return {
        "SDK": sdk(delay),
        "instructor": plain_instructor(delay),
        "mahdar": mahdar(delay, store),
        "no store": mahdar(delay, None),
    }


async def calls(folder: Path) -> None:
    """A call, calls at once, and a hit."""
    store = DiskStore(folder)
    made = kinds(0, store)
    cost = await milliseconds(made)
    show("", *made)
    show("a call, ms", *(f"{cost[name]:.3f}" for name in made))
    show("over the SDK, ms", *(f"{cost[name] - cost['SDK']:+.3f}" for name in made))
    rates = await per_second(kinds(DELAY, store))
    after = f"{IN_FLIGHT} in flight, answers after {DELAY * 1_000:.0f} ms"
    show(f"calls/s, {after}", *(f"{rates[name][0]:,.0f}" for name in made))
    show("calls a second of the processor", *(f"{rates[name][1]:,.0f}" for name in made))
    await hits(store)


async def hits(store: DiskStore) -> None:
    """What an answer costs that is stored already."""
    asked = request(TEXT)

    async def looked_up() -> None:
        store.get(asked.fingerprint)

    with diskcache.Cache(str(store.folder.parent / "plain")) as plain:
        plain.set(asked.fingerprint, COMPLETION.decode())

        async def bare() -> None:
            plain.get(asked.fingerprint)

        cost = await milliseconds({"all": hit(store), "store": looked_up, "diskcache": bare})
    show("")
    show("", "diskcache", "store.get", "mahdar")
    show(
        "a hit, ms (mahdar: request made and judged)", *(f"{cost[name]:.3f}" for name in ("diskcache", "store", "all"))
    )


def main() -> None:
    """Print all figures side by side."""
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(calls(Path(folder)))
    show("")
    show(f"start, less Python's own, s (best of {STARTS})", "elapsed", "processor")
    for name, arguments in {
        "import openai": ("-c", "import openai"),
        "import instructor": ("-c", "import instructor"),
        "import extractor": ("-c", "import extractor"),
        "from extractor import Extractor": ("-c", "from extractor import Extractor"),
        "mahdar --help": (
            "-c",
            "import sys; from extractor.cli.app import main; main(['--help'])",
        ),
    }.items():
        show(name, *(f"{seconds:.3f}" for seconds in start_up(*arguments)))


if __name__ == "__main__":
    main()
