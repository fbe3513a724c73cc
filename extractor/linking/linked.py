"""Link the records of many articles: write them again with the ids of actors and events.

The results of earlier runs in the folder are read together with the new records. Their ids are kept, and never given to
another. Articles are read several times, so that they need not fit into memory.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from mahdar.documents.bidi import clean
from mahdar.errors import UsageError
from mahdar.linking.actors import Linker
from mahdar.linking.clusters import ActorCluster, forms_of
from mahdar.linking.corrections import Corrections, read_corrections
from mahdar.linking.duplicates import NearDuplicates, quoted
from mahdar.linking.encounters import encounters_in
from mahdar.linking.events import Event, link_encounters
from mahdar.linking.mentions import NameMention, actors_in, articles_in, mentions_of
from mahdar.linking.profiles import Profile
from mahdar.linking.seeding import seeded
from mahdar.linking.writing import (
    ACTORS,
    NUMBERED,
    NUMBERS,
    RECORDS,
    Folder,
    read_former_ids,
    read_numbers,
    review_rows,
    write_tables,
)
from mahdar.runs.lines import dumps
from mahdar.wording import NAMED, counted, join_names

CORRECTIONS: Final = "corrections.csv"


@dataclass(frozen=True, slots=True)
class Linked:
    """Counts of a run."""

    articles: int
    copies: int
    actors: int
    events: int
    doubts: int
    remarks: tuple[str, ...]
    """a line for each row of corrections that matches no mention, and one for articles that are in the files again"""


@dataclass(slots=True)
class Corpus:
    """The articles of earlier runs and the new ones; each iteration reads the files again.

    Attributes:
        mentions: the mentions of actors by article.
        read_anew: for articles of earlier runs that are among the new ones, the event ids of their meetings.
        repeated: ids of the new articles that are in the files again; their first records count.
    """

    new: Sequence[Path]
    earlier: Path
    mentions: dict[str, list[NameMention]] = field(default_factory=dict)
    read_anew: dict[str, dict[str, str]] = field(default_factory=dict)
    duplicates: NearDuplicates = field(default_factory=NearDuplicates)
    repeated: list[str] = field(default_factory=list)

    def read(self) -> None:
        """Read mentions and texts of all articles, the new ones first.

        Raises:
            UsageError: a file cannot be read, a line is no extraction, or the files hold ids of several runs.
        """
        numbered = {str(self.earlier)} if self.earlier.is_file() else set[str]()
        for place, line in articles_in(self.new, self.repeated.append):
            self._take(line)
            if any(mention.actor_id for mention in self.mentions[line["document_id"]]):
                numbered.add(place.rpartition(":")[0])
            if len(numbered) > 1:
                raise UsageError(
                    f"{place}: has ids of another `mahdar link`, which are other actors' here: "
                    "name the file that `mahdar extract` wrote"
                )
        for _, line in articles_in([self.earlier] if self.earlier.is_file() else ()):
            if line["document_id"] in self.mentions:
                self._keep_ids(line)
            else:
                self._take(line)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Yield every article, those of earlier runs first."""
        for _, line in articles_in([self.earlier] if self.earlier.is_file() else (), checked=True):
            if line["document_id"] not in self.read_anew:
                yield line
        for _, line in articles_in(self.new, checked=True):
            for meeting in line["meetings"]:
                if event_id := self.read_anew.get(line["document_id"], {}).get(meeting["id"]):
                    meeting["event_id"] = event_id
            yield line

    def _take(self, line: dict[str, Any]) -> None:
        article = line["document_id"]
        self.mentions[article] = mentions_of(line)
        self.duplicates.add(article, line.get("published_at"), quoted(line), line["text_sha256"])

    def _keep_ids(self, line: dict[str, Any]) -> None:
        """Take the ids of an earlier run over to the mentions and meetings that a new article still has."""
        article = line["document_id"]
        known = {mention.name: mention.actor_id for mention in mentions_of(line)}
        self.mentions[article] = [
            replace(mention, actor_id=known.get(mention.name) or mention.actor_id) for mention in self.mentions[article]
        ]
        self.read_anew[article] = {
            meeting["id"]: meeting["event_id"] for meeting in line["meetings"] if meeting.get("event_id")
        }


def link(paths: Sequence[Path], folder: Path, corrections: Path | None = None) -> Linked:
    """Link actors and events over all articles; write records, actors, events and the doubtful pairs.

    Args:
        paths: files that `mahdar extract -o` or this function wrote.
        folder: output folder; the results of earlier runs in it are continued.
        corrections: a table of corrections; by default `corrections.csv` in the folder, if it exists.

    Raises:
        UsageError: a file cannot be read or written, or a correction is incomplete or contradictory.
    """
    for path in paths:
        if path.exists() and not path.is_file():
            raise UsageError(f"{path}: is no file: name one that `mahdar extract -o` wrote")
    output = Folder(folder)
    given = corrections or folder / CORRECTIONS
    table = read_corrections(given) if corrections or given.is_file() else Corrections(())
    with output.locked():
        corpus = Corpus([path for path in paths if path.resolve() != (folder / RECORDS).resolve()], folder / RECORDS)
        corpus.read()
        ordered = [mention for article in sorted(corpus.mentions) for mention in corpus.mentions[article]]
        remarks = list(table.check(ordered))
        if again := corpus.repeated:
            names = join_names(list(map(clean, again[:NAMED])), len(again))
            remarks.append(f"{counted(len(again), 'article')} in the files again, first records kept: {names}")
        former = read_former_ids(folder / ACTORS)
        linker = Linker(seeded(forms_of(ordered, table.sides), table, former))
        linker.link()
        _refuse_shared_ids(given, linker.clusters)
        numbers = read_numbers(folder / NUMBERS)
        numbers["A"] = _number(linker.clusters, ordered, former, numbers["A"])
        profiles = {cluster: Profile.of(cluster) for cluster in linker.clusters}
        named = defaultdict[str, dict[str, Profile]](dict)
        for profile in profiles.values():
            for mention in profile.cluster.mentions:
                named[mention.article][mention.name] = profile
        encounters = sorted(
            (one for line in corpus for one in encounters_in(line, named[line["document_id"]])),
            key=lambda one: one.key,
        )
        originals = corpus.duplicates.originals()
        events, event_doubts = link_encounters(encounters, originals)
        numbers["E"] = _number_events(events, numbers["E"])
        rows = review_rows(linker.doubts, profiles)
        with output.replacing() as files:
            files.lines(RECORDS, _linked_lines(corpus, named, events))
            files.lines(NUMBERS, [dumps(numbers)])
            write_tables(files, profiles.values(), events, event_doubts, review=rows, originals=originals)
    return Linked(len(corpus.mentions), len(originals), len(profiles), len(events), len(rows), tuple(remarks))


def _refuse_shared_ids(corrections: Path, clusters: Iterable[ActorCluster]) -> None:
    """Refuse an id that corrections give to two actors, or to another actor than the one that has it."""
    known: dict[str, ActorCluster] = {}
    for cluster in clusters:
        if cluster.actor_id and (other := known.setdefault(cluster.actor_id, cluster)) is not cluster:
            raise UsageError(
                f"{corrections}: {other.head.name!r} and {cluster.head.name!r} would both have the id "
                f"{cluster.actor_id}: give each an id of its own, or make them one by `same`"
            )


def _number(
    clusters: Collection[ActorCluster], ordered: Iterable[NameMention], former: dict[str, list[str]], highest: int
) -> int:
    """Give every new actor the next unused number, in the order of first mention; return the highest number."""
    taken = {mention.actor_id for mention in ordered if mention.actor_id}
    taken |= {cluster.actor_id for cluster in clusters if cluster.actor_id}
    taken |= {id_ for ids in former.values() for id_ in ids}
    number = max(highest, _highest(taken))
    for cluster in sorted(clusters, key=lambda one: min(form.key for form in one.forms)):
        if cluster.actor_id is None:
            number += 1
            cluster.actor_id = f"A{number}"
    return number


def _number_events(events: Collection[Event], highest: int) -> int:
    """Give every new event the next unused number; return the highest number."""
    number = max(highest, _highest(event.event_id for event in events if event.event_id))
    for event in events:
        if event.event_id is None:
            number += 1
            event.event_id = f"E{number}"
    return number


def _highest(ids: Iterable[str]) -> int:
    return max((int(found[1]) for found in map(NUMBERED.fullmatch, ids) if found), default=0)


def _linked_lines(corpus: Corpus, named: Mapping[str, Mapping[str, Profile]], events: Iterable[Event]) -> Iterator[str]:
    """Yield every article as a line of JSON, with the ids of its actors and meetings."""
    ids = {one.key: event.event_id for event in events for one in event.encounters}
    for line in corpus:
        article = line["document_id"]
        for actor in actors_in((line["meetings"], line["stances"], line.get("more") or {})):
            actor["actor_id"] = named[article][actor["name"]].actor_id
        for meeting in line["meetings"]:
            meeting["event_id"] = ids[article, meeting["id"]]
        yield dumps(line)
