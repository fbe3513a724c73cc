"""Export: what the records of a run are written to beside JSON Lines, in one pass and in one step.

    out.parquet    one row an article, its meetings and stances nested, nothing lost
    out.duckdb     the flat tables of `mahdar.runs.tables`
    a folder       the flat tables, each a CSV or a Parquet file

All are written beside their place under another name, and put there when they are whole.
"""

import csv
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import IO, Any, Final, Literal, Protocol, Self, get_args

from mahdar.errors import MahdarError, UsageError
from mahdar.runs.lines import whole_lines
from mahdar.runs.locations import REMEDY
from mahdar.runs.outputs import ERRORS, json_object
from mahdar.runs.tables import TABLES, Cells, Record, Table
from mahdar.schemas.records import Extraction

Form = Literal["jsonl", "csv", "parquet", "duckdb"]
LEDGER: Final = ".ledger.jsonl"
"""Ends the name of the file beside the results that tells what is done."""
FORMS: Final[tuple[Form, ...]] = get_args(Form)
ENDINGS: Final = frozenset({"jsonl", "ndjson", "gz", "zst", "parquet", "duckdb"})
"""Of names that tell what is written; JSON Lines are not compressed, whatever the name."""
ROWS: Final = 2_000
"""Rows, or articles, written at once."""
IN_FOLDER: Final = "extractions.jsonl"
"""The records of a run whose output is a folder."""
_NEEDED: Final = frozenset(
    {"document_id", "text_sha256", "language", "published_at", "meetings", "stances", "rejected", "provenance"}
)
"""What every record has."""
UNFINISHED: Final = ".mahdar-"
"""Begins the name of a folder in which a target is being made; its end names the target."""
_SHOWN: Final = 200
"""Characters of an error in a message."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where the results of a run go.

    Attributes:
        path: what the caller named.
        form: how it is written.
    """

    path: Path
    form: Form

    @classmethod
    def of(cls, name: str | Path, form: str | None = None) -> Self:
        """By the name of the file, or of the folder, where no form is given.

        Raises:
            UsageError: there is no such form, or the name does not go with it, or tells none.
        """
        if form is not None and form not in FORMS:
            raise UsageError(f"format {form!r}: not known; use one of {', '.join(FORMS)}")
        ending = _ending(Path(name))
        folder = str(name).endswith("/") or os.path.isdir(name)  # noqa: PTH112  # Path.is_dir raises below a closed one
        if ending == "csv" and not folder:
            raise UsageError(f"{name}: CSV is several tables, each a file; name a folder, with --format csv")
        if form is None and not folder and ending not in ENDINGS:
            _refuse_unknown(Path(name), ending)
        return cls(Path(name), _form(form or ending, folder=folder))

    @classmethod
    def written(cls, path: Path) -> Self:
        """What a run has written to, in whatever form it was told."""
        return cls(path, _form(_ending(path), folder=os.path.isdir(path)))  # noqa: PTH112  # as above

    @property
    def is_folder(self) -> bool:
        """Several files in a folder."""
        return self.form == "csv" or (self.form == "parquet" and self.path.suffix.lower() != ".parquet")

    @property
    def records(self) -> Path:
        """The JSON Lines that a run appends to, and all else is made from."""
        if self.form == "jsonl":
            return self.path
        return self.path / IN_FOLDER if self.is_folder else Path(f"{self.path}.jsonl")

    @property
    def name(self) -> Path:
        """What the names of ledger and errors begin with."""
        return self.records if self.is_folder else self.path

    @property
    def files(self) -> tuple[Path, ...]:
        """All that a run writes, the tables of a folder apart."""
        return self.path, self.records, self.ledger, Path(f"{self.name}{ERRORS}")

    @property
    def ledger(self) -> Path:
        """What a later run goes on from."""
        return Path(f"{self.name}{LEDGER}")

    @property
    def begun(self) -> bool:
        """Whether there is a run to go on with."""
        return os.path.exists(self.ledger)  # noqa: PTH110  # as above

    def check(self) -> None:
        """See that it can be written, before anything is paid for.

        Raises:
            UsageError: a folder is in the place of a file, or the other way round; or a library is missing.
        """
        if not self.is_folder and os.path.isdir(self.path):  # noqa: PTH112  # as above
            raise UsageError(
                f"{self.path} is a folder, and {self.form} takes a file: name another; "
                "a folder of parts goes on with --engine ray"
            )
        if self.is_folder and os.path.isfile(self.path):  # noqa: PTH113  # as above
            raise UsageError(f"{self.path} is a file, and {self.form} takes a folder: name another")
        needed = {"parquet": ("pyarrow",), "duckdb": ("pyarrow", "duckdb")}.get(self.form, ())
        for library in needed:
            try:
                import_module(library)
            except ImportError:
                raise UsageError(f"writing {self.form} takes {library}; {REMEDY}") from None


def _ending(path: Path) -> str:
    return path.suffix.lower().removeprefix(".")


def _form(named: str, *, folder: bool) -> Form:
    other: Form = "csv" if folder else "jsonl"
    return next((form for form in FORMS if form == named), other)


def _refuse_unknown(path: Path, ending: str) -> None:
    """A name that tells no form is good for what is there already, such as a device."""
    if ending:
        raise UsageError(
            f"{path}: no form mahdar writes: name .jsonl, .parquet or .duckdb, a folder with / at its end, or --format"
        )
    if not os.path.exists(path):  # noqa: PTH110  # as above
        raise UsageError(f"{path}: no form named; add --format csv, or / at its end for a folder of CSV, or .jsonl")


class Writer(Protocol):
    """Writes records under a name that is not yet the last one."""

    def add(self, records: list[Record]) -> None:
        """Add some."""

    def close(self) -> None:
        """Bring it to its end."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written.

    Attributes:
        left: records that the tables have no place for, by their task.
    """

    articles: int
    left: Mapping[str, int]

    def __iter__(self) -> Iterator[str]:
        """What is to be said of records that were left out."""
        for task, number in self.left.items():
            yield f"{number:,} {task} not written to tables (JSON Lines and one .parquet file hold them)"


def export(records: Path, target: Target) -> Exported:
    """Write records to the target.

    Args:
        records: JSON Lines that `mahdar extract` wrote.
        target: it is replaced where it is there already.

    Raises:
        UsageError: the records cannot be read, the target cannot be written, or a library is missing.
    """
    target.check()
    written, left = 0, Counter[str]()
    try:
        folder = target.path if target.is_folder else target.path.parent
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = f".{target.path.name}.mahdar"
        for killed in filter(lambda path: path.name.endswith(unfinished), folder.glob(f"{UNFINISHED}*")):
            shutil.rmtree(killed, ignore_errors=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=UNFINISHED, suffix=unfinished) as made:
            with closing(_writer(target, Path(made))) as writer:
                for some in _groups(_read(records)):
                    writer.add(some)
                    written += len(some)
                    if target.is_folder or target.form == "duckdb":
                        for record in some:
                            left.update({task: len(found) for task, found in (record.get("more") or {}).items()})
            for file in Path(made).iterdir():
                file.replace(folder / file.name)
    except OSError as error:
        raise UsageError(f"{error.filename or target.path} cannot be read or written: {error.strerror}") from None
    except MahdarError:
        raise
    except Exception as error:  # noqa: BLE001  # of another hand's records; duckdb and pyarrow have errors of their own
        said = f"{type(error).__name__}: {' '.join(str(error).split())[:_SHOWN]}"
        raise UsageError(f"{records}: has records that cannot be written as {target.form} ({said})") from None
    return Exported(written, left)


def _writer(target: Target, made: Path) -> Writer:
    if target.form == "csv":
        return CsvTables(made)
    if target.form == "duckdb":
        return DuckTables(made / target.path.name)
    return ParquetTables(made) if target.is_folder else NestedParquet(made / target.path.name)


def _read(records: Path) -> Iterator[Record]:
    with records.open("rb") as file:
        for number, (line, _) in enumerate(whole_lines(file), 1):
            record = json_object(line)
            if record is None or (lacking := _NEEDED.difference(record)):
                said = f", it lacks {', '.join(sorted(lacking))}" if record else ""
                raise UsageError(
                    f"{records}:{number}: not a record of mahdar's{said}; name what `mahdar extract` wrote"
                )
            yield record


def _groups(records: Iterable[Record]) -> Iterator[list[Record]]:
    some: list[Record] = []
    for record in records:
        some.append(record)
        if len(some) == ROWS:
            yield some
            some = []
    yield some  # even none: an empty table has its columns


class CsvTables:
    """A CSV file each table: UTF-8, commas, nothing for what is not known, texts as they are."""

    def __init__(self, folder: Path) -> None:
        self._files = ExitStack()
        self._tables = [(table, self._opened(folder / f"{table.name}.csv", table)) for table in TABLES]

    def add(self, records: list[Record]) -> None:
        """Add their rows."""
        for table, file in self._tables:
            file.writerows(_as_csv(row) for record in records for row in table.rows(record))

    def close(self) -> None:
        """Let go of the files."""
        self._files.close()

    def _opened(self, path: Path, table: Table) -> Any:
        file: IO[str] = self._files.enter_context(path.open("w", encoding="utf-8", newline=""))
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(table.columns)
        return writer


class ParquetTables:
    """A Parquet file each table."""

    def __init__(self, folder: Path) -> None:
        from pyarrow.parquet import ParquetWriter

        self._writers = [
            (table, ParquetWriter(folder / f"{table.name}.parquet", flat_schema(table), compression="zstd"))
            for table in TABLES
        ]

    def add(self, records: list[Record]) -> None:
        """Add their rows."""
        for table, writer in self._writers:
            writer.write_table(flat(table, records))

    def close(self) -> None:
        """Write what the files end with."""
        for _, writer in self._writers:
            writer.close()


class NestedParquet:
    """One Parquet file, whose rows are articles."""

    def __init__(self, path: Path) -> None:
        import pyarrow as pa
        from pyarrow.parquet import ParquetWriter

        from mahdar.runs.arrow import struct

        kind, self._convert = struct(Extraction)
        self._schema = pa.schema(list(kind))
        self._writer = ParquetWriter(path, self._schema, compression="zstd")

    def add(self, records: list[Record]) -> None:
        """Add a row each."""
        import pyarrow as pa

        self._writer.write_table(pa.Table.from_pylist(list(map(self._convert, records)), schema=self._schema))

    def close(self) -> None:
        """Write what the file ends with."""
        self._writer.close()


class DuckTables:
    """A DuckDB database of the tables."""

    def __init__(self, path: Path) -> None:
        import duckdb

        self._database = duckdb.connect(str(path))
        for table in TABLES:
            self._database.register("rows", flat(table, []))
            self._database.execute(f"CREATE TABLE {table.name} AS FROM rows")

    def add(self, records: list[Record]) -> None:
        """Add their rows."""
        for table in TABLES:
            self._database.register("rows", flat(table, records))
            self._database.execute(f"INSERT INTO {table.name} FROM rows")

    def close(self) -> None:
        """Write it."""
        self._database.close()


def flat_schema(table: Table) -> Any:
    """A flat table's schema in Arrow."""
    import pyarrow as pa

    from mahdar.runs.arrow import PLAIN

    return pa.schema([(name, PLAIN[kind][0]) for name, kind in table.columns.items()])


def flat(table: Table, records: list[Record]) -> Any:
    """A flat table's rows in Arrow."""
    import pyarrow as pa

    schema = flat_schema(table)
    rows = list(chain.from_iterable(map(table.rows, records)))
    columns = zip(*rows, strict=True) if rows else ((),) * len(schema)
    return pa.Table.from_arrays(
        [pa.array(cells, field.type) for cells, field in zip(columns, schema, strict=True)], schema=schema
    )


def _as_csv(row: Cells) -> Cells:
    return tuple(str(cell).lower() if isinstance(cell, bool) else cell for cell in row)
