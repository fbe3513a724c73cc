"""From a reading to an answer in the form that a model's has: actors once, evidence by the numbers of sentences.

Every text of an answer stands in the article.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from mahdar.documents.folding import word_set
from mahdar.offline.circumstances import venue_in
from mahdar.offline.cues import AnnotatedSentence, Cue
from mahdar.offline.encounters import RuleMeeting, when, where
from mahdar.offline.latin.tokens import language_of
from mahdar.offline.latin.wording import outcomes as latin_outcomes
from mahdar.offline.latin.wording import proposition as latin_proposition
from mahdar.offline.latin.wording import topics as latin_topics
from mahdar.offline.mention import ActorMention
from mahdar.offline.positions import RuleStance
from mahdar.offline.readings import RuleReading, carried, read
from mahdar.resolving.countries import country_mentions
from mahdar.schemas.drafts import MAX_EVIDENCE
from mahdar.schemas.records import Actor
from mahdar.schemas.tasks import ACTORS
from mahdar.validation.source import Source

AnswerFields = dict[str, Any]

_LONGEST_PROPOSITION: Final = 30
"""Words: behind more of a clause follows what is no part of the position."""


def answer_of(source: Source, tasks: Sequence[str]) -> AnswerFields:
    """Read an article, and write down what the rules find as an answer to these tasks."""
    reading = read(source.text)
    answering = _Answering(source, reading)
    lists: AnswerFields = {}
    if "meetings" in tasks:
        lists["meetings"] = [answering.meeting(one) for one in reading.encounters]
    if "stances" in tasks:
        lists["stances"] = [answering.stance(one) for one in reading.positions]
    return {ACTORS: [{"id": id_, **_actor(source, actor)} for actor, id_ in answering.ids.items()], **lists}


@dataclass(frozen=True, slots=True)
class _Answering:
    """An answer while it is written: the actors referred to so far, with their ids."""

    source: Source
    reading: RuleReading
    ids: dict[Actor, str] = field(default_factory=dict)

    def meeting(self, encounter: RuleMeeting) -> AnswerFields:
        """A meeting as its sentences tell it."""
        lines = (encounter.line, *encounter.followers)
        principals = self._cited(encounter.principals)
        others = {self._id(one.mention): one.capacity for one in encounter.parties if one.capacity != "principal"}
        fields = _latin(self.reading, encounter) if language_of(self.reading.text) else _arabic(self.reading, encounter)
        return {
            "evidence": self._numbers((line.start, line.end) for line in lines),
            "principals": principals,
            "others": [{"actor": id_, "capacity": one} for id_, one in others.items() if id_ not in principals],
            "kind": encounter.kind,
            "channel": encounter.channel,
            "status": encounter.status,
            **fields,
        }

    def stance(self, position: RuleStance) -> AnswerFields:
        """A stance as its clause tells it."""
        return {
            "evidence": self._numbers(position.pieces),
            "holders": self._cited(position.holders),
            "act": position.act,
            "polarity": position.polarity,
            "target": position.target,
            "addressee": position.addressee,
            "proposition": _proposition(self.reading, position),
            "speech": position.speech,
            "attribution": [position.attribution] if position.attribution else [],
        }

    def _cited(self, mentions: Iterable[ActorMention]) -> list[str]:
        """The ids of actors, each once."""
        return list(dict.fromkeys(self._id(one) for one in mentions))

    def _id(self, mention: ActorMention) -> str:
        return self.ids.setdefault(self.reading.cast.actor(mention), f"a{len(self.ids) + 1}")

    def _numbers(self, pieces: Iterable[tuple[int, int]]) -> list[int]:
        """The numbers of the sentences that pieces of the article lie in."""
        spans = tuple(pieces)
        return [
            number
            for number, one in enumerate(self.source.sentences, start=1)
            if any(start < one.end and one.start < end for start, end in spans)
        ][:MAX_EVIDENCE]


def _actor(source: Source, actor: Actor) -> AnswerFields:
    named = (source.text[one.start : one.end] for one in country_mentions(source.text) if one.code == actor.country)
    return {
        "name": actor.name,
        "type": actor.type,
        "role": actor.role,
        "organization": actor.organization,
        "country": next(named, None),
    }


def _arabic(reading: RuleReading, encounter: RuleMeeting) -> AnswerFields:
    lines = (encounter.line, *encounter.followers)
    date, city = when(encounter) or carried(reading, encounter, when), where(encounter)
    if city is None and encounter.channel == "in_person":
        city = carried(reading, encounter, where)
    hosts = (one.mention for one in encounter.parties if one.capacity == "host" and one.mention.kind == "country")
    return {
        "date": date,
        "place": {
            "venue": next((found for line in lines if (found := venue_in(line))), None),
            "city": city,
            "country": next((one.name for one in hosts), None),
        },
        "topics": list(_topics(lines)),
        "outcomes": list(_outcomes(lines)),
    }


def _latin(reading: RuleReading, encounter: RuleMeeting) -> AnswerFields:
    """Date and place of an English or French article's meeting: what its own sentence tells, and no other."""
    city = encounter.city
    if city is None and encounter.channel == "in_person":
        city = carried(reading, encounter, lambda one: one.city)
    host = next((one.mention.name for one in encounter.parties if one.capacity == "host"), None)
    agreed = latin_outcomes((encounter.line, *encounter.followers))
    return {
        "date": encounter.date,
        "place": {"venue": encounter.venue, "city": city, "country": host},
        "topics": [{"text": text, "code": code} for text, code in latin_topics(encounter)],
        "outcomes": [{"text": text, "type": code} for text, code in agreed],
    }


_MOST_TOPICS: Final = 3
_BINDING: Final = word_set("بين في")


def _topics(lines: Sequence[AnnotatedSentence]) -> Iterator[AnswerFields]:
    """What an encounter was about, by the words of matters behind a word of talking; each word in one topic at most."""
    seen: set[str] = set()
    for line in lines:
        lead = next(iter(line.cues("topic")), None)
        told = lead.first if lead else len(line.row.words)
        for cue in line.cues("topic_code"):
            if cue.first < told or cue.code in seen or len(seen) == _MOST_TOPICS or _is_bound(line, cue):
                continue
            seen.add(cue.code)
            text = _phrase(line, cue.first)
            told = cue.first + len(text.split())
            yield {"text": text, "code": cue.code}


def _is_bound(line: AnnotatedSentence, cue: Cue) -> bool:
    """«بين البلدين», «في ليبيا», «والأمني المشترك»: words that only say between whom, where, of what kind."""
    key = line.row.words[cue.first].key
    return key in _BINDING or (key.startswith("وال") and key.endswith(("ي", "يه")))


def _phrase(line: AnnotatedSentence, at: int) -> str:
    """A word and what follows up to a mark, for a topic's text."""
    start = line.row.words[at].start
    end = line.row.words[min(at + 8, len(line.row.words)) - 1].end
    return re.split(r"[،,.؛;»”\"\n]", line.text[start:end])[0].strip()


def _outcomes(lines: Sequence[AnnotatedSentence]) -> Iterator[AnswerFields]:
    for line in lines:
        for cue in line.cues("outcome"):
            if cue.stop < len(line.row.words) and cue.code != "joint_statement":
                yield {"text": _phrase(line, cue.stop), "type": cue.code}
                return


def _proposition(reading: RuleReading, position: RuleStance) -> str:
    """Verb, holders, and the rest of the clause in the article's words."""
    clause = " ".join(reading.text[start:end].strip() for start, end in position.pieces)
    holders = [reading.cast.actor(one).name for one in position.holders]
    if language := language_of(reading.text):
        return latin_proposition(language, holders, clause, _LONGEST_PROPOSITION)
    verb, _, rest = clause.partition(" ")
    for mention in reading.cast.within(*position.clause):
        if mention in position.holders:
            rest = rest.replace(mention.text, "", 1)
    words = f"{verb.removeprefix('و')} {' و'.join(holders)} {rest}".split()
    return " ".join(words[:_LONGEST_PROPOSITION]).strip(' ،,"“”«»')
