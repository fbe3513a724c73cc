"""A damaged entry, a forked worker, a cancelled caller or an unusable setting costs itself, and nothing beside it."""

import asyncio
import json
import logging
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from newsroom import ANSWER, ARTICLE, KEY, NOTHING, configured, reads_well, records, weather

from mahdar import Budget, Extractor
from mahdar.cache.disk import FOLDER
from mahdar.cli.app import main
from mahdar.errors import MahdarError, UsageError
from mahdar.limits.budget import Spending
from mahdar.observability.logs import JsonFormatter, TextFormatter
from mahdar.runs.identity import identity
from mahdar.runs.results import RunResults

from loopback import PATIENCE, Asked, Endpoint, Reply, completion

ESCAPE = "\x1b[31m\x9b2J\u202e"
"""Red, clear the screen, turn the line's direction."""

Ended = tuple[int, str, str]
Command = Callable[..., Ended]


@pytest.fixture
def mahdar(capfd: pytest.CaptureFixture[str]) -> Command:
    """The command, in this process: its exit code, output and errors."""

    def run(*arguments: object) -> Ended:
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        return int(ended.value.code or 0), out, err

    return run


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    """An endpoint that reads well, configured."""
    with Endpoint(reads_well) as endpoint:
        for name, value in environment(endpoint).items():
            monkeypatch.setenv(name, value)
        yield endpoint


def environment(endpoint: Endpoint) -> Mapping[str, str]:
    return {"OPENAI_BASE_URL": endpoint.url, "OPENAI_API_KEY": KEY, "MAHDAR_MODEL": "loopback"}


@pytest.fixture
def articles(tmp_path: Path) -> Path:
    """Three articles, each a row."""
    file = tmp_path / "articles.jsonl"
    rows = ({"id": f"w{number}", "text": weather(number)} for number in range(3))
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return file


# --- the cache


@pytest.mark.parametrize("byte", [b"\xff", b"x"], ids=["no UTF-8", "another letter"])
def test_an_answer_of_which_a_byte_has_changed_costs_itself_alone(
    mahdar: Command, served: Endpoint, articles: Path, tmp_path: Path, byte: bytes
) -> None:
    assert mahdar("extract", articles, "-o", tmp_path / "first.jsonl")[0] == 0
    database = tmp_path / "mahdar-cache" / FOLDER / "cache.db"
    stored = database.read_bytes()
    at = stored.index(b'"text":') + 10
    database.write_bytes(stored[:at] + byte + stored[at + 1 :])
    code, out, _ = mahdar("cache", "verify")
    fingerprint, said = out.splitlines()
    assert (code, len(fingerprint)) == (1, 64)
    assert said == "1 found; `mahdar cache repair` removes them, `mahdar cache remove FINGERPRINT` one"
    assert mahdar("extract", articles, "-o", tmp_path / "second.jsonl")[0] == 0
    assert len(served.requests) == 3 + 1
    assert mahdar("cache", "verify") == (0, "every answer can be read\n", "")
    assert mahdar("cache", "remove", fingerprint) == (0, "1 removed\n", "")
    assert mahdar("cache", "remove", fingerprint) == (1, "0 removed\n", f"{fingerprint}: not in the cache\n")


def test_a_file_that_is_no_store_ends_a_run_before_anything_is_asked(
    mahdar: Command, served: Endpoint, articles: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "mahdar-cache" / FOLDER
    folder.mkdir(parents=True)
    (folder / "cache.db").write_bytes(b"\xff" * 8192)
    code, _, err = mahdar("extract", articles, "-o", tmp_path / "out.jsonl")
    assert code == 2
    assert f"{folder}: cannot be used as a store (file is not a database); free space on the disk" in err
    assert served.requests == []


# --- processes and tasks


def in_a_fork(work: Callable[[], object]) -> str:
    """Do something in a forked process; empty where it ends in no time."""
    read, write = os.pipe()
    process = os.fork()
    if process == 0:
        try:
            os.write(write, repr(work()).encode())
        finally:
            os._exit(0)
    ready, _, _ = select.select([read], [], [], PATIENCE)
    if not ready:
        os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
    os.close(write)
    written = os.read(read, 10_000).decode()
    os.close(read)
    return written


def test_a_worker_forked_after_first_use_works(tmp_path: Path) -> None:
    def lengths() -> list[int]:
        found = [len(result.meetings) for result in mahdar.extract_many([weather(1), ARTICLE])]  # type: ignore[union-attr]
        mahdar.close()
        return sorted(found)

    with Endpoint(reads_well) as endpoint, Extractor(configured(endpoint, tmp_path)) as mahdar:
        assert len(mahdar.extract(ARTICLE).meetings) == 1
        assert in_a_fork(lengths) == "[0, 1]"
        assert len(mahdar.extract(weather(2)).meetings) == 0


def test_a_worker_forked_during_a_run_works_and_does_not_go_on_with_it(tmp_path: Path) -> None:
    def attempts() -> list[object]:
        try:
            later: object = next(results).document_id
        except MahdarError as error:
            later = str(error)
        return [later, len(mahdar.extract(ARTICLE).meetings)]

    with (
        Endpoint(reads_well) as endpoint,
        Extractor(configured(endpoint, tmp_path), concurrency=2) as mahdar,
        closing(mahdar.extract_many(map(weather, range(9)))) as results,  # type: ignore[type-var]
    ):
        next(results)
        said = "this process was forked while the articles were read: call extract_many again in it"
        assert in_a_fork(attempts) == repr([said, 1])
        assert len(list(results)) == 8


def test_a_forked_worker_does_not_write_to_the_ledger_of_the_run(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    with (
        Endpoint(reads_well) as endpoint,
        Extractor(configured(endpoint, tmp_path), tasks=["meetings"]) as mahdar,
        RunResults(out, identity(mahdar)) as results,
        mahdar.charge(results.progress.charged, results.charge),
    ):
        mahdar.extract(ARTICLE)
        assert in_a_fork(lambda: mahdar.extract(weather(1)).provenance.calls) == "1"
        assert len(endpoint.requests) == 2
        assert results.progress.charged.tokens == mahdar.spent.tokens == 120


def test_what_an_extractor_spends_is_recorded_once_in_several_runs(tmp_path: Path) -> None:
    charged = []
    with Endpoint(reads_well) as endpoint, Extractor(configured(endpoint, tmp_path), tasks=["meetings"]) as mahdar:
        for number, name in enumerate(["a.jsonl", "a.jsonl", "b.jsonl"]):
            with (
                RunResults(tmp_path / name, identity(mahdar)) as results,
                mahdar.charge(results.progress.charged, results.charge),
            ):
                mahdar.extract(weather(number))
                charged.append(results.progress.charged.tokens)
        assert mahdar.spent.tokens == 360
    assert charged == [120, 240, 120]


def test_an_answer_is_used_though_its_cost_cannot_be_stored(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def record(charged: Spending) -> None:
        if charged.tokens == 120:  # of a call that has ended; before, its upper bound
            raise UsageError("out.jsonl.ledger.sqlite cannot be used: disk I/O error")

    with (
        Endpoint(reads_well) as endpoint,
        Extractor(configured(endpoint, tmp_path), tasks=["meetings"], budget=Budget(max_tokens=99_999)) as mahdar,
        mahdar.charge(Spending(), record),
    ):
        assert len(mahdar.extract(ARTICLE).meetings) == 1
        assert mahdar.spent.tokens == 120
    assert "what the calls have cost cannot be stored: out.jsonl.ledger.sqlite" in caplog.text


def test_what_is_under_way_is_given_up_with_a_cancelled_caller(tmp_path: Path) -> None:
    answered = threading.Event()

    async def cancelled(mahdar: Extractor, endpoint: Endpoint) -> float:
        async def read() -> None:
            async for _ in mahdar.aextract_many(map(weather, range(40))):
                raise AssertionError("nothing was answered")

        task = asyncio.create_task(read())
        await asyncio.to_thread(endpoint.await_requests, 4)
        began = time.monotonic()
        task.cancel()
        await asyncio.wait([task])
        return began

    with (
        Endpoint(lambda _: completion(NOTHING, after=answered)) as endpoint,
        Extractor(configured(endpoint, tmp_path), concurrency=4) as mahdar,
    ):
        began = asyncio.run(cancelled(mahdar, endpoint))
        assert time.monotonic() - began < 1
        answered.set()
        assert len(mahdar.extract(ARTICLE).rejected) == 0
        assert len(endpoint.requests) == 4 + 1


def test_what_is_under_way_is_given_up_where_the_caller_stops_early(tmp_path: Path) -> None:
    held = threading.Event()

    def reply(asked: Asked) -> Reply:
        return completion(NOTHING, after=None if " 0 " in asked.article else held)

    with (
        Endpoint(reply) as endpoint,
        Extractor(configured(endpoint, tmp_path), concurrency=4) as mahdar,
        closing(mahdar.extract_many(map(weather, range(40)))) as results,  # type: ignore[type-var]
    ):
        next(results)
        results.close()  # type: ignore[attr-defined]
        held.set()
        mahdar.extract(ARTICLE)
        assert len(endpoint.requests) <= 4 + 1


# --- outputs


@pytest.mark.parametrize(("one", "other"), [("real.jsonl", "link.jsonl"), ("x.parquet", "x.parquet.jsonl")])
def test_of_two_runs_into_one_file_one_writes_and_the_other_is_told(
    mahdar: Command, articles: Path, tmp_path: Path, one: str, other: str
) -> None:
    if other.startswith("link"):
        (tmp_path / other).symlink_to(tmp_path / one)
    began, done = threading.Event(), threading.Event()

    def reply(_: Asked) -> Reply:
        began.set()
        return completion(NOTHING, after=done)

    with Endpoint(reply) as endpoint:
        first = subprocess.Popen(
            [sys.executable, "-m", "mahdar.cli.app", "extract", str(articles), "-o", str(tmp_path / one)],
            env={**os.environ, **environment(endpoint), "PYTHONPATH": os.pathsep.join(sys.path)},
            stderr=subprocess.PIPE,
        )
        endpoint.await_requests(1)
        code, _, err = mahdar("extract", articles, "-o", tmp_path / other, "--model", "offline")
        assert (code, "is being written by another mahdar: wait for it to end" in err) == (2, True)
        done.set()
        _, said = first.communicate(timeout=PATIENCE)
    assert (first.returncode, said.decode().count("Traceback")) == (0, 0)
    kept = (tmp_path / ("x.parquet.jsonl" if one == "x.parquet" else one)).read_text(encoding="utf-8")
    assert sorted(json.loads(line)["document_id"] for line in kept.splitlines()) == ["w0", "w1", "w2"]


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("out.jsonl.errors.jsonl", "is a file of the run into out.jsonl; name another file"),
        ("out.parquet.history.jsonl", "is a file of the run into out.parquet; name another file"),
        (
            "tables/extractions.jsonl.damaged.jsonl",
            "is a file of the run into tables/extractions.jsonl; name another file",
        ),
        ("out.jsonl.ledger.sqlite", "is a file of the run into out.jsonl; name another file"),
        ("link.jsonl", "'articles.jsonl' is where the results go: name another file with --output"),
    ],
)
def test_results_go_into_no_file_of_another_run_and_into_no_input(
    mahdar: Command, articles: Path, monkeypatch: pytest.MonkeyPatch, output: str, said: str
) -> None:
    monkeypatch.chdir(articles.parent)
    before = articles.read_bytes()
    Path("link.jsonl").symlink_to(articles)
    code, _, err = mahdar("extract", "articles.jsonl", "-o", output, "--overwrite", "--model", "offline")
    assert (code, said in err, articles.read_bytes() == before) == (2, True, True)


def test_an_output_named_after_errors_is_an_output(mahdar: Command, articles: Path) -> None:
    assert mahdar("extract", articles, "-o", articles.with_name("my.errors.jsonl"), "--model", "offline")[0] == 0


def test_a_result_that_cannot_be_written_is_a_failure_of_its_article(
    mahdar: Command, articles: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep: Any = 1
    for _ in range(254):
        deep = [deep]

    def reply(asked: Asked) -> Reply:
        return completion(json.dumps(records([{"evidence": deep}], actors=())) if " 1 " in asked.article else NOTHING)

    with Endpoint(reply) as endpoint:
        for name, value in environment(endpoint).items():
            monkeypatch.setenv(name, value)
        code, _, err = mahdar("extract", articles, "-o", tmp_path / "out.jsonl")
        again = mahdar("extract", articles, "-o", tmp_path / "again.jsonl")
    assert (code, again[0], "Traceback" in err + again[2]) == (1, 1, False)
    for name in ("out.jsonl", "again.jsonl"):
        assert len((tmp_path / name).read_text(encoding="utf-8").splitlines()) == 2
        (failed,) = (tmp_path / f"{name}.errors.jsonl").read_text(encoding="utf-8").splitlines()
        assert (json.loads(failed)["document_id"], json.loads(failed)["failure"]) == ("w1", "invalid")


def test_what_a_killed_export_left_is_swept(mahdar: Command, articles: Path, tmp_path: Path) -> None:
    folder = tmp_path / "tables"
    folder.mkdir()
    killed, of_another = folder / ".mahdar-abc.tables.mahdar", folder / ".mahdar-abc.others.mahdar"
    killed.mkdir()
    of_another.mkdir()
    (killed / "meetings.csv").write_text("half a", encoding="utf-8")
    code, _, _ = mahdar("extract", articles, "-o", f"{folder}/", "--format", "csv", "--model", "offline")
    assert (code, killed.exists(), of_another.exists()) == (0, False, True)


# --- settings of the network

UNUSABLE = [
    ("ALL_PROXY", "socks5://127.0.0.1:9", "ALL_PROXY: a SOCKS proxy takes a package that is not installed"),
    ("HTTPS_PROXY", "http://u:secret@127.0.0.1:99999", "HTTPS_PROXY: is no URL of a proxy; write it like http://host"),
    ("http_proxy", "http://127.0.0.1:x", "http_proxy: is no URL of a proxy; write it like http://host:3128"),
    ("ALL_PROXY", "gopher://127.0.0.1:9", "ALL_PROXY: is no URL of a proxy; write it like http://host:3128"),
    ("HTTP_PROXY", "http://", "HTTP_PROXY: is no URL of a proxy; write it like http://host:3128"),
    ("HTTP_PROXY", "http://a b:80", "HTTP_PROXY: is no URL of a proxy; write it like http://host:3128"),
    ("SSLKEYLOGFILE", "/nowhere/keys", "SSLKEYLOGFILE: cannot be written (No such file or directory)"),
    ("OPENAI_PROJECT_ID", "مشروع", "OPENAI_PROJECT_ID: has a character that cannot be sent"),
    ("OPENAI_ORG_ID", "a\nb", "OPENAI_ORG_ID: has a character that cannot be sent"),
    ("OPENAI_CUSTOM_HEADERS", "X-A: 1\nX-B: ب", "OPENAI_CUSTOM_HEADERS: has a character that cannot be sent"),
    ("SSL_CERT_FILE", "/nowhere.pem", "SSL_CERT_FILE: no certificates can be read there (No such file or directory)"),
]


@pytest.mark.parametrize("unusable", UNUSABLE, ids=lambda unusable: unusable[1])
def test_a_setting_of_the_network_that_cannot_be_used_ends_a_run_before_its_first_article(
    mahdar: Command, served: Endpoint, articles: Path, monkeypatch: pytest.MonkeyPatch, unusable: tuple[str, str, str]
) -> None:
    name, value, said = unusable
    monkeypatch.setenv(name, value)
    code, _, err = mahdar("extract", articles, "-o", articles.with_name("out.jsonl"))
    assert (code, said in err, "secret" in err, served.requests) == (2, True, False, [])
    code, out, err = mahdar("doctor")
    assert (code != 0, f"✗ answer    {said}" in out, "Traceback" in err) == (True, True, False)


# --- what is shown


def test_no_control_character_of_an_id_reaches_a_log_or_a_terminal(mahdar: Command, tmp_path: Path) -> None:
    record = logging.LogRecord("mahdar", logging.INFO, "", 0, f"failed: {ESCAPE}", (), None)
    record.document_id = f"a{ESCAPE}"
    shown = [formatter.format(record) for formatter in (JsonFormatter(), TextFormatter())]
    row = json.dumps({"id": f"a{ESCAPE}", "text": " "})
    (tmp_path / "rows.jsonl").write_text(f"{row}\n", encoding="utf-8")
    code, _, err = mahdar("extract", tmp_path / "rows.jsonl", "-o", tmp_path / "out.jsonl", "--model", "offline")
    assert code == 1
    for text in (*shown, err):
        assert not {"\x1b", "\x9b", "\u202e"}.intersection(text)
    assert json.loads(shown[0])["document_id"] == f"a{ESCAPE}"


def test_the_debug_log_of_openai_holds_no_article(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with Endpoint(lambda _: completion(ANSWER)) as endpoint, Extractor(configured(endpoint, tmp_path)) as mahdar:
        mahdar.extract(ARTICLE)
    theirs = ("openai", "httpx2", "instructor")
    lines = [record.getMessage() for record in caplog.records if record.name.startswith(theirs)]
    assert lines != []
    assert [line for line in lines if "الموريتاني" in line or "\\u0627" in line or KEY in line] == []
