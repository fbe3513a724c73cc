"""Export: what the records of a run are written to beside JSON Lines.

    out.parquet    one row an article, its meetings and stances nested, nothing lost
    out.duckdb     the tables, and views over them
    out.xlsx       tables and views, each a sheet
    a folder       tables and views, each a CSV or a Parquet file, with datapackage.json

All are written beside their place under another name, and put there when they are whole.
"""

import json
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from mahdar.errors import MahdarError, UsageError
from mahdar.runs.outputs import lines
from mahdar.runs.target import OutputPaths
from mahdar.schemas.records import Extraction
from mahdar.tables.database import Database, database
from mahdar.tables.flattening import Line
from mahdar.tables.writing import PACKAGE, write_excel, write_folder
from mahdar.wording import counted

ROWS: Final = 2_000
"""Articles of nested Parquet written at once."""
UNFINISHED: Final = ".mahdar-"
"""Begins the name of a folder in which a target is being made; its end names the target."""
_NEEDED: Final = frozenset(
    {"document_id", "text_sha256", "language", "published_at", "meetings", "stances", "rejected", "provenance"}
)
"""What every record has."""
_SHOWN: Final = 200
"""Characters of an error in a message."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written.

    Attributes:
        said: what is to be said of it: texts that were cut, articles whose id another has.
    """

    articles: int
    said: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[str]:
        yield from self.said


def export(records: Path, target: OutputPaths) -> Exported:
    """Write records to the target.

    Args:
        records: JSON Lines that `mahdar extract` wrote, or a run file.
        target: it is replaced where it is there already.

    Raises:
        UsageError: the records cannot be read, the target cannot be written, or a library is missing.
    """
    target.check()
    try:
        folder = target.path if target.is_folder else target.path.parent
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = f".{target.path.name}.mahdar"
        for killed in filter(lambda path: path.name.endswith(unfinished), folder.glob(f"{UNFINISHED}*")):
            shutil.rmtree(killed, ignore_errors=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=UNFINISHED, suffix=unfinished) as made:
            exported = _write(records, target, Path(made))
            stale = _listed(folder) if target.is_folder else frozenset()
            for file in Path(made, "made").iterdir():
                file.replace(folder / file.name)
            for name in stale - _listed(folder):
                (folder / name).unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(f"{error.filename or target.path} cannot be read or written: {error.strerror}") from None
    except MahdarError:
        raise
    except Exception as error:  # noqa: BLE001  # of another hand's records; duckdb and pyarrow have errors of their own
        said = f"{type(error).__name__}: {' '.join(str(error).split())[:_SHOWN]}"
        raise UsageError(f"{records}: has records that cannot be written as {target.form} ({said})") from None
    return exported


def extractions(records: Path) -> Iterator[Line]:
    """The extractions of a file as they stand there.

    Raises:
        UsageError: the file cannot be read, or a line is none.
    """
    for place, line in lines(records):
        if "failure" not in line:
            if lacking := _NEEDED.difference(line):
                said = f"it lacks {', '.join(sorted(lacking))}; name what `mahdar extract` wrote"
                raise UsageError(f"{place}: not a record of mahdar's, {said}")
            yield line


def _write(records: Path, target: OutputPaths, working: Path) -> Exported:
    """Write into the folder `made`, with room beside it for a database."""
    (made := working / "made").mkdir()
    if target.form == "parquet" and not target.is_folder:
        return Exported(_nest(records, made / target.path.name))
    path = (made if target.form == "duckdb" else working) / (target.path.name if target.form == "duckdb" else "tables")
    with database(lambda: extractions(records), path) as tables:
        said = [*_doubled(tables)]
        if target.form == "xlsx":
            said += write_excel(tables, made / target.path.name)
        elif target.form in {"csv", "parquet"}:
            write_folder(tables, made, target.form)
        return Exported(tables.articles, tuple(said))


def _doubled(tables: Database) -> Iterator[str]:
    if tables.doubled:
        yield f"{counted(tables.doubled, 'article')} with the id of an earlier one: joins by article_id mix the two"


def _nest(records: Path, path: Path) -> int:
    """Write nested Parquet, and return the number of articles."""
    import pyarrow as pa
    from pyarrow.parquet import ParquetWriter

    from mahdar.tables.arrow import struct

    kind, convert = struct(Extraction)
    schema = pa.schema(list(kind))
    count, rest = 0, extractions(records)
    with ParquetWriter(path, schema, compression="zstd") as writer:
        while some := list(islice(rest, ROWS)):
            writer.write_table(pa.Table.from_pylist(list(map(convert, some)), schema))
            count += len(some)
    return count


def _listed(folder: Path) -> frozenset[str]:
    """The tables that a folder's description names."""
    try:
        resources = json.loads((folder / PACKAGE).read_text(encoding="utf-8"))["resources"]
        return frozenset(Path(one["path"]).name for one in resources)
    except (OSError, ValueError, KeyError, TypeError):
        return frozenset()
