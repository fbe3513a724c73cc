"""The run: a bounded window, and what ends it before all articles are met."""

import json
import signal
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from newsroom import NOTHING, configured, weather

from mahdar import Document, ExtractionError, Extractor, NoModelError
from mahdar.cache.completion import Completion
from mahdar.cli.extract import exit_code
from mahdar.cli.interrupt import Interrupt
from mahdar.documents.document import BadInput
from mahdar.llm.call import Call
from mahdar.results import FailureClass
from mahdar.runs.disk_dict import DiskDict
from mahdar.runs.identity import identity
from mahdar.runs.outputs import Outputs
from mahdar.runs.results import RunResults
from mahdar.runs.run import RunTally
from mahdar.runs.run import run as take
from mahdar.runs.sources import Articles
from mahdar.runs.watch import Watch

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


def articles(number: int) -> list[Document | BadInput]:
    return [Document(f"{index:03}", weather(index)) for index in range(number)]


def run(
    folder: Path, transport: Ready, given: Iterable[Document | BadInput], total: int | None = None, **options: Any
) -> RunTally:
    """A run into a file, one article after the other."""
    settings = configured(URL, folder / "cache")
    with (
        Extractor(settings, transport=transport, store=None, concurrency=1) as mahdar,
        RunResults(folder / "out.jsonl", identity(mahdar)) as results,
    ):
        return take(mahdar, given, results, tally=RunTally(total), **options)


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
    assert (tally.extracted, tally.failures.total(), tally.stopped, exit_code(tally)) == (3, 0, str(spent), 1)
    assert tally.rest == ("an unknown number of articles" if total is None else "5 articles")
    assert not (tmp_path / "out.jsonl.errors.jsonl").exists()
    transport = Ready()
    again = run(tmp_path, transport, articles(8), total)
    assert (again.before, again.extracted, exit_code(again), transport.asked) == (3, 5, 0, 5)


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
    assert (str(tally), exit_code(tally)) == ("2 of 3 articles, 0 records, 0 rejected, 1 failed", 1)
    changed = run(tmp_path, Ready(), [Document("000", weather(9)), *articles(3)[1:], bad])
    assert str(changed) == (
        "1 of 4 articles, 0 records, 0 rejected, 0 failed, 1 done before, "
        "1 failed before (--retry-errors takes them), "
        "1 with another text or day than before"
    )
    assert (
        changed.changes
        == "000: another text or day than before, left as they were; --update-changed extracts them anew"
    )


def test_of_many_changed_articles_the_first_are_named(tmp_path: Path) -> None:
    run(tmp_path, Ready(), articles(8))
    changed = run(tmp_path, Ready(), [Document(f"{number:03}", weather(number + 50)) for number in range(8)])
    assert changed.changes.startswith("000, 001, 002, 003, 004 and 3 more: another text or day than before")


def texts(folder: Path, name: str = "out.jsonl") -> list[tuple[str, str]]:
    """The records of a file: ids, and the first characters of the text's hash."""
    if not (folder / name).exists():
        return []
    return sorted((one.extraction.document_id, one.extraction.text_sha256[:8]) for one in Outputs(folder / name))


def version(number: int, name: str = "000") -> tuple[str, str]:
    return name, Document(name, weather(number)).sha256[:8]


def test_changed_articles_are_extracted_anew_and_their_earlier_records_kept(tmp_path: Path) -> None:
    run(tmp_path, Ready(), articles(3))
    transport, changed = (
        Ready(),
        [Document("000", weather(50)), Document("001", weather(1), "2024-02-05"), *articles(4)[2:]],
    )
    updated = run(tmp_path, transport, changed, update_changed=True)
    assert str(updated) == "3 of 4 articles, 0 records, 0 rejected, 0 failed, 1 done before"
    assert transport.asked == 3
    others = [version(1, "001"), version(2, "002"), version(3, "003")]
    assert texts(tmp_path) == [version(50), *others]
    assert [one.extraction.document_id for one in Outputs(tmp_path / "out.jsonl")] == ["000", "001", "002", "003"]
    assert texts(tmp_path, "out.jsonl.history.jsonl") == [version(0), version(1, "001")]
    again = run(tmp_path, Ready(), changed, update_changed=True)
    assert (again.before, again.extracted) == (4, 0)


def test_a_changed_article_that_fails_keeps_its_earlier_record_until_it_succeeds(tmp_path: Path) -> None:
    run(tmp_path, Ready(), articles(1))
    changed: list[Document | BadInput] = [Document("000", weather(50))]
    refused = ExtractionError("refused", "no")
    failed = run(tmp_path, Ready(until=50, error=refused), changed, update_changed=True)
    assert (failed.failures, texts(tmp_path)) == ({"refused": 1}, [version(0)])
    left = run(tmp_path, Ready(), changed, update_changed=True)
    assert (left.failed_before, left.extracted) == (1, 0)
    retried = run(tmp_path, Ready(), changed, retry_errors=True)
    assert (retried.extracted, retried.missing, texts(tmp_path)) == (1, 0, [version(50)])
    assert texts(tmp_path, "out.jsonl.history.jsonl") == [version(0)]
    assert not (tmp_path / "out.jsonl.errors.jsonl").exists()


@pytest.mark.parametrize("kind", ["refused", "internal"])
@pytest.mark.parametrize("options", [{}, {"update_changed": True}, {"retry_errors": True}])
def test_an_article_that_is_as_its_record_says_again_is_done_whatever_failed_in_between(
    tmp_path: Path, kind: FailureClass, options: dict[str, bool]
) -> None:
    run(tmp_path, Ready(), articles(2))
    changed: list[Document | BadInput] = [Document("000", weather(50)), BadInput("001", "001.txt is empty")]
    failed = run(tmp_path, Ready(50, ExtractionError(kind, "no")), changed, update_changed=True)
    assert failed.failures == {kind: 1, "bad_input": 1}
    transport = Ready()
    again = run(tmp_path, transport, articles(2), **options)
    assert (again.before, again.missing, transport.asked, exit_code(again)) == (2, 0, 0, 0)
    assert texts(tmp_path) == [version(0), version(1, "001")]
    assert not (tmp_path / "out.jsonl.errors.jsonl").exists()
    assert str(run(tmp_path, Ready(), articles(2))) == "nothing to do: 2 of 2 done before"


def test_an_update_that_is_broken_off_leaves_one_record_an_article(tmp_path: Path) -> None:
    run(tmp_path, Ready(), articles(3))
    changed: list[Document | BadInput] = [Document(f"{index:03}", weather(50 + index)) for index in range(3)]
    seen: list[list[tuple[str, str]]] = []

    def broken_off(*_: object) -> None:
        seen.append(texts(tmp_path))
        if len(seen) == 2:
            raise RuntimeError

    before = [version(number, f"{number:03}") for number in range(3)]
    with pytest.raises(RuntimeError):
        run(tmp_path, Ready(), changed, update_changed=True, each=broken_off)
    assert seen == [before] * 2, "until an update is settled, the earlier records stand"
    assert texts(tmp_path) == [version(50), version(51, "001"), version(2, "002")]
    again = run(tmp_path, Ready(), changed, update_changed=True)
    assert (again.before, again.extracted) == (2, 1)
    assert texts(tmp_path) == [version(50 + number, f"{number:03}") for number in range(3)]
    assert texts(tmp_path, "out.jsonl.history.jsonl") == before


def test_a_run_ends_early_when_it_is_cancelled(tmp_path: Path) -> None:
    transport = Ready()
    tally = run(tmp_path, transport, articles(8), cancelled=lambda: transport.asked >= 3)
    assert (tally.extracted, tally.total) == (3, None)
    assert run(tmp_path, Ready(), articles(8)).before == 3


# New files as they come


def test_a_file_is_taken_once_it_has_stopped_growing(tmp_path: Path) -> None:
    now = 0.0
    watch = Watch([str(tmp_path), str(tmp_path / "later" / "*.jsonl")], settled=2.0, clock=lambda: now)

    def looks(seconds: float) -> list[str]:
        nonlocal now
        now += seconds
        return sorted(Path(name).name for name in watch.poll())

    assert looks(0) == [], "an empty folder may get files"
    (tmp_path / "slow.txt").write_text("وصل", encoding="utf-8")
    (tmp_path / "whole.txt").write_text("وصل الوفد", encoding="utf-8")
    (tmp_path / ".hidden.txt").write_text("وصل", encoding="utf-8")
    assert looks(0) == []
    (tmp_path / "slow.txt").write_text("وصل الوفد", encoding="utf-8")
    assert looks(1.9) == []
    assert looks(0.1) == ["whole.txt"]
    assert looks(1.8) == []
    assert looks(0.1) == ["slow.txt"], "two seconds after it was last seen to grow"
    assert looks(9) == []
    (tmp_path / "whole.txt").write_text("وصل الوفد إلى المنامة", encoding="utf-8")
    (tmp_path / "later").mkdir()
    (tmp_path / "later" / "rows.jsonl").write_text("{}", encoding="utf-8")
    (tmp_path / "slow.txt").unlink()
    assert looks(0) == []
    assert looks(2) == ["rows.jsonl", "whole.txt"]


def test_an_id_stays_with_its_file_while_files_come_and_change(tmp_path: Path) -> None:
    first, second, owners = tmp_path / "1.jsonl", tmp_path / "2.jsonl", DiskDict()

    def takes(file: Path, *rows: tuple[str, int]) -> str:
        lines = [json.dumps({"id": id_, "text": weather(number)}, ensure_ascii=False) for id_, number in rows]
        file.write_text("\n".join(lines), encoding="utf-8")
        read = Articles([f"{tmp_path}/[12].jsonl"], only={str(file)}, owners=owners)
        transport = Ready()
        tally = run(tmp_path, transport, read, update_changed=True)
        return f"asked {transport.asked}, {tally.before} before, {read.repeated} twice, {tally.failed} failed"

    assert takes(second, ("أ", 1), ("ب", 2)) == "asked 2, 0 before, 0 twice, 0 failed"
    assert takes(first, ("أ", 3), ("ب", 2), ("ج", 4)) == "asked 1, 0 before, 1 twice, 1 failed"
    assert takes(second, ("أ", 1), ("ب", 5)) == "asked 1, 1 before, 0 twice, 0 failed"
    assert takes(first, ("أ", 3), ("ج", 4)) == "asked 0, 1 before, 0 twice, 0 failed"
    assert texts(tmp_path) == sorted([version(1, "أ"), version(5, "ب"), version(4, "ج")])
    errors = (tmp_path / "out.jsonl.errors.jsonl").read_text(encoding="utf-8")
    assert errors.count("has the id 'أ', as an earlier article with another text") == errors.count("\n") == 1
    second.rename(tmp_path / "3.jsonl")
    assert takes(first, ("أ", 3)) == "asked 1, 0 before, 0 twice, 0 failed", "the file that had the id is gone"


def test_files_of_one_name_that_come_one_after_the_other_have_their_ids(tmp_path: Path) -> None:
    folder, owners = tmp_path / "in", DiskDict()

    def takes(name: str, number: int) -> str:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(weather(number), encoding="utf-8")
        read, transport = Articles([folder], only={str(file)}, owners=owners), Ready()
        tally = run(tmp_path, transport, read, update_changed=True)
        return f"asked {transport.asked}, {tally.before} before, {tally.failed} failed"

    assert [
        takes("m/x.txt", 0),
        takes("a/x.txt", 1),
        takes("m/x.txt", 0),
        takes("m/x.txt", 2),
        takes("a/x.txt", 3),
    ] == [
        "asked 1, 0 before, 0 failed",
        "asked 1, 0 before, 0 failed",
        "asked 0, 1 before, 0 failed",
        "asked 1, 0 before, 0 failed",
        "asked 1, 0 before, 0 failed",
    ]
    assert texts(tmp_path) == [version(3, "a/x.txt"), version(2, "x")]
