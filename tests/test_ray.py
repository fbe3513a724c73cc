"""Ray: the same records as from the local engine, in parts; none lost and none twice, however a run is broken off."""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from newsroom import ARTICLE, KEY, reads_well, weather
from pyarrow import Table
from pyarrow.parquet import read_table, write_table

from mahdar.cli.app import main
from mahdar.errors import UsageError
from mahdar.ray.parts import Made, Parts
from mahdar.runs.ledger import identity
from mahdar.runs.sources import Articles
from mahdar.settings import Settings
from mahdar.tasks import TASKS

from loopback import Asked, Endpoint, Reply, status

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning:ray", "ignore::ResourceWarning", "ignore::FutureWarning:ray"
)
BROKEN = weather(13)
RUN = {"made_by": {"meetings": "loopback", "stances": "loopback"}}


@pytest.fixture(scope="module")
def ray() -> Iterator[None]:
    """Ray on this machine, for all tests that need no other; its token is in no file."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_AUTH_TOKEN", "0" * 64)
        import ray

        # What Ray says of its own processes, at any moment, is not what the command says.
        ray.init("local", num_cpus=2, include_dashboard=False, object_store_memory=80_000_000, log_to_driver=False)
        yield
        ray.shutdown()


@dataclass(frozen=True)
class Ended:
    """What a command left."""

    code: int
    out: str
    err: str


@dataclass
class Newsroom:
    """Articles, an endpoint that fails on one of them while it is `broken`, and the command line."""

    folder: Path
    capture: pytest.CaptureFixture[str]
    requests: list[Asked]
    broken: bool = True

    @property
    def articles(self) -> Path:
        return self.folder / "articles"

    @property
    def out(self) -> Path:
        return self.folder / "out"

    @property
    def inputs(self) -> list[Path]:
        return [self.articles, *sorted(self.folder.glob("rows.*"))]

    def write(self, name: str, text: str) -> None:
        (self.articles / f"{name}.txt").write_text(text, encoding="utf-8")

    def extract(self, *options: object, output: str | None = "out") -> Ended:
        place = ("-o", self.folder / output) if output else ()
        with pytest.raises(SystemExit) as ended:
            main([str(each) for each in ("extract", *self.inputs, *place, *options)])
        out, err = self.capture.readouterr()
        return Ended(int(ended.value.code or 0), out, err)

    def ray(self, *options: object, output: str | None = "out") -> Ended:
        return self.extract("--engine", "ray", *options, output=output)

    def records(self, name: str = "out") -> list[dict[str, Any]]:
        return rows(self.folder / name)

    def failures(self) -> list[dict[str, Any]]:
        return rows(self.folder / "out.errors")


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_bytes().splitlines()]


def rows(folder: Path) -> list[dict[str, Any]]:
    """All lines of all parts, by article."""
    return by_article([row for part in sorted(folder.glob("part-*.jsonl")) for row in lines(part)])


def by_article(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """In one order, less what differs from run to run."""
    for row in found:
        row.get("provenance", {}).pop("seconds", None)
    return sorted(found, key=lambda row: str(row["document_id"]))


@pytest.fixture
def newsroom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Newsroom]:
    """Four articles: one with news in it, one without, one that the endpoint refuses, one that is empty."""

    def replies(asked: Asked) -> Reply:
        return status(400) if room.broken and asked.article == BROKEN.strip() else reads_well(asked)

    with Endpoint(replies) as endpoint:
        monkeypatch.setenv("OPENAI_BASE_URL", endpoint.url)
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        monkeypatch.setenv("MAHDAR_MODEL", "loopback")
        room = Newsroom(tmp_path, capsys, endpoint.requests)
        room.articles.mkdir()
        for name, text in {"talks": ARTICLE, "wind": weather(3), "broken": BROKEN, "empty": "\n"}.items():
            room.write(name, text)
        yield room


@pytest.mark.usefixtures("ray")
def test_a_run_goes_on_where_it_was_and_takes_what_failed_when_it_is_told_to(newsroom: Newsroom) -> None:
    from mahdar.ray.driver import Work, run

    work = Work(Settings.from_environment(), TASKS)
    parts = Parts(str(newsroom.out))
    with work.extractor() as mahdar:
        parts.begin(identity(mahdar))
    parts.write("1", [extracted("talks", ARTICLE), extracted("wind", "another text"), failed("broken", BROKEN)])
    (newsroom.out / ".part-2.jsonl.new").write_bytes(b'{"document_id": "ta')  # what a lost machine leaves
    newsroom.write("storm", weather(7))
    (newsroom.folder / "rows.jsonl").write_text('{"id": "torn", "text": "ذهب\\u0000"}', encoding="utf-8")
    again = newsroom.ray()
    assert again.code == 1
    assert again.err.endswith(
        f"wind: another text or day than before, left as they were; --overwrite extracts all anew\n"
        f"1 article, 0 records, 0 rejected, 2 failed, 2 done before, 1 failed before (--retry-errors takes them), "
        f"1 with another text than before; 120 tokens, cost unknown → {newsroom.out}\n"
    )
    assert [asked.article for asked in newsroom.requests] == [weather(7).strip()]
    assert [(row["document_id"], row["failure"]) for row in newsroom.failures()] == [
        ("broken", "refused"),
        ("empty", "bad_input"),
        ("torn", "bad_input"),
    ]
    assert "NUL character" in newsroom.failures()[2]["message"]

    newsroom.broken = False
    newsroom.write("empty", weather(2))
    source = partial(Articles, newsroom.inputs)
    retried = run(work, source, parts, retry_errors=True)
    assert str(retried) == "2 articles, 0 records, 0 rejected, 1 failed, 3 done before"
    assert [row["document_id"] for row in newsroom.records()] == [
        "broken",
        "empty",
        "storm",
        "talks",
        "wind",
    ]
    assert [row["document_id"] for row in newsroom.failures()] == ["torn"]


@pytest.mark.usefixtures("ray")
def test_an_error_that_ends_the_job_is_one_line(newsroom: Newsroom) -> None:
    from mahdar.ray.driver import Work, run

    def source() -> Iterator[Any]:
        return iter([1])

    work = Work(Settings.from_environment(), TASKS)
    with pytest.raises(Exception, match=r"\ARay ended the job: .*has no attribute 'id'; the same command goes on"):
        run(work, source, Parts(str(newsroom.out)))

    articles = newsroom.articles

    def unreadable() -> Iterator[Any]:
        yield from Articles([articles])
        raise UsageError("the archive cannot be opened")

    with pytest.raises(UsageError, match=r"\Athe archive cannot be opened\Z"):
        run(work, unreadable, Parts(str(newsroom.out)))


@pytest.mark.parametrize(
    ("options", "output", "said"),
    [
        (("-",), "out", "standard input is on this machine only: name files or URLs that every machine sees"),
        (("--retry-errors",), "out", "--retry-errors takes what an earlier run failed on: name its folder"),
        (("--table",), "out", "--table: not on a cluster; leave it out, or take --engine local"),
        (("--engine", "local", "--ray-workers", "2"), "out", "--ray-address, --ray-workers: give --engine ray with"),
        ((), None, "a cluster writes to a folder that every machine sees: name it with --output"),
        (("--format", "duckdb"), "out", "a cluster writes folders of JSON Lines or Parquet; name it OUT.jsonl"),
        ((), "out.csv", "a cluster writes folders of JSON Lines or Parquet; name it OUT.jsonl or OUT.parquet"),
        ((), "articles", "has files in it and no mahdar-run.json: give --overwrite"),
        (("--model", "another"), "old", "has records made by loopback, and this run makes them by another: give"),
        (("--model", "offline"), "old", "has records made by loopback, and this run makes them by mahdar-rules@"),
        ((), "older", "is of a run of an older mahdar, which is left as it is: all its articles are asked again under"),
        ((), "talks.txt", "cannot be used"),
        ((), "/proc/nowhere/out", "/proc/nowhere/out: cannot be used (Cannot create directory"),
        ((), "old.parquet", "old.parquet: cannot be used ("),
    ],
)
def test_a_place_that_cannot_be_used_is_one_line_and_costs_nothing(
    newsroom: Newsroom, options: tuple[str, ...], output: str | None, said: str
) -> None:
    from mahdar.ray.driver import Work

    with Work(Settings.from_environment(), TASKS).extractor() as mahdar:
        Parts(str(newsroom.folder / "old")).begin(identity(mahdar))
        Parts(str(newsroom.folder / "old.parquet")).begin(identity(mahdar))
    (newsroom.folder / "old.parquet" / "part-1.parquet").touch()
    (newsroom.folder / "talks.txt").write_text("a file", encoding="utf-8")
    (newsroom.folder / "older").mkdir()
    older = {"model": "loopback", "profile": "standard"}
    (newsroom.folder / "older" / "mahdar-run.json").write_text(json.dumps(older), encoding="utf-8")
    ended = newsroom.ray(*options, output=output)
    assert (ended.code, ended.err.count("\n"), newsroom.requests) == (2, 1, [])
    assert said in ended.err


def test_a_failure_that_was_mended_before_the_run_broke_off_is_one_no_longer(tmp_path: Path) -> None:
    parts = Parts(str(tmp_path / "out"))
    parts.begin(RUN)
    parts.write("1", [failed("a"), failed("b")])
    parts.write("2", [extracted("a"), failed("b")])
    parts.write("3", [failed("d", failure="internal")])
    known = parts.known()
    assert (known.fate("d", sha256("t")), known.has_failed("d"), known.left) == ("new", True, 1)
    fates = [known.fate(id_, sha256(text)) for id_, text in (("a", "t"), ("b", "t"), ("a", "u"), ("c", "t"))]
    assert fates == ["done", "failed", "changed", "new"]
    assert [row["document_id"] for row in rows(tmp_path / "out.errors")] == ["b", "d"]


def test_overwriting_removes_parts_and_nothing_else(tmp_path: Path) -> None:
    parts = Parts(f"{tmp_path.as_uri()}/out")
    parts.begin(RUN)
    parts.write("1", [extracted("a"), failed("b")])
    (tmp_path / "out" / "notes.txt").write_text("mine", encoding="utf-8")
    parts.begin(RUN | {"mode": "tools"}, overwrite=True)
    assert sorted(path.name for path in tmp_path.rglob("*.*")) == ["mahdar-run.json", "notes.txt", "out.errors"]


def test_parts_of_parquet_are_what_the_local_engine_writes(newsroom: Newsroom) -> None:
    newsroom.extract(output="local.jsonl")
    newsroom.extract(output="local.parquet")
    found = lines(newsroom.folder / "local.parquet.jsonl")
    parts = Parts(str(newsroom.folder / "out.parquet"))
    parts.begin(RUN)
    parts.write("1", [*(Made(row["document_id"], row["text_sha256"], json.dumps(row)) for row in found), failed("c")])
    (part,) = (newsroom.folder / "out.parquet").glob("*.parquet")
    assert read_table(part) == read_table(newsroom.folder / "local.parquet")
    known = parts.known()
    assert [known.fate(row["document_id"], row["text_sha256"]) for row in found] == ["done"] * len(found)
    assert known.fate("c", sha256("t")) == "failed"


def test_parts_may_be_in_any_storage_that_fsspec_knows() -> None:
    parts = Parts("memory://archive/out")
    parts.begin(RUN)
    parts.write("1", [extracted("a"), failed("b")])
    known = Parts("memory://archive/out").known()
    assert (len(known.done), len(known.failed)) == (1, 1)


def extracted(id_: str, text: str = "t") -> Made:
    line = json.dumps({"document_id": id_, "text_sha256": sha256(text)}, ensure_ascii=False)
    return Made(id_, sha256(text), line)


def failed(id_: str, text: str = "t", failure: str = "refused") -> Made:
    row = {"document_id": id_, "failure": failure, "message": "", "attempts": 1, "text_sha256": sha256(text)}
    return Made(id_, sha256(text), json.dumps(row), failure)


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


DRIVER = """
import sys

refused = []
def guard(event, arguments):
    if event in {"socket.connect", "socket.sendto", "socket.sendmsg"} and isinstance(arguments[1], tuple):
        if arguments[1][0] not in {"127.0.0.1", "::1", "localhost"}:
            refused.append(arguments[1])
sys.addaudithook(guard)
from mahdar.runs.ledger import identity
from mahdar.runs.sources import Articles
from mahdar.cli.app import main
try:
    main(sys.argv[1:])
finally:
    print("reached", refused)
"""


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder with a short name: Ray makes sockets in it."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def test_ray_of_its_own_has_the_results_of_the_local_engine_and_writes_no_key_down(
    newsroom: Newsroom, short: Path
) -> None:
    row = {"key": "row", "body": weather(5)}
    (newsroom.folder / "rows.jsonl").write_text(json.dumps(row, ensure_ascii=False), encoding="utf-8")
    write_table(Table.from_pylist([{"key": "cell", "body": ARTICLE}]), newsroom.folder / "rows.parquet")
    columns = ("--text-column", "body", "--id-column", "key")
    newsroom.extract(*columns, output="first.jsonl")
    newsroom.extract(*columns, output="local.jsonl")  # from the store, as the next
    more = {"RAY_TMPDIR": str(short), "HOME": str(short), "PYTHONPATH": os.pathsep.join(sys.path)}
    arguments = ["extract", *newsroom.inputs, *columns, "--engine", "ray", "-o", newsroom.out]
    ended = subprocess.run(
        [sys.executable, "-c", DRIVER, *map(str, arguments)],
        env={**os.environ, **more},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (1, "reached []\n")
    said = f"4 articles (4 from the cache), 4 records, 0 rejected, 2 failed → {newsroom.out}"
    assert ended.stderr.splitlines()[-1] == said
    assert newsroom.records() == by_article(lines(newsroom.folder / "local.jsonl"))
    failures = [{name: row[name] for name in row if name != "text_sha256"} for row in newsroom.failures()]
    assert failures == by_article(lines(newsroom.folder / "local.jsonl.errors.jsonl"))

    logs = [path for path in short.rglob("*") if path.is_file()]
    assert any("session_" in str(path) for path in logs)
    assert [path for path in logs if KEY.encode() in path.read_bytes()] == []
    assert KEY not in ended.stderr
