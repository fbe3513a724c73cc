"""Ray: the same run, with its extractors on a cluster."""

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from newsroom import ARTICLE, KEY, reads_well, weather
from pyarrow import Table
from pyarrow.parquet import write_table

from mahdar import Document, NoModelError
from mahdar.cli.app import main
from mahdar.settings import Settings
from mahdar.tasks import TASKS

from loopback import Asked, Endpoint, Reply, status

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning:ray", "ignore::ResourceWarning", "ignore::FutureWarning:ray"
)
BROKEN = weather(13)


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
        return self.folder / "out.jsonl"

    @property
    def inputs(self) -> list[Path]:
        return [self.articles, *sorted(self.folder.glob("rows.*"))]

    def write(self, name: str, text: str) -> None:
        (self.articles / f"{name}.txt").write_text(text, encoding="utf-8")

    def extract(self, *options: object, output: str | None = "out.jsonl") -> Ended:
        place = ("-o", self.folder / output) if output else ()
        with pytest.raises(SystemExit) as ended:
            main([str(each) for each in ("extract", *self.inputs, *place, *options)])
        out, err = self.capture.readouterr()
        return Ended(int(ended.value.code or 0), out, err)

    def ray(self, *options: object, output: str | None = "out.jsonl") -> Ended:
        return self.extract("--engine", "ray", *options, output=output)

    def records(self, name: str = "out.jsonl") -> list[dict[str, Any]]:
        return by_article(lines(self.folder / name))

    def failures(self, name: str = "out.jsonl") -> list[dict[str, Any]]:
        return by_article(lines(self.folder / f"{name}.errors.jsonl"))


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_bytes().splitlines()]


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
    first = newsroom.extract()
    assert first.err.endswith(
        f"2 of 4 articles, 2 records, 0 rejected, 2 failed; 240 tokens, cost unknown → {newsroom.out}\n"
    )
    asked = len(newsroom.requests)
    newsroom.write("storm", weather(7))
    newsroom.write("wind", weather(4))
    again = newsroom.ray()
    assert again.code == 1
    assert again.err.endswith(
        f"wind: another text or day than before, left as they were; --update-changed extracts them anew\n"
        f"1 of 5 articles, 0 records, 0 rejected, 0 failed, 1 done before, "
        f"2 failed before (--retry-errors takes them), 1 with another text or day than before; "
        f"120 tokens, cost unknown → {newsroom.out}\n"
    )
    assert [asked.article for asked in newsroom.requests[asked:]] == [weather(7).strip()]

    newsroom.broken = False
    newsroom.write("empty", weather(2))
    retried = newsroom.ray("--retry-errors")
    assert retried.err.startswith("2 of 2 articles, 0 records, 0 rejected, 0 failed")
    assert newsroom.ray("--update-changed").code == 0
    assert [row["document_id"] for row in newsroom.records()] == ["broken", "empty", "storm", "talks", "wind"]
    assert [row["document_id"] for row in newsroom.records("out.jsonl.history.jsonl")] == ["wind"]


@pytest.mark.usefixtures("ray")
def test_what_ends_the_work_is_one_line(newsroom: Newsroom) -> None:
    from mahdar.ray.cluster import Cluster, Work

    work = Work(Settings.from_environment(), TASKS)
    with Cluster(work, workers=1) as cluster:
        with pytest.raises(Exception, match=r"\ARay ended the job: .*; give the same command again to resume\Z"):
            list(cluster.extract_many([17]))  # type: ignore[list-item]  # no article
        results = cluster.extract_many(Document(f"{number}", weather(number)) for number in range(20))
        assert sorted(int(result.document_id) for result in results) == list(range(20))
    with Endpoint(status(401)) as endpoint:
        wrong = Work(Settings(base_url=endpoint.url, api_key="wrong", model="loopback"), TASKS, keep=False)
        with Cluster(wrong, workers=1) as cluster, pytest.raises(NoModelError):
            list(cluster.extract_many(Document(f"{number}", weather(number)) for number in range(99)))


@pytest.mark.usefixtures("ray")
def test_what_is_under_way_is_written_before_a_run_without_a_model_ends(newsroom: Newsroom) -> None:
    """Of four articles under way, one has its key refused while the other answers are still on their way."""
    together = threading.Event()

    def reply(asked: Asked) -> Reply:
        if len(endpoint.requests) == 4:
            together.set()
        refused = asked.article == weather(0).strip()
        return replace(status(401) if refused else reads_well(asked), after=together, drip=0 if refused else 0.02)

    for file in newsroom.articles.iterdir():
        file.unlink()
    for number in range(4):
        newsroom.write(f"{number}", weather(number))
    with Endpoint(reply) as endpoint, pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENAI_BASE_URL", endpoint.url)
        ended = newsroom.ray("--ray-workers", "1", "--concurrency", "4")
    assert [row["document_id"] for row in newsroom.records()] == ["1", "2", "3"]
    assert ended.code == 3
    assert "the endpoint refuses: HTTP 401" in ended.err
    assert "3 of 4 articles" in ended.err


@pytest.mark.usefixtures("ray")
def test_a_worker_that_is_lost_is_started_again(newsroom: Newsroom) -> None:
    import ray

    from mahdar.ray.cluster import Cluster, Work

    work = Work(Settings.from_environment(), TASKS, keep=False)
    with Cluster(work, workers=1) as cluster:
        results = cluster.extract_many(Document(f"{number}", weather(number)) for number in range(30))
        came = [next(results).document_id for _ in range(3)]
        (worker,) = cluster._workers  # noqa: SLF001  # nothing else names its process
        ray.kill(worker, no_restart=False)
        came += [result.document_id for result in results]
    assert sorted(map(int, came)) == list(range(30)), "none lost and none twice"


@pytest.mark.parametrize(
    ("options", "output", "said"),
    [
        (("--retry-errors",), "out.jsonl", "--retry-errors takes what an earlier run failed on: name its file"),
        (("--rpm", "60", "--max-cost", "1"), "out.jsonl", "--max-cost, --rpm: not on a cluster; leave it out, or take"),
        (
            ("--engine", "local", "--ray-workers", "2"),
            "out.jsonl",
            "--ray-address, --ray-workers: give --engine ray wi",
        ),
        (("--format", "csv"), "parts", "was written by an older mahdar and cannot be resumed: name another output"),
    ],
)
def test_what_cannot_be_used_is_one_line_and_costs_nothing(
    newsroom: Newsroom, options: tuple[str, ...], output: str, said: str
) -> None:
    (newsroom.folder / "parts").mkdir()
    (newsroom.folder / "parts" / "mahdar-run.json").write_text("{}", encoding="utf-8")
    ended = newsroom.ray(*options, output=output)
    assert (ended.code, ended.err.count("\n"), newsroom.requests) == (2, 1, [])
    assert said in ended.err


DRIVER = """
import sys

refused = []
def guard(event, arguments):
    if event in {"socket.connect", "socket.sendto", "socket.sendmsg"} and isinstance(arguments[1], tuple):
        if arguments[1][0] not in {"127.0.0.1", "::1", "localhost"}:
            refused.append(arguments[1])
sys.addaudithook(guard)
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
    said = f"4 of 6 articles (4 from the cache), 4 records, 0 rejected, 2 failed → {newsroom.out}"
    assert ended.stderr.splitlines()[-1] == said
    assert newsroom.records() == newsroom.records("local.jsonl")
    assert newsroom.failures() == newsroom.failures("local.jsonl")

    logs = [path for path in short.rglob("*") if path.is_file()]
    assert any("session_" in str(path) for path in logs)
    assert [path for path in logs if KEY.encode() in path.read_bytes()] == []
    assert KEY not in ended.stderr
