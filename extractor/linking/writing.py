"""Write the files of a folder of linked records, all of them or none."""

import csv
import io
import os
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from mahdar.errors import UsageError
from mahdar.linking.clusters import ActorCluster, Doubt, final
from mahdar.linking.corrections import COLUMNS
from mahdar.linking.duplicates import Originals
from mahdar.linking.encounters import Encounter, EncounterParty, stand_for_each_other
from mahdar.linking.events import Event, EventDoubt
from mahdar.linking.profiles import Profile
from mahdar.runs.lines import dumps, lock
from mahdar.runs.outputs import json_object

RECORDS: Final = "records.jsonl"
ACTORS: Final = "actors.jsonl"
NUMBERS: Final = "numbers.json"
"""The highest numbers given so far, also to actors and events of which no record is left."""
NUMBERED: Final = re.compile(r"[AE]([0-9]{1,15})")
"""An id that linking gives: of an actor or an event."""
_PART: Final = ".part"
_LOCK: Final = ".lock"
_JOINT: Final = " | "
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""Characters that begin a formula in a spreadsheet; an apostrophe before them prevents it."""

Row = Mapping[str, Any]


class Files:
    """Files being written under temporary names, which `Folder.replacing` renames together."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.names: list[str] = []

    def lines(self, name: str, lines: Iterable[str]) -> None:
        """Write a file of lines, and flush it to the disk."""
        self.names.append(name)
        with (self._folder / f"{name}{_PART}").open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(f"{line}\n" for line in lines)
            file.flush()
            os.fsync(file.fileno())

    def table(self, name: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
        """Write a CSV file; lists are joined by ` | `."""
        self.lines(name, _csv(columns, rows))


class Folder:
    """A folder that one process at a time writes to.

    Raises:
        UsageError: the folder cannot be made, or is a file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"-o {path}: the folder cannot be made: {error.strerror}; name another") from None

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Lock the folder against other processes (not on Windows).

        Raises:
            UsageError: another process holds the lock, or the folder cannot be written.
        """
        try:
            opened = (self.path / _LOCK).open("w", encoding="utf-8")
        except OSError as error:
            raise self._unwritable(error) from None
        with opened as file:
            if not lock(file.fileno()):
                raise UsageError(f"{self.path} is being written by another mahdar link: wait for it to end")
            yield

    @contextmanager
    def replacing(self) -> Iterator[Files]:
        """Yield files that replace those in the folder on exit, unless one of them could not be written.

        Raises:
            UsageError: a file cannot be written.
        """
        files = Files(self.path)
        try:
            yield files
            for name in reversed(files.names):  # the records, which the next run goes on from, come last
                (self.path / f"{name}{_PART}").replace(self.path / name)
        except OSError as error:
            raise self._unwritable(error) from None
        except UnicodeEncodeError as error:
            found = f"U+{ord(error.object[error.start]):04X}"
            raise UsageError(
                f"the records hold {found}, half a character, which UTF-8 cannot encode: remove it"
            ) from None
        finally:
            for name in files.names:
                (self.path / f"{name}{_PART}").unlink(missing_ok=True)

    def _unwritable(self, error: OSError) -> UsageError:
        return UsageError(f"-o {self.path}: cannot be written: {error.strerror}; name another folder")


def read_former_ids(path: Path) -> dict[str, list[str]]:
    """Return the ids that corrections joined to each actor in earlier runs, by actor; empty without earlier runs."""
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8") as file:
        actors = [json_object(line) or {} for line in file]
    return {actor["actor_id"]: list(actor["former_ids"]) for actor in actors if actor.get("former_ids")}


def read_numbers(path: Path) -> dict[str, int]:
    """Return the highest number given to an actor ("A") and to an event ("E") in earlier runs; 0 without any."""
    known = json_object(path.read_text(encoding="utf-8")) or {} if path.is_file() else {}
    return {kind: int(known.get(kind, 0)) for kind in ("A", "E")}


def review_rows(doubts: Iterable[Doubt], profiles: Mapping[ActorCluster, Profile]) -> list[dict[str, Any]]:
    """Return the rows of `review.csv`: doubtful pairs still apart, each once, those in most articles first."""
    told: dict[str, dict[str, Any]] = {}
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for doubt in doubts:
        a, b = sorted((profiles[final(doubt.left)], profiles[final(doubt.right)]), key=lambda one: one.cluster.head.key)
        if a is b or (a.actor_id, b.actor_id) in rows or "correction: apart" in doubt.against:
            continue
        row = {**dict.fromkeys(COLUMNS, ""), "for": doubt.for_, "against": doubt.against}
        for side, actor in (("a", a), ("b", b)):
            if actor.actor_id not in told:
                told[actor.actor_id] = actor.as_json(Originals())
            seen = told[actor.actor_id]
            row |= {side: actor.actor_id, f"{side}_name": actor.name}
            row |= {f"{side}_roles": [office["role"] for office in seen["offices"]]}
            row |= {f"{side}_{name}": seen[name] for name in ("countries", "n_articles")}
        rows[a.actor_id, b.actor_id] = row
    return sorted(rows.values(), key=lambda row: (-min(row["a_n_articles"], row["b_n_articles"]), row["a"], row["b"]))


def write_tables(
    files: Files,
    actors: Collection[Profile],
    events: Sequence[Event],
    event_doubts: Iterable[EventDoubt],
    *,
    review: Sequence[Row],
    originals: Originals,
) -> None:
    """Write the files of actors, of events and of pairs to review."""
    ordered = sorted(actors, key=lambda one: _in_order(one.actor_id))
    files.lines(ACTORS, (dumps(one.as_json(originals)) for one in ordered))
    files.table(
        "actors.csv",
        ("actor_id", "name", "type", "names", "countries", "offices", "n_articles", "n_independent", "former_ids"),
        (one.as_json(originals) for one in ordered),
    )
    possible = _possible(events, event_doubts)
    told = sorted(events, key=lambda one: _in_order(str(one.event_id)))
    files.lines("events.jsonl", (dumps(event_as_json(one, originals, possible)) for one in told))
    files.table(
        "events.csv",
        (
            *("event_id", "kind", "channel", "status", "date_text", "date_edtf", "venue", "city", "country"),
            *("participants", "topics", "n_articles", "n_independent", "contradictions"),
        ),
        (_flat(event_as_json(one, originals, possible)) for one in told),
    )
    more = ("a_roles", "b_roles", "a_countries", "b_countries", "a_n_articles", "b_n_articles", "for", "against")
    files.table("review.csv", (*COLUMNS, *more), review)


def event_as_json(event: Event, originals: Originals, possible: Mapping[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Return an event as an object of `events.jsonl`: what most independent articles say, and where they differ.

    Args:
        event: an event that has an id.
        originals: the article that each article copies; both have one vote.
        possible: by the id of an event, others that may be the same.
    """
    told = sorted(event.encounters, key=lambda one: one.key)
    voices = _Voices(told, originals)
    date = voices.best("day", lambda one: one.date.get("value")) or voices.best("", lambda one: one.date.get("text"))
    return {
        "event_id": event.event_id,
        **{
            name: voices.best(name, lambda one, name=name: getattr(one, name)) for name in ("kind", "channel", "status")
        },
        "date": next((dict(one.date) for one in told if date in {one.date.get("value"), one.date.get("text")}), None)
        if date
        else None,
        "place": {
            name: voices.best(name if name != "venue" else "", lambda one, name=name: one.place.get(name))
            for name in ("venue", "city", "country")
        },
        "participants": voices.participants(),
        "topics": list(dict.fromkeys(code for one in told for code in one.topics)),
        "sources": [
            {
                "article_id": one.article,
                "meeting": one.meeting,
                "published_at": one.published.isoformat() if one.published else None,
                "copy_of": originals.get(one.article),
            }
            for one in told
        ],
        "n_articles": len({one.article for one in told}),
        "n_independent": len({originals[one.article] for one in told}),
        "contradictions": voices.contradictions,
        "why": [{"left": join.left, "right": join.right, "reasons": join.reasons} for join in event.joins],
        "possibly_same": possible.get(str(event.event_id), []),
    }


class _Voices:
    """The articles of an event as voters on its fields; near-duplicates have one vote together."""

    def __init__(self, told: Sequence[Encounter], originals: Originals) -> None:
        self._told = told
        self._voice = {one.key: originals[one.article] for one in told}
        self.contradictions: list[dict[str, Any]] = []

    def best(self, field: str, value_of: Any) -> Any:
        """Return the value with most votes, of equals the longest, then the first; note others as a contradiction.

        Args:
            field: name of the contradiction; "" to note none.
            value_of: returns the value in an encounter.
        """
        articles = defaultdict[Any, list[str]](list)
        voices = defaultdict[Any, set[str]](set)
        for one in self._told:
            value = value_of(one)
            if value not in {None, "unspecified"}:
                articles[value].append(one.article)
                voices[value].add(self._voice[one.key])
        if field and len(articles) > 1:
            self.contradictions.append(
                {"field": field, "values": [{"value": value, "articles": told} for value, told in articles.items()]}
            )
        ranked = sorted(articles, key=lambda value: (-len(voices[value]), -len(str(value))))
        return ranked[0] if ranked else next((value_of(one) for one in self._told), None)

    def participants(self) -> list[dict[str, Any]]:
        """Return the participants in any article.

        An article with neither a principal nor anybody who stands for them is a contradiction.
        """
        parties: dict[str, EncounterParty] = {}
        capacities = defaultdict[str, Counter[str]](Counter)
        articles = defaultdict[str, set[str]](set)
        for one in self._told:
            for party in one.parties:
                parties.setdefault(party.actor_id, party)
                capacities[party.actor_id][party.capacity] += 1
                articles[party.actor_id].add(one.article)
        found: list[dict[str, Any]] = [
            {
                "actor_id": id_,
                "name": party.name,
                "country": party.country,
                "capacity": capacities[id_].most_common(1)[0][0],
                "n_articles": len(articles[id_]),
            }
            for id_, party in parties.items()
        ]
        for known in found:
            if known["capacity"] != "principal":
                continue
            party = parties[known["actor_id"]]
            absent = {
                one.article for one in self._told if not any(stand_for_each_other(party, each) for each in one.parties)
            }
            if absent:
                present = {"value": party.name, "articles": sorted(articles[party.actor_id])}
                values = [present, {"value": None, "articles": sorted(absent)}]
                self.contradictions.append({"field": "participant", "values": values})
        return sorted(found, key=lambda party: (party["capacity"] != "principal", -party["n_articles"]))


def _possible(events: Iterable[Event], doubts: Iterable[EventDoubt]) -> dict[str, list[dict[str, Any]]]:
    """Return by the id of an event the others that may be the same, with the evidence for and against it."""
    ids = {one.key: str(event.event_id) for event in events for one in event.encounters}
    found = defaultdict[str, dict[str, dict[str, Any]]](dict)
    for doubt in doubts:
        left, right = ids[doubt.left.key], ids[doubt.right.key]
        for one, other in ((left, right), (right, left)):
            if left != right:
                found[one].setdefault(other, {"event_id": other, "for": doubt.for_, "against": doubt.against})
    return {event: list(others.values()) for event, others in found.items()}


def _flat(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return an event as a row of `events.csv`."""
    date, place = event["date"] or {}, event["place"]
    return {
        **event,
        **place,
        "date_text": date.get("text"),
        "date_edtf": date.get("value"),
        "participants": [f"{one['name']} ({one['actor_id']})" for one in event["participants"]],
        "contradictions": [
            f"{one['field']}: "
            + " / ".join(f"{value['value']} ({', '.join(value['articles'])})" for value in one["values"])
            for one in event["contradictions"]
        ],
    }


def _csv(columns: Sequence[str], rows: Iterable[Row]) -> Iterator[str]:
    for row in ({name: name for name in columns}, *rows):
        text = io.StringIO()
        csv.writer(text, lineterminator="").writerow([_cell(row.get(name)) for name in columns])
        yield text.getvalue()


def _cell(value: Any) -> str:
    if isinstance(value, list):
        value = _JOINT.join(_told(one) for one in value)
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _told(item: Any) -> str:
    """Return a member of a list as text: an actor by name, an office with its days."""
    if not isinstance(item, Mapping):
        return str(item)
    if "role" in item:
        days = f" ({item['first']} – {item['last']})" if item["first"] else ""
        return f"{item['role']}{days}"
    return str(item["name"])


def _in_order(id_: str) -> tuple[bool, int, str]:
    """Return a sort key of ids: those of the user's own first, then by number."""
    numbered = NUMBERED.fullmatch(id_)
    return numbered is not None, int(numbered[1]) if numbered else 0, id_
