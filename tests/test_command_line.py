"""The command line through its door: arguments and environment in; output, files and exit codes out.

The endpoint answers with what the test wrote: these tests are about the plumbing, not about what a model finds.
"""

import hashlib
import json
import os
import pty
import re
import signal
import subprocess
import sys
import threading
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import diskcache
import pytest
from newsroom import ACTORS, ARTICLE, KEY, MET, NOTHING, PRINCIPALS, SAID, meeting, reads_well, records, weather

from mahdar.cache.disk import FOLDER, TextDisk
from mahdar.cli.app import main
from mahdar.cli.extract import exit_code
from mahdar.cli.misses import why_miss
from mahdar.cli.progress import Lines
from mahdar.offline.drafter import VERSION
from mahdar.prompts import PromptLibrary
from mahdar.results import Failure
from mahdar.runs.ledger import Ledger
from mahdar.runs.lines import dumps
from mahdar.runs.run import RunTally
from mahdar.schemas import Extraction, Provenance
from mahdar.schemas.drafts import DRAFTS
from mahdar.schemas.tasks import answer_schema

from loopback import PATIENCE, Endpoint, completion, status

ROOT = Path(__file__).parents[1]
OTHER = weather(3)
RULES = (
    "mahdar: no model configured: reading with rules (see README); set OPENAI_API_KEY and MAHDAR_MODEL, "
    "or use --model embedded\n"
)


@dataclass(frozen=True)
class Ended:
    """What a command left."""

    code: int
    out: str
    err: str

    @property
    def results(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


Command = Callable[..., Ended]


@pytest.fixture
def articles(tmp_path: Path) -> Path:
    folder = tmp_path / "articles"
    folder.mkdir()
    (folder / "talks.txt").write_text(ARTICLE, encoding="utf-8")
    (folder / "weather.txt").write_text(OTHER, encoding="utf-8")
    return folder


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mapping[str, str]:
    """An empty cache, and nothing configured."""
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "MAHDAR_MODEL", "MAHDAR_MODE", "MAHDAR_LOCAL_MODEL", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MAHDAR_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    return os.environ


@pytest.fixture
def served(environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Endpoint]]:
    """Start an endpoint and configure it."""
    opened: list[Endpoint] = []

    def serve(replies: Any = reads_well) -> Endpoint:
        opened.append(Endpoint(replies).__enter__())
        monkeypatch.setenv("OPENAI_BASE_URL", opened[-1].url)
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        monkeypatch.setenv("MAHDAR_MODEL", "loopback")
        return opened[-1]

    yield serve
    for endpoint in opened:
        endpoint.__exit__(None, None, None)


@pytest.fixture
def mahdar(environment: Mapping[str, str], capfdbinary: pytest.CaptureFixture[bytes]) -> Command:
    """The command, in this process."""

    def run(*arguments: object) -> Ended:
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        out, err = capfdbinary.readouterr()
        return Ended(int(ended.value.code or 0), out.decode(), err.decode())

    return run


def launch(*arguments: object, **streams: Any) -> "subprocess.Popen[bytes]":
    """The command, in a process of its own."""
    return subprocess.Popen([sys.executable, "-m", "mahdar.cli.app", *map(str, arguments)], **streams)


# extract


def test_a_pipe_gets_one_json_object_a_line(mahdar: Command, served: Callable[..., Endpoint], articles: Path) -> None:
    served()
    ended = mahdar("extract", articles, "--published-at", "2024-02-05")
    by_id = {result["document_id"]: result for result in ended.results}
    assert (ended.code, ended.err) == (0, "")
    assert by_id.keys() == {"talks", "weather"}
    (meeting,) = by_id["talks"]["meetings"]
    assert [participant["name"] for participant in meeting["participants"]] == PRINCIPALS
    assert meeting["evidence"] == [{"quote": MET, "start": 0, "end": len(MET), "match": "exact"}]
    assert by_id["talks"]["stances"][0]["evidence"][0]["quote"] == SAID
    assert by_id["talks"]["published_at"] == "2024-02-05"
    assert by_id["weather"]["meetings"] == []
    assert "نواكشوط" in ended.out, "Arabic is written as Arabic"


def test_standard_input_is_an_article(served: Callable[..., Endpoint]) -> None:
    served()
    process = launch("extract", "-", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = process.communicate(ARTICLE.encode(), timeout=PATIENCE)
    assert (process.returncode, err) == (0, b"")
    assert json.loads(out)["document_id"] == "stdin"
    assert len(json.loads(out)["meetings"]) == 1


def test_a_second_run_asks_nothing(mahdar: Command, served: Callable[..., Endpoint], articles: Path) -> None:
    endpoint = served()
    first = mahdar("extract", articles)
    assert len(endpoint.requests) == 2
    second = mahdar("extract", articles)
    assert len(endpoint.requests) == 2
    assert all(result["provenance"]["cached"] for result in second.results)
    assert _by_id(second, "meetings") == _by_id(first, "meetings")


def test_without_the_cache_every_run_asks(mahdar: Command, served: Callable[..., Endpoint], articles: Path) -> None:
    endpoint = served()
    mahdar("extract", articles / "talks.txt")
    mahdar("extract", articles / "talks.txt", "--no-cache")
    assert len(endpoint.requests) == 2


def test_a_task_is_asked_alone(mahdar: Command, served: Callable[..., Endpoint], articles: Path) -> None:
    endpoint = served()
    ended = mahdar("extract", articles / "talks.txt", "--task", "stances@1", "--model", "another")
    (asked,) = endpoint.requests
    assert (asked.lists, asked.body["model"]) == (("stances",), "another")
    (made,) = (result["provenance"] for result in ended.results)
    assert made["made_by"] == {"stances": "another"}
    assert made["prompts"]["stances"].startswith("news@1 sha256:")


def test_a_file_gets_the_results_and_keeps_them(
    mahdar: Command, served: Callable[..., Endpoint], articles: Path, tmp_path: Path
) -> None:
    served()
    file = tmp_path / "out.jsonl"
    first = mahdar("extract", articles, "-o", file)
    assert (first.code, first.out) == (0, "")
    assert first.err == f"2 of 2 articles, 2 records, 0 rejected, 0 failed; 240 tokens, cost unknown → {file}\n"
    written = file.read_bytes()
    assert {json.loads(line)["document_id"] for line in written.splitlines()} == {"talks", "weather"}
    ledger = tmp_path / "out.jsonl.ledger.sqlite"
    assert set(tmp_path.glob("out*")) == {file, ledger}, "no errors, no file of errors"

    again = mahdar("extract", articles / "talks.txt", "-o", file)
    assert (again.code, file.read_bytes()) == (0, written)
    assert again.err == f"nothing to do: 1 of 1 done before → {file}\n"
    none = mahdar("extract", articles, "-o", file, "--retry-errors")
    assert (none.code, none.err) == (0, f"no failures to retry → {file}\n")

    ledger.unlink()
    strange = mahdar("extract", articles / "talks.txt", "-o", file)
    assert (strange.code, file.read_bytes()) == (2, written)
    assert "--overwrite" in strange.err
    assert not ledger.exists(), "nothing is left beside what is not ours"

    assert mahdar("extract", articles / "talks.txt", "-o", file, "--overwrite").code == 0
    assert [json.loads(line)["document_id"] for line in file.read_bytes().splitlines()] == ["talks"]


def test_a_failed_article_is_named_and_costs_no_other(
    mahdar: Command, served: Callable[..., Endpoint], articles: Path, tmp_path: Path
) -> None:
    (articles / "binary.txt").write_bytes(b"\x00\x01\x02\x03" * 64)
    served(lambda asked: reads_well(asked) if MET in asked.article else completion(None, refusal="لا أستطيع"))
    file = tmp_path / "out.jsonl"
    ended = mahdar("extract", articles, "-o", file)
    assert ended.code == 1
    assert [json.loads(line)["document_id"] for line in file.read_bytes().splitlines()] == ["talks"]
    errors = [json.loads(line) for line in Path(f"{file}.errors.jsonl").read_bytes().splitlines()]
    by_id = {error["document_id"]: error for error in errors}
    assert by_id["weather"] == {
        "document_id": "weather",
        "failure": "refused",
        "message": "meetings+stances: لا أستطيع",
        "attempts": 1,
        "tokens_in": 100,
        "tokens_out": 20,
        "cost": None,
    }
    assert (by_id["binary"]["failure"], by_id["binary"]["attempts"]) == ("bad_input", 0)
    *lines, summary = ended.err.splitlines()
    assert "weather: refused: meetings+stances: لا أستطيع" in lines
    assert sorted(line.split(":")[0] for line in lines) == ["binary", "weather"]
    assert summary == f"1 of 3 articles, 2 records, 0 rejected, 2 failed; 240 tokens, cost unknown → {file}"


def test_what_failed_is_tried_again_where_that_is_asked_for(
    mahdar: Command, served: Callable[..., Endpoint], articles: Path, tmp_path: Path
) -> None:
    file, errors = tmp_path / "out.jsonl", tmp_path / "out.jsonl.errors.jsonl"
    served(completion(None, refusal="no"))
    assert mahdar("extract", articles, "-o", file).code == 1
    assert len(errors.read_bytes().splitlines()) == 2
    endpoint = served()
    left = mahdar("extract", articles, "-o", file)
    assert (left.code, len(endpoint.requests)) == (1, 0)
    assert "0 of 2 articles, 0 records, 0 rejected, 0 failed, 2 failed before (--retry-errors takes them)" in left.err
    retried = mahdar("extract", articles, "-o", file, "--retry-errors")
    assert (retried.code, retried.err) == (
        0,
        f"2 of 2 articles, 2 records, 0 rejected, 0 failed; 240 tokens, cost unknown → {file}\n",
    )
    assert not errors.exists()
    assert len(file.read_bytes().splitlines()) == 2


def test_a_row_is_mended_under_its_own_id_and_what_is_not_given_again_is_said(
    mahdar: Command, served: Callable[..., Endpoint], tmp_path: Path
) -> None:
    served()
    rows, file = tmp_path / "rows.jsonl", tmp_path / "out.jsonl"

    def give(*texts: str) -> None:
        lines = (json.dumps({"id": f"خبر-{number}", "text": text}) for number, text in enumerate(texts))
        rows.write_text("\n".join(lines), encoding="utf-8")

    give(OTHER, " ", "")
    assert mahdar("extract", rows, "-o", file).err.endswith(
        f"1 of 3 articles, 0 records, 0 rejected, 2 failed; 120 tokens, cost unknown → {file}\n"
    )
    give(OTHER, ARTICLE)
    retried = mahdar("extract", rows, "-o", file, "--retry-errors")
    said = "1 of 2 articles, 2 records, 0 rejected, 0 failed, 1 that failed are not among these articles; 120 tokens, "
    said += "cost unknown"
    assert (retried.code, retried.err) == (1, f"{said} → {file}\n")
    told = json.loads(mahdar("status", file, "--json").out)
    assert (told["state"], told["total"], told["done"], told["failed"]) == ("complete", 3, 2, {"bad_input": 1})


def test_trying_again_does_not_tell_how_many_articles_there_are(
    mahdar: Command, served: Callable[..., Endpoint], articles: Path, tmp_path: Path
) -> None:
    file = tmp_path / "out.jsonl"
    served(completion(None, refusal="no"))
    mahdar("extract", articles / "talks.txt", "-o", file)
    with closing(Ledger(tmp_path / "out.jsonl.ledger.sqlite")) as ledger:
        ledger.set_total(1000)
    served()
    assert mahdar("extract", articles, "-o", file, "--retry-errors").code == 0
    told = json.loads(mahdar("status", file, "--json").out)
    assert (told["state"], told["done"], told["total"]) == ("not complete", 1, 1000)


def test_all_unreachable_is_no_model(mahdar: Command, served: Callable[..., Endpoint], articles: Path) -> None:
    served(status(403, message=f"Incorrect API key provided: {KEY}"))
    ended = mahdar("extract", articles)
    assert (ended.code, ended.out) == (3, "")
    assert "talks: unreachable: " in ended.err
    assert "OPENAI_API_KEY" in ended.err
    assert KEY not in ended.err


def test_nothing_configured_is_read_with_rules_and_that_is_said(mahdar: Command, articles: Path) -> None:
    for command in (["extract", articles], ["cache", "why-miss", articles], ["doctor"]):
        ended = mahdar(*command)
        assert (ended.code, ended.err) == (0, RULES), command
    ended = mahdar("extract", articles, "--model", "offline")
    assert (ended.code, ended.err) == (0, "")
    (talks,) = (result for result in ended.results if result["document_id"] == "talks")
    assert [actor["country"] for actor in talks["meetings"][0]["participants"]] == ["MR", "SN"]
    made = talks["provenance"]
    assert set(made["made_by"].values()) == {f"mahdar-rules@{VERSION}"}
    assert (made["prompts"], made["schemas"], made["calls"], made["cost"]) == ({}, {}, 0, 0.0)


def test_a_run_of_the_rules_is_not_gone_on_with_by_a_model(
    mahdar: Command, served: Callable[..., Endpoint], articles: Path, tmp_path: Path
) -> None:
    file = tmp_path / "out.jsonl"
    assert mahdar("extract", articles, "-o", file, "--model", "offline").code == 0
    assert f"made by   mahdar-rules@{VERSION}" in mahdar("status", file).out.splitlines()
    endpoint = served()
    ended = mahdar("extract", articles, "-o", file)
    assert (ended.code, len(endpoint.requests)) == (2, 0)
    assert ended.err == (
        f"mahdar: {file} has records made by mahdar-rules@{VERSION}, and this run makes them by loopback: "
        "give --overwrite to replace what is there, or another name\n"
    )
    assert mahdar("extract", articles, "-o", file, "--overwrite").code == 0
    ended = mahdar("extract", articles, "-o", file, "--model", "offline")
    assert f"has records made by loopback, and this run makes them by mahdar-rules@{VERSION}: give" in ended.err


@pytest.mark.parametrize(
    ("models", "row"),
    [
        (["offline"], [f"mahdar-rules@{VERSION}", "0", "0", "0", "0", "0", "$0.00", "$0.00"]),
        ([], [f"mahdar-rules@{VERSION}", "0", "0", "0", "0", "0", "$0.00", "$0.00"]),
        (["gpt-4o-mini"], ["gpt-4o-mini", "2", "0", "2"]),
    ],
)
def test_what_a_run_would_ask_is_estimated_without_a_call(
    mahdar: Command, articles: Path, models: list[str], row: list[str]
) -> None:
    options = [option for model in models for option in ("--model", model)]
    ended = mahdar("extract", articles, "--dry-run", *options)
    assert (ended.code, ended.err) == (0, "" if models else RULES)
    assert ended.out.splitlines()[0] == "2 articles"
    assert ended.out.splitlines()[2].split()[: len(row)] == row


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["extract"], "Missing argument"),
        (["extract", "nowhere.txt"], "'nowhere.txt': no such file or folder"),
        (
            ["extract", ".", "--task", "treaties"],
            "task 'treaties': no template asks for it;",
        ),
        (["extract", ".", "--published-at", "5/2/2024"], "write it as year-month-day"),
        (["extract", ".", "--concurrency", "0"], "--concurrency"),
        (["extract", ".", "--retry-errors"], "name its file with --output"),
        (["extract", ".", "--retry-errors", "-o", "new.jsonl"], "name its file with --output"),
        (["extract", ".", "-o", "nowhere/out.jsonl"], "nowhere/out.jsonl cannot be written: No such file"),
        (["extract", ".", "-o", "/dev/full"], "/dev/full cannot be written: No space left on device"),
        (["extract", ".", "--prompts", "nowhere"], "nowhere"),
        (["prompts", "show", "meetings@99"], "prompt 'meetings@99': not found"),
        (["prompts", "show", "meetings", "--article", "nowhere.txt"], "nowhere.txt"),
        (["schema", "export", "talks.txt"], "talks.txt"),
        (["schema", "export"], "Missing argument 'DIR'"),
        (["cache", "why-miss", "nowhere.txt"], "'nowhere.txt': no such file or folder"),
        (["resume"], "No such command 'resume'"),
    ],
)
def test_bad_usage_is_told_in_words(
    mahdar: Command,
    *,
    served: Callable[..., Endpoint],
    articles: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    said: str,
) -> None:
    served()
    monkeypatch.chdir(articles)
    ended = mahdar(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err
    assert "Traceback" not in ended.err


def test_an_endpoint_needs_a_model(
    mahdar: Command, served: Callable[..., Endpoint], articles: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served()
    monkeypatch.delenv("MAHDAR_MODEL")
    ended = mahdar("extract", articles)
    assert (ended.code, ended.out) == (2, "")
    assert "set MAHDAR_MODEL or give --model" in ended.err


@pytest.mark.parametrize(
    ("output", "place", "again"),
    [(None, "", ""), ("out.parquet", " → {}/out.parquet.jsonl", "; the same command goes on")],
)
def test_an_interrupt_leaves_what_is_written(
    served: Callable[..., Endpoint], articles: Path, tmp_path: Path, *, output: str | None, place: str, again: str
) -> None:
    never = threading.Event()
    endpoint = served(lambda asked: reads_well(asked) if MET in asked.article else completion("", after=never))
    options = ["-o", tmp_path / output, "--json"] if output else []
    process = launch("extract", articles, *options, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    first = process.stdout.readline()
    endpoint.await_requests(2)
    assert process.stderr is not None
    process.send_signal(signal.SIGINT)
    assert process.stderr.read(1) == b"\n"
    assert process.stderr.readline() == b"finishing what is under way; Ctrl-C again stops at once\n"
    process.send_signal(signal.SIGINT)
    rest, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, rest) == (130, b"")
    assert json.loads(first)["document_id"] == "talks"
    assert err.decode().strip() == (
        f"interrupted: 1 of 2 articles, 2 records, 0 rejected, 0 failed; 120 tokens, "
        f"cost unknown{place.format(tmp_path)}; "
        f"what is written stays{again}"
    )


def test_a_reader_may_leave_early(served: Callable[..., Endpoint], articles: Path) -> None:
    gate = threading.Event()
    served(lambda asked: reads_well(asked) if MET in asked.article else completion(NOTHING, after=gate))
    process = launch("extract", articles, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    gate.set()
    assert process.stderr.read() == b""
    process.stderr.close()
    process.wait(PATIENCE)


def test_a_terminal_gets_a_table_and_a_bar(served: Callable[..., Endpoint], articles: Path) -> None:
    served()
    code, screen = _on_terminal("extract", articles / "talks.txt")
    assert code == 0, screen
    assert "who      \u2068محمد سالم ولد مرزوك\u2069" in screen
    assert "0 of 1 article" in screen
    assert '"document_id"' not in screen
    assert "120 tokens, cost unknown" in screen
    assert screen.endswith("<up><erase>"), "the bar is taken away"


def test_a_terminal_gets_json_where_it_is_asked_for(served: Callable[..., Endpoint], articles: Path) -> None:
    served()
    code, screen = _on_terminal("extract", articles / "talks.txt", "--json")
    assert code == 0, screen
    assert '{"document_id":"talks"' in screen


def test_a_pipe_gets_a_table_where_it_is_asked_for(
    mahdar: Command, served: Callable[..., Endpoint], articles: Path, tmp_path: Path
) -> None:
    served()
    ended = mahdar("extract", articles / "talks.txt", "--table", "-o", tmp_path / "out.jsonl")
    lines = ended.out.splitlines()
    assert lines[0] == "\u2068talks\u2069 · ar · meetings 1 · stances 1"
    assert max(map(len, lines)) >= 90, "no terminal, no narrow columns"
    assert len((tmp_path / "out.jsonl").read_bytes().splitlines()) == 1


@pytest.mark.parametrize("end", ["\u2028", "\u2029", "\x85", "\n"])
def test_a_line_of_json_is_one_line_for_every_reader(end: str) -> None:
    text = f"قبل{end}بعد"
    line = dumps({"message": text})
    assert len(line.splitlines()) == 1
    assert json.loads(line)["message"] == text
    assert "بعد" in line


def test_a_slow_model_is_followed_line_by_line(capsys: pytest.CaptureFixture[str]) -> None:
    tally, lines = RunTally(3), Lines()
    for part in (0.0, 0.5, 1.0):
        lines.phase("assembling the weights", part)
    lines.phase("loading the model", None)
    made = Provenance(made_by={"meetings": "qwen", "stances": "qwen"}, seconds=31.4)
    for result in (Extraction(document_id="003", text_sha256="", provenance=made), Failure("004", "timeout", "late")):
        tally.add(result)
        lines.advance(result, tally)
    assert capsys.readouterr().err.splitlines() == [
        "assembling the weights",
        "loading the model",
        "1/3 003 31 s",
        "2/3 004 timeout",
    ]


@pytest.mark.parametrize(
    ("failures", "extracted", "code"),
    [
        ([], 3, 0),
        (["unreachable"], 2, 1),
        (["unreachable", "unreachable"], 0, 3),
        (["unreachable", "refused"], 0, 1),
        (["bad_input"], 0, 1),
    ],
)
def test_the_exit_code_tells_a_missing_model_from_a_failed_article(
    failures: list[str], extracted: int, code: int
) -> None:
    assert exit_code(RunTally(3, extracted=extracted, failures=failures)) == code


# doctor


def test_the_doctor_shows_the_setup_and_asks_one_tiny_question(
    mahdar: Command, served: Callable[..., Endpoint], tmp_path: Path
) -> None:
    endpoint = served(completion('{"actors": [], "meetings": []}', tokens=(30, 6)))
    ended = mahdar("doctor")
    assert ended.code == 0
    lines = ended.out.splitlines()
    assert f"✓ endpoint  {endpoint.url}" in lines
    assert "✓ model     loopback" in lines
    assert "✓ mode      json_schema" in lines
    assert "✓ key       set (OPENAI_API_KEY)" in lines
    assert f"✓ prompts   {', '.join(prompt.ref for prompt in PromptLibrary())}" in lines
    assert any(line.startswith(f"✓ cache     {tmp_path / 'cache'}: 0 answers") for line in lines)
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    named = {line.split()[1] for line in lines if line.endswith(("installed", "]'"))}
    assert named == extras.keys() - {"dev"}, "every extra is looked for"
    assert re.fullmatch(r"✓ answer    \d+\.\d s, 30 \+ 6 tokens", lines[-1])
    (asked,) = endpoint.requests
    assert sum(len(turn["content"]) for turn in asked.messages) < 100
    assert asked.lists == ("meetings",), "in the form of a real question"
    assert KEY not in ended.out + ended.err


def test_the_doctor_never_shows_a_secret(
    mahdar: Command, served: Callable[..., Endpoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = served(status(401, message=f"wrong key {KEY}"))
    monkeypatch.setenv("OPENAI_BASE_URL", endpoint.url.replace("http://", "http://user:password@") + "?token=hidden")
    ended = mahdar("doctor")
    assert ended.code == 3
    assert "✗ answer    unreachable" in ended.out
    assert "check OPENAI_API_KEY" in ended.out
    shown = next(line for line in ended.out.splitlines() if "✓ endpoint" in line)
    assert shown == f"✓ endpoint  {endpoint.url}"
    assert not any(secret in ended.out + ended.err for secret in (KEY, "password", "hidden"))


def test_the_doctor_says_that_rules_read_where_no_model_is_configured(mahdar: Command, tmp_path: Path) -> None:
    (tmp_path / "cache" / "completions-v1").mkdir(parents=True)
    ended = mahdar("doctor")
    lines = ended.out.splitlines()
    assert (ended.code, ended.err) == (0, RULES)
    assert lines[-1] == f"✓ read by   mahdar-rules@{VERSION}: rules, no model"
    older = f"{tmp_path / 'cache' / 'completions-v1'}: of an older mahdar, left alone; its answers are asked again"
    assert f"- cache     {older}" in lines
    assert f"older    {older}; remove it at will" in mahdar("cache", "stats").out.splitlines()


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("MAHDAR_MODEL", "", "✗ endpoint  no model named"),
        ("MAHDAR_MODE", "xml", "✗ endpoint  mode 'xml': not known"),
        ("OPENAI_BASE_URL", "localhost", "✗ endpoint  OPENAI_BASE_URL 'localhost': not a URL"),
        ("MAHDAR_CACHE_DIR", "/dev/null/cache", "✗ cache     /dev/null/cache"),
    ],
)
def test_the_doctor_names_what_is_wrong(
    mahdar: Command,
    *,
    served: Callable[..., Endpoint],
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    value: str,
    said: str,
) -> None:
    served(completion('{"actors": [], "meetings": []}'))
    monkeypatch.setenv(variable, value)
    ended = mahdar("doctor")
    assert ended.code == 3
    assert said in ended.out
    assert "Traceback" not in ended.err


def test_the_doctor_wants_json_for_an_answer(mahdar: Command, served: Callable[..., Endpoint]) -> None:
    served(completion("بكل سرور!"))
    ended = mahdar("doctor")
    assert ended.code == 3
    assert "set MAHDAR_MODE" in ended.out.splitlines()[-1]


def test_the_doctor_tells_what_to_do_where_nobody_listens(
    mahdar: Command, served: Callable[..., Endpoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    served()
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9")
    ended = mahdar("doctor")
    assert ended.code == 3
    assert ended.out.splitlines()[-1] == (
        "✗ answer    unreachable — http://127.0.0.1:9: All connection attempts failed; "
        "is the server running, is OPENAI_BASE_URL right?"
    )


@pytest.mark.skipif(find_spec("xllamacpp") is not None, reason="the embedded model is installed")
def test_the_doctor_tells_how_to_install_the_embedded_model(mahdar: Command, served: Callable[..., Endpoint]) -> None:
    served(completion('{"actors": [], "meetings": []}'))
    assert "- local     pip install 'mahdar[local]'" in mahdar("doctor").out.splitlines()


def test_the_doctor_names_a_variable_only_where_it_is_set(
    mahdar: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert f"✓ cache     {tmp_path / 'cache'}: 0 answers, " in (said := mahdar("doctor").out)
    assert " bytes (MAHDAR_CACHE_DIR)\n" in said
    monkeypatch.delenv("MAHDAR_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert f"✓ cache     {tmp_path / 'mahdar'}: 0 answers, " in (said := mahdar("doctor").out)
    assert "MAHDAR_CACHE_DIR" not in said


# cache


def test_the_cache_is_counted_verified_and_cleared(
    mahdar: Command, served: Callable[..., Endpoint], articles: Path, tmp_path: Path
) -> None:
    endpoint = served()
    mahdar("extract", articles)
    counted = dict(line.split(maxsplit=1) for line in mahdar("cache", "stats").out.splitlines())
    assert counted["folder"] == str(tmp_path / "cache" / FOLDER)
    assert (counted["answers"], counted["tokens"]) == ("2", "240")
    verified = mahdar("cache", "verify")
    assert (verified.code, verified.out) == (0, "every answer can be read\n")
    assert mahdar("cache", "clear", "--yes").out == "2 removed\n"
    mahdar("extract", articles)
    assert len(endpoint.requests) == 4


def test_a_broken_answer_is_named_and_asked_again(
    mahdar: Command, served: Callable[..., Endpoint], articles: Path, tmp_path: Path
) -> None:
    endpoint = served()
    mahdar("extract", articles / "talks.txt")
    with diskcache.Cache(str(tmp_path / "cache" / FOLDER), disk=TextDisk) as cache:
        fingerprint = next(iter(cache))
        cache[fingerprint] = '{"version": 1, "text'
    verified = mahdar("cache", "verify")
    assert verified.code == 1
    assert verified.out.splitlines()[0] == fingerprint
    assert mahdar("extract", articles / "talks.txt").code == 0
    assert len(endpoint.requests) == 2


@pytest.mark.parametrize(("answer", "code", "left"), [(b"y\n", 0, "0"), (b"n\n", 0, "1"), (b"", 2, "1")])
def test_clearing_asks_first(
    mahdar: Command, served: Callable[..., Endpoint], articles: Path, *, answer: bytes, code: int, left: str
) -> None:
    served()
    mahdar("extract", articles / "talks.txt")
    process = launch("cache", "clear", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    _, err = process.communicate(answer, timeout=PATIENCE)
    assert process.returncode == code
    assert (b"--yes" in err) == (code == 2)
    assert f"answers  {left}\n" in mahdar("cache", "stats").out


def test_a_miss_is_explained(mahdar: Command, served: Callable[..., Endpoint], articles: Path) -> None:
    endpoint = served()
    talks = articles / "talks.txt"
    assert mahdar("cache", "why-miss", talks).out.splitlines() == [
        "talks: meetings, stances: not stored; nothing like it is stored",
    ]
    mahdar("extract", talks)
    assert mahdar("cache", "why-miss", talks).out.splitlines() == ["talks: meetings, stances: stored"]
    mahdar("extract", talks, "--published-at", "2024-02-05")
    dated = mahdar("cache", "why-miss", talks, "--published-at", "2024-02-05").out
    assert dated == "talks: meetings, stances: stored\n"
    assert mahdar("cache", "why-miss", talks, "--model", "larger").out == (
        "talks: meetings, stances: not stored; differs in model (loopback → larger)\n"
    )
    assert mahdar("cache", "why-miss", talks, "--model", "offline").out == "talks: no model is asked: rules read it\n"
    talks.write_text(f"{ARTICLE}وغادر الوزير السنغالي مساء.\n", encoding="utf-8")
    changed = mahdar("cache", "why-miss", talks).out
    assert re.fullmatch(r"talks: meetings, stances: not stored; differs in article \(\w{8} → \w{8}\)\n", changed)
    assert len(endpoint.requests) == 1, "nobody is asked"


def test_a_miss_is_explained_for_every_row(mahdar: Command, served: Callable[..., Endpoint], tmp_path: Path) -> None:
    served()
    rows = [{"key": "خبر", "body": OTHER}, {"key": "فارغ", "body": " "}, {"key": "رقم", "body": "12"}]
    file = tmp_path / "archive.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    columns = ("--text-column", "body", "--id-column", "key", "--task", "meetings")
    ended = mahdar("cache", "why-miss", file, *columns)
    assert (ended.code, ended.out.splitlines()) == (
        0,
        [
            "خبر: meetings: not stored; nothing like it is stored",
            f"فارغ: {file}:2 is empty: give the article's text",
            f"رقم: {file}:3 has no letters ('12'): give the article's text",
        ],
    )


ASKED = {
    "task": "meetings",
    "article": "a",
    "prompt": "p",
    "schema": "s",
    "model": "m",
    "mode": "j",
    "parameters": "{}",
}
ASKED |= {"messages": "1"}


@pytest.mark.parametrize(
    ("stored", "differs"),
    [
        ([], None),
        ([{"task": "stances"}], None),
        ([{"model": "n"}], ["model (n → m)"]),
        ([{"messages": "2"}], ["what the template renders to (2 → 1)"]),
        ([{"prompt": "q", "messages": "2"}], ["template or examples (q → p)"]),
        ([{"article": "b", "messages": "2"}, {"model": "n", "mode": "k"}], ["model (n → m)", "mode (k → j)"]),
        ([{"schema": "t", "prompt": "q"}, {"parameters": "[]"}, {"task": "stances"}], ["parameters ([] → {})"]),
    ],
)
def test_the_nearest_stored_question_tells_what_changed(
    stored: list[dict[str, str]], differs: list[str] | None
) -> None:
    found = why_miss(ASKED, [ASKED | changed for changed in stored])
    assert (None if found is None else [str(change) for change in found]) == differs


# prompts


def test_prompts_are_listed(mahdar: Command) -> None:
    listed = dict(line.split()[:2] for line in mahdar("prompts", "list").out.splitlines())
    assert listed == {prompt.ref: prompt.sha256[:12] for prompt in PromptLibrary()}


@pytest.mark.parametrize(("ref", "tasks"), [("meetings@1", ["meetings"]), ("news@1", ["meetings", "stances"])])
def test_what_is_sent_can_be_seen(
    mahdar: Command, *, served: Callable[..., Endpoint], articles: Path, ref: str, tasks: list[str]
) -> None:
    endpoint = served()
    shown = mahdar("prompts", "show", ref, "--article", articles / "talks.txt").out
    mahdar("extract", articles / "talks.txt", *(option for task in tasks for option in ("--task", f"{task}@1")))
    (asked,) = endpoint.requests
    assert shown == "".join(f"[{turn['role']}]\n{turn['content']}\n\n" for turn in asked.messages)
    assert MET in shown


def test_a_prompt_can_be_seen_without_an_article(mahdar: Command) -> None:
    assert mahdar("prompts", "show", "stances@1").out.endswith("[user]\n<article>\n[1] (the article)\n</article>\n\n")


def test_the_prompts_hold(mahdar: Command) -> None:
    ended = mahdar("prompts", "check")
    assert (ended.code, ended.err) == (0, "")
    assert "news@1: no problem" in ended.out


FRONT = """+++
tasks = ["meetings", "stances"]
version = 7
description = "tried"
language = "en"
changed = "all"
examples = ["talks.json"]
+++
"""
TEMPLATE = "{% block system %}{{ fields }}{% endblock %}{% block user %}{{ sentences }}{% endblock %}"
ACTOR = {"organization": None, "country": None}


def _prompt(folder: Path, template: str = TEMPLATE, **changes: Any) -> Path:
    """A template with one example, below a folder."""
    path = folder / "mine" / "v7.md"
    path.parent.mkdir(parents=True)
    path.write_text(FRONT + template, encoding="utf-8")
    actors = [{"role": None, **actor, **ACTOR} for actor in ACTORS]
    order = ("id", "name", "type", "role", "organization", "country")
    answer = records([meeting(**changes)], [], [{name: actor[name] for name in order} for actor in actors])
    example = {"article": ARTICLE, "answer": answer}
    (path.parent / "talks.json").write_text(json.dumps(example, ensure_ascii=False), encoding="utf-8")
    return path


def test_an_example_that_breaks_its_own_rules_fails_the_check(mahdar: Command, tmp_path: Path) -> None:
    folder = tmp_path / "prompts"
    path = _prompt(folder, date="يوم الخميس")
    ended = mahdar("prompts", "check", "--prompts", folder)
    assert ended.code == 1
    assert f"{path.parent / 'talks.json'}: $.meetings[0].date: is not in the article" in ended.err
    assert "mine@7: 1 problem\n" in ended.out


def test_an_example_that_holds_passes_the_check(mahdar: Command, tmp_path: Path) -> None:
    _prompt(tmp_path / "prompts")
    ended = mahdar("prompts", "check", "--prompts", tmp_path / "prompts")
    assert (ended.code, ended.err) == (0, "")


@pytest.mark.parametrize(
    ("template", "said"),
    [
        (TEMPLATE.replace("fields", "feilds"), "block 'system': 'feilds' is undefined"),
        (TEMPLATE.replace("user", "users"), "no block 'user'"),
        ("{% block system %}", "line "),
    ],
)
def test_a_template_that_does_not_render_fails_the_check(
    mahdar: Command, tmp_path: Path, template: str, said: str
) -> None:
    folder = tmp_path / "prompts"
    path = _prompt(folder, template)
    ended = mahdar("prompts", "check", "--prompts", folder)
    assert ended.code == 1
    assert str(path) in ended.err
    assert said in ended.err


# schema, help


def test_schemas_are_exported_under_their_hashes(mahdar: Command, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "schemas"
    ended = mahdar("schema", "export", folder)
    assert ended.code == 0
    shown = dict(line.split() for line in ended.out.splitlines())
    assert shown.keys() == {path.name for path in folder.iterdir()}
    asked = answer_schema(("meetings", "stances"))
    assert shown["answer.schema.json"] == f"sha256:{asked.sha256}"
    written = {path.name: json.loads(path.read_text(encoding="utf-8")) for path in folder.iterdir()}
    assert written["answer.schema.json"] == asked.json_schema
    for task in DRAFTS:
        draft, answered = written[f"{task}.draft.schema.json"], asked.json_schema["$defs"]
        assert answered[f"{task.capitalize()[:-1]}Draft"] == {name: draft[name] for name in draft if name != "$defs"}
    assert {"cameo", "plover", "format"} <= written["meetings.record.schema.json"]["properties"].keys()
    assert {"meetings", "stances", "rejected"} <= written["extraction.schema.json"]["properties"].keys()
    for name, schema in written.items():
        text = json.dumps(schema, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        assert shown[name] == f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def test_help_lists_commands_and_exit_codes(mahdar: Command) -> None:
    ended = mahdar("--help")
    assert ended.code == 0
    for line in ("0    success", "1    some articles failed", "3    no model reachable", "extract", "doctor"):
        assert line in ended.out


def test_the_version_is_shown(mahdar: Command) -> None:
    assert re.fullmatch(r"mahdar(, not installed| \d+\.\d+\S*)\n", mahdar("--version").out)


def test_help_waits_for_nothing_heavy() -> None:
    heavy = {"openai", "instructor", "rich.console", "jinja2", "dateparser", "scipy"}
    code = f"import mahdar.cli.app, sys; print(*({heavy!r} & sys.modules.keys()))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, cwd=ROOT, timeout=PATIENCE)
    assert found.stdout.decode().split() == []


def _by_id(ended: Ended, field: str) -> dict[str, Any]:
    return {result["document_id"]: result[field] for result in ended.results}


def _on_terminal(*arguments: object) -> tuple[int, str]:
    """The exit code, and everything that a terminal of 100 columns was sent."""
    ours, theirs = pty.openpty()
    process = launch(*arguments, stdout=theirs, stderr=theirs, env={**os.environ, "TERM": "xterm", "COLUMNS": "100"})
    os.close(theirs)
    screen = b"".join(iter(lambda: _read(ours), b""))
    os.close(ours)
    text = screen.decode().replace("\x1b[1A", "<up>").replace("\x1b[2K", "<erase>")
    return process.wait(PATIENCE), re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


def _read(terminal: int) -> bytes:
    """Bytes from a terminal; none when its last user has gone, which Linux calls an error."""
    try:
        return os.read(terminal, 65_536)
    except OSError:
        return b""
