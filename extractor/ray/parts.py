"""Results on shared storage: a folder of parts, written by many machines, each part there entire or not at all.

    OUT/mahdar-run.json          what the results have in common
    OUT/part-….jsonl             records, one a line; in OUT.parquet part-….parquet, one a row
    OUT.errors/part-….jsonl      articles that failed, with the class and the message

A folder or a URL of storage that pyarrow or fsspec knows.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Literal

from mahdar.errors import UsageError
from mahdar.runs.ledger import REMEDY, RETRIED, check_same_run
from mahdar.runs.lines import dumps
from mahdar.schemas.records import Extraction

if TYPE_CHECKING:
    from pyarrow.fs import FileSystem

RUN: Final = "mahdar-run.json"
PART: Final = "part-"
ERRORS: Final = ".errors"
"""Ends the name of the folder beside the results, for the articles that failed."""
FORMS: Final = ("parquet", "jsonl")
NOT_WRITTEN: Final = frozenset({"csv", "duckdb", "json", "gz", "zst"})
"""Endings of files, which no folder of parts has."""
DIGEST: Final = 16
"""Bytes by which an article is known again: a million take little memory, and no two are taken for one."""

Form = Literal["parquet", "jsonl"]


@dataclass(frozen=True, slots=True)
class Made:
    """What became of one article, as it is written.

    Attributes:
        line: the record or the failure, as JSON.
        failure: the class, if it failed.
    """

    document_id: str
    text_sha256: str
    line: str
    failure: str | None = None


@dataclass(slots=True)
class Known:
    """What the parts hold: the articles that were extracted, and those that failed, each with its text, as digests."""

    done: dict[bytes, bytes] = field(default_factory=dict)
    failed: dict[bytes, bytes] = field(default_factory=dict)

    def fate(self, document_id: str, text_sha256: str) -> Literal["new", "done", "failed", "changed"]:
        """What is known of an article. One that failed and has another text now is as good as new."""
        id_, text = _digest(document_id), _digest(text_sha256)
        if id_ in self.done:
            return "done" if self.done[id_] == text else "changed"
        return "failed" if self.failed.get(id_) == text else "new"

    @property
    def left(self) -> int:
        """Articles that failed and are not tried again unless that is asked for."""
        return sum(text != _digest(RETRIED) for text in self.failed.values())

    def has_failed(self, document_id: str) -> bool:
        """Whether an article failed, whatever its text is now."""
        return _digest(document_id) in self.failed


class Parts:
    """The parts of a run. A small value: every machine has its own, and opens the storage itself."""

    def __init__(self, place: str, form: str | None = None) -> None:
        """Name the folder.

        Raises:
            UsageError: the name, or the form, is of what is not written.
        """
        # Absolute: another machine may be in another folder.
        self.place = place.rstrip("/") if "://" in place else os.path.abspath(place)  # noqa: PTH100  # as a text
        ending = form or os.path.splitext(self.place)[1].removeprefix(".")  # noqa: PTH122  # may be a URL
        if form not in {None, *FORMS} or ending in NOT_WRITTEN:
            raise UsageError(
                f"{place}: a cluster writes folders of JSON Lines or Parquet; name it OUT.jsonl or OUT.parquet"
            )
        self.form: Form = "parquet" if ending == "parquet" else "jsonl"

    def begin(self, run: Mapping[str, Any], *, overwrite: bool = False) -> None:
        """Begin a run, or go on with one of the same kind.

        Raises:
            UsageError: the folder holds something else, or the results of another run.
        """
        before = self._run()
        if overwrite:
            self._clear()
        elif before is None and self._listed(self._root):
            raise UsageError(f"{self.place} has files in it and no {RUN}: {REMEDY}")
        elif before is not None:
            check_same_run(self.place, before, run)
        if before is None or overwrite:
            self._files.create_dir(self._root)
            self._put(f"{self._root}/{RUN}", json.dumps(run, ensure_ascii=False, indent=1).encode())

    @property
    def begun(self) -> bool:
        """Whether there is a run to go on with."""
        return self._run() is not None

    def known(self) -> Known:
        """What was written before, by an interrupted run too."""
        found = Known()
        for name in self._listed(self._root):
            for id_, text in self._extracted(name):
                found.done[_digest(id_)] = _digest(text)
        for name in self.failures():
            self._add_failures(name, found)
        return found

    def write(self, name: str, made: Iterable[Made]) -> None:
        """Write a part; one of the same name is replaced."""
        records: list[Made] = []
        errors: list[Made] = []
        for one in made:
            (errors if one.failure else records).append(one)
        if records:
            data = _parquet(records) if self.form == "parquet" else _lines(records)
            self._put(f"{self._root}/{PART}{name}.{self.form}", data)
        if errors:
            self._files.create_dir(self._root + ERRORS)
            self._put(f"{self._root}{ERRORS}/{PART}{name}.jsonl", _lines(errors))

    def forget_failures(self, before: Sequence[str]) -> None:
        """Remove parts with failures, after all of their articles were tried again."""
        for name in before:
            self._files.delete_file(name)

    def failures(self) -> list[str]:
        """The parts with failures there are."""
        return self._listed(self._root + ERRORS)

    @cached_property
    def _where(self) -> "tuple[FileSystem, str]":
        return _opened(self.place)

    @property
    def _files(self) -> "FileSystem":
        return self._where[0]

    @property
    def _root(self) -> str:
        return self._where[1]

    def __getstate__(self) -> dict[str, Any]:
        return {"place": self.place, "form": self.form}  # a connection stays on its machine

    def _run(self) -> Mapping[str, Any] | None:
        try:
            with self._files.open_input_stream(f"{self._root}/{RUN}") as stream:
                return dict(json.loads(stream.read()))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError):
            raise UsageError(f"{self.place}/{RUN} cannot be read: {REMEDY}") from None
        except OSError as error:
            raise UsageError(f"{self.place}: cannot be used ({error}); name another folder with --output") from None

    def _listed(self, folder: str) -> list[str]:
        """Names of the files in a folder, our notes and what is half written left out."""
        from pyarrow.fs import FileSelector, FileType

        found = self._files.get_file_info(FileSelector(folder, allow_not_found=True))
        names = [info.path for info in found if info.type == FileType.File and info.base_name != RUN]
        return sorted(name for name in names if not os.path.basename(name).startswith("."))  # noqa: PTH119  # as above

    def _add_failures(self, name: str, found: Known) -> None:
        """The failures in a part; those that an interrupted run has mended, or failed on again, are removed from it."""
        rows = list(self._rows(name))
        left = {_digest(row["document_id"]): row for row in rows}
        left = {id_: row for id_, row in left.items() if id_ not in found.done and id_ not in found.failed}
        if len(left) < len(rows):
            self._put(name, "".join(f"{dumps(row)}\n" for row in left.values()).encode())
        of_text = {id_: RETRIED if row["failure"] == RETRIED else row["text_sha256"] for id_, row in left.items()}
        found.failed |= {id_: _digest(text) for id_, text in of_text.items()}

    def _clear(self) -> None:
        """Remove the parts, and nothing that is none."""
        for folder in (self._root, self._root + ERRORS):
            for name in self._listed(folder):
                if os.path.basename(name).startswith(PART):  # noqa: PTH119  # as above
                    self._files.delete_file(name)

    def _extracted(self, name: str) -> Iterator[tuple[str, str]]:
        if self.form == "jsonl":
            yield from ((row["document_id"], row["text_sha256"]) for row in self._rows(name))
            return
        from pyarrow.parquet import read_table

        table = read_table(name, columns=["document_id", "text_sha256"], filesystem=self._files)
        yield from zip(table["document_id"].to_pylist(), table["text_sha256"].to_pylist(), strict=True)

    def _rows(self, name: str) -> Iterator[dict[str, Any]]:
        with self._files.open_input_stream(name) as stream:
            lines = stream.read().splitlines()
        try:
            yield from map(json.loads, lines)
        except ValueError:
            raise UsageError(f"{name}: is no part of a run of mahdar: {REMEDY}") from None

    def _put(self, name: str, data: bytes) -> None:
        """Write a file under another name first, which no reader takes for one."""
        folder, _, last = name.rpartition("/")
        made = f"{folder}/.{last}.new"
        with self._files.open_output_stream(made) as stream:
            stream.write(data)
        self._files.move(made, name)


@contextmanager
def storage(parts: Parts) -> Iterator[None]:
    """What storage says, as an error of ours.

    Raises:
        UsageError: it cannot be read or written, or holds a part that is none.
    """
    from pyarrow import ArrowException

    try:
        yield
    except (ArrowException, OSError, LookupError, TypeError) as error:
        said = getattr(error, "strerror", None) or " ".join(str(error).split()) or type(error).__name__
        raise UsageError(f"{parts.place}: cannot be used ({said}); name another folder with --output") from None


def _opened(place: str) -> "tuple[FileSystem, str]":
    """The storage, and the name in it."""
    from pyarrow import ArrowException
    from pyarrow.fs import FileSystem, FSSpecHandler, LocalFileSystem, PyFileSystem

    if "://" not in place:
        return LocalFileSystem(), place
    try:
        files, path = FileSystem.from_uri(place)
    except (ArrowException, OSError):
        from fsspec.core import url_to_fs

        try:
            files, path = url_to_fs(place)
        except (ImportError, ValueError) as error:
            raise UsageError(f"{place}: {error}") from None
        return PyFileSystem(FSSpecHandler(files)), path
    return files, path


def _lines(made: Sequence[Made]) -> bytes:
    return "".join(f"{one.line}\n" for one in made).encode()


def _parquet(made: Sequence[Made]) -> bytes:
    """A row an article, as the local engine writes it."""
    import pyarrow as pa
    from pyarrow.parquet import write_table

    from mahdar.tables.arrow import struct

    kind, convert = struct(Extraction)
    rows = [convert(json.loads(one.line)) for one in made]
    sink = pa.BufferOutputStream()
    write_table(pa.Table.from_pylist(rows, schema=pa.schema(list(kind))), sink, compression="zstd")
    return bytes(sink.getvalue())


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()[:DIGEST]
