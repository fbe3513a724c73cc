"""Write the tables and views of a database as a folder of CSV or Parquet files, or as an Excel workbook."""

import datetime as dt
import json
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, Literal

from mahdar.errors import UsageError
from mahdar.tables.database import Database, literal, quoted
from mahdar.wording import counted

PACKAGE: Final = "datapackage.json"
"""Name of the file that describes the tables of a folder."""
_OPTIONS: Final = {"csv": "FORMAT csv, HEADER", "parquet": "FORMAT parquet, COMPRESSION zstd"}
_MEDIA: Final = {"csv": "text/csv", "parquet": "application/vnd.apache.parquet"}
_FIELD_TYPES: Final = {
    "VARCHAR": "string",
    "BIGINT": "integer",
    "INTEGER": "integer",
    "DOUBLE": "number",
    "BOOLEAN": "boolean",
    "DATE": "date",
}
"""Frictionless type by DuckDB type."""
EXCEL_ROWS: Final = 1_048_576
"""Maximum of rows of a sheet, heading included."""
EXCEL_CELL: Final = 32_767
"""Maximum of characters of a cell."""
_SHEET: Final = 31
"""Maximum of characters of a sheet's name."""
_FIRST_DAY: Final = dt.date(1900, 3, 1)
"""Earlier days are written as text: Excel has no dates before 1900, and counts a 29 February 1900."""
_FETCHED: Final = 10_000


def write_folder(made: Database, folder: Path, form: Literal["csv", "parquet"]) -> None:
    """Write one file for each table and view, and `datapackage.json` (Frictionless), which gives the columns' types.

    CSV is UTF-8 with commas; an empty cell is null. Texts are unchanged: a leading `=` is not escaped.
    """
    for name in made.names:
        file = folder / f"{name}.{form}"
        made.connection.execute(f"COPY (FROM {quoted(name)}) TO {literal(file)} ({_OPTIONS[form]})")
    text = json.dumps(_package(made, form), ensure_ascii=False, indent=1)
    (folder / PACKAGE).write_text(f"{text}\n", encoding="utf-8")


def _package(made: Database, form: str) -> dict[str, Any]:
    tables = {table.name: table for table in made.tables}
    meanings = tomllib.loads((files("mahdar.tables") / "columns.toml").read_text(encoding="utf-8"))
    resources = []
    for name in made.names:
        fields = [_field(column, type_, meanings) for column, type_ in made.columns(name).items()]
        schema: dict[str, Any] = {"fields": fields, "missingValues": [""]}
        if name in tables:
            table = tables[name]
            schema["primaryKey"] = list(table.key)
            if table.parent:
                shared = [column for column in tables[table.parent].key if column in table.key]
                reference = {"resource": table.parent, "fields": shared}
                schema["foreignKeys"] = [{"fields": shared, "reference": reference}]
        resources.append(
            {
                "name": name,
                "path": f"{name}.{form}",
                "profile": "tabular-data-resource",
                "format": form,
                "mediatype": _MEDIA[form],
                "encoding": "utf-8",
                "schema": schema,
            }
        )
    return {
        "name": "mahdar-records",
        "profile": "tabular-data-package",
        "title": "Records of news articles, as mahdar has extracted them",
        "version": version("mahdar"),
        "resources": resources,
    }


def _field(column: str, type_: str, meanings: Mapping[str, str]) -> dict[str, str]:
    described = {"description": meanings[column]} if column in meanings else {}
    return {"name": column, "type": _FIELD_TYPES[type_], **described}


def write_excel(made: Database, path: Path) -> Iterator[str]:
    """Write one sheet for each table and view. No text becomes a formula or a link.

    Yields:
        A note for each column of which cells were cut.

    Raises:
        UsageError: a table has more rows than a sheet.
    """
    import xlsxwriter

    for name in made.names:
        rows = made.connection.sql(f"FROM {quoted(name)} SELECT count(*)").fetchall()[0][0]
        if rows >= EXCEL_ROWS:
            raise UsageError(
                f"{name} has {rows:,} rows, and a sheet of Excel {EXCEL_ROWS - 1:,}: write .duckdb, or a folder of CSV "
                "or Parquet"
            )
    with xlsxwriter.Workbook(path, {"constant_memory": True}) as book:
        formats = {"heading": book.add_format({"bold": True}), "day": book.add_format({"num_format": "yyyy-mm-dd"})}
        for number, name in enumerate(made.names):
            title = name if len(name) <= _SHEET else f"{name[: _SHEET - 3]}_{number}"
            yield from _fill(book.add_worksheet(title), made, name, formats)


def _fill(sheet: Any, made: Database, name: str, formats: dict[str, Any]) -> Iterator[str]:
    columns, cut = list(made.columns(name)), Counter[str]()
    sheet.freeze_panes(1, 0)
    for at, column in enumerate(columns):
        sheet.set_column(at, at, max(12, min(len(column) + 4, 30)))
        sheet.write_string(0, at, column, formats["heading"])
    found = made.connection.execute(f"FROM {quoted(name)}")
    row = 0
    while some := found.fetchmany(_FETCHED):
        for cells in some:
            row += 1
            for at, cell in enumerate(cells):
                cut[columns[at]] += _put(sheet, row, at, cell, formats["day"])
    sheet.autofilter(0, 0, row, len(columns) - 1)
    for column, cells_cut in (+cut).items():
        yield (
            f"{name}.{column}: {counted(cells_cut, 'text')} cut after the {EXCEL_CELL:,} characters that an Excel cell "
            "holds; CSV, Parquet and DuckDB have all"
        )


def _put(sheet: Any, row: int, at: int, cell: Any, day: Any) -> bool:
    """Write a cell, and return whether it was cut."""
    match cell:
        case None:
            return False
        case bool():
            sheet.write_boolean(row, at, cell)
        case int() | float():
            sheet.write_number(row, at, cell)
        case dt.date() if cell >= _FIRST_DAY:
            sheet.write_datetime(row, at, dt.datetime.combine(cell, dt.time.min), day)
        case _:
            text = str(cell)
            units = text.encode("utf-16-le", "replace")
            sheet.write_string(row, at, units[: 2 * EXCEL_CELL].decode("utf-16-le", "ignore"))
            return len(units) > 2 * EXCEL_CELL
    return False
