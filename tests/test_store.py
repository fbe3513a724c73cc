"""The store: what is kept comes back, what is foreign is never believed, and what fails says so."""

import json
import pickle
import random
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mahdar.cache.completion import VERSION, Completion, ToolCall
from mahdar.cache.disk import CLAIMS, FOLDER, DiskStore
from mahdar.cli.app import main
from mahdar.errors import StoreError

PRINT, OTHER = "a" * 64, "b" * 64
PARTS = {"model": "loopback", "article": "0" * 64}
ANSWER = Completion('{"meetings": ["لقاء"]}', model="loopback", tokens_in=100, tokens_out=20, seconds=1.25)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def store(cache: Path) -> Iterator[DiskStore]:
    with closing(DiskStore(cache)) as opened:
        yield opened


def planted(cache: Path, **columns: Any) -> None:
    """Write a row as somebody else would, past the store."""
    row = {"key": PRINT, "raw": 1, "store_time": 0.0, "access_time": 0.0, "size": 0, "mode": 1, **columns}
    names, marks = ", ".join(row), ", ".join("?" * len(row))
    with closing(sqlite3.connect(cache / FOLDER / "cache.db")) as database, database:
        database.execute(f"INSERT OR REPLACE INTO Cache ({names}) VALUES ({marks})", tuple(row.values()))


class Bomb:
    """What a pickle may do: run a program of its author's."""

    def __init__(self, made: Path) -> None:
        self.made = made

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.made,)


def test_an_answer_comes_back_as_it_was_and_says_that_it_is_kept(store: DiskStore) -> None:
    assert store.get(PRINT) is None
    store.put(PRINT, ANSWER, PARTS)
    assert store.get(PRINT) == ANSWER
    assert dict(store.entries())[PRINT]["components"] == PARTS  # type: ignore[index]
    called = replace(ANSWER, tool_calls=(ToolCall("Records", '{"meetings": []}'), ToolCall("بحث", "")))
    store.put(OTHER, called, PARTS)
    assert store.get(OTHER) == called


def test_another_process_finds_it(cache: Path, store: DiskStore) -> None:
    store.put(PRINT, ANSWER, PARTS)
    program = (
        "import sys; from pathlib import Path; from mahdar.cache.disk import DiskStore;"
        "sys.stdout.buffer.write(DiskStore(Path(sys.argv[1])).get(sys.argv[2]).text.encode())"
    )
    found = subprocess.run([sys.executable, "-c", program, str(cache), PRINT], capture_output=True, check=True)
    assert found.stdout.decode() == ANSWER.text


def test_nobody_else_can_read_the_folder(cache: Path, store: DiskStore) -> None:
    assert stat.S_IMODE(store.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700
    store.folder.chmod(0o755)
    DiskStore(cache).close()
    assert stat.S_IMODE(store.folder.stat().st_mode) == 0o700


def test_an_answer_is_kept_in_the_one_file(store: DiskStore) -> None:
    store.put(PRINT, replace(ANSWER, text="نص" * 50_000), PARTS)
    assert {path.name.partition("-")[0] for path in store.folder.iterdir()} == {"cache.db"}
    assert store.get(PRINT) == replace(ANSWER, text="نص" * 50_000)


def test_a_planted_pickle_is_not_executed(cache: Path, store: DiskStore, tmp_path: Path) -> None:
    made = tmp_path / "executed"
    bomb = pickle.dumps(Bomb(made))
    pickle.loads(bomb)  # the bomb works
    made.unlink()
    planted(cache, mode=4, value=bomb)
    planted(cache, key=bomb, raw=0, value="{}")
    (store.folder / "bomb.val").write_bytes(bomb)
    planted(cache, key=OTHER, mode=4, filename="bomb.val")
    assert [store.get(print_) for print_ in (PRINT, OTHER)] == [None, None]
    assert [entry for _, entry in store.entries()] == [None, None, None]
    assert {"(a key that is no text)", PRINT, OTHER} <= set(store.verify())
    assert store.stats().entries == 0
    assert store.clear() == 3
    assert not made.exists()


def test_a_planted_name_of_a_file_is_neither_read_nor_removed(cache: Path, store: DiskStore, tmp_path: Path) -> None:
    private = tmp_path / "private.json"
    private.write_text(ANSWER.dumps(PARTS), encoding="utf-8")
    planted(cache, mode=3, filename="../../private.json")
    assert store.get(PRINT) is None
    store.put(PRINT, ANSWER, PARTS)
    planted(cache, mode=3, filename="../../private.json")
    store.clear()
    assert private.exists()


ENTRY = json.loads(ANSWER.dumps(PARTS))


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param({**ENTRY, "version": VERSION + 1}, id="of a later version"),
        pytest.param({**ENTRY, "version": 0}, id="of an earlier version"),
        pytest.param({key: ENTRY[key] for key in ENTRY if key != "version"}, id="without a version"),
        pytest.param({key: ENTRY[key] for key in ENTRY if key != "text"}, id="without a text"),
        pytest.param({**ENTRY, "text": 5}, id="a number for the text"),
        pytest.param({**ENTRY, "tokens_in": "many"}, id="words for a number"),
        pytest.param({**ENTRY, "components": None}, id="without components"),
        pytest.param({**ENTRY, "tool_calls": [["Records"]]}, id="a call without arguments"),
        pytest.param([ENTRY], id="a list"),
        pytest.param("text", id="a text"),
        pytest.param(None, id="null"),
    ],
)
def test_what_is_no_entry_counts_as_absent_and_is_named(cache: Path, store: DiskStore, entry: Any) -> None:
    planted(cache, value=json.dumps(entry))
    assert store.get(PRINT) is None
    assert store.verify()[0] == PRINT
    store.put(PRINT, ANSWER, PARTS)
    assert store.get(PRINT) == ANSWER
    assert store.verify() == ()


@pytest.mark.parametrize("value", ["", "{", "[" * 100_000, b"\xff\xfe", 5, 5.5, None])
def test_a_value_that_is_no_json_counts_as_absent(cache: Path, store: DiskStore, value: Any) -> None:
    planted(cache, value=value)
    assert store.get(PRINT) is None
    assert store.verify()[0] == PRINT


def test_it_is_counted_and_cleared(store: DiskStore) -> None:
    store.put(PRINT, ANSWER, PARTS)
    store.put(OTHER, ANSWER, PARTS)
    stats = store.stats()
    assert (stats.folder, stats.entries, stats.tokens) == (store.folder, 2, 240)
    assert stats.bytes > 0
    assert store.clear() == 2
    assert store.get(PRINT) is None


def test_a_file_that_is_no_database_is_named_with_the_remedy(cache: Path) -> None:
    (cache / FOLDER).mkdir(parents=True)
    (cache / FOLDER / "cache.db").write_bytes(b"\x00garbage" * 1_000)
    with pytest.raises(StoreError) as caught:
        DiskStore(cache)
    assert str(caught.value) == (
        f"{cache / FOLDER}: cannot be used as a store (file is not a database); "
        "free space on the disk, move the folder away, or set MAHDAR_CACHE_DIR to another one"
    )


def test_a_database_damaged_inside_is_named_with_the_remedy(cache: Path) -> None:
    with closing(DiskStore(cache)) as store:
        for number in range(200):
            store.put(f"{number:064}", replace(ANSWER, text="نص" * 2_000), PARTS)
    database = cache / FOLDER / "cache.db"
    whole = database.read_bytes()
    database.write_bytes(whole[:8192] + b"\xff" * (len(whole) - 8192))
    with pytest.raises(StoreError, match="move the folder away"):
        DiskStore(cache).get(f"{7:064}")


def test_whatever_bit_of_the_file_flips_no_answer_is_altered(cache: Path) -> None:
    answers = {f"{number:064}": replace(ANSWER, text=f"نص {number}" * 300) for number in range(30)}
    with closing(DiskStore(cache)) as store:
        for fingerprint, answer in answers.items():
            store.put(fingerprint, answer, PARTS)
    database, chance, absent = cache / FOLDER / "cache.db", random.Random(5), 0
    whole = database.read_bytes()
    for _ in range(60):
        flipped, at = bytearray(whole), chance.randrange(len(whole))
        flipped[at] ^= 1 << chance.randrange(8)
        for file in database.parent.iterdir():
            file.unlink()
        database.write_bytes(flipped)
        try:
            store = DiskStore(cache)
        except StoreError:
            continue
        with closing(store):
            found = {fingerprint: store.get(fingerprint) for fingerprint in answers}
            lost = [fingerprint for fingerprint, answer in found.items() if answer is None]
            assert {**answers, **dict.fromkeys(lost)} == found
            assert not lost or store.verify() != ()
            absent += len(lost)
    assert absent > 0


def test_a_file_that_another_process_keeps_locked_is_not_called_broken(cache: Path) -> None:
    with (
        closing(DiskStore(cache, lock_timeout=0.01)) as store,
        closing(sqlite3.connect(cache / FOLDER / "cache.db")) as busy,
    ):
        busy.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError) as caught:
            store.put(PRINT, ANSWER, PARTS)
    assert str(caught.value) == (
        f"{cache / FOLDER}: an answer cannot be stored: another process has locked it; "
        "wait for it to end, or set MAHDAR_CACHE_DIR to another folder"
    )


@pytest.mark.parametrize("name", [FOLDER, CLAIMS])
def test_a_link_in_the_place_of_a_folder_is_not_followed(cache: Path, tmp_path: Path, name: str) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o755)
    cache.mkdir()
    (cache / name).symlink_to(private)
    with pytest.raises(StoreError, match="is a link, which is not followed"):
        DiskStore(cache)
    assert (list(private.iterdir()), stat.S_IMODE(private.stat().st_mode)) == ([], 0o755)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreError, match=r"file/completions-v2: cannot be used as a store \(.*MAHDAR_CACHE_DIR"):
        DiskStore(tmp_path / "file")


def test_what_is_no_text_is_not_taken(store: DiskStore) -> None:
    with pytest.raises(StoreError, match="keeps text only, got dict"):
        store._cache.set(PRINT, {"text": "x"})  # noqa: SLF001  # as a later change might
    with pytest.raises(StoreError, match="keeps text only, got tuple"):
        store._cache.set((PRINT,), "x")  # noqa: SLF001


def test_a_store_of_an_earlier_version_is_left_alone_and_named_once(
    cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    earlier = cache / "completions-v1"
    earlier.mkdir(parents=True)
    (earlier / "cache.db").write_bytes(b"as it was")
    for _ in range(2):
        DiskStore(cache).close()
    (record,) = caplog.records
    assert record.message == (
        f"{earlier}: answers of an earlier version are not used: their articles are requested again; "
        "remove the folder to free its space"
    )
    assert (earlier / "cache.db").read_bytes() == b"as it was"


def test_repair_removes_what_cannot_be_read_and_nothing_else(
    cache: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(DiskStore(cache)) as store:
        store.put(OTHER, ANSWER, PARTS)
        planted(cache, value="{")
    monkeypatch.setenv("MAHDAR_CACHE_DIR", str(cache))
    for command, code in (("verify", 1), ("repair", 0), ("verify", 0)):
        with pytest.raises(SystemExit) as ended:
            main(["cache", command])
        assert ended.value.code == code
    assert capsys.readouterr().out.splitlines() == [
        PRINT,
        "1 found; `mahdar cache repair` removes them, `mahdar cache remove FINGERPRINT` one",
        "1 removed; their articles are requested again",
        "every answer can be read",
    ]
    with closing(DiskStore(cache)) as store:
        assert store.get(OTHER) == ANSWER
