"""Measure the time of a call and of a cache hit, beside the bare SDK and plain instructor.

Run it from anywhere: `python evals/benchmarks/request_path.py`. No socket is opened: an in-process transport answers
all of them at once with a recorded answer about one seed article. Times are medians of rounds, taken in turns, under
the machine's load.

A call consists of:

    SDK         `chat.completions.create` with rendered messages
    instructor  `create(response_model=…)` with rendered messages, parsed into the same drafts without the article
    client      planning the request, the call through instructor, validation against the article; no cache
    keeping     the same with a lookup in the cache, and the answer written to disk
    extract     `Extractor.aextract`, to records with dates, places and names; no cache
"""

import asyncio
import itertools
import json
import resource
import statistics
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

from mahdar import Extractor, Settings
from mahdar.cache.disk import DiskStore
from mahdar.documents.document import Document
from mahdar.drafting import Request
from mahdar.llm.client import Client, Policy
from mahdar.llm.conversation import arguments_of
from mahdar.llm.endpoint import Endpoint
from mahdar.llm.plan import plan
from mahdar.llm.transport import OpenAITransport
from mahdar.prompts import STANDARD, PromptLibrary
from mahdar.schemas.tasks import answer_schema
from mahdar.tasks import TASKS, load_tasks
from mahdar.validation.source import Source

ROOT = Path(__file__).parents[2]
SEED = "002_ec7758134357b2f5"
"""An article with two meetings and seven stances, which is about average."""
TEXT = (ROOT / f"seeds/articles/{SEED}.txt").read_text(encoding="utf-8")
RECORDED = json.loads((ROOT / f"evals/recordings/reference-llm/{SEED}.json").read_text(encoding="utf-8"))
URL, KEY, MODEL = "http://endpoint.invalid/v1", "sk-benchmark-0123456789", "benchmark"
ENDPOINT = Endpoint(base_url=URL, api_key=KEY, model=MODEL, parameters={"max_tokens": 8_000, "temperature": 0})
ROUNDS = 30
CALLS = 10
"""Calls of a round, one after the other; rounds are short, so that some run undisturbed."""
NUMBERS = itertools.count()
"""Number of each article, so that none is answered from the cache."""
STARTS = 5

Call = Callable[[], Awaitable[object]]

ASKED = load_tasks(TASKS, PromptLibrary(), STANDARD)
ANSWER = answer_schema(TASKS)
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
                "message": {"role": "assistant", "content": RECORDED["answers"][0]["text"]},
            }
        ],
        "usage": {"prompt_tokens": 3_000, "completion_tokens": 600, "total_tokens": 3_600},
    },
    ensure_ascii=False,
).encode()


def answering() -> httpx2.MockTransport:
    """Return a transport that answers every request in this process."""

    async def answer(_: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, headers={"content-type": "application/json"}, content=COMPLETION)

    return httpx2.MockTransport(answer)


def request(article: str) -> Request:
    """Return mahdar's request for an article."""
    (made,) = plan(Document("1", article), ASKED, ENDPOINT)
    return made


def another() -> str:
    """Return a new article."""
    return f"{TEXT}\n{next(NUMBERS)}"


def openai_client() -> openai.AsyncOpenAI:
    """Return the SDK's client over the in-process transport."""
    http_client = openai.DefaultAsyncHttpxClient(transport=answering())
    return openai.AsyncOpenAI(api_key=KEY, base_url=URL, max_retries=0, http_client=http_client)


def sdk() -> Call:
    """Return a call of the bare SDK with mahdar's messages."""
    sent: Any = dict(arguments_of(request(TEXT)))
    create = openai_client().chat.completions.create
    return lambda: create(**sent)


def plain_instructor() -> Call:
    """Return a call of plain instructor, without its cache."""
    asked: Any = [dict(message) for message in request(TEXT).messages]
    made: Any = instructor.from_openai(openai_client(), mode=instructor.Mode.JSON_SCHEMA, model=MODEL)
    return lambda: made.create(
        response_model=ANSWER.model, strict=False, messages=asked, temperature=0, max_tokens=8_000
    )


def transport() -> OpenAITransport:
    """Return mahdar's transport over the in-process one."""
    return OpenAITransport(ENDPOINT, timeout=60, http_transport=answering())


def client(store: DiskStore | None, article: Callable[[], str]) -> Call:
    """Return a call of mahdar's client, to validated drafts."""
    asking = Client(transport(), store, policy=Policy(), concurrency=1)

    def call() -> Awaitable[object]:
        text = article()
        return asking.ask(request(text), Source(text))

    return call


def extract(extractor: Extractor, article: Callable[[], str]) -> Call:
    """Return a call of the extractor, to records."""
    return lambda: extractor.aextract(article())


async def milliseconds(calls: Mapping[str, Call]) -> dict[str, float]:
    """Return the mean time of a call in the median round; rounds take turns."""
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        await call()
    for _ in range(ROUNDS):
        for name, call in calls.items():
            start = time.perf_counter()
            for _ in range(CALLS):
                await call()
            taken[name].append((time.perf_counter() - start) / CALLS * 1_000)
    return {name: statistics.median(times) for name, times in taken.items()}


def start_up(*arguments: str) -> tuple[float, float]:
    """Return wall and processor seconds of a fresh Python, less those of an empty program."""

    def best(*command: str) -> tuple[float, float]:
        return min(_run(*command) for _ in range(STARTS + 1)), min(_processor(*command) for _ in range(STARTS))

    (elapsed, spent), (bare, bare_spent) = best(*arguments), best("-c", "pass")
    return elapsed - bare, spent - bare_spent


def _run(*arguments: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)  # noqa: S603 own program
    return time.perf_counter() - start


def _processor(*arguments: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    _run(*arguments)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def show(name: str, *values: str) -> None:
    """Print one row."""
    print(f"{name:<46}" + "".join(f"{value:>12}" for value in values))


async def calls(folder: Path) -> None:
    """Measure calls, then cache hits."""
    settings = Settings(base_url=URL, api_key=KEY, model=MODEL, cache=folder)
    store = DiskStore(folder)
    with Extractor(settings, store=None, transport=transport()) as asking:
        made = {
            "SDK": sdk(),
            "instructor": plain_instructor(),
            "client": client(None, another),
            "keeping": client(store, another),
            "extract": extract(asking, another),
        }
        cost = await milliseconds(made)
    show("", *made)
    show("a call, ms", *(f"{cost[name]:.3f}" for name in made))
    show("beside instructor", *(f"{cost[name] / cost['instructor']:.2f}" for name in made))
    await hits(store, settings)


async def hits(store: DiskStore, settings: Settings) -> None:
    """Measure cache hits; the request is planned each time."""
    asked = request(TEXT)

    async def looked_up() -> None:
        store.get(asked.fingerprint)

    with (
        diskcache.Cache(str(store.folder.parent / "plain")) as plain,
        Extractor(settings, store=store, transport=transport()) as extractor,
    ):
        plain.set(asked.fingerprint, COMPLETION.decode())

        async def bare() -> None:
            plain.get(asked.fingerprint)

        made = {
            "diskcache": bare,
            "store.get": looked_up,
            "client": client(store, lambda: TEXT),
            "extract": extract(extractor, lambda: TEXT),
        }
        cost = await milliseconds(made)
    show("")
    show("", *made)
    show("a hit, ms", *(f"{cost[name]:.3f}" for name in made))


def main() -> None:
    """Print all figures side by side."""
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(calls(Path(folder)))
    show("")
    show(f"start, less Python's own, s (best of {STARTS})", "elapsed", "processor")
    for name, arguments in {
        "import openai": ("-c", "import openai"),
        "import instructor": ("-c", "import instructor"),
        "import mahdar": ("-c", "import mahdar"),
        "from mahdar import Extractor": ("-c", "from mahdar import Extractor"),
        "mahdar --help": ("-c", "import sys; from mahdar.cli.app import main; main(['--help'])"),
    }.items():
        show(name, *(f"{seconds:.3f}" for seconds in start_up(*arguments)))


if __name__ == "__main__":
    main()
