"""Read labels of linking, and find the labelled mentions and meetings in linked records.

Labels say which mentions are one actor, and which meetings are one event. There are two files (`articles/README.md`):
actors with their mentions and hard pairs, and events with their meetings and look-alikes. A mention is found in a
record by its name or one of its forms, a meeting by its principals.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError

from mahdar.documents.folding import fold
from mahdar.errors import UsageError
from mahdar.evals.running.runs import read_json
from mahdar.linking.mentions import actors_in
from mahdar.runs.outputs import lines, problem

LEAST_OVERLAP: Final = 0.5
"""Least F1 of the principals of a record and a labelled meeting for them to be the same."""
_TENTHS: Final = ("kind", "status", "channel")


class Part(BaseModel):
    """Frozen part of the labels."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class LinkedMention(Part):
    """Mention of an actor in an article: its name there, and other forms of it."""

    document_id: str
    name: str
    forms: tuple[str, ...] = ()

    @property
    def key(self) -> "Mentioned":
        """Its article and name."""
        return Mentioned(self.document_id, self.name)

    def has_form(self, name: str) -> bool:
        """Return whether a name is the mention's, or one of its other forms."""
        return fold(name) in map(fold, (self.name, *self.forms))


class LinkedActor(Part):
    """Actor with all its mentions."""

    id: str
    label: str = ""
    split: str = "report"
    mentions: tuple[LinkedMention, ...]


class HardPair(Part):
    """Two mentions that are hard to tell: of one actor if `same`, else of two."""

    a: LinkedMention
    b: LinkedMention
    same: bool
    case: str
    split: str = "report"


class LinkedMeeting(Part):
    """Meeting in an article, identified by its id there or by its principals."""

    document_id: str
    meeting: str | None = None
    principals: tuple[str, ...] = ()
    day: str | None = None
    kind: str | None = None
    status: str | None = None
    channel: str | None = None


class LinkedEvent(Part):
    """Event with the meetings that report it."""

    id: str
    label: str = ""
    split: str = "report"
    cases: tuple[str, ...] = ()
    meetings: tuple[LinkedMeeting, ...]


class LookAlike(Part):
    """Different events that resemble each other."""

    events: tuple[str, ...]
    case: str
    split: str = "report"


class LinkingLabels(Part):
    """Content of a label file: actors, events or both."""

    actors: tuple[LinkedActor, ...] = ()
    pairs: tuple[HardPair, ...] = ()
    events: tuple[LinkedEvent, ...] = ()
    look_alikes: tuple[LookAlike, ...] = ()


class Mentioned(NamedTuple):
    """Key of a labelled mention: article and name."""

    document_id: str
    name: str


@dataclass(frozen=True, slots=True)
class LinkedArticle:
    """Actors and meetings of an article in linked records.

    Attributes:
        actors: name → `actor_id`.
        countries: names of actors of the type `country`.
        meetings: the meetings as JSON.
    """

    actors: Mapping[str, str]
    countries: AbstractSet[str]
    meetings: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class FoundIds:
    """Labelled items → the id that records give them; items without a record are missing."""

    mentions: dict[Mentioned, str] = field(default_factory=dict)
    meetings: dict[LinkedMeeting, str] = field(default_factory=dict)
    unlabelled: int = 0
    """number of meetings in records without a label"""


def read_labels(path: Path) -> LinkingLabels:
    """Read a file of labels.

    Raises:
        UsageError: the file cannot be read, or has no labels of linking.
    """
    try:
        return LinkingLabels.model_validate(read_json(path)[1])
    except ValidationError as error:
        raise UsageError(f"{path}: no labels of linking: {problem(error)}") from None


def read_linked(path: Path) -> dict[str, LinkedArticle]:
    """Read the records that `mahdar link` wrote, by article.

    Raises:
        UsageError: the file cannot be read, or has no ids.
    """
    found: dict[str, LinkedArticle] = {}
    for place, line in lines(path):
        actors = list(actors_in((line.get("meetings"), line.get("stances"))))
        if any("actor_id" not in actor for actor in actors):
            raise UsageError(f"{place}: no actor_id: give the records.jsonl that `mahdar link` wrote")
        found[str(line["document_id"])] = LinkedArticle(
            {actor["name"]: actor["actor_id"] for actor in actors},
            {actor["name"] for actor in actors if actor["type"] == "country"},
            line.get("meetings") or (),
        )
    return found


def located(labels: LinkingLabels, articles: Mapping[str, LinkedArticle]) -> FoundIds:
    """Find the labelled mentions and meetings in linked records."""
    by_article = defaultdict[str, list[LinkedMention]](list)
    for mention in (mention for actor in labels.actors for mention in actor.mentions):
        by_article[mention.document_id].append(mention)
    wanted = defaultdict[str, list[LinkedMeeting]](list)
    for meeting in (meeting for event in labels.events for meeting in event.meetings):
        wanted[meeting.document_id].append(meeting)
    mentions: dict[Mentioned, str] = {}
    meetings: dict[LinkedMeeting, str] = {}
    for document_id, article in articles.items():
        labelled = by_article.get(document_id, [])
        for name, actor_id in article.actors.items():
            if match := _mention_of(name, labelled, whole=name in article.countries):
                mentions.setdefault(match.key, actor_id)
        for meeting, record in _assigned(wanted.get(document_id, []), article.meetings, labelled):
            meetings[meeting] = record["event_id"]
    told = sum(len(articles[document_id].meetings) for document_id in wanted if document_id in articles)
    return FoundIds(mentions, meetings, told - len(meetings))


def _mention_of(name: str, labelled: Iterable[LinkedMention], *, whole: bool = False) -> LinkedMention | None:
    """Return the labelled mention with this name or form, else the only one whose words are a subset or superset.

    Args:
        name: name of a record's actor.
        labelled: labelled mentions of the article.
        whole: whether to compare only whole names: a country's name may be part of the name of an office or a body.
    """
    labelled = list(labelled)
    if same := next((mention for mention in labelled if mention.has_form(name)), None):
        return same
    if whole:
        return None
    words = set(fold(name).split())
    fitting = []
    for mention in labelled:
        other = set(fold(mention.name).split())
        if words and (words <= other or other <= words):
            fitting.append(mention)
    return fitting[0] if len(fitting) == 1 else None


def _assigned(
    labelled: Sequence[LinkedMeeting], records: Sequence[Mapping[str, Any]], mentions: Sequence[LinkedMention]
) -> list[tuple[LinkedMeeting, Mapping[str, Any]]]:
    """Pair labelled meetings with records one to one, with the largest sum of weights."""
    if any(meeting.meeting for meeting in labelled):
        by_id = {record["id"]: record for record in records}
        return [(meeting, by_id[meeting.meeting]) for meeting in labelled if meeting.meeting in by_id]
    if not labelled or not records:
        return []
    import numpy as np
    from scipy.optimize import linear_sum_assignment

    weights = np.array([[_weight(meeting, record, mentions) for record in records] for meeting in labelled])
    rows, columns = linear_sum_assignment(weights, maximize=True)
    return [
        (labelled[row], records[column]) for row, column in zip(rows, columns, strict=True) if weights[row, column] > 0
    ]


def _weight(meeting: LinkedMeeting, record: Mapping[str, Any], mentions: Sequence[LinkedMention]) -> float:
    named = [party["name"] for party in record["participants"] if party.get("capacity") == "principal"]
    gold = [next((one for one in mentions if one.has_form(name)), name) for name in meeting.principals]
    met = [_mention_of(name, mentions) or name for name in named]
    common = sum(one in met for one in gold)
    overlap = 2 * common / (len(gold) + len(met)) if gold or met else 0.0
    if overlap < LEAST_OVERLAP:
        return 0.0
    agreeing = sum(getattr(meeting, field) == record.get(field) for field in _TENTHS)
    agreeing += meeting.day == (record.get("date") or {}).get("value")
    return float(overlap + agreeing / 10)
