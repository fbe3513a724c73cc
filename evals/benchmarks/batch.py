"""Measure a run from the cache: articles a second on one core, memory, and the time until the first article.

    python evals/benchmarks/batch.py [--articles 100000] [--against CHECKOUT]

A file of articles is extracted in one process with a transport that answers at once, which fills the cache, and then in
others from the cache alone, which are measured: a tenth of the articles, and all. Each article has a meeting, two
stances and some paragraphs without either. Those paragraphs are the same in all articles (`alike`), or have other
words, names, numbers and dates in each (`varied`), so that what is remembered of one article is of no use for another.

With `--against`, the same files are extracted by another checkout of mahdar, whose own `batch.py` drives it, in turns
with this one, and the ratios of the two are printed. Times are medians, under the machine's load.
"""

import argparse
import itertools
import json
import os
import random
import re
import resource
import statistics
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
WORDS: Final = {
    "town": "روصو كيهيدي سيلبابي النعمة لعيون كيفه أطار ازويرات بوكي المذرذرة تجكجة ألاك شنقيط وادان تيشيت",
    "trade": "سائقون مزارعون تجار صيادون معلمون أطباء مهندسون حرفيون رعاة ناقلون بحارة خبازون",
    "good": "الأرز الأسماك السكر القمح الماشية الدقيق الأسمنت الوقود الخضار التمور الصمغ الملح",
    "changed": "ارتفعت تراجعت تضاعفت استقرت تغيرت انخفضت تحسنت تأخرت",
    "month": "يناير فبراير مارس أبريل مايو يونيو يوليو أغسطس سبتمبر أكتوبر نوفمبر ديسمبر",
}
VARIED: Final = (
    "وقال {trade} في {town}، بينهم {name}، إن أسعار {good} {changed} منذ {number} {month} 2019 بنسبة {number} بالمئة. "
    "ويقول {trade} من {name} إن نقل {good} إلى {town} يستغرق {number} أيام، وإن الطريق عند {name} أغلق مرارا. "
)
LETTERS: Final = "ابتثجحدرزسشصطعغفقكلمنهوي"
ROUNDS: Final = 3
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
    options.add_argument("--articles", type=int, default=20_000, help="in the larger runs (default: %(default)s)")
    options.add_argument("--against", type=Path, metavar="CHECKOUT", help="another checkout of mahdar to compare with")
    options.add_argument("--run", nargs=3, metavar=("FILE", "FOLDER", "HOW"), help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.run:
        print(json.dumps(run(Path(chosen.run[0]), Path(chosen.run[1]), chosen.run[2]), ensure_ascii=False))
        return
    checkouts = [Path(__file__).parents[2], *([chosen.against.resolve()] if chosen.against else [])]
    print("  articles         asked, a second  cached, a second  CPU ms an article  first after  peak memory")
    for number, kind in itertools.product((chosen.articles // 10, chosen.articles), ("alike", "varied")):
        with tempfile.TemporaryDirectory() as folder:
            measure(Path(folder), number, kind, checkouts)


def measure(folder: Path, number: int, kind: str, checkouts: list[Path]) -> None:
    """Fill a cache for each checkout, extract from it in turns, and print a row for each, and the ratios of two."""
    file = folder / "articles.jsonl"
    with file.open("w", encoding="utf-8") as lines:
        lines.writelines(texts(number, varied=kind == "varied"))
    rates = [in_process(checkout, file, folder / str(place), "ask")["rate"] for place, checkout in enumerate(checkouts)]
    runs: list[list[dict[str, float]]] = [[] for _ in checkouts]
    for _ in range(ROUNDS):
        for place, checkout in enumerate(checkouts):
            runs[place].append(in_process(checkout, file, folder / str(place), "replay"))
    found = [{name: statistics.median(one[name] for one in of_one) for name in of_one[0]} for of_one in runs]
    for checkout, asked, cached in zip(checkouts, rates, found, strict=True):
        print(
            f"{number:>10,} {kind:<8}{asked:>14,.0f}{cached['rate']:>18,.0f}{cached['cpu']:>19,.2f}"
            f"{cached['first']:>11.2f} s{cached['memory']:>10,.0f} MB  {checkout.name if len(checkouts) > 1 else ''}"
        )
    if len(found) > 1:
        ours, theirs = found
        times = f"{ours['rate'] / theirs['rate']:.2f} times the articles a second"
        print(
            f"{times}, {theirs['cpu'] / ours['cpu']:.2f} by CPU; {ours['memory'] / theirs['memory']:.2f} of the memory"
        )


def texts(number: int, *, varied: bool) -> Iterator[str]:
    """Yield articles as JSON Lines."""
    chance = random.Random(7)  # noqa: S311  # the same articles in every run
    for index in range(number):
        paragraphs = [elsewhere(chance) if varied else ELSEWHERE for _ in range(PARAGRAPHS)]
        news = "\n\n".join((MET, *SAID, *paragraphs, f"الخبر رقم {index}."))
        yield json.dumps({"id": f"{index:08}", "text": news}, ensure_ascii=False) + "\n"


def elsewhere(chance: random.Random) -> str:
    """Return a paragraph without a record, with names that no other article has."""

    def word(blank: re.Match[str]) -> str:
        if blank[1] == "name":
            return "".join(chance.choices(LETTERS, k=5))
        return str(chance.randint(2, 28)) if blank[1] == "number" else chance.choice(WORDS[blank[1]].split())

    return re.sub(r"{(\w+)}", word, VARIED)


def in_process(checkout: Path, file: Path, folder: Path, how: str) -> dict[str, float]:
    """Run the benchmark of a checkout once in another process, and return its figures."""
    folder.mkdir(exist_ok=True)
    for old in folder.parent.glob(f"{file.stem}.{how}.out*"):
        old.unlink()
    command = [sys.executable, str(checkout / "evals/benchmarks/batch.py"), "--run", str(file), str(folder), how]
    paths = filter(None, (os.environ.get("PYTHONPATH"), str(checkout)))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    done = subprocess.run(command, capture_output=True, check=True, encoding="utf-8", env=environment)  # noqa: S603  # ours
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
