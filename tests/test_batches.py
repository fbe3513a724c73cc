"""Many articles against an endpoint that misbehaves: nothing lost, nothing twice, and no use in asking the dead."""

import json
import os
import random
import re
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest
from newsroom import ANSWER, ARTICLE, KEY, NOTHING, configured, reads_well, weather

from mahdar import Document, Extraction, Extractor, Failure, NoModelError, Policy
from mahdar.cache.claims import ClaimLocks, ClaimRows, Claims, claims_in
from mahdar.cache.disk import DiskStore

from loopback import Asked, Endpoint, Reply, completion, status

ROOT: Final = Path(__file__).parents[1]
STALL: Final = threading.Event()
"""Set by nobody: a reply that waits for it stalls until the server ends."""


# --- faults


def faults() -> dict[str, tuple[Reply, set[str]]]:
    """Each way to misbehave, and the classes in which an article may end of which every attempt misbehaves so."""
    cut = json.dumps(ANSWER, ensure_ascii=False)[:60]
    return {
        "429": (status(429), {"rate_limited"}),
        "429, wait": (status(429, {"retry-after-ms": "5"}), {"rate_limited"}),
        "500": (status(500), {"unreachable"}),
        "503": (status(503), {"unreachable"}),
        "reset": (Reply(reset=True), {"unreachable"}),
        "stall": (completion(NOTHING, after=STALL), {"timeout"}),
        "truncated": (completion(cut, finish="length"), {"truncated"}),
        "cut": (Reply(completion(cut).data, drop_after=50), {"unreachable"}),
        "schema": (completion({"result": []}), {"invalid"}),
        "empty": (completion(""), {"unparsable"}),
    }


class Misbehaving:
    """An endpoint of whose answers three in ten are faults; which ones is known by the article and the attempt."""

    def __init__(self) -> None:
        self.seen: dict[str, list[str]] = {}
        self._guard = threading.Lock()

    def __call__(self, asked: Asked) -> Reply:
        article = asked.article.strip()
        with self._guard:
            attempts = self.seen.setdefault(article, [])
            chance = random.Random(f"{article}/{len(attempts)}")
            kinds = faults()
            kind = chance.choice(list(kinds)) if chance.random() < 0.3 else "well"
            attempts.append(kind)
        return kinds[kind][0] if kind in kinds else reads_well(asked)

    def classes(self, text: str) -> set[str]:
        """What an article that failed may have failed of, by the last answer about it."""
        last = self.seen[text.strip()][-1]
        return faults()[last][1] if last in faults() else set()


@pytest.mark.parametrize("articles", [300, pytest.param(2_000, marks=pytest.mark.soak)])
def test_every_article_ends_once_and_in_its_class(articles: int, tmp_path: Path) -> None:
    misbehaving = Misbehaving()
    texts = {f"a{number}": weather(number) for number in range(articles)}
    documents = [Document(id_, text) for id_, text in texts.items()]
    with (
        Endpoint(misbehaving) as endpoint,
        Extractor(
            configured(endpoint, tmp_path, timeout=1.0), policy=Policy(first_wait=0.01), concurrency=50
        ) as mahdar,
    ):
        results = list(mahdar.extract_many(documents))
    assert Counter(result.document_id for result in results) == Counter(list(texts))
    failed = [result for result in results if isinstance(result, Failure)]
    assert 0 < len(failed) < articles / 4
    assert [one for one in failed if one.failure not in misbehaving.classes(texts[one.document_id])] == []
    done = {one.document_id: one.provenance for one in results if isinstance(one, Extraction)}
    asked = {id_: len(misbehaving.seen[text.strip()]) for id_, text in texts.items()}
    assert {id_: asked[id_] - made.attempts for id_, made in done.items() if asked[id_] != made.attempts} == {}


# --- an endpoint that is gone


@pytest.mark.parametrize(
    ("reply", "tried", "verb"),
    [
        pytest.param(status(401), 6, "refuses", id="a wrong key"),
        pytest.param(status(429, message="insufficient_quota"), 6, "refuses", id="no credit left"),
        pytest.param(
            Reply({"error": {"code": 401, "message": "No auth credentials found"}}),
            6,
            "refuses",
            id="a key in status 200",
        ),
        pytest.param(status(503, message="HTTP 401"), 6, "does not answer", id="away, without patience"),
    ],
)
def test_a_run_whose_endpoint_is_gone_ends(reply: Reply, tried: int, verb: str, tmp_path: Path) -> None:
    policy = Policy(attempts=1, first_wait=0, silent=tried, patience=0)
    with (
        Endpoint(lambda asked: reads_well(asked) if " 0 " in asked.article else reply) as endpoint,
        Extractor(configured(endpoint, tmp_path), tasks=["meetings"], policy=policy, concurrency=1) as mahdar,
    ):
        with pytest.raises(NoModelError) as caught:
            list(mahdar.extract_many(map(weather, range(99))))
        assert len(endpoint.requests) == tried + 1
    said = rf"the endpoint {verb}: 6 calls in a row, over \d+ s, failed; the last: HTTP "
    assert re.match(said, str(caught.value))


def test_only_what_was_really_tried_has_failed(tmp_path: Path) -> None:
    policy = Policy(attempts=1, first_wait=0, silent=6, patience=0)
    with (
        Endpoint(status(503)) as endpoint,
        Extractor(configured(endpoint, tmp_path), tasks=["meetings"], policy=policy, concurrency=1) as mahdar,
    ):
        results = mahdar.extract_many(map(weather, range(99)))
        failures = [next(results) for _ in range(5)]
        with pytest.raises(NoModelError):
            next(results)
    assert [one.failure for one in failures if isinstance(one, Failure)] == ["unreachable"] * 5


def test_an_endpoint_that_comes_back_is_waited_for(tmp_path: Path) -> None:
    policy = Policy(attempts=9, first_wait=0.001, longest_wait=0.01, silent=4)
    with (
        Endpoint(lambda asked: status(503) if len(endpoint.requests) < 12 else reads_well(asked)) as endpoint,
        Extractor(configured(endpoint, tmp_path), policy=policy, concurrency=8) as mahdar,
    ):
        results = list(mahdar.extract_many(map(weather, range(20))))
    assert [type(result) for result in results] == [Extraction] * 20


def test_the_command_says_so_and_ends_with_three(tmp_path: Path) -> None:
    folder = tmp_path / "articles"
    folder.mkdir()
    for number in range(60):
        (folder / f"{number}.txt").write_text(weather(number), encoding="utf-8")
    with Endpoint(status(401)) as endpoint:
        ended = command(endpoint, tmp_path, "extract", folder)
    assert ended.returncode == 3
    (said,) = ended.stderr.decode().splitlines()
    assert said.startswith("mahdar: the endpoint refuses: HTTP 401: ")
    assert "check OPENAI_API_KEY" in said
    assert KEY not in said
    assert len(endpoint.requests) <= 8


def test_the_command_says_how_far_it_came_before_the_key_ran_out(tmp_path: Path) -> None:
    folder = tmp_path / "articles"
    folder.mkdir()
    for number in range(60):
        (folder / f"{number:02}.txt").write_text(weather(number), encoding="utf-8")
    with Endpoint(lambda asked: reads_well(asked) if len(endpoint.requests) < 20 else status(401)) as endpoint:
        ended = command(endpoint, tmp_path, "extract", folder, "--concurrency", 1)
    assert ended.returncode == 3
    stopped, count = ended.stderr.decode().splitlines()[-2:]
    assert re.match(r"stopped: the endpoint refuses: 20 calls in a row.*check OPENAI_API_KEY", stopped)
    assert count.endswith(" articles left")


# --- several processes


def environment(endpoint: Endpoint, cache: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "MAHDAR_"))}
    named = {"OPENAI_BASE_URL": endpoint.url, "OPENAI_API_KEY": KEY, "MAHDAR_MODEL": "loopback"}
    return {**kept, **named, "MAHDAR_CACHE_DIR": str(cache), **more}


def command(endpoint: Endpoint, cache: Path, *words: object, **more: str) -> subprocess.CompletedProcess[bytes]:
    return started(endpoint, cache, *words, **more)[1]()


def started(endpoint: Endpoint, cache: Path, *words: object, **more: str) -> tuple[subprocess.Popen[bytes], Any]:
    """A command under way, and how to wait for its end."""
    process = subprocess.Popen(
        [sys.executable, "-m", "mahdar.cli.app", *map(str, words)],
        cwd=ROOT,
        env=environment(endpoint, cache, **more),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )

    def end() -> subprocess.CompletedProcess[bytes]:
        out, err = process.communicate(timeout=120)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    return process, end


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "articles"
    made.mkdir()
    for number in range(40):
        (made / f"{number}.txt").write_text(weather(number), encoding="utf-8")
    return made


def asked_once(endpoint: Endpoint) -> bool:
    counted = Counter(asked.article for asked in endpoint.requests)
    return set(counted.values()) == {1} and len(counted) == 40


def test_two_processes_on_one_store_pay_once(folder: Path, tmp_path: Path) -> None:
    both = threading.Event()
    with Endpoint(completion(NOTHING, after=both)) as endpoint:
        files = sorted(folder.iterdir())
        ends = [
            started(endpoint, tmp_path, "extract", *order, "--json", "--concurrency", 4)[1]
            for order in (files, reversed(files))
        ]
        endpoint.await_requests(8)  # four of each
        both.set()
        results = [end() for end in ends]
    assert [ended.returncode for ended in results] == [0, 0]
    lines = [[json.loads(line) for line in ended.stdout.splitlines()] for ended in results]
    assert [len({line["document_id"] for line in each}) for each in lines] == [40, 40]
    assert asked_once(endpoint)
    assert sum(line["provenance"]["calls"] for each in lines for line in each) == 40
    with closing(DiskStore(tmp_path)) as store:
        assert store.verify() == ()


def test_the_work_of_a_process_that_was_killed_is_taken_over(folder: Path, tmp_path: Path) -> None:
    never = threading.Event()
    with Endpoint(completion(NOTHING, after=never)) as endpoint:
        process, end = started(endpoint, tmp_path, "extract", folder / "0.txt", "--json")
        endpoint.await_requests(1)
        other = started(endpoint, tmp_path, "extract", folder / "0.txt", "--json")[1]
        process.kill()
        end()
        endpoint.await_requests(2)
        never.set()
        assert other().returncode == 0


# --- claims


@pytest.fixture(params=[ClaimLocks, ClaimRows])
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Claims, Claims]]:
    """Two holders of claims in one folder."""
    with closing(request.param(tmp_path)) as one, closing(request.param(tmp_path)) as other:
        yield one, other


PRINT: Final = "0f" * 32
OTHER: Final = "f0" * 32


def test_a_question_is_claimed_by_one(pair: tuple[Claims, Claims]) -> None:
    one, other = pair
    assert [one.claim(PRINT), one.claim(PRINT), other.claim(PRINT), other.claim(OTHER)] == [True, False, False, True]
    one.release(PRINT)
    one.renew(PRINT)
    assert [other.claim(PRINT), one.claim(PRINT)] == [True, False]


def test_closing_lets_go(tmp_path: Path) -> None:
    one, other = ClaimLocks(tmp_path), ClaimLocks(tmp_path)
    assert one.claim(PRINT)
    one.close()
    assert other.claim(PRINT)
    other.close()


def test_a_claim_that_nobody_renews_expires(tmp_path: Path) -> None:
    with closing(ClaimRows(tmp_path, lease=0)) as dead, closing(ClaimRows(tmp_path)) as other:
        assert dead.claim(PRINT)
        assert other.claim(PRINT)
        dead.renew(PRINT)
        assert not other.claim(PRINT)


def test_claims_lie_in_a_folder_of_ones_own(tmp_path: Path) -> None:
    with closing(claims_in(tmp_path / "claims")) as claims:
        assert claims.claim(PRINT)
    assert oct((tmp_path / "claims").stat().st_mode)[-4:] == "0700"


def test_where_nothing_can_be_claimed_the_question_is_asked(tmp_path: Path) -> None:
    (tmp_path / "claims-v2").write_bytes(b"")  # no folder
    with Endpoint(reads_well) as endpoint, Extractor(configured(endpoint, tmp_path)) as mahdar:
        assert len(mahdar.extract(ARTICLE).meetings) == 1


# --- no key anywhere


def test_no_key_is_written_anywhere(folder: Path, tmp_path: Path) -> None:
    """The endpoint repeats the key in answers and in errors; every file that is left, and all that is printed."""

    def reply(asked: Asked) -> Reply:
        said = asked.headers["authorization"]
        if "1" in asked.article:
            return status(400, message=f"no access with {said}")
        return completion({**NOTHING, "note": said}, model=said)

    cache, out = tmp_path / "cache", tmp_path / "out.jsonl"
    with Endpoint(reply) as endpoint:
        ended = command(endpoint, cache, "extract", folder, "-o", out, "--log", "json")
    assert ended.returncode == 1
    written = [path for path in (*cache.rglob("*"), *tmp_path.glob("out*")) if path.is_file()]
    assert {"cache.db", "out.jsonl", "out.jsonl.errors.jsonl"} <= {path.name for path in written}
    assert [path for path in written if KEY.encode() in path.read_bytes()] == []
    assert KEY.encode() not in ended.stdout + ended.stderr
    assert b"[key]" in (tmp_path / "out.jsonl.errors.jsonl").read_bytes()
    for path in cache.iterdir():
        assert oct(path.stat().st_mode)[-4:] == "0700"
