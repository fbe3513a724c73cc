"""Read tables as pandas data frames, each column with its type."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mahdar.errors import UsageError
from mahdar.runs.locations import REMEDY
from mahdar.schemas.records import Extraction
from mahdar.tables.database import database, literal, quoted
from mahdar.tables.export import extractions
from mahdar.tables.flattening import Line
from mahdar.tables.writing import PACKAGE

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


def read_tables(path: str | Path) -> "dict[str, pd.DataFrame]":
    """Read tables and views as pandas data frames, by name.

    Texts stay texts: CAMEO's `040` keeps its zero, Namibia's `NA` is not a missing value. Days have the type
    `datetime64`, integers `Int64`, booleans `boolean`; unknown values are missing.

    Args:
        path: output of `mahdar export` or `mahdar extract`: a folder of CSV or Parquet, a .duckdb file, or JSON Lines.

    Returns:
        The tables `articles`, `meetings`, `participants`, `topics`, `outcomes`, `stances`, `stance_holders`,
        `attributions`, `evidence`, `rejected`, those of tasks of your own, and the views.

    Raises:
        UsageError: the path holds none of these, or a library is missing.
    """
    path = Path(path)
    with _needs_libraries():
        try:
            if path.is_dir():
                tables = _of_folder(path)
            elif path.suffix.lower() == ".duckdb":
                tables = _of_database(path)
            else:
                tables = _of_extractions(lambda: extractions(path))
            return {name: _frame(table) for name, table in tables.items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise UsageError(f"{path}: no tables of mahdar: {error}") from None


def frames(found: Sequence[Extraction]) -> "dict[str, pd.DataFrame]":
    """Return the tables and views of some extractions as pandas data frames, as `read_tables` does.

    Raises:
        UsageError: a library is missing.
    """
    lines = [extraction.model_dump(mode="json") for extraction in found]
    with _needs_libraries():
        return {name: _frame(table) for name, table in _of_extractions(lambda: lines).items()}


@contextmanager
def _needs_libraries() -> Iterator[None]:
    try:
        import pandas  # noqa: F401, ICN001  # only to check that it is installed

        yield
    except ImportError as error:
        raise UsageError(f"pandas frames take {error.name}; {REMEDY}") from None


def _of_folder(folder: Path) -> "Mapping[str, pa.Table]":
    described = folder / PACKAGE
    if not described.is_file():
        raise UsageError(f"{folder}: has no {PACKAGE}; name a folder that `mahdar export` wrote")
    resources = json.loads(described.read_text(encoding="utf-8"))["resources"]
    files = {folder / Path(resource["path"]).name: resource["schema"]["fields"] for resource in resources}
    return {file.stem: _of_file(file, fields) for file, fields in files.items()}


def _of_file(file: Path, fields: list[dict[str, Any]]) -> "pa.Table":
    import pyarrow as pa
    from pyarrow import csv, parquet

    if file.suffix == ".parquet":
        return parquet.read_table(file)
    types = {
        "string": pa.string(),
        "integer": pa.int64(),
        "number": pa.float64(),
        "boolean": pa.bool_(),
        "date": pa.date32(),
    }
    return csv.read_csv(
        file,
        read_options=csv.ReadOptions(block_size=_BLOCK),
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=csv.ConvertOptions(
            column_types={field["name"]: types[field["type"]] for field in fields},
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )


def _of_database(file: Path) -> "Mapping[str, pa.Table]":
    import duckdb

    if not file.is_file():
        raise UsageError(f"{file}: no such file; check the path")
    try:
        with duckdb.connect() as connection:
            connection.execute(f"ATTACH {literal(file.absolute())} AS read (READ_ONLY, TYPE duckdb)")
            # Views in a file of unknown origin may read other files and URLs.
            connection.execute("USE read; SET enable_external_access = false; SET lock_configuration = true")
            names = [name for (name,) in connection.sql("SHOW TABLES").fetchall()]
            return {name: connection.sql(f"FROM {quoted(name)}").to_arrow_table() for name in names}
    except duckdb.Error as error:
        raise UsageError(f"{file}: cannot be read: {str(error).splitlines()[0]}") from None


def _of_extractions(lines: Callable[[], Iterable[Line]]) -> "Mapping[str, pa.Table]":
    with database(lines) as tables:
        return {name: tables.connection.sql(f"FROM {quoted(name)}").to_arrow_table() for name in tables.names}


def _frame(table: "pa.Table") -> "pd.DataFrame":
    import pandas as pd
    import pyarrow as pa

    kinds = {
        pa.string(): pd.StringDtype(),
        pa.int32(): pd.Int64Dtype(),
        pa.int64(): pd.Int64Dtype(),
        pa.float64(): pd.Float64Dtype(),
        pa.bool_(): pd.BooleanDtype(),
    }
    frame: pd.DataFrame = table.to_pandas(types_mapper=kinds.get, date_as_object=False)
    return frame


_BLOCK: Final = 16 << 20
"""Bytes of CSV parsed at once, and thereby the maximum of a row."""
