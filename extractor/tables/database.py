"""Load the tables of a file of extractions into DuckDB, and create views over them."""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mahdar.schemas.codes import PLOVER_CONTEXT
from mahdar.tables.flattening import VIEWS, Flattener, Line, Survey, Table

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

GROUP: Final = 2_000
"""Number of articles whose rows are in memory at once."""
MEMORY: Final = "1GB"
"""Memory limit of DuckDB, beyond which it spills to the disk."""
SQL_TYPES: Final = {str: "VARCHAR", int: "BIGINT", float: "DOUBLE", bool: "BOOLEAN", dt.date: "DATE"}


@dataclass(frozen=True, slots=True)
class Database:
    """A database of tables and views.

    Attributes:
        connection: connection to the database.
        tables: the tables; the views are `VIEWS`.
        articles: number of articles.
        doubled: number of articles that have the id of an earlier one.
    """

    connection: "DuckDBPyConnection"
    tables: tuple[Table, ...]
    articles: int
    doubled: int

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all tables, then of all views."""
        return (*(table.name for table in self.tables), *VIEWS)

    def columns(self, name: str) -> dict[str, str]:
        """Return the columns of a table or a view, with their SQL types."""
        relation = self.connection.sql(f"FROM {quoted(name)}")
        return dict(zip(relation.columns, map(str, relation.types), strict=True))


@contextmanager
def database(lines: Callable[[], Iterable[Line]], path: Path | None = None) -> Iterator[Database]:
    """Create a database of extractions, and close it at the end of the context.

    Args:
        lines: returns the extractions as JSON objects; called twice.
        path: a new file; by default the database is in memory.
    """
    import duckdb

    survey = Survey()
    for line in lines():
        survey.add(line)
    flattener = Flattener(survey)
    with duckdb.connect(str(path or ":memory:")) as connection:
        connection.execute(f"SET memory_limit = '{MEMORY}'")
        for table in flattener.tables.values():
            columns = ", ".join(f"{quoted(name)} {SQL_TYPES[type_]}" for name, type_ in table.columns.items())
            connection.execute(f"CREATE TABLE {quoted(table.name)} ({columns})")
        rest = iter(lines())
        while group := list(islice(rest, GROUP)):
            _insert(connection, flattener, group)
        contexts = ", ".join(f"'{code}': '{context}'" for code, context in PLOVER_CONTEXT.items())
        connection.execute(f"CREATE MACRO plover_context(code) AS (MAP {{{contexts}}})[code]")
        carried = "".join(f", m.{quoted(column)}" for column in flattener.kept)
        views = (files("mahdar.tables") / "views.sql").read_text(encoding="utf-8")
        connection.execute(views.replace("/*kept*/", carried))
        counts = connection.sql("SELECT count(*), count(*) - count(DISTINCT article_id) FROM articles")
        yield Database(connection, tuple(flattener.tables.values()), *counts.fetchall()[0])


def _insert(connection: "DuckDBPyConnection", flattener: Flattener, group: list[Line]) -> None:
    import pyarrow as pa

    from mahdar.tables.arrow import TYPES

    for name, rows in flattener.rows(group).items():
        columns = flattener.tables[name].columns
        schema = pa.schema([(column, TYPES[type_]) for column, type_ in columns.items()])
        connection.register("new_rows", pa.Table.from_pylist(rows, schema))
        connection.execute(f"INSERT INTO {quoted(name)} FROM new_rows")
        connection.unregister("new_rows")


def quoted(name: str) -> str:
    """Quote a name for SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: Any) -> str:
    """Quote a text for SQL."""
    return "'" + str(text).replace("'", "''") + "'"
