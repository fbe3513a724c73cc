"""Read the table of corrections, in which a person decides who is one actor, who are two, and which id one has."""

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, get_args

from mahdar.documents.folding import fold
from mahdar.errors import UsageError
from mahdar.linking.mentions import NameMention

Decision = Literal["same", "apart", "id"]
COLUMNS: Final = ("decision", "a", "a_name", "a_country", "a_article", "b", "b_name", "b_country", "b_article")


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a correction: an actor by id, or every mention of a name."""

    actor_id: str
    name: str
    """folded"""
    country: str
    article: str

    def __bool__(self) -> bool:
        """Return whether the side has an id or a name."""
        return bool(self.actor_id or self.name)

    def means(self, mention: NameMention) -> bool:
        """Return whether the side matches a mention. If the side has an id, its name is ignored here."""
        if self.actor_id:
            return mention.actor_id == self.actor_id
        return (
            fold(mention.name) == self.name
            and self.country in {"", mention.reading.country, mention.country}
            and self.article in {"", mention.article}
        )


@dataclass(frozen=True, slots=True)
class Correction:
    """One row, with its place such as `corrections.csv:2`."""

    place: str
    decision: Decision
    a: Side
    b: Side
    """if the decision is `id`, its `actor_id` is the id to assign"""


class Corrections:
    """All rows, indexed by mention. Sides are numbered: those of row n are 2n and 2n + 1.

    Attributes:
        met: numbers of the sides that matched a mention so far.
    """

    def __init__(self, rows: Sequence[Correction]) -> None:
        self.rows = rows
        self.met = set[int]()
        self._by_key = defaultdict[str, list[int]](list)
        for number, side in self._sides():
            self._by_key[_key(side.actor_id, side.name)].append(number)

    def sides(self, mention: NameMention) -> frozenset[int]:
        """Return the numbers of the sides that match a mention."""
        if not self._by_key:
            return frozenset()
        named = self._by_key.get(_key("", fold(mention.name)), ())
        known = self._by_key.get(_key(mention.actor_id, ""), ()) if mention.actor_id else ()
        found = frozenset(number for number in (*named, *known) if self._side(number).means(mention))
        self.met |= found
        return found

    def check(self, mentions: Iterable[NameMention]) -> Iterator[str]:
        """Yield a remark for each row that matches no mention.

        Raises:
            UsageError: an id has another actor's name beside it, or a mention is on both sides of an `apart`.
        """
        wanted = {side.actor_id: (number, side) for number, side in self._sides() if side.actor_id and side.name}
        borne_out = set[str]()
        for mention in mentions:
            found = self.sides(mention)
            both = next((number for number in found if number % 2 == 0 and number + 1 in found), None)
            if both is not None and self.rows[both // 2].decision == "apart":
                raise UsageError(
                    f"{self.rows[both // 2].place}: {mention.name!r} in {mention.article} is on both sides: narrow "
                    "them by a_article, b_article or a country"
                )
            if mention.actor_id in wanted and fold(mention.name) == wanted[mention.actor_id][1].name:
                borne_out.add(mention.actor_id)
        for id_, (number, side) in wanted.items():
            if number in self.met and id_ not in borne_out:
                raise UsageError(
                    f"{self.rows[number // 2].place}: {id_} is not {side.name!r} here: take id and name from the "
                    "actors.csv of this folder, or leave the id empty"
                )
        for at, row in enumerate(self.rows):
            absent = [side for side in (2 * at, 2 * at + 1) if side not in self.met and self._side(side)]
            if row.decision == "id":
                absent = [side for side in absent if side % 2 == 0]
            if absent:
                yield f"{row.place}: names nobody in these articles"

    def _sides(self) -> Iterator[tuple[int, Side]]:
        for at, row in enumerate(self.rows):
            yield 2 * at, row.a
            if row.decision != "id":
                yield 2 * at + 1, row.b

    def _side(self, number: int) -> Side:
        row = self.rows[number // 2]
        return row.b if number % 2 else row.a


def read_corrections(path: Path) -> Corrections:
    """Read a table of corrections; skip rows without a decision.

    Raises:
        UsageError: the file cannot be read or lacks a column, or a row is incomplete.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return Corrections(list(_rows(path, csv.DictReader(file))))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}; check the path") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: is not UTF-8: {error.reason} at byte {error.start}: save it as UTF-8") from None


def _rows(path: Path, table: "csv.DictReader[str]") -> Iterator[Correction]:
    missing = [name for name in ("decision", "a_name", "b_name") if name not in (table.fieldnames or ())]
    if missing:
        raise UsageError(f"{path}: no column {missing[0]}: a table of corrections has {', '.join(COLUMNS)}")
    for row in table:
        cells = {name: (row.get(name) or "").strip() for name in COLUMNS}
        place = f"{path}:{table.line_num}"
        if not cells["decision"]:
            continue
        if cells["decision"] not in get_args(Decision):
            raise UsageError(f"{place}: decision {cells['decision']!r}: say same, apart or id, or leave it empty")
        correction = Correction(place, cells["decision"], _side(cells, "a"), _side(cells, "b"))  # type: ignore[arg-type]
        if not correction.a or not correction.b:
            raise UsageError(f"{place}: nobody on one side: fill in an id or a name for a and for b")
        if correction.decision == "id" and not correction.b.actor_id:
            raise UsageError(f"{place}: no id to give: write it in column b")
        yield correction


def _side(cells: Mapping[str, str], name: str) -> Side:
    return Side(cells[name], fold(cells[f"{name}_name"]), cells[f"{name}_country"], cells[f"{name}_article"])


def _key(actor_id: str, name: str) -> str:
    return f"#{actor_id}" if actor_id else name
