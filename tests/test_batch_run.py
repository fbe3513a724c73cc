"""The run: a bounded window, and what ends it before all articles are met."""

import json
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from newsroom import NOTHING, configured, weather

from mahdar import Document, ExtractionError, Extractor, NoModelError
from mahdar.cli.interrupt import Interrupt
from mahdar.cli.progress import Silent
from mahdar.cli.run import Run, Tally
from mahdar.documents.document import BadInput
from mahdar.llm.call import Call
from mahdar.llm.completion import Completion
from mahdar.runs.ledger import identity
from mahdar.runs.results import Results

from loopback import Asked, Endpoint, Reply, completion

URL = "http://127.0.0.1:9/v1"
"""Nobody listens, and nobody is asked."""


class Ready:
    """A transport that answers at once, until it is asked about a certain article."""

    def __init__(self, until: int | None = None, error: Exception | None = None) -> None:
        self.asked = 0
        self._until = until
        self._error = error or AssertionError()

    async def send(self, call: Call) -> Completion:
        self.asked += 1
        if self._until is not None and f"على {self._until} من" in call.request.messages[-1]["content"]:
            raise self._error
        return Completion(json.dumps(NOTHING))

    async def close(self) -> None:
        """Nothing is open."""


class Never:
    heard = False


def articles(number: int) -> list[Document | BadInput]:
    return [Document(f"{index:03}", weather(index)) for index in range(number)]


def run(folder: Path, transport: Ready, given: list[Document | BadInput], total: int | None = None) -> Tally:
    """A run into a file, one article after the other."""
    tally = Tally(total)
    settings = configured(URL, folder / "cache")
    with Extractor(settings, transport=transport, store=None, concurrency=1) as mahdar:
        results = Results(folder / "out.jsonl", identity(mahdar))
        try:
            Run(mahdar, [results], Silent(), tally, stop=Never()).take(given)
        finally:
            results.close()
    return tally


def test_no_more_is_read_than_is_under_way(tmp_path: Path) -> None:
    met = 0

    def endless() -> Iterator[Document]:
        nonlocal met
        while True:
            met += 1
            yield Document(f"{met}", weather(met))

    with Extractor(configured(URL, tmp_path), transport=Ready(), store=None, concurrency=4) as mahdar:
        results = mahdar.extract_many(endless())
        for given, _ in zip(range(1, 30), results, strict=False):
            assert met <= given + 4
        results.close()  # type: ignore[attr-defined]  # it is a generator


def test_a_slow_article_does_not_hold_the_others(tmp_path: Path) -> None:
    gate = threading.Event()

    def answer(asked: Asked) -> Reply:
        return completion(NOTHING, after=gate if "على 0 من" in asked.article else None)

    given = [Document(f"{index}", weather(index)) for index in range(20)]
    with Endpoint(answer) as endpoint, Extractor(configured(endpoint, tmp_path), store=None, concurrency=3) as mahdar:
        results = mahdar.extract_many(given)
        first = [next(results) for _ in range(19)]
        assert {result.document_id for result in first} == {f"{index}" for index in range(1, 20)}
        gate.set()
        assert [result.document_id for result in results] == ["0"]


@pytest.mark.parametrize("total", [None, 8])
def test_a_budget_that_is_spent_leaves_articles_as_they_were(tmp_path: Path, total: int | None) -> None:
    spent = ExtractionError("over_budget", "no more than $1 may be spent")
    tally = run(tmp_path, Ready(until=3, error=spent), articles(8), total)
    assert (tally.extracted, tally.failures.total(), tally.stopped, tally.exit_code) == (3, 0, str(spent), 1)
    assert tally.rest == ("an unknown number of articles" if total is None else "5 articles")
    assert not (tmp_path / "out.jsonl.errors.jsonl").exists()
    transport = Ready()
    again = run(tmp_path, transport, articles(8), total)
    assert (again.before, again.extracted, again.exit_code, transport.asked) == (3, 5, 0, 5)


def test_an_endpoint_that_is_gone_leaves_articles_as_they_were(tmp_path: Path) -> None:
    with pytest.raises(NoModelError, match="gone"):
        run(tmp_path, Ready(until=3, error=NoModelError("the endpoint is gone")), articles(8))
    again = run(tmp_path, Ready(), articles(8))
    assert (again.before, again.extracted) == (3, 5)


def test_what_stops_all_is_raised_after_the_others_have_come(tmp_path: Path) -> None:
    transport = Ready(until=0, error=NoModelError("the endpoint is gone"))
    given = [Document(f"{index}", weather(index)) for index in range(4)]
    with Extractor(configured(URL, tmp_path), transport=transport, store=None, concurrency=4) as mahdar:
        results = mahdar.extract_many(given)
        came = {next(results).document_id for _ in range(3)}
        assert came == {"1", "2", "3"}
        with pytest.raises(NoModelError):
            next(results)


def test_what_is_under_way_has_a_few_seconds_after_ctrl_c() -> None:
    before = signal.getsignal(signal.SIGINT)

    def interrupted() -> None:
        with Interrupt(grace=0.0) as stop:
            assert not stop.heard
            signal.raise_signal(signal.SIGINT)
            assert stop.heard
            while True:
                threading.Event().wait(0.01)

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert signal.getsignal(signal.SIGINT) is before


def test_bad_input_and_changed_articles_are_counted(tmp_path: Path) -> None:
    bad = BadInput("rows:7", "rows.jsonl:7 is no JSON")
    tally = run(tmp_path, Ready(), [*articles(2), bad])
    assert (str(tally), tally.exit_code) == ("2 of 3 articles, 0 records, 0 rejected, 1 failed", 1)
    changed = run(tmp_path, Ready(), [Document("000", weather(9)), *articles(3)[1:], bad])
    assert str(changed) == (
        "1 of 4 articles, 0 records, 0 rejected, 0 failed, 1 done before, "
        "1 failed before (--retry-errors takes them), "
        "1 with another text or day than before"
    )
    assert changed.changes == "000: another text or day than before, left as they were; --overwrite extracts all anew"


def test_of_many_changed_articles_the_first_are_named(tmp_path: Path) -> None:
    run(tmp_path, Ready(), articles(8))
    changed = run(tmp_path, Ready(), [Document(f"{number:03}", weather(number + 50)) for number in range(8)])
    assert changed.changes.startswith("000, 001, 002, 003, 004 and 3 more: another text or day than before")
