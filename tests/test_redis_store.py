"""The store on a server: a real Redis or Valkey on loopback, or the word why there is none."""

import shutil
import socket
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from newsroom import ARTICLE, NOTHING, configured, reads_well, weather

from mahdar import Extraction, Extractor, Settings, StoreError, UsageError
from mahdar.cache.completion import Completion
from mahdar.cache.opening import open_store
from mahdar.cache.redis import ENTRIES, RedisStore

from loopback import PATIENCE, Endpoint, completion

redis = pytest.importorskip("redis", reason="the extra redis is not installed: pip install 'mahdar[redis]'")

PASSWORD = "open-sesame-0123456789"
PRINT, OTHER = "a" * 64, "b" * 64
PARTS = {"model": "loopback", "article": "0" * 64}
ANSWER = Completion('{"meetings": ["لقاء"]}', model="loopback", tokens_in=100, tokens_out=20, seconds=1.25)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a server with a password, that keeps nothing on disk."""
    program = shutil.which("valkey-server") or shutil.which("redis-server")
    if program is None:
        pytest.skip("no redis-server or valkey-server on the PATH: apt-get install redis-server")
    port, folder = free_port(), tmp_path_factory.mktemp("redis")
    options = {"port": port, "bind": "127.0.0.1", "dir": folder, "save": "", "requirepass": PASSWORD}
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    process = subprocess.Popen([program, *words], stdout=subprocess.PIPE, encoding="utf-8")
    assert process.stdout is not None
    for line in process.stdout:
        if "eady to accept connections" in line:
            break
    threading.Thread(target=process.stdout.read, daemon=True).start()
    yield f"redis://:{PASSWORD}@127.0.0.1:{port}/0"
    process.terminate()
    process.wait(PATIENCE)
    with suppress(ValueError):
        process.stdout.close()


@pytest.fixture
def store(server: str) -> Iterator[RedisStore]:
    with closing(RedisStore(server)) as opened:
        opened.clear()
        yield opened


def test_an_answer_comes_back_as_it_was_and_says_that_it_is_kept(store: RedisStore) -> None:
    assert store.get(PRINT) is None
    store.put(PRINT, ANSWER, PARTS)
    assert store.get(PRINT) == ANSWER
    assert dict(store.entries())[PRINT]["components"] == PARTS  # type: ignore[index]


def test_answers_of_an_earlier_version_are_left_alone_and_named_once(
    server: str, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(redis.Redis.from_url(server)) as others:
        others.flushall()
        others.set(f"mahdar:1:{PRINT}", "as it was")
        for _ in range(2):
            with closing(RedisStore(server)) as store:
                assert [store.get(PRINT) for _ in range(2)] == [None, None]
        assert others.get(f"mahdar:1:{PRINT}") == b"as it was"
        others.flushall()
    (record,) = caplog.records
    assert record.getMessage() == (
        f"{store.folder}: answers of an earlier version under mahdar:1:* are not used: their articles are requested "
        "again; delete these keys to free their space"
    )


def test_it_is_counted_and_cleared_and_no_other_key_is_touched(store: RedisStore, server: str) -> None:
    with closing(redis.Redis.from_url(server)) as others:
        others.set("of somebody else", "kept")
        for print_ in (PRINT, OTHER):
            store.put(print_, ANSWER, PARTS)
        stats = store.stats()
        assert (stats.entries, stats.tokens, stats.bytes > 0) == (2, 240, True)
        assert store.clear() == 2
        assert others.get("of somebody else") == b"kept"
    assert store.get(PRINT) is None


@pytest.mark.parametrize("planted", [b"\x80\x04\x95", b"{}", b"[" * 100_000, b"\xff"])
def test_what_is_no_entry_counts_as_absent_and_is_named(store: RedisStore, server: str, planted: bytes) -> None:
    with closing(redis.Redis.from_url(server)) as others:
        others.set(ENTRIES + PRINT, planted)
    assert store.get(PRINT) is None
    assert store.verify() == (PRINT,)


def test_a_question_is_claimed_by_one(store: RedisStore, server: str) -> None:
    with closing(RedisStore(server)) as other:
        assert [store.claim(PRINT), other.claim(PRINT), other.claim(OTHER)] == [True, False, True]
        other.release(PRINT)  # not its own
        store.renew(PRINT)
        assert not other.claim(PRINT)
        store.release(PRINT)
        assert other.claim(PRINT)
        for each in (PRINT, OTHER):
            other.release(each)


def test_a_claim_expires(store: RedisStore, server: str) -> None:
    assert store.claim(PRINT)
    with closing(redis.Redis.from_url(server)) as others:
        ((key),) = others.keys("mahdar-claim*")
        assert 0 < others.pttl(key) <= 30_000
        others.delete(key)
    with closing(RedisStore(server)) as other:
        assert other.claim(PRINT)
        store.renew(PRINT)  # too late
        other.release(PRINT)


def test_machines_that_share_it_pay_once(store: RedisStore, server: str, tmp_path: Path) -> None:
    texts, both = [ARTICLE, *map(weather, range(20))], threading.Event()
    with Endpoint(lambda _: completion(NOTHING, after=both)) as endpoint:
        found: list[list[object]] = [[], []]

        def run(machine: int) -> None:
            order = texts if machine else texts[::-1]
            with Extractor(configured(endpoint, tmp_path / str(machine), store=server), concurrency=4) as mahdar:
                found[machine].extend(mahdar.extract_many(order))

        machines = [threading.Thread(target=run, args=(machine,)) for machine in range(2)]
        for machine in machines:
            machine.start()
        endpoint.await_requests(8)  # four of each
        both.set()
        for machine in machines:
            machine.join()
    assert [len([one for one in each if isinstance(one, Extraction)]) for each in found] == [21, 21]
    assert set(Counter(asked.article for asked in endpoint.requests).values()) == {1}
    assert store.stats().entries == 21
    assert not list(tmp_path.iterdir())


def test_the_settings_name_it(store: RedisStore, server: str) -> None:
    settings = Settings.from_environment({"MAHDAR_STORE": server.replace("redis://", "valkey://")})
    assert PASSWORD not in repr(settings)
    with closing(open_store(settings)) as opened:
        opened.put(PRINT, ANSWER, PARTS)
    assert store.get(PRINT) is not None


@pytest.mark.parametrize(
    "url",
    [
        "http://:secret-word@host/0",
        "somewhere",
        ":secret-word@host:6379",
        "redis://:secret-word@host:port/0",
        "redis://:secret-word@[::1",
        "redis://:secret-word@host/0?pace=fast",
    ],
)
def test_what_is_no_store_is_named_without_its_password(url: str) -> None:
    with pytest.raises(UsageError, match=r"^MAHDAR_STORE.*; write it like redis://host:6379/0$") as caught:
        open_store(Settings(store=url))
    assert "secret-word" not in str(caught.value)


def test_a_server_that_is_away_is_named_without_its_password() -> None:
    port = free_port()
    with closing(RedisStore(f"redis://:secret-word@127.0.0.1:{port}/0")) as away, pytest.raises(StoreError) as caught:
        away.get(PRINT)
    assert str(caught.value).startswith(f"redis://127.0.0.1:{port}/0: cannot be read (")
    assert "secret-word" not in str(caught.value)


def test_a_wrong_password_is_named_without_it(store: RedisStore, server: str) -> None:
    with closing(RedisStore(server.replace(PASSWORD, "secret-word"))) as wrong, pytest.raises(StoreError) as caught:
        wrong.get(PRINT)
    assert "secret-word" not in str(caught.value)
    assert PASSWORD not in str(caught.value)


def test_an_extraction_goes_on_where_the_server_goes_away_between(server: str, tmp_path: Path) -> None:
    class Leaving(RedisStore):
        """A server that reads, and keeps nothing."""

        def put(self, *_: object) -> None:
            raise StoreError("full")

    with (
        Endpoint(reads_well) as endpoint,
        Extractor(configured(endpoint, tmp_path), store=Leaving(server)) as mahdar,
    ):
        assert len(mahdar.extract(ARTICLE).meetings) == 1
