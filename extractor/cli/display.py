"""What a terminal shows of an extraction: a block for each record, whose text keeps its order in both directions."""

from collections.abc import Iterable
from typing import Any, Final

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from mahdar.documents.bidi import Bidi, clean, isolated
from mahdar.schemas.records import (
    Actor,
    Date,
    Evidence,
    Extraction,
    Meeting,
    Place,
    Provenance,
    Record,
    Rejected,
    Stance,
    Target,
)
from mahdar.wording import cost

_SHORT: Final = 80  # characters of a rejected item: enough to find it in the article

Row = tuple[str, str]
"""a label, and what stands beside it: lines, each with its isolates"""


def extraction(result: Extraction) -> RenderableType:
    """Everything one article brought: a heading, its records, what was rejected, and how it came about."""
    everything = [record for found in result.records.values() for record in found]
    parts: list[RenderableType] = [records(result, everything)]
    parts += [f"{len(result.rejected)} rejected", _rejections(result.rejected)] if result.rejected else []
    return Group(*parts, Bidi(provenance(result.provenance), "dim"), "")


def records(result: Extraction, chosen: Iterable[Record]) -> RenderableType:
    """The article's heading, and some of its records."""
    blocks = [_block(record) for record in chosen]
    return Group(Bidi(_heading(result), "bold"), *([_table(blocks)] if blocks else []))


def provenance(made: Provenance) -> str:
    """Who made the records, tokens, cost and time on one line; where no model was asked, the time alone."""
    spent = "from the cache" if made.cached else f"{made.tokens_in:,} + {made.tokens_out:,} tokens"
    asked = [spent, cost(made.cost)] if made.calls or made.cached or made.cost is None else []
    again = [f"{made.reasks} re-asked"] if made.reasks else []
    makers = map(clean, dict.fromkeys(made.made_by.values()))
    return _line(*makers, *asked, *again, f"{made.seconds:.1f} s")


def _heading(result: Extraction) -> str:
    counts = [f"{task} {len(found)}" for task, found in result.records.items()]
    dated = [f"published {result.published_at}"] if result.published_at else []
    named = _line(isolated(result.document_id), result.language or "language unknown", *dated, *counts)
    kept = dict(result.kept)
    title = [isolated(kept.pop("title"))] if "title" in kept else []
    return "\n".join((named, *title, *([_line(*map(isolated, kept.values()))] if kept else [])))


def _rejections(rejected: Iterable[Rejected]) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 1))
    table.add_column(style="dim", overflow="fold")
    table.add_column(ratio=1)
    for one in rejected:
        said = _gist(one.item)
        reason = clean(one.reason)
        table.add_row(Text(clean(one.path.removeprefix("$."))), Bidi(f"{reason}: {isolated(said)}" if said else reason))
    return table


def _gist(item: Any) -> str:
    """As much of a rejected item as tells which it is."""
    given = (
        [item.get(name) for name in ("evidence", "proposition", "name", "text")] if isinstance(item, dict) else [item]
    )
    first = (next(iter(one), None) if isinstance(one, list | tuple) else one for one in given)
    # Evidence may be numbers of sentences, which tell a reader nothing.
    item = next((text for text in first if isinstance(text, str) and text), "")
    text = clean(item)
    return text if len(text) <= _SHORT else f"{text[:_SHORT].rsplit(' ', 1)[0]} …"


def _table(blocks: Iterable[tuple[str, list[Row]]]) -> Table:
    table = Table(box=box.HORIZONTALS, show_header=False, expand=True, padding=(0, 1))
    table.add_column(no_wrap=True, style="bold")
    table.add_column(no_wrap=True, style="dim")
    table.add_column(ratio=1, overflow="fold")
    for name, rows in blocks:
        for number, (label, value) in enumerate(rows):
            table.add_row(name if number == 0 else "", Text(label), Bidi(value))
        table.add_section()
    return table


def _block(record: Record) -> tuple[str, list[Row]]:
    match record:
        case Meeting():
            rows = _meeting(record)
        case Stance():
            rows = _stance(record)
        case _:
            rows = _other(record)
    shared = [("via", ", ".join(map(isolated, record.attribution))), ("says", _evidence(record.evidence))]
    return record.id, [(label, value) for label, value in (*rows, *shared) if value]


def _meeting(meeting: Meeting) -> Iterable[Row]:
    channel = meeting.channel if meeting.channel != "unspecified" else None
    yield "kind", _line(meeting.kind, meeting.status, channel, meeting.format, _code(meeting.cameo))
    capacities = ((one, one.capacity if one.capacity != "principal" else None) for one in meeting.participants)
    yield "who", "\n".join(_line(_actor(one), capacity) for one, capacity in capacities)
    yield "when", _date(meeting.date)
    yield "where", _place(meeting.place)
    yield "about", "\n".join(f"{isolated(topic.text)} ({topic.code})" for topic in meeting.topics)
    yield "agreed", "\n".join(f"{isolated(outcome.text)} ({outcome.type})" for outcome in meeting.outcomes)


def _stance(stance: Stance) -> Iterable[Row]:
    at = f"at {stance.meeting}" if stance.meeting else None
    yield "act", _line(stance.act, stance.polarity, stance.holder_mode, stance.speech, at, _code(stance.cameo))
    yield "who", "\n".join(map(_actor, stance.holders))
    yield "for", isolated(stance.on_behalf_of) if stance.on_behalf_of else ""
    yield "target", _target(stance.target)
    yield "to", isolated(stance.addressee) if stance.addressee else ""
    yield "that", isolated(stance.proposition)


def _other(record: Record) -> Iterable[Row]:
    """A record of a task that came later: its fields as they are called."""
    fields = record.model_dump(mode="json", exclude={"id", "attribution", "evidence"}, exclude_none=True)
    return ((clean(name).replace("_", " "), _value(value)) for name, value in fields.items())


def _value(value: Any) -> str:
    """A field of any form: a list as lines; an actor, a date or a place as those of a meeting; else its parts."""
    match value:
        case str():
            return isolated(value)
        case list():
            return "\n".join(filter(None, map(_value, value)))
        case {"name": str(name)}:
            known = {part: value.get(part) for part in ("role", "organization", "country")}
            return _actor(Actor.model_construct(name=name, **known))
        case {"text": str(text), "resolution": _}:
            flags = tuple(value.get("flags", ()))
            return _date(Date.model_construct(text=text, value=value.get("value"), flags=flags))
        case {}:
            return _line(*map(_value, value.values()))
        case _:
            return str(value)


def _actor(actor: Actor) -> str:
    described = ", ".join(isolated(text) for text in (actor.role, actor.organization) if text)
    return _line(f"{isolated(actor.name)} — {described}" if described else isolated(actor.name), actor.country)


def _target(target: Target) -> str:
    """What it is about, and who that is where the words alone do not say it."""
    actor = _actor(target.actor) if target.actor else ""
    return "\n".join(dict.fromkeys(line for line in (isolated(target.text), actor) if line))


def _date(date: Date | None) -> str:
    if date is None or not (date.text or date.value):
        return ""
    said = isolated(date.text) if date.text else None
    return _line(date.value or "date unknown", said, *(flag.replace("_", " ") for flag in date.flags))


def _place(place: Place | None) -> str:
    if place is None:
        return ""
    return _line(*(isolated(text) if text else None for text in (place.venue, place.city)), place.country)


def _evidence(evidence: tuple[Evidence, ...]) -> str:
    more = f" (+{len(evidence) - 1} more)" if len(evidence) > 1 else ""
    return isolated(evidence[0].quote) + more


def _code(cameo: str | None) -> str | None:
    return f"CAMEO {cameo}" if cameo else None


def _line(*parts: str | None) -> str:
    return " · ".join(part for part in parts if part)
