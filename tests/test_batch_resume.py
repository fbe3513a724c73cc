"""A run into a file: whatever ends it, the same command goes on, and nothing is lost, doubled or paid twice."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest
from newsroom import KEY, NOTHING, configured, reads_well, records, weather
from tiny import mahdar

from mahdar import Document, Extractor, Failure, Price, UsageError
from mahdar.documents.document import BadInput
from mahdar.limits.budget import Spending
from mahdar.results import Usage
from mahdar.runs.identity import Identity, identity
from mahdar.runs.outputs import Outputs
from mahdar.runs.results import RunResults
from mahdar.runs.run import run as take
from mahdar.schemas import Extraction, Provenance

from loopback import PATIENCE, Asked, Endpoint, Reply, completion

MADE: Final = {"meetings": "loopback", "stances": "loopback"}
RULES: Final = dict.fromkeys(MADE, "mahdar-rules@2")
RUN: Final[Identity] = {"made_by": MADE, "prompts": {"meetings": "news@1 sha256:ab"}}
ARTICLES: Final = 120


# Results in their files


def document(number: int, text: str = "") -> Document:
    return Document(f"خبر-{number}", text or weather(number), "2024-02-05")


def extraction(article: Document) -> Extraction:
    made = Provenance(made_by=MADE, attempts=2, tokens_in=100, tokens_out=20, cost=0.25)
    return Extraction(
        document_id=article.id, text_sha256=article.sha256, published_at=article.published_at, provenance=made
    )


def refused(article: Document) -> Failure:
    spent = Usage(calls=1, attempts=1, tokens_in=90, tokens_out=10, cost=Decimal("0.5"))
    return Failure(article.id, "refused", "لا أستطيع", spent)


def opened(folder: Path, **more: Any) -> RunResults:
    return RunResults(folder / "out.jsonl", more.pop("run", RUN), clock=lambda: 0.0, **more)


def filled(folder: Path, numbers: Any = range(6), failing: int = 2) -> None:
    """Six articles, the third of which failed, and nothing pending."""
    results = opened(folder)
    for number in numbers:
        article = document(number)
        results.expect(article)
        results.write(refused(article) if number == failing else extraction(article))
    results.close()


def ids(file: Path) -> list[str]:
    return [json.loads(line)["document_id"] for line in file.read_bytes().splitlines()]


def states(results: RunResults, numbers: Any = range(6)) -> list[str]:
    return [results.state(document(number)) for number in numbers]


def test_a_run_that_is_taken_up_again_knows_what_became_of_each_article(tmp_path: Path) -> None:
    filled(tmp_path)
    results = opened(tmp_path)
    assert states(results, range(7)) == ["done", "done", "failed", "done", "done", "done", "new"]
    assert results.state(document(1, "نص آخر")) == "changed"
    assert results.state(document(2, "نص آخر")) == "new", "what failed has been mended"
    assert results.state(BadInput("خبر-7", "no text")) == "new"
    progress = results.progress
    assert (progress.done, progress.failed, progress.tokens, progress.cost) == (5, {"refused": 1}, 700, 1.75)
    results.close()
    assert json.loads((tmp_path / "out.jsonl.errors.jsonl").read_bytes()) == {
        "document_id": "خبر-2",
        "failure": "refused",
        "message": "لا أستطيع",
        "attempts": 1,
        "tokens_in": 90,
        "tokens_out": 10,
        "cost": 0.5,
    }
    (failure,) = Outputs(tmp_path / "out.jsonl").failures()
    assert (failure.attempts, failure.usage.tokens_in, failure.usage.cost) == (1, 90, Decimal("0.5"))


def test_an_article_that_the_budget_stopped_is_left_and_what_it_cost_counts(tmp_path: Path) -> None:
    spent = Usage(calls=1, attempts=1, tokens_in=900, tokens_out=100, unpriced=1)
    results = opened(tmp_path)
    for number, usage in ((0, spent), (1, Usage())):
        results.expect(document(number))
        results.write(Failure(document(number).id, "over_budget", "the budget ends here", usage))
    results.close()
    results = opened(tmp_path)
    progress = results.progress
    assert states(results, range(2)) == ["new", "new"]
    assert (progress.failed, progress.tokens, progress.cost) == ({}, 1_000, None)
    results.close()
    assert not (tmp_path / "out.jsonl.errors.jsonl").exists()


def complete(results: RunResults, failing: int = 2) -> None:
    """Extract what is new, and close."""
    for number, state in enumerate(states(results)):
        if state == "new":
            results.expect(document(number))
            results.write(refused(document(number)) if number == failing else extraction(document(number)))
    results.close()


def test_results_torn_anywhere_in_their_last_lines_are_mended(tmp_path: Path) -> None:
    (tmp_path / "whole").mkdir()
    filled(tmp_path / "whole")
    records = (tmp_path / "whole" / "out.jsonl").read_bytes()
    *_, last_but_one, last = records.splitlines(keepends=True)
    for end in range(len(records) - len(last) - len(last_but_one), len(records)):
        torn = tmp_path / "torn"
        shutil.copytree(tmp_path / "whole", torn)
        os.truncate(torn / "out.jsonl", end)
        complete(opened(torn))
        assert (torn / "out.jsonl").read_bytes() == records, end
        assert ids(torn / "out.jsonl.errors.jsonl") == ["خبر-2"], end
        assert not (torn / "out.jsonl.damaged.jsonl").exists()
        shutil.rmtree(torn)


@pytest.mark.parametrize(
    ("lines", "said", "set_aside"),
    [
        ([0, 1, 2, 3], "1 record missing, extracted again: خبر-5", 0),
        ([1, 2, 3, 4], "1 record missing, extracted again: خبر-0", 0),
        ([4, 3, 2, 1, 0], "", 0),
        ([0, 1, 1, 2, 3, 4, 1], "2 lines moved to {}", 1),
        ([0, 1, b"", 2, 3, 4], "1 line moved to {}", 1),
        ([0, 1, b'{"title": "mine"}', 2, 3, 4], "1 line moved to {}", 1),
        ([0, b"\0\0\0", 2, 3, 4], "1 line moved to {}; 1 record missing, extracted again: خبر-1", 1),
        ([0, 1, 2, "other", 4], "1 line moved to {}; 1 record missing, extracted again: خبر-4", 1),
        ([], "5 records missing, extracted again: خبر-0, خبر-1, خبر-3, خبر-4, خبر-5", 0),
        (["other"], "1 line moved to {}; 5 records missing, extracted again: خبر-0, خبر-1, خبر-3, خبر-4, خبر-5", 1),
    ],
)
def test_damage_anywhere_in_the_results_is_named_and_mended(
    tmp_path: Path, lines: list[int | bytes | str], said: str, set_aside: int
) -> None:
    filled(tmp_path)
    file, aside = tmp_path / "out.jsonl", tmp_path / "out.jsonl.damaged.jsonl"
    whole = file.read_bytes().splitlines()
    other = whole[3].replace(b"loopback", b"larger")
    damaged = [other if line == "other" else line if isinstance(line, bytes) else whole[int(line)] for line in lines]
    file.write_bytes(b"".join(line + b"\n" for line in damaged))
    results = opened(tmp_path)
    assert results.repaired == (f"{file} is not as it was written; {said.format(aside)}" if said else "")
    complete(results)
    assert sorted(file.read_bytes().splitlines()) == sorted(whole)
    assert (len(aside.read_bytes().splitlines()) if aside.exists() else 0) == set_aside
    again = opened(tmp_path)
    assert (again.repaired, states(again)) == ("", ["done", "done", "failed", "done", "done", "done"])
    again.close()


def test_an_update_that_is_killed_at_any_step_leaves_one_record_an_article(tmp_path: Path) -> None:
    before, killed, after = tmp_path / "before", tmp_path / "killed", tmp_path / "after"
    before.mkdir()
    filled(before)
    shutil.copytree(before, after)
    results = opened(after)
    for number in (0, 4):
        changed = document(number, "نص آخر")
        assert results.state(changed) == "changed"
        results.expect(changed)
        results.write(extraction(changed))
    shutil.copytree(after, killed)
    results.close()
    updated = (after / "out.jsonl").read_bytes()
    history = (after / "out.jsonl.history.jsonl").read_bytes()
    assert ids(after / "out.jsonl") == [f"خبر-{number}" for number in (0, 1, 3, 4, 5)]
    assert ids(after / "out.jsonl.history.jsonl") == ["خبر-0", "خبر-4"]
    for written in ((), ("out.jsonl.history.jsonl",), ("out.jsonl.history.jsonl", "out.jsonl")):
        again = tmp_path / f"again-{len(written)}"
        shutil.copytree(killed, again)
        for name in written:
            shutil.copy(after / name, again / name)
        results = opened(again)
        assert (results.repaired, results.state(document(4, "نص آخر"))) == ("", "done")
        results.close()
        assert ((again / "out.jsonl").read_bytes(), (again / "out.jsonl.history.jsonl").read_bytes()) == (
            updated,
            history,
        )


def test_a_lost_record_of_an_article_that_failed_since_stays_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAHDAR_MODEL", "offline")
    before, after, out = tmp_path / "before.jsonl", tmp_path / "after.jsonl", tmp_path / "out.jsonl"
    texts = {f"a{number}": weather(number) for number in range(3)}
    for file, changed in ((before, {}), (after, {"a0": "..."})):
        rows = [json.dumps({"id": id_, "text": text}, ensure_ascii=False) for id_, text in (texts | changed).items()]
        file.write_text("\n".join(rows), encoding="utf-8")
    assert mahdar("extract", before, "-o", out).code == 0
    assert mahdar("extract", after, "-o", out, "--update-changed").code == 1
    kept = [line for line in out.read_bytes().splitlines(keepends=True) if b'"document_id":"a0"' not in line]
    out.write_bytes(b"".join(kept))
    first, second = (mahdar("extract", after, "-o", out).err for _ in range(2))
    assert "; 1 record missing, of articles that failed since (--retry-errors takes them)\n" in first
    assert second.endswith(
        f"0 of 3 articles, 0 records, 0 rejected, 0 failed, 2 done before, "
        f"1 failed before (--retry-errors takes them) → {out}\n"
    )
    assert "damaged" not in first + second


def test_a_file_keeps_its_record_when_another_of_its_name_appears(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAHDAR_MODEL", "offline")
    folder, out = tmp_path / "in", tmp_path / "out.jsonl"
    (folder / "sub").mkdir(parents=True)
    (folder / "x.txt").write_text(weather(1), encoding="utf-8")
    assert mahdar("extract", folder, "-o", out).code == 0
    (folder / "sub" / "x.txt").write_text(weather(2), encoding="utf-8")
    ended = mahdar("extract", folder, "-o", out)
    assert ended.err.endswith(f"1 of 2 articles, 0 records, 0 rejected, 0 failed, 1 done before → {out}\n")
    assert ids(out) == ["x", "sub/x.txt"]
    assert mahdar("extract", folder, "-o", out).err.endswith(f"nothing to do: 2 of 2 done before → {out}\n")


def test_the_error_file_is_what_the_ledger_says(tmp_path: Path) -> None:
    filled(tmp_path)
    errors = tmp_path / "out.jsonl.errors.jsonl"
    whole = errors.read_bytes()
    for content in (b"", b"\0", whole[:20], whole + whole):
        errors.write_bytes(content)
        opened(tmp_path).close()
        assert errors.read_bytes() == whole


@pytest.mark.parametrize(
    ("run", "said"),
    [
        ({**RUN, "made_by": RULES}, "has records made by loopback, and this run makes them by mahdar-rules@2: give"),
        (
            {**RUN, "made_by": {**MADE, "stances": "larger"}},
            "made by loopback, and this run makes them by loopback (meetings), larger (stances): give",
        ),
        ({**RUN, "prompts": {"meetings": "news@2 sha256:cd"}}, "prompts.meetings (news@1 sha256:ab → news@2"),
        ({**RUN, "prompts": {**RUN["prompts"], "stances": "news@1"}}, "prompts.stances (none → news@1)"),
        ({**RUN, "mahdar": "9.0"}, "mahdar (none → 9.0)"),
    ],
)
def test_another_run_is_not_mixed_in(tmp_path: Path, run: Identity, said: str) -> None:
    filled(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(Exception, match="--overwrite") as refusal:
        opened(tmp_path, run=run)
    assert said in str(refusal.value)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    results = opened(tmp_path, run=run, overwrite=True)
    assert states(results) == ["new"] * 6
    results.close()
    assert [path.name for path in tmp_path.iterdir() if path.stat().st_size] == ["out.jsonl.ledger.sqlite"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "has results in it, and .* is empty: give --overwrite"),
        (b"a file of somebody's" * 999, "is no ledger, or damaged .*: give --overwrite"),
        (None, "has results in it, and no ledger beside it: give --overwrite"),
    ],
)
def test_results_without_their_ledger_are_refused(tmp_path: Path, content: bytes | None, said: str) -> None:
    filled(tmp_path)
    ledger = tmp_path / "out.jsonl.ledger.sqlite"
    ledger.unlink()
    if content is not None:
        ledger.write_bytes(content)
    records = (tmp_path / "out.jsonl").read_bytes()
    with pytest.raises(UsageError, match=said):
        opened(tmp_path)
    assert (tmp_path / "out.jsonl").read_bytes() == records


@pytest.mark.parametrize(
    ("place", "found", "read"),
    [
        ("خبر-4".encode(), "is damaged (row ", 5),
        ("لا أستطيع".encode(), "is damaged (the checksum of خبر-2 differs)", 5),
        (b"\x11\x1d\x81", "is damaged (", 5),  # the length of the header of a row: it has no columns
        (b"loopback", "is damaged (the checksum of the run differs)", 6),
        (b"SQLite format 3", "is no ledger, or damaged (file is not a database)", 6),
        (b"CREATE TABLE articles", "is no ledger, or damaged (malformed database schema (articles)", 6),
        (b"mhdr", "is no ledger", 6),
    ],
)
def test_a_damaged_ledger_is_made_anew_of_what_can_be_read(tmp_path: Path, place: bytes, found: str, read: int) -> None:
    filled(tmp_path)
    ledger, records = tmp_path / "out.jsonl.ledger.sqlite", tmp_path / "out.jsonl"
    whole, content = records.read_bytes(), bytearray(ledger.read_bytes())
    content[content.index(place)] ^= 0x11
    ledger.write_bytes(content)
    results = opened(tmp_path)
    said = results.repaired.splitlines()[0]
    assert said.startswith(f"{ledger} {found}")
    assert said.endswith(f"made anew of the {read} articles that could be read; all others are extracted again")
    assert results.progress.tokens == 700
    for number in range(6):
        if results.state(document(number)) == "new":
            results.expect(document(number))
            results.write(refused(document(number)) if number == 2 else extraction(document(number)))
    results.close()
    assert sorted(records.read_bytes().splitlines()) == sorted(whole.splitlines())
    assert ids(tmp_path / "out.jsonl.errors.jsonl") == ["خبر-2"]
    assert ids(records).count("خبر-4") == 1
    again = opened(tmp_path)
    assert (again.repaired, states(again)) == ("", ["done", "done", "failed", "done", "done", "done"])
    again.close()


def test_a_ledger_whose_table_definition_is_no_text_is_made_anew(tmp_path: Path) -> None:
    filled(tmp_path)
    ledger = tmp_path / "out.jsonl.ledger.sqlite"
    content = bytearray(ledger.read_bytes())
    content[content.index(b"(\n    id TEXT PRIMARY KEY")] ^= 0x80
    ledger.write_bytes(content)
    results = opened(tmp_path)
    assert "damaged (invalid start byte): made anew of the 6 articles that could be read" in results.repaired
    results.close()


def retried(folder: Path) -> None:
    """The article that failed in `filled` has been extracted; its process was killed before it closed the files."""
    filled(folder)
    results = opened(folder)
    results.expect(document(2))
    results.write(extraction(document(2)))
    killed = folder / "killed"
    killed.mkdir()
    for file in folder.glob("out.jsonl*"):
        shutil.copy(file, killed / file.name)
    results.close()


@pytest.mark.parametrize("lost", ["the row", "the log"])
def test_an_older_failure_does_not_hide_a_later_record(tmp_path: Path, lost: str) -> None:
    retried(tmp_path)
    killed = tmp_path / "killed"
    ledger, log = killed / "out.jsonl.ledger.sqlite", killed / "out.jsonl.ledger.sqlite-wal"
    whole = (killed / "out.jsonl").read_bytes()
    if lost == "the log":  # SQLite leaves out what was written since the last checkpoint, without a word
        log.write_bytes(b"")
    else:  # the newest row is damaged in the database, and the older one is in a page that is free
        shutil.copy(tmp_path / ledger.name, ledger)
        log.unlink()
        content = bytearray(ledger.read_bytes())
        content[content.index(document(2).sha256.encode())] ^= 1
        before = tmp_path / "before"
        before.mkdir()
        filled(before)
        row = (before / ledger.name).read_bytes()
        page = next(
            row[at : at + 4096] for at in range(0, len(row), 4096) if "لا أستطيع".encode() in row[at : at + 4096]
        )
        ledger.write_bytes(content + page)
    results = opened(killed)
    assert "1 line moved" in results.repaired
    assert states(results) == ["done", "done", "new", "done", "done", "done"]
    complete(results, failing=-1)
    assert sorted((killed / "out.jsonl").read_bytes().splitlines()) == sorted(whole.splitlines())
    assert not (killed / "out.jsonl.errors.jsonl").exists()


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_run_of_an_older_version_is_named_and_left_as_it_is(tmp_path: Path, *, overwrite: bool) -> None:
    (tmp_path / "out.jsonl").write_text('{"document_id": "خبر-1"}\n', encoding="utf-8")
    older = tmp_path / "out.jsonl.ledger.jsonl"
    older.write_text('{"mahdar_ledger": 2, "run": {"made_by": {}}}\n', encoding="utf-8")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    if overwrite:
        with opened(tmp_path, overwrite=True) as results:
            assert states(results) == ["new"] * 6
        assert not older.exists()
        return
    with pytest.raises(UsageError) as refusal:
        opened(tmp_path)
    assert str(refusal.value) == (
        f"{older} was written by an older mahdar and cannot be resumed: name another output, or replace it with "
        "--overwrite; its articles are extracted again"
    )
    ended = mahdar("status", tmp_path / "out.jsonl")
    assert (ended.code, f"{older} was written by an older mahdar" in ended.err) == (2, True)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_what_failed_by_a_fault_of_mahdar_is_tried_again(tmp_path: Path) -> None:
    results = opened(tmp_path)
    for number, failure in enumerate(("internal", "invalid")):
        results.expect(document(number))
        results.write(Failure(document(number).id, failure, "", Usage(attempts=1)))
    results.close()
    results = opened(tmp_path)
    assert states(results, range(2)) == ["new", "failed"]
    assert results.has_failed(document(0))
    results.expect(document(0))
    results.write(extraction(document(0)))
    results.close()
    assert ids(tmp_path / "out.jsonl.errors.jsonl") == ["خبر-1"]


def test_two_runs_do_not_write_to_the_same_file(tmp_path: Path) -> None:
    first = opened(tmp_path)
    with pytest.raises(Exception, match=r"out\.jsonl is being written by another mahdar"):
        opened(tmp_path)
    first.close()
    opened(tmp_path).close()


def test_what_fails_again_stands_once_among_the_errors(tmp_path: Path) -> None:
    filled(tmp_path, failing=2)
    for said in ("ثانية", "ثالثة"):
        results = opened(tmp_path)
        assert results.has_failed(document(2))
        results.expect(document(2))
        results.write(Failure("خبر-2", "timeout", said, Usage(attempts=4)))
        results.close()
    errors = (tmp_path / "out.jsonl.errors.jsonl").read_bytes().splitlines()
    assert [json.loads(line)["message"] for line in errors] == ["ثالثة"]
    results = opened(tmp_path)
    results.expect(document(2))
    results.write(extraction(document(2)))
    results.close()
    assert not (tmp_path / "out.jsonl.errors.jsonl").exists()


# The command, killed


def archive(folder: Path, articles: int = ARTICLES) -> Path:
    """One file of many articles, all different, one of which is no article."""
    file = folder / "archive.jsonl"
    rows = [{"id": f"خبر-{number}", "text": weather(number)} for number in range(articles)]
    rows[articles // 2]["text"] = " "
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return file


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with Endpoint(answer) as served:
        yield served


def answer(asked: Asked) -> Reply:
    """Records of the articles that have any; a few articles are refused."""
    if "17" in asked.article:
        return completion(None, refusal="لا أستطيع")
    return reads_well(asked)


def launch(endpoint: Endpoint, folder: Path, *arguments: object) -> "subprocess.Popen[bytes]":
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "OPENAI_BASE_URL": endpoint.url,
        "OPENAI_API_KEY": KEY,
        "MAHDAR_MODEL": "loopback",
    }
    command = [sys.executable, "-m", "mahdar.cli.app", "extract", *map(str, arguments)]
    command += ["-o", str(folder / "out.jsonl")]
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def ended(process: "subprocess.Popen[bytes]") -> tuple[int, str]:
    _, err = process.communicate(timeout=PATIENCE)
    return process.returncode, err.decode()


def test_ctrl_c_keeps_what_is_under_way(tmp_path: Path) -> None:
    news = archive(tmp_path)
    gate = threading.Event()
    held = ARTICLES // 4
    answers = iter([*[None] * held, *[gate] * ARTICLES])

    def answer_late(_: Asked) -> Reply:
        return completion(NOTHING, after=next(answers))

    with Endpoint(answer_late) as endpoint:
        process = launch(endpoint, tmp_path, news)
        endpoint.await_requests(held + 8)
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        process.stderr.readline()
        assert process.stderr.readline() == b"finishing what is under way; Ctrl-C again stops at once\n"
        gate.set()
        code, err = ended(process)
        assert (code, len(endpoint.requests)) == (130, held + 8)
        assert err.startswith(f"interrupted: {held + 8} articles, ")
        assert err.endswith("what is written stays; the same command goes on\n")
        assert len(ids(tmp_path / "out.jsonl")) == held + 8
        code, err = ended(launch(endpoint, tmp_path, news))
    assert code == 1
    assert f"{held + 8} done before" in err
    assert len(set(ids(tmp_path / "out.jsonl"))) == ARTICLES - 1


def test_a_budget_holds_over_all_runs_into_a_file_and_failed_articles_are_paid_for(tmp_path: Path) -> None:
    news = archive(tmp_path, 20)
    options = ("--no-cache", "--concurrency", "1", "--price-in", "2", "--price-out", "8", "--max-tokens")
    with Endpoint(lambda _: completion(None, refusal="لا أستطيع")) as endpoint:
        _, err = ended(launch(endpoint, tmp_path, news, *options, "1"))
        most = int(err.partition("the next call can take ")[2].partition(";")[0].replace(",", ""))
        for _ in range(3):
            code, err = ended(launch(endpoint, tmp_path, news, *options, str(most + 600)))
            assert (code, len(endpoint.requests)) == (1, 6)
            assert "would be exceeded: 720 tokens are spent, and the next call can take" in err
            assert "; raise it, and run the same command again\n" in err
    assert ", an unknown number of articles left → " in err
    told = json.loads(mahdar("status", tmp_path / "out.jsonl", "--json").out)
    assert (told["tokens"], told["cost"], told["failed"]) == (720, 0.00216, {"refused": 6})


def test_calls_under_way_at_a_kill_are_held_against_the_budget(tmp_path: Path) -> None:
    news, never = archive(tmp_path, 9), threading.Event()
    options = ("--no-cache", "--concurrency", "4", "--max-tokens")
    answers = iter([None] * 3)
    with Endpoint(lambda _: completion(NOTHING, after=next(answers, never))) as endpoint:
        _, err = ended(launch(endpoint, tmp_path, news, *options, "1"))
        most = int(err.partition("the next call can take ")[2].partition(";")[0].replace(",", ""))
        budget = 4 * most + 600
        process = launch(endpoint, tmp_path, news, *options, str(budget))
        endpoint.await_requests(7)
        process.kill()
        ended(process)
        told = json.loads(mahdar("status", tmp_path / "out.jsonl", "--json").out)
        assert told["tokens"] <= 3 * 120  # what was answered, but for articles that were not written yet
        assert 3 * 120 + 4 * most <= told["charged_tokens"] <= budget
        code, err = ended(launch(endpoint, tmp_path, news, *options, str(budget)))
        assert (code, len(endpoint.requests)) == (1, 7)
    assert f"would be exceeded: {told['charged_tokens']:,} tokens are spent, and the next call can take" in err
    shown = mahdar("status", tmp_path / "out.jsonl").out
    assert f"and at most {told['charged_tokens'] - told['tokens']:,} of calls whose article has no result\n" in shown


def test_a_run_without_an_account_counts_against_the_budget_of_the_next(tmp_path: Path, endpoint: Endpoint) -> None:
    with (
        Extractor(configured(endpoint, tmp_path), price=Price.per_million(2, 8)) as mahdar,
        RunResults(tmp_path / "out.jsonl", identity(mahdar)) as results,
    ):
        take(mahdar, [Document("1", weather(1))], results)
        assert results.progress.charged == mahdar.spent == Spending(Decimal("0.00036"), 120)


def test_calls_that_were_not_sent_before_ctrl_c_are_not_counted(tmp_path: Path) -> None:
    news, never = archive(tmp_path, 9), threading.Event()
    options = ("--no-cache", "--rpm", "1", "--max-tokens", "9999999")
    with Endpoint(lambda _: completion(NOTHING, after=never)) as endpoint:
        process = launch(endpoint, tmp_path, news, *options)
        endpoint.await_requests(1)
        for _ in range(2):
            process.send_signal(signal.SIGINT)
            assert process.stderr is not None
            process.stderr.readline()
            process.stderr.readline()
        code, _ = ended(process)
        assert (code, len(endpoint.requests)) == (130, 1)
    told = json.loads(mahdar("status", tmp_path / "out.jsonl", "--json").out)
    assert 0 < told["charged_tokens"] < 30_000  # the upper bound of one call


def test_an_answer_is_counted_though_its_article_has_no_result_at_a_kill(tmp_path: Path) -> None:
    news, never = archive(tmp_path, 2), threading.Event()
    answers = iter([completion(records([{"kind": "party"}])), completion(NOTHING, after=never)])
    with Endpoint(lambda _: next(answers)) as endpoint:
        process = launch(endpoint, tmp_path, news, "--no-cache")
        endpoint.await_requests(2)  # the second asks for a better answer
        process.kill()
        ended(process)
    told = json.loads(mahdar("status", tmp_path / "out.jsonl", "--json").out)
    assert (told["done"], told["tokens"], told["charged_tokens"]) == (0, 0, 120)


def test_new_files_are_taken_as_they_come_until_ctrl_c(tmp_path: Path, endpoint: Endpoint) -> None:
    incoming = tmp_path / "incoming"
    incoming.mkdir()
    (tmp_path / "table.csv").write_text("id,body\n1,نص\n", encoding="utf-8")
    process = launch(endpoint, tmp_path, incoming, tmp_path / "*.csv", "--watch")
    for number in range(3):
        (incoming / f"خبر-{number}.txt").write_text(weather(number), encoding="utf-8")
        endpoint.await_requests(number + 1)
    process.send_signal(signal.SIGINT)
    code, err = ended(process)
    assert (code, err.splitlines()[0]) == (0, "watching; Ctrl-C ends it")
    assert err.count("left out until it changes: ") == err.count("table.csv") == 1
    assert "3 of 3 articles, 0 records, 0 rejected, 0 failed" in err
    assert ids(tmp_path / "out.jsonl") == ["خبر-0", "خبر-1", "خبر-2"]
    assert "3 done before" in ended(launch(endpoint, tmp_path, incoming))[1]


def test_of_two_files_with_one_id_the_second_is_named_once_while_they_change(
    tmp_path: Path, endpoint: Endpoint
) -> None:
    def write(name: str, *texts: int) -> None:
        rows = [{"id": f"خبر-{min(text, 8)}", "text": weather(text)} for text in texts]
        lines = [json.dumps(row, ensure_ascii=False) for row in rows]
        (tmp_path / name).write_text("\n".join(lines), encoding="utf-8")

    write("a.jsonl", 8)
    process = launch(endpoint, tmp_path, tmp_path / "[ab].jsonl", "--watch", "--update-changed", "--no-cache")
    endpoint.await_requests(1)
    write("b.jsonl", 9, 1)
    endpoint.await_requests(2)
    write("a.jsonl", 8, 2)
    endpoint.await_requests(3)
    process.send_signal(signal.SIGINT)
    _, err = ended(process)
    assert len(endpoint.requests) == 3, err
    assert err.count("has the id 'خبر-8', as an earlier article with another text") == 1, err
    assert ids(tmp_path / "out.jsonl")[:2] == ["خبر-8", "خبر-1"], "the third may be given up on a busy machine"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["-", "--watch"], "'-' cannot be watched: --watch takes files and folders of this machine"),
        (["gone.txt", "--watch"], "'gone.txt': no such file or folder"),
        (["seeds", "--format", "csv"], "--format csv: nothing is written to a file; name one with --output"),
        (["seeds", "--watch", "--dry-run"], "--watch takes files as they come: leave out --retry-errors and --dry-run"),
        (
            ["seeds", "--update-changed"],
            "--update-changed takes what an earlier run extracted: name its file with --out",
        ),
    ],
)
def test_options_that_do_not_go_together_are_named(options: list[str], said: str) -> None:
    ended = mahdar("extract", *options)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.splitlines()[-1].startswith(f"mahdar: {said}")
