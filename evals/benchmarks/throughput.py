"""Measure articles a second with many calls in flight, beside plain instructor and langextract.

Run it from anywhere: `python evals/benchmarks/throughput.py`. A server on loopback, in its own process, answers each
request after 50 or 500 ms; the ideal rate is the number of calls in flight divided by that. The three run in turns,
in one process, over the same articles, one call an article. The answer is a recorded one about a seed article; for
langextract, the same records are given as sentences with attributes.

    instructor  `create(response_model=…)` on an AsyncOpenAI with a semaphore and rendered messages; no cache, no
                validation against the article
    langextract `extract` with its OpenAI provider and one worker for each call in flight; grounded, no cache
    mahdar      `extract_many`: planning, cache lookup, call through instructor, cache write, validation against the
                article, resolution of dates, places and names

langextract is measured if it is installed: `pip install langextract`.
"""

import argparse
import asyncio
import contextlib
import io
import json
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any

from mahdar import Extraction, Extractor, Settings
from mahdar.documents.document import Document
from mahdar.documents.numbered import numbered_sentences
from mahdar.llm.endpoint import Endpoint
from mahdar.llm.plan import plan
from mahdar.prompts import STANDARD, PromptLibrary
from mahdar.schemas.tasks import answer_schema
from mahdar.tasks import TASKS, load_tasks

ROOT = Path(__file__).parents[2]
IN_FLIGHT = (20, 100, 400)
DELAYS = (0.05, 0.5)
"""Seconds until an answer comes."""
WINDOWS = 4
"""Articles for each call in flight, so that start and end weigh little."""
ROUNDS = 3
FEWEST = 100
"""Least articles of a measurement."""
MODEL, KEY = "benchmark", "sk-benchmark-0123456789"
ENDPOINT = Endpoint(base_url="http://endpoint.invalid/v1", api_key=KEY, model=MODEL)
ASKED = load_tasks(TASKS, PromptLibrary(), STANDARD)
SEED = "002_ec7758134357b2f5"
"""An article with two meetings and seven stances, which is about average."""
TEXT = (ROOT / f"seeds/articles/{SEED}.txt").read_text(encoding="utf-8")
RECORDED = json.loads((ROOT / f"evals/recordings/reference-llm/{SEED}.json").read_text(encoding="utf-8"))
DRAFTS = json.loads(RECORDED["answers"][0]["text"])
"""A recorded answer about the article."""
ANSWER = answer_schema(TASKS)
NUMBERS = count()
ENDING = "هبت رياح شديدة على {} من المدن الساحلية."
"""Last sentence, different in each article, so that none is answered from the cache."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Articles a second, and processor milliseconds for each."""

    per_second: float
    processor: float


Run = Callable[[str, Sequence[str], int], int]
"""Extracts articles through an endpoint with some calls in flight, and returns the number extracted."""


# --- the server


def completion(content: str) -> bytes:
    """Return an HTTP response with this content."""
    message = {"role": "assistant", "content": content}
    usage = {"prompt_tokens": 3_000, "completion_tokens": 600, "total_tokens": 3_600}
    choice = {"index": 0, "finish_reason": "stop", "message": message}
    answer = {"id": "1", "object": "chat.completion", "created": 1, "model": MODEL, "choices": [choice], "usage": usage}
    body = json.dumps(answer, ensure_ascii=False).encode()
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)


def responses() -> dict[bytes, bytes]:
    """Return the response for each program, by the first part of the path."""
    drafts = json.dumps(DRAFTS, ensure_ascii=False)
    extractions = json.dumps({"extractions": list(extractions_of(DRAFTS))}, ensure_ascii=False)
    return {b"mahdar": completion(drafts), b"instructor": completion(drafts), b"langextract": completion(extractions)}


def extractions_of(drafts: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the same records in langextract's form: sentences in order, with the rest as attributes."""
    sentences = numbered_sentences(TEXT)
    names = {actor["id"]: actor["name"] for actor in drafts["actors"]}
    told: dict[int, dict[str, Any]] = {}
    for draft in (draft for kind in TASKS for draft in drafts[kind]):
        said = told.setdefault(draft["evidence"][0], {})
        said |= {f"{name}_{len(said)}": value for name, value in draft.items() if isinstance(value, str)}
        said[f"actors_{len(said)}"] = [names[actor] for actor in draft.get("principals", draft.get("holders"))]
    for number, said in sorted(told.items()):
        cited = sentences[number - 1]
        yield {"record": TEXT[cited.start : cited.end], "record_attributes": said}


async def serve() -> None:
    """Answer until the process ends; the path names the program and the delay in milliseconds."""
    known = responses()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                _, who, delay, _ = head.split(b"/", 3)
                length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
                await reader.readexactly(int(length))
                await asyncio.sleep(int(delay) / 1_000)
                writer.write(known[who])
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=1_024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextlib.contextmanager
def served() -> Iterator[str]:
    """Run the server, and yield the root of its URLs."""
    words = [sys.executable, __file__, "--serve"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, encoding="utf-8")  # noqa: S603  # own program
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
    finally:
        process.terminate()
        process.communicate()


# --- the three


def mahdar(url: str, articles: Sequence[str], in_flight: int) -> int:
    """Extract with mahdar, to records."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(base_url=url, api_key=KEY, model=MODEL, cache=Path(folder))
        with Extractor(settings, concurrency=in_flight) as made:
            results = list(made.extract_many(articles))
    return sum(isinstance(result, Extraction) and bool(result.meetings) for result in results)


def instructor(url: str, articles: Sequence[str], in_flight: int) -> int:
    """Extract with plain instructor, to drafts."""
    return asyncio.run(_instructor(url, articles, in_flight))


async def _instructor(url: str, articles: Sequence[str], in_flight: int) -> int:
    import instructor
    import openai

    limits: Any = openai.DefaultAsyncHttpxClient(timeout=60)
    client = openai.AsyncOpenAI(api_key=KEY, base_url=url, max_retries=0, http_client=limits)
    made: Any = instructor.from_openai(client, mode=instructor.Mode.JSON_SCHEMA, model=MODEL)
    slots = asyncio.Semaphore(in_flight)

    async def one(messages: list[dict[str, str]]) -> bool:
        async with slots:
            drafts = await made.create(response_model=ANSWER.model, strict=False, messages=messages, max_tokens=8_000)
        return bool(drafts.meetings)

    async with client:
        return sum(await asyncio.gather(*map(one, map(messages_about, articles))))


@lru_cache(maxsize=4_096)
def messages_about(article: str) -> list[dict[str, str]]:
    """Return mahdar's messages for an article."""
    (request,) = plan(Document("1", article), ASKED, ENDPOINT)
    return [dict(message) for message in request.messages]


def langextract(url: str, articles: Sequence[str], in_flight: int) -> int:
    """Extract with langextract, to grounded extractions."""
    from langextract import data, extract
    from langextract.providers.openai import OpenAILanguageModel

    quotes = [one["record"] for one in extractions_of(DRAFTS)]
    shown = data.ExampleData(TEXT, [data.Extraction("record", quote) for quote in quotes])
    model = OpenAILanguageModel(MODEL, KEY, url, max_workers=in_flight)
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        found = extract(
            [data.Document(article) for article in articles],
            prompt_description="Who met whom, and who stands where?",
            examples=[shown],
            model=model,
            fence_output=False,
            max_char_buffer=100_000,
            batch_length=in_flight,
            max_workers=in_flight,
            show_progress=False,
        )
        return sum(bool(one.extractions) for one in found)


def contestants() -> dict[str, Run]:
    """Return the programs that are installed."""
    all_three: dict[str, Run] = {"mahdar": mahdar, "instructor": instructor, "langextract": langextract}
    return {name: run for name, run in all_three.items() if name == "mahdar" or find_spec(name)}


# --- measuring


def measured(run: Run, url: str, in_flight: int, windows: int) -> Measured:
    """Measure one program once.

    Raises:
        RuntimeError: an article had no records.
    """
    articles = [f"{TEXT}\n\n{ENDING.format(next(NUMBERS))}" for _ in range(max(FEWEST, windows * in_flight))]
    for article in articles:
        messages_about(article)
    start, spent = time.perf_counter(), time.process_time()
    done = run(url, articles, in_flight)
    seconds, processor = time.perf_counter() - start, time.process_time() - spent
    if done < len(articles):
        raise RuntimeError(f"{run.__name__}: {done} of {len(articles)} articles had records")
    return Measured(len(articles) / seconds, processor / len(articles) * 1_000)


Table = Mapping[tuple[float, int], Mapping[str, Measured]]


def measure(runs: Mapping[str, Run], windows: int, in_flight: Sequence[int]) -> Table:
    """Warm up, then measure every delay and number of calls in flight."""
    with served() as root:
        for name, run in runs.items():
            measured(run, f"{root}/{name}/1/v1", 20, 1)
        return {
            (delay, many): medians(runs, f"{delay * 1_000:.0f}", many, windows, root)
            for delay in DELAYS
            for many in in_flight
        }


def medians(runs: Mapping[str, Run], delay: str, in_flight: int, windows: int, root: str) -> Mapping[str, Measured]:
    """Return the median round of each program; the programs take turns."""
    rounds = [
        {name: measured(run, f"{root}/{name}/{delay}/v1", in_flight, windows) for name, run in runs.items()}
        for _ in range(ROUNDS)
    ]
    return {name: sorted((each[name] for each in rounds), key=lambda one: one.per_second)[ROUNDS // 2] for name in runs}


def show(table: Table, names: Sequence[str]) -> None:
    """Print the table."""
    print(f"{'answers after':<16}{'in flight':>10}{'ideal':>10}" + "".join(f"{name:>24}" for name in names))
    for (delay, many), row in table.items():
        cells = (f"{row[name].per_second:,.0f}/s {row[name].processor:6.2f} ms" for name in names)
        line = f"{delay * 1_000:.0f} ms".ljust(16) + f"{many:>10}{many / delay:>8,.0f}/s"
        print(line + "".join(f"{cell:>24}" for cell in cells))
    print(f"articles a second, and milliseconds of the processor for each; medians of {ROUNDS} rounds")
    if "langextract" not in names:
        print("langextract is not installed: pip install langextract")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--windows", type=int, default=WINDOWS, metavar="N", help="articles for each call in flight")
    parser.add_argument("--in-flight", type=int, nargs="+", default=IN_FLIGHT, metavar="N")
    chosen = parser.parse_args()
    if chosen.serve:
        asyncio.run(serve())
        return
    runs = contestants()
    table = measure(runs, chosen.windows, chosen.in_flight)
    show(table, list(runs))


if __name__ == "__main__":
    main()
