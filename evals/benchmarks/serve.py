"""Measure `mahdar serve` under load: many good and bad requests in flight, with a model on loopback.

Run it from anywhere: `python evals/benchmarks/serve.py`; `--seconds` and `--in-flight` change the load. Service and
model have their own processes; the model answers each request after a delay, without records.

First, the time that HTTP adds: the same articles, one at a time and all from the cache, by the Python API and over
HTTP in turns. Then the load: of ten requests, eight are articles, each with another text, and two are bad: empty,
huge, binary, of a wrong type, sent slowly, or cancelled by the client. Every article must be answered once, under its
own id, with one call of the model; the memory of the service is read at the beginning and at the end.
"""

import argparse
import asyncio
import contextlib
import itertools
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import uvicorn

from mahdar import Extractor, Settings

DELAY = 2.0
"""Seconds until the model answers."""
EACH = 60
"""Articles of the comparison."""
WARM = 10.0
"""Seconds after which memory is read for the first time."""
BAD = ("empty", "huge", "binary", "wrong type", "slow", "left")
PLACE = ("نواكشوط", "داكار", "تونس", "الرباط", "طرابلس", "القاهرة", "الخرطوم")
COMPLETION = {
    "id": "1",
    "object": "chat.completion",
    "model": "benchmark",
    "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
}


def text(number: int) -> str:
    """Return a new article without records."""
    return (
        f"هبت رياح شديدة على {PLACE[number % len(PLACE)]} يوم أمس، وأغلق الميناء رقم {number} أبوابه حتى الصباح.\n" * 3
    )


# ── the model ──────────────────────────────────────────────────────────────────────────────────────────────────────


async def model(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer a POST without records after the delay, and any other method with the number of POSTs."""
    if scope["type"] != "http":
        return
    if scope["method"] == "POST":
        while (await receive()).get("more_body"):
            pass
        model.asked += 1  # type: ignore[attr-defined]
        await asyncio.sleep(DELAY)
        answer = json.dumps({"actors": [], "meetings": [], "stances": []}, ensure_ascii=False)
        message = {"role": "assistant", "content": answer, "refusal": None}
        told: Any = {**COMPLETION, "choices": [{"index": 0, "finish_reason": "stop", "message": message}]}
    else:
        told = model.asked  # type: ignore[attr-defined]
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(told, ensure_ascii=False).encode()})


model.asked = 0  # type: ignore[attr-defined]


@contextlib.contextmanager
def started(command: list[str], said: str, environment: dict[str, str]) -> Iterator[tuple[str, int]]:
    """Run a process until the end of the block; yield the address that it prints, and its id."""
    process = subprocess.Popen(  # noqa: S603  # this file, and mahdar
        command, env={**os.environ, **environment}, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    )
    try:
        assert process.stderr is not None
        line = next(line for line in process.stderr if said in line)
        yield re.findall(r"http://[^\s/]+", line)[0], process.pid
    finally:
        process.terminate()
        process.communicate()


# ── the load ───────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Seen:
    """Results of the requests."""

    seconds: list[float] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)
    sent: set[str] = field(default_factory=set)
    left: int = 0
    bad: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


async def ask(client: httpx2.AsyncClient, number: int, seen: Seen) -> None:
    """Send an article, and note the response."""
    id_ = f"a{number}"
    seen.sent.add(id_)
    begun = time.perf_counter()
    answer = await client.post("/v1/extractions", json={"id": id_, "text": text(number)})
    seen.seconds.append(time.perf_counter() - begun)
    if answer.status_code == 200 and answer.json()["document_id"] == id_:
        seen.answers[id_] += 1
    else:
        seen.faults.append(f"{id_}: {answer.status_code} {answer.text[:120]}")


async def misbehave(client: httpx2.AsyncClient, number: int, kind: str, seen: Seen) -> None:
    """Send a bad request, and note the response."""
    headers = {"Content-Type": "application/json"}
    if kind == "left":
        seen.left += 1
        with contextlib.suppress(httpx2.TimeoutException):
            await client.post("/v1/extractions", json={"text": text(-number)}, timeout=0.5)
        seen.bad[kind] += 1
        return
    contents: dict[str, bytes | AsyncIterator[bytes]] = {
        "empty": b"",
        "huge": b'{"text": "' + b"a" * 12_000_000 + b'"}',
        "binary": b"\x00\xff\xfe\x89PNG" * 1_000,
        "wrong type": b'{"text": [1, 2, {"a": null}]}',
        "slow": slow(),
    }
    answer = await client.post("/v1/extractions", content=contents[kind], headers=headers)
    expected = {"huge": 413, "slow": 422}.get(kind)
    good = answer.status_code == expected if expected else answer.status_code in {400, 422}
    seen.bad[kind] += 1
    if not good or "failure" not in answer.json():
        seen.faults.append(f"{kind}: {answer.status_code} {answer.text[:120]}")


async def slow() -> AsyncIterator[bytes]:
    """Yield a request body slowly; it is invalid."""
    for piece in (b'{"te', b'xt": ', b'""', b"}"):
        await asyncio.sleep(1)
        yield piece


async def load(url: str, pid: int, seconds: float, in_flight: int) -> tuple[Seen, list[int]]:
    """Keep requests in flight for some seconds; return results, and the service's memory in kB, warm and at the end."""
    seen, numbers, begun, memory = Seen(), itertools.count(), time.perf_counter(), []
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=in_flight)
    async with httpx2.AsyncClient(base_url=url, timeout=300, limits=limits, trust_env=False) as client:

        async def keep_asking() -> None:
            while time.perf_counter() - begun < seconds:
                number = next(numbers)
                kind = BAD[number // 5 % len(BAD)] if number % 5 == 0 else ""
                await (misbehave(client, number, kind, seen) if kind else ask(client, number, seen))

        async def look() -> None:
            for moment in (WARM, seconds):
                await asyncio.sleep(max(0.0, begun + moment - time.perf_counter()))
                memory.append(resident(pid))

        await asyncio.gather(look(), *(keep_asking() for _ in range(in_flight)))
    return seen, memory


def resident(pid: int) -> int:
    """Return the resident memory of a process in kB."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))


def compare(url: str, settings: Settings) -> tuple[float, float]:
    """Return median seconds of an article from the cache, by the Python API and over HTTP, in turns."""
    articles = [(Path(__file__).parents[2] / "seeds/articles" / name).read_bytes().decode() for name in seeds()]
    direct, over_http = [], []
    with Extractor(settings) as extractor, httpx2.Client(base_url=url, timeout=300, trust_env=False) as client:
        for number in range(-len(articles), EACH):
            article = articles[number % len(articles)]
            begun = time.perf_counter()
            extractor.extract(article).model_dump_json()
            between = time.perf_counter()
            client.post("/v1/extractions", json={"text": article}).raise_for_status()
            if number >= 0:  # the first of each fill the cache
                direct.append(between - begun)
                over_http.append(time.perf_counter() - between)
    return statistics.median(direct), statistics.median(over_http)


def seeds() -> list[str]:
    """Return the names of the seed articles."""
    return sorted(path.name for path in (Path(__file__).parents[2] / "seeds/articles").glob("*.txt"))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--in-flight", type=int, default=200)
    parser.add_argument("--model", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.model:
        uvicorn.run(model, port=0, log_level="info", access_log=False, limit_concurrency=None)
        return
    with (
        tempfile.TemporaryDirectory() as folder,
        started([sys.executable, __file__, "--model"], "running on", {}) as (asked, _),
    ):
        environment = {
            "OPENAI_BASE_URL": f"{asked}/v1",
            "OPENAI_API_KEY": "sk-benchmark-0123456789",
            "MAHDAR_MODEL": "benchmark",
            "MAHDAR_CACHE_DIR": folder,
        }
        command = [
            sys.executable,
            "-m",
            "mahdar.cli.app",
            "serve",
            "--port",
            "0",
            "--concurrency",
            str(options.in_flight),
        ]
        with started(command, "serving on", environment) as (url, pid):
            direct, over_http = compare(url, Settings.from_environment({**os.environ, **environment}))
            print(f"an article from the cache, median of {EACH}, one at a time")
            print(f"  Python API {direct * 1000:7.1f} ms")
            print(f"  over HTTP  {over_http * 1000:7.1f} ms   (+{(over_http - direct) * 1000:.1f} ms)")
            before = httpx2.get(asked, trust_env=False).json()
            seen, memory = asyncio.run(load(url, pid, options.seconds, options.in_flight))
            calls = httpx2.get(asked, trust_env=False).json() - before
    tell(seen, memory, calls, options.in_flight, options.seconds)


def tell(seen: Seen, memory: list[int], calls: int, in_flight: int, seconds: float) -> None:
    """Print the results of the load."""
    lost, twice = seen.sent - set(seen.answers), [id_ for id_, count in seen.answers.items() if count > 1]
    shares = statistics.quantiles(seen.seconds, n=100)
    print(f"\n{in_flight} requests in flight for {seconds:g} s; the model answers after {DELAY:g} s")
    print(f"  articles   {len(seen.sent)}, lost {len(lost)}, answered twice {len(twice)}")
    print(f"  calls      {calls}, for {len(seen.sent)} articles and {seen.left} that the client gave up")
    print(f"  seconds    median {shares[49]:.2f}, p99 {shares[98]:.2f}")
    print(f"  bad ones   {', '.join(f'{count} {kind}' for kind, count in sorted(seen.bad.items()))}")
    print(f"  memory     {memory[0] / 1000:.0f} MB after {WARM:g} s, {memory[1] / 1000:.0f} MB at the end")
    for fault in seen.faults[:10]:
        print(f"  fault      {fault}")
    if lost or twice or seen.faults or calls > len(seen.sent) + seen.left:
        raise SystemExit("the service lost, repeated or mixed up an article")


if __name__ == "__main__":
    main()
