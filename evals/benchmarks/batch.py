"""Measure a run from the cache: articles a second on one core, memory, and the time until the first article.

    python evals/benchmarks/batch.py [--articles 100000]

A file of different articles is extracted twice, each time in its own process: first with a transport that answers at
once, which fills the cache, then from the cache alone. The second run is measured, with a tenth of the articles and
with all. Each article has a meeting, two stances and some paragraphs without either. Times are of one run, under the
machine's load.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mahdar.cache.completion import Completion
    from mahdar.llm.call import Call

MET: Final = (
    "استقبل وزير الخارجية الموريتاني محمد سالم ولد مرزوك في نواكشوط، الأحد 4 فبراير 2024، "
    "نظيره السنغالي إسماعيلا ماديور فال."
)
SAID: Final = (
    "وأعلن ولد مرزوك تأييد بلاده لفتح المعابر بين البلدين.",
    "وطالب ماديور فال بتسريع إنجاز الجسر على نهر السنغال.",
)
ELSEWHERE: Final = (
    "وتشهد المعابر بين البلدين حركة كثيفة في مواسم الأعياد، حين يعود آلاف العاملين إلى قراهم على ضفتي النهر. "
    "ويقول سائقون إن الانتظار عند العبارة يطول أحيانا يوما كاملا، وإن أسعار النقل ترتفع في هذه الأيام إلى الضعف. "
)
PARAGRAPHS: Final = 6
ANSWER: Final = {
    "actors": [
        {"id": "a1", "name": "محمد سالم ولد مرزوك", "type": "person", "role": "وزير الخارجية الموريتاني"},
        {"id": "a2", "name": "إسماعيلا ماديور فال", "type": "person"},
    ],
    "meetings": [
        {
            "evidence": [1],
            "principals": ["a1", "a2"],
            "kind": "talks",
            "channel": "in_person",
            "status": "held",
            "date": "الأحد 4 فبراير 2024",
            "place": {"venue": None, "city": "نواكشوط", "country": None},
        }
    ],
    "stances": [
        {
            "evidence": [2],
            "holders": ["a1"],
            "act": "support",
            "polarity": "favor",
            "target": "فتح المعابر بين البلدين",
            "proposition": "أعلن ولد مرزوك تأييد بلاده لفتح المعابر بين البلدين",
        },
        {
            "evidence": [3],
            "holders": ["a2"],
            "act": "demand",
            "polarity": "favor",
            "target": "تسريع إنجاز الجسر على نهر السنغال",
            "proposition": "طالب ماديور فال بتسريع إنجاز الجسر على نهر السنغال",
        },
    ],
}


def main() -> None:
    """Run the benchmark, or one of its runs."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--articles", type=int, default=20_000, help="in the larger run (default: %(default)s)")
    options.add_argument("--run", nargs=3, metavar=("FILE", "FOLDER", "HOW"), help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.run:
        print(json.dumps(run(Path(chosen.run[0]), Path(chosen.run[1]), chosen.run[2]), ensure_ascii=False))
        return
    with tempfile.TemporaryDirectory() as folder:
        replay(Path(folder), chosen.articles)


def replay(folder: Path, articles: int) -> None:
    """Fill the cache with the articles, extract from it, and print a row."""
    print("  articles  asked, a second  cached, a second  CPU ms an article  first after  peak memory")
    for number in (articles // 10, articles):
        file = folder / f"{number}.jsonl"
        with file.open("w", encoding="utf-8") as lines:
            lines.writelines(texts(number))
        asked, cached = (in_process(file, folder, how) for how in ("ask", "replay"))
        print(
            f"{number:>10,}{asked['rate']:>17,.0f}{cached['rate']:>18,.0f}{cached['cpu']:>19,.2f}"
            f"{cached['first']:>11.2f} s{cached['memory']:>10,.0f} MB"
        )


def texts(number: int) -> Iterator[str]:
    """Yield articles as JSON Lines."""
    for index in range(number):
        news = "\n\n".join((MET, *SAID, *(ELSEWHERE for _ in range(PARAGRAPHS)), f"الخبر رقم {index}."))
        yield json.dumps({"id": f"{index:08}", "text": news}, ensure_ascii=False) + "\n"


def in_process(file: Path, folder: Path, how: str) -> dict[str, float]:
    """Run once in another process, and return its figures."""
    command = [sys.executable, __file__, "--run", str(file), str(folder), how]
    done = subprocess.run(command, capture_output=True, check=True, encoding="utf-8")  # noqa: S603  # ours
    found: dict[str, float] = json.loads(done.stdout)
    return found


def run(file: Path, folder: Path, how: str) -> dict[str, float]:
    """Extract a file as `mahdar extract FILE -o …` does; `replay` has no transport to ask."""
    started = time.perf_counter()
    from mahdar import Extractor, Settings
    from mahdar.runs.identity import identity
    from mahdar.runs.results import RunResults
    from mahdar.runs.run import run as take
    from mahdar.runs.sources import Articles

    settings = Settings(base_url="http://endpoint.invalid/v1", model="benchmark", cache=folder / "cache")
    first = Clock()
    with (
        Extractor(settings, transport=Ready() if how == "ask" else Nobody()) as mahdar,
        RunResults(file.with_suffix(f".{how}.out"), identity(mahdar)) as results,
    ):
        tally = take(mahdar, Articles([file]), results, each=first)
    assert not tally.failures, tally
    seconds = time.perf_counter() - (first.at or started)
    cpu = 1_000 * (time.process_time() - first.cpu) / tally.extracted
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"rate": tally.extracted / seconds, "first": (first.at or 0) - started, "memory": memory, "cpu": cpu}


class Clock:
    """Notes the time of the first result, since loading and setup are not measured."""

    at: float | None = None
    cpu: float = 0.0

    def __call__(self, *_: object) -> None:
        """Note wall and processor time of the first result."""
        if self.at is None:
            self.at, self.cpu = time.perf_counter(), time.process_time()


class Ready:
    """A transport that answers at once."""

    async def send(self, call: "Call") -> "Completion":  # noqa: ARG002  # the same records for every article
        """Return the same answer for every call."""
        from mahdar.cache.completion import Completion

        return Completion(json.dumps(ANSWER, ensure_ascii=False), tokens_in=3_000, tokens_out=300)

    async def close(self) -> None:
        """Do nothing: no connection is open."""


class Nobody(Ready):
    """A transport that must not be used, since every request is in the cache."""

    async def send(self, call: "Call") -> "Completion":
        """Fail.

        Raises:
            AssertionError: always.
        """
        raise AssertionError(call)


if __name__ == "__main__":
    main()
