"""A run against a failing endpoint, killed again and again, bits flipped in all its files: nothing lost or altered."""

import json
import math
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest
from newsroom import ANSWER, ARTICLE, KEY, NOTHING, configured, reads_well, weather
from tiny import mahdar

from mahdar import Extraction, Extractor
from mahdar.runs.lines import json_line
from mahdar.runs.sources import Articles

from loopback import Asked, Endpoint, Reply, completion, status

AT_ONCE: Final = 32
"""Calls in flight."""
TOKENS: Final = 120
"""Of every completion."""
HTML: Final = "<!doctype html><html><body>502 Bad Gateway</body></html>"
SOON: Final = {"retry-after-ms": "1"}
STALL: Final = threading.Event()
"""Set by nobody: a reply that waits for it stalls until its server ends."""
FAULTS: Final[tuple[Reply, ...]] = (
    status(429),
    status(429, SOON),
    status(429, SOON),
    status(500, SOON),
    status(500, SOON),
    status(503, SOON),
    status(503, {"retry-after": "0"}),
    status(408, SOON),
    Reply(HTML, status=502, headers={"Content-Type": "text/html", **SOON}),
    Reply(HTML, headers={"Content-Type": "text/html"}),
    Reply("upstream connect error", headers={"Content-Type": "text/plain", **SOON}),
    Reply(completion(ANSWER).data, drop_after=50),
    Reply(completion(ANSWER).data[:90], headers=SOON),
    Reply(disconnect=True),
    Reply(reset=True),
    completion(json.dumps(ANSWER, ensure_ascii=False)[:60], finish="length"),
    completion(json.dumps(ANSWER, ensure_ascii=False)[:90]),
    completion({"result": []}),
    completion(""),
    completion(None, refusal="لا أستطيع"),
)
BILLED: Final = frozenset(map(id, FAULTS[-5:]))
"""Faults that are completions, with the tokens that they took."""
IDS: Final = (
    "خبر-{}",
    "../../{}",
    "{}'; DROP TABLE articles; --",
    'قال "نعم" {}\\',
    "سطر\n{}\r\n",
    "\u202e{}\u2028\u2029\x85",
    "-{}",
    "\x1b[31m{}\x00",
    "é{}",
    "e\u0301{}",
    "{}" + "ط" * 300,
)
CIRCUMSTANCES: Final = frozenset(
    {
        *("seconds", "attempts", "calls", "reasks", "fingerprints", "valid_at_first"),
        *("cached", "tokens_in", "tokens_out", "cost"),
    }
)
"""Of the provenance: what another run may take in another way."""


class Failing:
    """An endpoint that fails half of its calls; how is known by the article and the number of the call about it.

    Attributes:
        sent: completions that were sent.
    """

    def __init__(self) -> None:
        self.sent = 0
        self.calls = 0
        self.endpoint: Endpoint | None = None
        self._about: Counter[str] = Counter()
        self._awaited = math.inf
        self._reached = threading.Event()

    def __call__(self, asked: Asked) -> Reply:
        """Choose a reply; called for one request at a time."""
        assert self.endpoint is not None
        self.endpoint.requests.clear()  # tens of thousands of them would fill the memory
        self.calls += 1
        if self.calls >= self._awaited:
            self._reached.set()
        article = asked.article.strip()
        self._about[article] += 1
        chance = random.Random(f"{article}/{self._about[article]}")
        if self._reached.is_set():
            return completion(NOTHING, after=STALL)
        if chance.random() < 0.5:
            fault = chance.choice(FAULTS)
            self.sent += id(fault) in BILLED
            return fault
        self.sent += 1
        return reads_well(asked)

    def await_calls(self, count: int, process: "subprocess.Popen[bytes]") -> None:
        """Return once so many calls more have come, of which the last is never answered, or the process has ended."""
        self._awaited = self.calls + count
        while not self._reached.wait(0.05) and process.poll() is None:
            pass

    def go_on(self) -> None:
        """Answer again."""
        self._awaited = math.inf
        self._reached.clear()


@dataclass
class Soak:
    """A run in a folder, and what came of it so far."""

    failing: Failing
    url: str
    folder: Path
    chance: random.Random
    remedies: Counter[str] = field(default_factory=Counter)

    @property
    def output(self) -> Path:
        return self.folder / "run" / "out.jsonl"

    @property
    def errors(self) -> Path:
        return self.folder / "stderr.txt"

    @property
    def cache(self) -> Path:
        return self.folder / "cache"

    def launch(self) -> "subprocess.Popen[bytes]":
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(sys.path),
            "OPENAI_BASE_URL": self.url,
            "OPENAI_API_KEY": KEY,
            "MAHDAR_MODEL": "loopback",
            "MAHDAR_CACHE_DIR": str(self.cache),
        }
        command = [sys.executable, "-m", "mahdar.cli.app", "extract", str(self.folder / "archive.jsonl")]
        command += ["-o", str(self.output), "--concurrency", str(AT_ONCE)]
        with self.errors.open("wb") as errors:
            return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=errors)

    def end(self, process: "subprocess.Popen[bytes]") -> int:
        """Wait for the end of a process, judge what it said, and do what it says is to be done."""
        process.wait()
        err = self.errors.read_text(encoding="utf-8", errors="replace")  # a kill may cut a letter
        assert "Traceback" not in err, err
        assert process.returncode in {0, 1, 2, -signal.SIGKILL}, (process.returncode, err)
        if process.returncode == 2:
            (line,) = [line for line in err.splitlines() if line.startswith("mahdar: ")]
            if "move the folder away" in line:
                shutil.rmtree(self.cache)
                self.remedies["cache removed"] += 1
            else:
                assert "give --overwrite to replace what is there" in line, line
                assert not self.output.stat().st_size, line
                self.remedies["overwritten, without a result in it"] += 1
                for file in self.output.parent.glob("out.jsonl.ledger.sqlite*"):
                    file.unlink()
        return process.returncode

    def kill(self, calls: int) -> None:
        """Run until so many calls have come, or for a moment at the start, and kill the run."""
        process = self.launch()
        if self.chance.random() < 0.3:
            with suppress(subprocess.TimeoutExpired):
                process.wait(self.chance.uniform(0.5, 4))
        else:
            self.failing.await_calls(self.chance.randrange(1, 2 * calls), process)
        process.kill()
        self.end(process)
        self.failing.go_on()

    def flip(self) -> None:
        """Flip up to three bits in every file that the run has written."""
        for path in sorted((*self.output.parent.iterdir(), *self.cache.rglob("*"))):
            if not path.is_file() or not (size := path.stat().st_size):
                continue
            with path.open("r+b") as file:
                for _ in range(self.chance.randint(1, 3)):
                    at = self.chance.randrange(size)
                    file.seek(at)
                    (byte,) = file.read(1)
                    file.seek(at)
                    file.write(bytes([byte ^ 1 << self.chance.randrange(8)]))


def archive(folder: Path, articles: int) -> Path:
    """One file of many articles, all different, a third of them with records, under ids of all kinds."""
    file = folder / "archive.jsonl"
    with file.open("w", encoding="utf-8") as opened:
        for number in range(articles):
            text = weather(number) if number % 3 else f"{ARTICLE}\n{weather(number)}"
            row = {"id": IDS[number % len(IDS)].format(number), "text": text}
            opened.write(json.dumps(row, ensure_ascii=False) + "\n")
    return file


def undisturbed(file: Path, folder: Path) -> dict[str, Any]:
    """What a run comes to in which nothing fails, by article."""
    found = {}
    with (
        Endpoint(reads_well) as endpoint,
        Extractor(configured(endpoint, folder), concurrency=AT_ONCE, store=None) as extractor,
    ):
        for result in extractor.extract_many(Articles([str(file)])):
            assert isinstance(result, Extraction), result
            found[result.document_id] = plain(json_line(result))
            endpoint.requests.clear()
    return found


def plain(line: str) -> dict[str, Any]:
    """A record without the circumstances of its run."""
    record: dict[str, Any] = json.loads(line)
    record["provenance"] = {name: of for name, of in record["provenance"].items() if name not in CIRCUMSTANCES}
    return record


@pytest.mark.parametrize(
    ("articles", "kills", "flips"),
    [
        (80, 3, True),
        pytest.param(2_000, 20, False, marks=pytest.mark.soak),
        pytest.param(20_000, 50, True, marks=pytest.mark.soak),
    ],
)
def test_faults_kills_and_flipped_bits_lose_double_and_alter_nothing(
    tmp_path: Path, *, articles: int, kills: int, flips: bool
) -> None:
    expected = undisturbed(archive(tmp_path, articles), tmp_path)
    (tmp_path / "run").mkdir()
    failing = Failing()
    with Endpoint(failing) as failing.endpoint:
        soak = Soak(failing, failing.endpoint.url, tmp_path, random.Random(articles))
        for _ in range(kills):
            soak.kill(2 * articles // (kills + 1))
            if flips:
                soak.flip()
        while (code := soak.end(soak.launch())) == 2:
            pass
    assert code == 1, "some articles failed"
    lines = soak.output.read_text(encoding="utf-8").split("\n")[:-1]
    errors = Path(f"{soak.output}.errors.jsonl").read_text(encoding="utf-8").split("\n")[:-1]
    ended = Counter(json.loads(line)["document_id"] for line in (*lines, *errors))
    assert ended == Counter(list(expected)), "every article once"
    assert len(lines) > articles * 0.7
    done = {record["document_id"]: record for record in map(plain, lines)}
    assert {id_: record for id_, record in done.items() if record != expected[id_]} == {}
    told = json.loads(mahdar("status", soak.output, "--json").out)
    assert (told["state"], told["done"], sum(told["failed"].values())) == ("complete", len(lines), len(errors))
    assert KEY.encode() not in b"".join(path.read_bytes() for path in soak.output.parent.iterdir())
    counted = told["charged_tokens"] // TOKENS
    assert 0 < told["tokens"] // TOKENS <= counted <= failing.sent
    if not flips:
        assert failing.sent - counted <= kills * AT_ONCE, "only answers that were under way at a kill are not counted"
        assert not soak.remedies
