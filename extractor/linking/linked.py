"""The door: records of many articles in, the same records with the ids of actors and events out.

What an earlier run wrote into the folder is read again with the new records: ids there are kept, and none is given to
another. Articles are gone through several times, so that they need not fit into memory.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from mahdar.errors import UsageError
from mahdar.linking.actors import Linker
from mahdar.linking.clusters import ActorCluster, forms_of
from mahdar.linking.corrections import Corrections, read_corrections
from mahdar.linking.duplicates import NearDuplicates, quoted
from mahdar.linking.encounters import ToldMeeting, encounters_in
from mahdar.linking.events import Event, link_encounters
from mahdar.linking.mentions import ActorMention, actors_in, articles_in, mentions_of
from mahdar.linking.profiles import Profile
from mahdar.linking.seeding import seeded
from mahdar.linking.writing import ACTORS, RECORDS, Folder, read_former_ids, review_rows, write_tables
from mahdar.runs.lines import dumps

CORRECTIONS: Final = "corrections.csv"
_NUMBERED: Final = re.compile(r"[AE](\d+)")


@dataclass(frozen=True, slots=True)
class Linked:
    """What a run has made."""

    articles: int
    copies: int
    actors: int
    events: int
    doubts: int
    remarks: tuple[str, ...]
    """rows of corrections that name nobody"""


@dataclass(slots=True)
class Corpus:
    """The articles of earlier runs and the new ones, which may be read again and again.

    Attributes:
        mentions: article → the actors in it.
        read_anew: articles of earlier runs that are among the new ones → the event ids of their meetings then.
    """

    new: Sequence[Path]
    earlier: Path
    mentions: dict[str, list[ActorMention]] = field(default_factory=dict)
    read_anew: dict[str, dict[str, str]] = field(default_factory=dict)
    duplicates: NearDuplicates = field(default_factory=NearDuplicates)

    def read(self) -> None:
        """Read all articles once, the new ones first.

        Raises:
            UsageError: a file cannot be read, or a line in it.
        """
        for _, line in articles_in(self.new):
            self._take(line)
        for _, line in articles_in([self.earlier] if self.earlier.is_file() else ()):
            if line["document_id"] in self.mentions:
                self._keep_ids(line)
            else:
                self._take(line)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Yield every article, those of earlier runs first."""
        for _, line in articles_in([self.earlier] if self.earlier.is_file() else ()):
            if line["document_id"] not in self.read_anew:
                yield line
        for _, line in articles_in(self.new):
            for meeting in line["meetings"]:
                if event_id := self.read_anew.get(line["document_id"], {}).get(meeting["id"]):
                    meeting["event_id"] = event_id
            yield line

    def _take(self, line: dict[str, Any]) -> None:
        article = line["document_id"]
        self.mentions[article] = mentions_of(line)
        self.duplicates.add(article, line.get("published_at"), quoted(line), line["text_sha256"])

    def _keep_ids(self, line: dict[str, Any]) -> None:
        """An article that is read anew keeps the ids of actors and meetings that it still has."""
        article = line["document_id"]
        known = {mention.name: mention.actor_id for mention in mentions_of(line)}
        self.mentions[article] = [
            replace(mention, actor_id=known.get(mention.name) or mention.actor_id) for mention in self.mentions[article]
        ]
        self.read_anew[article] = {
            meeting["id"]: meeting["event_id"] for meeting in line["meetings"] if meeting.get("event_id")
        }


def link(paths: Sequence[Path], folder: Path, corrections: Path | None = None) -> Linked:
    """Link actors and events over all articles, and write records, actors, events and what is in doubt.

    Args:
        paths: what `mahdar extract -o` wrote, or this function.
        folder: where the results go; what is there already is gone on from.
        corrections: a table of corrections; by default `corrections.csv` in the folder, where there is one.

    Raises:
        UsageError: a file cannot be read or written, or a row of the corrections cannot be obeyed.
    """
    for path in paths:
        if path.exists() and not path.is_file():
            raise UsageError(f"{path}: is gone through several times: name a file that `mahdar extract -o` wrote")
    output = Folder(folder)
    table = _corrections(folder, corrections)
    with output.locked():
        corpus = Corpus([path for path in paths if path.resolve() != (folder / RECORDS).resolve()], folder / RECORDS)
        corpus.read()
        ordered = [mention for article in sorted(corpus.mentions) for mention in corpus.mentions[article]]
        remarks = tuple(table.check(ordered))
        former = read_former_ids(folder / ACTORS)
        linker = Linker(seeded(forms_of(ordered, table.sides), table, former))
        linker.link()
        _number(linker.clusters, ordered, former)
        profiles = {cluster: Profile.of(cluster) for cluster in linker.clusters}
        named = _by_article(profiles.values())
        encounters = sorted(_encounters(corpus, named), key=lambda one: one.key)
        copy_of = corpus.duplicates.copy_of()
        events, event_doubts = link_encounters(encounters, copy_of)
        _number_events(events)
        rows = review_rows(linker.doubts, profiles)
        with output.replacing() as files:
            files.lines(RECORDS, _linked_lines(corpus, named, events))
            write_tables(files, profiles.values(), events, event_doubts, review=rows, copy_of=copy_of)
    return Linked(len(corpus.mentions), len(copy_of), len(profiles), len(events), len(rows), remarks)


def _corrections(folder: Path, given: Path | None) -> Corrections:
    if given is not None:
        return read_corrections(given)
    path = folder / CORRECTIONS
    return read_corrections(path) if path.is_file() else Corrections(())


def _number(clusters: Iterable[ActorCluster], ordered: Iterable[ActorMention], former: dict[str, list[str]]) -> None:
    """Give every new actor the next number, in the order of first mention."""
    taken = {mention.actor_id for mention in ordered if mention.actor_id}
    taken |= {id_ for ids in former.values() for id_ in ids}
    number = _highest(taken)
    for cluster in sorted(clusters, key=lambda one: min(form.key for form in one.forms)):
        if cluster.actor_id is None:
            number += 1
            cluster.actor_id = f"A{number}"


def _number_events(events: Iterable[Event]) -> None:
    events = list(events)
    number = _highest(event.event_id for event in events if event.event_id)
    for event in events:
        if event.event_id is None:
            number += 1
            event.event_id = f"E{number}"


def _highest(ids: Iterable[str]) -> int:
    return max((int(found[1]) for found in map(_NUMBERED.fullmatch, ids) if found), default=0)


def _by_article(profiles: Iterable[Profile]) -> dict[str, dict[str, Profile]]:
    """Article → name there → actor."""
    named: dict[str, dict[str, Profile]] = {}
    for profile in profiles:
        for mention in profile.cluster.mentions:
            named.setdefault(mention.article, {})[mention.name] = profile
    return named


def _encounters(corpus: Corpus, named: dict[str, dict[str, Profile]]) -> Iterator[ToldMeeting]:
    for line in corpus:
        if line["meetings"]:
            yield from encounters_in(line, named.get(line["document_id"], {}))


def _linked_lines(corpus: Corpus, named: dict[str, dict[str, Profile]], events: Iterable[Event]) -> Iterator[str]:
    ids = {one.key: event.event_id for event in events for one in event.encounters}
    for line in corpus:
        article = line["document_id"]
        for actor in actors_in((line["meetings"], line["stances"], line.get("more") or {})):
            actor["actor_id"] = named[article][actor["name"]].actor_id
        for meeting in line["meetings"]:
            meeting["event_id"] = ids[article, meeting["id"]]
        yield dumps(line)
