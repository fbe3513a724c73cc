"""Write the records of a run in other formats than JSON Lines.

    out.parquet    one row an article, its meetings and stances nested, nothing lost
    out.duckdb     the tables, and views over them
    out.xlsx       tables and views, each a sheet
    a folder       tables and views, each a CSV or a Parquet file, with datapackage.json

Each is written beside its target under another name, and moved into place when it is complete.
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
from mahdar.tables.database import database
from mahdar.tables.flattening import Line
from mahdar.tables.writing import PACKAGE, write_excel, write_folder
from mahdar.wording import counted

ROWS: Final = 2_000
"""Number of articles of nested Parquet written at once."""
UNFINISHED: Final = ".mahdar-"
"""Prefix of the temporary folder in which a target is written; its suffix names the target."""
_NEEDED: Final = frozenset(
    {"document_id", "text_sha256", "language", "published_at", "meetings", "stances", "rejected", "provenance"}
)
"""Fields that every extraction has."""
_SHOWN: Final = 200
"""Maximum of characters of an error in a message."""


@dataclass(frozen=True, slots=True)
class Exported:
    """The result of an export; iterating yields the notes.

    Attributes:
        articles: number of articles.
        notes: lines for the user: texts that were cut, articles with the id of another one.
    """

    articles: int
    notes: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[str]:
        yield from self.notes


def export(records: Path, target: OutputPaths) -> Exported:
    """Write records to a target.

    Args:
        records: JSON Lines that `mahdar extract` wrote, or a run file.
        target: the output, replaced if it exists.

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
    except Exception as error:  # noqa: BLE001  # records may be altered; duckdb and pyarrow have errors of their own
        reason = f"{type(error).__name__}: {' '.join(str(error).split())[:_SHOWN]}"
        raise UsageError(f"{records}: has records that cannot be written as {target.form} ({reason})") from None
    return exported


def extractions(records: Path) -> Iterator[Line]:
    """Yield the extractions of a file as JSON objects.

    Raises:
        UsageError: the file cannot be read, or a line is not an extraction.
    """
    for place, line in lines(records):
        if "failure" not in line:
            if lacking := ", ".join(sorted(_NEEDED.difference(line))):
                raise UsageError(
                    f"{place}: not an extraction, it lacks {lacking}; name a file that `mahdar extract` wrote"
                )
            yield line


def _write(records: Path, target: OutputPaths, working: Path) -> Exported:
    """Write the target into the subfolder `made` of `working`; a temporary database goes beside it."""
    (made := working / "made").mkdir()
    if target.form == "parquet" and not target.is_folder:
        return Exported(_nest(records, made / target.path.name))
    path = made / target.path.name if target.form == "duckdb" else working / "tables"
    with database(lambda: extractions(records), path) as tables:
        notes = []
        if tables.doubled:
            articles = counted(tables.doubled, "article")
            notes.append(f"{articles} with the id of an earlier one: joins by article_id mix the two")
        if target.form == "xlsx":
            notes += write_excel(tables, made / target.path.name)
        elif target.form in {"csv", "parquet"}:
            write_folder(tables, made, target.form)
        return Exported(tables.articles, tuple(notes))


def _nest(records: Path, path: Path) -> int:
    """Write nested Parquet, and return the number of articles."""
    import pyarrow as pa
    from pyarrow.parquet import ParquetWriter

    from mahdar.tables.arrow import struct

    kind, convert = struct(Extraction)
    schema = pa.schema(list(kind))
    count, rest = 0, extractions(records)
    with ParquetWriter(path, schema, compression="zstd") as writer:
        while group := list(islice(rest, ROWS)):
            writer.write_table(pa.Table.from_pylist(list(map(convert, group)), schema))
            count += len(group)
    return count


def _listed(folder: Path) -> frozenset[str]:
    """Return the names of the files that a folder's `datapackage.json` lists; none if it cannot be read."""
    try:
        resources = json.loads((folder / PACKAGE).read_text(encoding="utf-8"))["resources"]
        return frozenset(Path(resource["path"]).name for resource in resources)
    except (OSError, ValueError, KeyError, TypeError):
        return frozenset()
