"""Flatten the records of articles into rows of tables.

A field with a single value becomes a column; a field with subfields becomes columns prefixed with its name
(`place_city`); a list becomes a table, whose rows name their article, record and number. The same rules hold for the
records of every task.
"""

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import product
from typing import Any, Final, get_args

from mahdar.schemas import edtf
from mahdar.schemas.drafts import DRAFTS
from mahdar.schemas.enums import DateFlag
from mahdar.schemas.records import Actor, Date, Evidence, Meeting, Outcome, Record, Rejected, Stance, Topic
from mahdar.tables.shapes import RECORD, Convert, Many, Scalar, Shape, Struct, merged, of_model, of_value

Line = Mapping[str, Any]
Rows = dict[str, list[dict[str, Any]]]
"""rows by table"""
Path = tuple[str, ...]

TASKS: Final[Mapping[str, type[Record]]] = {"meetings": Meeting, "stances": Stance}
"""Tasks that have a field of their own in an extraction; the records of others are in `more`."""
RENAMED: Final[Mapping[type, Mapping[str, str]]] = {
    Actor: {"type": "actor_type"},
    Evidence: {"start": "start_offset", "end": "end_offset"},
    Outcome: {"text": "outcome_text", "type": "outcome_type"},
    Rejected: {"item": "item_json"},
    Stance: {"meeting": "meeting_id"},
    Topic: {"text": "topic_text", "code": "topic_code"},
}
"""Columns that are renamed from their field, so that a name has one meaning in all tables."""
CHILDREN: Final[Mapping[str, str]] = {
    "meetings_participants": "participants",
    "meetings_topics": "topics",
    "meetings_outcomes": "outcomes",
    "stances_holders": "stance_holders",
}
"""Tables of lists that are not named by task and field."""
VIEWS: Final = ("meetings_wide", "meeting_pairs", "meeting_country_pairs", "stances_long", "coded_events")
OF_VIEWS: Final = frozenset(
    {"participants", "countries", "topics", "outcomes", "attributions", "quote", "stance_date", "stance_date_source"}
    | {"event_date", "event_date_source", "cameo_root", "quad_class", "plover_event", "plover_mode", "plover_context"}
    | {"country_a", "country_b"}
)
"""Columns of views that are in no table."""
OF_SIDES: Final = ("a_", "b_", "holder_", "source_", "target_")
"""Prefixes of the columns of actors in views."""
SPENT: Final[Mapping[str, tuple[str, type]]] = {
    "calls": ("n_calls", int),
    "tokens_in": ("n_tokens_in", int),
    "tokens_out": ("n_tokens_out", int),
    "cost": ("cost_usd", float),
    "cached": ("cached", bool),
    "seconds": ("seconds", float),
}
"""Calls, tokens, cost and time of an article: column and type by field of the provenance."""


@dataclass(slots=True)
class Table:
    """A table: its columns with their types, and the paths of their values in a record.

    Attributes:
        key: the primary key; its columns come first.
        parent: the table that its rows belong to; empty if there is none.
        reserved: names that no column read from the record may have, since such columns are given later.
        columns: types by name.
        cells: name, path and conversion of the columns read from the record.
        given: names of the columns that hold the same value in all rows of a record or an article, by what they hold.
        children: paths of the record's lists, and their tables.
    """

    name: str
    key: tuple[str, ...]
    parent: str = ""
    reserved: tuple[str, ...] = ()
    columns: dict[str, type] = field(default_factory=dict)
    cells: list[tuple[str, Path, Convert]] = field(default_factory=list)
    given: dict[str, str] = field(default_factory=dict)
    children: list[tuple[Path, "Table"]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.columns |= {name: int if name.endswith("number") else str for name in self.key}

    def add(self, column: str, type_: type, path: Path, convert: Convert) -> None:
        """Add a column that is read from the record at `path`."""
        column = unused(column, (*self.columns, *self.reserved))
        self.columns[column] = type_
        self.cells.append((column, path, convert))

    def give(self, what: str, type_: type, column: str | None = None) -> None:
        """Add a column that is not read from the record, but given to `put`."""
        self.given[what] = unused(column or what, self.columns)
        self.columns[self.given[what]] = type_

    def put(self, rows: Rows, value: Any, key: tuple[Any, ...], given: Mapping[str, Any]) -> None:
        """Add the row of a value, and the rows of its lists to their tables.

        Args:
            rows: collects the rows.
            value: a record or a member of a list.
            key: the key of the row.
            given: the values of columns that are not read from the record.
        """
        row = dict(zip(self.key, key, strict=True))
        row |= {
            column: None if (cell := _at(value, path)) is None else convert(cell)
            for column, path, convert in self.cells
        }
        row |= {column: given[what] for what, column in self.given.items()}
        rows[self.name].append(row)
        for path, child in self.children:
            for number, member in enumerate(_at(value, path) or (), 1):
                child.put(rows, member, (*key, number), given)


@dataclass(slots=True)
class Survey:
    """The kept fields and the tasks of extractions, with the shapes of the tasks' records."""

    kept: dict[str, None] = field(default_factory=dict)
    tasks: dict[str, Struct] = field(default_factory=lambda: {task: of_model(model) for task, model in TASKS.items()})

    def add(self, line: Line) -> None:
        """Add an extraction. If the model of a task is not installed, its shape is derived from all its records."""
        self.kept |= dict.fromkeys(line.get("kept") or ())
        for task, records in (line.get("more") or {}).items():
            if task in DRAFTS:
                self.tasks.setdefault(task, of_model(DRAFTS[task].record))
            else:
                self.tasks.setdefault(task, RECORD)
                for record in records:
                    shape = merged(self.tasks[task], of_value(record))
                    assert isinstance(shape, Struct)
                    self.tasks[task] = shape


class Flattener:
    """Turns extractions into rows of tables.

    Args:
        survey: the fields and tasks of all extractions.

    Attributes:
        tables: all tables by name.
        kept: names of the columns of kept fields, which every table has.
    """

    def __init__(self, survey: Survey) -> None:
        self.tables: dict[str, Table] = {}
        self.kept: tuple[str, ...] = ()
        self._articles = self._table("articles", ("article_id",))
        self._tasks = {task: self._of_task(task, survey.tasks[task]) for task in TASKS}
        self._attributions = self._shared("attributions", Struct({"attribution": Scalar()}))
        self._evidence = self._shared("evidence", of_model(Evidence))
        self._rejected = self._table("rejected", ("article_id", "number"), "articles")
        self._columns(self._rejected, of_model(Rejected), (), "")
        self._describe(self._articles, survey.tasks)
        self._kept: dict[str, str] = {}
        for name in survey.kept:
            self._kept[name] = self._kept_column(name)
        self.kept = tuple(self._kept.values())
        further = {task: shape for task, shape in survey.tasks.items() if task not in TASKS}
        self._tasks |= {task: self._of_task(task, shape) for task, shape in further.items()}
        for table, column in product(self.tables.values(), self.kept):
            table.give(column, str)

    def rows(self, lines: Iterable[Line]) -> Rows:
        """Return the rows of some extractions, by table."""
        rows: Rows = {name: [] for name in self.tables}
        for line in lines:
            self._add(rows, line)
        return rows

    def _add(self, rows: Rows, line: Line) -> None:
        article = line["document_id"]
        makers = line["provenance"].get("made_by") or {}
        kept = line.get("kept") or {}
        given = {column: kept.get(name) for name, column in self._kept.items()}
        given["published_at"] = dt.date.fromisoformat(line["published_at"]) if line["published_at"] else None
        records = {"meetings": line["meetings"], "stances": line["stances"], **(line.get("more") or {})}
        of_tasks: dict[str, Any] = {f"n_{task}": len(records.get(task) or ()) for task in self._tasks}
        of_tasks |= {f"made_by_{task}": makers.get(task) for task in self._tasks}
        self._articles.put(rows, line, (article,), {**given, **of_tasks})
        dates = {meeting["id"]: meeting["date"] for meeting in line["meetings"]}
        for task, of_task in records.items():
            for record in of_task:
                key = (article, record["id"])
                whole = {**record, "meeting_date": dates.get(record["meeting"])} if task == "stances" else record
                self._tasks[task].put(rows, whole, key, {**given, "made_by": makers.get(task)})
                for shared, name in ((self._attributions, "attribution"), (self._evidence, "evidence")):
                    for number, member in enumerate(record.get(name) or (), 1):
                        value = member if name == "evidence" else {name: member}
                        shared.put(rows, value, (article, task, record["id"], number), given)
        for number, item in enumerate(line["rejected"], 1):
            self._rejected.put(rows, item, (article, number), given)

    def _table(self, name: str, key: tuple[str, ...], parent: str = "") -> Table:
        name = unused(re.sub(r"\W+", "_", name) or "_", (*self.tables, *VIEWS))
        self.tables[name] = Table(name, key, parent, reserved=self.kept)
        return self.tables[name]

    def _shared(self, name: str, shape: Struct) -> Table:
        """Add a table that the records of all tasks share."""
        table = self._table(name, ("article_id", "task", "record_id", "number"), "articles")
        self._columns(table, shape, (), "")
        return table

    def _of_task(self, task: str, shape: Struct) -> Table:
        table = self._table(task, ("article_id", "record_id"), "articles")
        table.give("published_at", dt.date)
        own = {name: inside for name, inside in shape.fields.items() if name not in RECORD.fields}
        if task == "stances":
            own["meeting_date"] = of_model(Date)
        self._columns(table, Struct(own, shape.model), (), "")
        for name, column in (("attribution", "n_attributions"), ("evidence", "n_evidence")):
            table.add(column, int, (name,), len)
        table.give("made_by", str)
        return table

    def _describe(self, articles: Table, tasks: Iterable[str]) -> None:
        articles.add("text_sha256", str, ("text_sha256",), str)
        articles.add("language", str, ("language",), str)
        articles.give("published_at", dt.date)
        for task in tasks:
            articles.give(f"n_{task}", int)
        articles.add("n_rejected", int, ("rejected",), len)
        for task in tasks:
            articles.give(f"made_by_{task}", str)
        for name, (column, type_) in SPENT.items():
            articles.add(column, type_, ("provenance", name), type_)

    def _kept_column(self, name: str) -> str:
        """Return the column of a kept field: the same in every table, with no other meaning in any."""
        taken = {
            *OF_VIEWS,
            *self._kept.values(),
            *(column for table in self.tables.values() for column in table.columns),
        }
        free = unused(name, taken) == name and not name.startswith(OF_SIDES)
        return name if free else unused(f"kept_{name}", taken)

    def _columns(self, table: Table, shape: Struct, path: Path, prefix: str) -> None:
        """Add to a table the columns of a struct, and child tables for its lists."""
        renamed = next((names for base, names in RENAMED.items() if issubclass(shape.model or object, base)), {})
        for name, inside in shape.fields.items():
            here, column = (*path, name), _joined(prefix, renamed.get(name, name))
            match inside:
                case Struct() if inside.model is Date:
                    self._date(table, here, column)
                case Struct():
                    self._columns(table, inside, here, column)
                case Many():
                    table.add(f"n_{column}", int, here, len)
                    self._child(table, inside.item, here, column)
                case Scalar():
                    table.add(column, inside.column_type, here, inside.convert)

    def _child(self, table: Table, item: Shape, path: Path, field_: str) -> None:
        name = f"{table.name}_{field_}"
        key = (*(f"{table.name}_number" if part == "number" else part for part in table.key), "number")
        child = self._table(CHILDREN.get(name, name), key, table.name)
        table.children.append((path, child))
        match item:
            case Struct():
                self._columns(child, item, (), "")
            case Many():
                self._child(child, item.item, (), "items")
            case Scalar():
                child.add(field_, item.column_type, (), item.convert)

    def _date(self, table: Table, path: Path, column: str) -> None:
        value = (*path, "value")
        table.add(f"{column}_text", str, (*path, "text"), str)
        table.add(f"{column}_edtf", str, value, str)
        table.add(f"{column}_start", dt.date, value, edtf.first_day)
        table.add(f"{column}_end", dt.date, value, edtf.last_day)
        table.add(f"{column}_resolution", str, (*path, "resolution"), str)
        for flag in get_args(DateFlag):
            table.add(f"{column}_{flag}", bool, (*path, "flags"), partial(_holds, flag))


def unused(name: str, taken: Iterable[str]) -> str:
    """Return the name, with a number appended if it is taken; SQL does not distinguish `Url` from `url`."""
    lower = {other.casefold() for other in taken}
    free, number = name, 1
    while free.casefold() in lower:
        number += 1
        free = f"{name}_{number}"
    return free


def _holds(member: str, members: Sequence[str]) -> bool:
    return member in members


def _joined(prefix: str, column: str) -> str:
    """Join names: `place` and `city` to `place_city`, `target_actor` and `actor_id` to `target_actor_id`."""
    if not prefix:
        return column
    first = column.partition("_")[0]
    return f"{prefix.removesuffix(first)}{column}" if prefix.endswith(first) else f"{prefix}_{column}"


def _at(value: Any, path: Path) -> Any:
    for step in path:
        if value is None:
            return None
        value = value.get(step)
    return value
