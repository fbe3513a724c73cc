"""Questions: a long reading task cut into small ones, for a model too small to read an article in one go.

Code offers, the model chooses, code completes. Sentences that may tell of an encounter or a position are found by their
words (`extractor.offline.readings`). A question shows one of them, a closed list of actors, and what grammar suggests;
the model confirms or corrects it, and its choice becomes a draft whose every text is the article's
(`extractor.offline.drafting`). No question depends on the answer to another, so that they can be asked in any order.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

from extractor.offline.actors import Mention
from extractor.offline.cues import Line
from extractor.offline.drafting import meeting_draft, stance_draft
from extractor.offline.encounters import Encounter, Party, capacity_of, described
from extractor.offline.positions import Position
from extractor.offline.readings import Reading, offered_in, read
from schemas.drafts import ItemDraft, MeetingDraft, StanceDraft

MOST_MET: Final = 6
"""Names in one answer: a small model may not find the end of a list."""
MOST_PHRASES: Final = 6
"""In one question: of more a small model loses count."""
SHOWN_BEFORE: Final = 200
"""Characters of the sentence before: enough for whom a pronoun means."""
SHOWN_WORDS: Final = 18
"""Of a phrase, which the sentence repeats in full."""
BOTH: Final = "both"
NOBODY: Final = "none"
"""A hint only: asked whether somebody takes a position at all, a model of 1.5 billion parameters answers at random."""
CLOSED: Final = ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True, slots=True)
class Question:
    """One small question, and what becomes of its answer.

    Attributes:
        task: "meetings" or "stances".
        values: what the prompt's template is filled with.
        answer: the closed list as a model; its JSON Schema constrains decoding.
        expand: turns an answer into drafts, all texts of which stand in the article.
        proposal: the answer that follows every hint.
        settled: whether grammar leaves nothing to ask: who is meant is named beside the verb, or nobody else stands
            there. Asked all the same, a model of 1.5 billion parameters was wrong more often than the rule.
    """

    task: str
    values: Mapping[str, str]
    answer: type[BaseModel]
    expand: Callable[[BaseModel], tuple[ItemDraft, ...]]
    proposal: BaseModel
    settled: bool = False


def task_questions(text: str, task: str) -> Iterator[Question]:
    """The questions an article raises for one task, those that are settled included.

    None for a task that is not asked in closed questions.
    """
    reading = read(text)
    if task == "meetings":
        yield from (_meeting_question(reading, one.line, one) for one in reading.encounters)
        yield from (_meeting_question(reading, line, None) for line in reading.doubtful)
    elif task == "stances":
        yield from (_stance_question(reading, line, positions) for line, positions in _by_line(reading))


def _meeting_question(reading: Reading, line: Line, told: Encounter | None) -> Question:
    """Who met in a sentence; `told` is the encounter that grammar finds there."""
    parties = told.parties if told else ()
    offered = _by_name(reading, (*(one.mention for one in parties), *offered_in(reading.cast, line)))
    names = tuple(offered)
    fewest = min(len(told.principals), 2) if told else 0
    answer = create_model(
        "Met",
        __config__=CLOSED,
        met=(list[Literal[names]], Field(min_length=fewest, max_length=MOST_MET)),  # type: ignore[valid-type]  # built of the article
    )
    suggested = list(_by_name(reading, told.principals))[:MOST_MET] if told else []
    return Question(
        task="meetings",
        values=_shown(reading, line, offered) | {"hint": " + ".join(suggested) or NOBODY},
        answer=answer,
        expand=lambda given: tuple(_met(reading, line, told, [offered[name] for name in given.met])),  # type: ignore[attr-defined]
        proposal=answer(met=suggested),
        settled=told is not None and _are_named(line, told.principals),
    )


def _met(reading: Reading, line: Line, told: Encounter | None, chosen: Sequence[Mention]) -> Iterator[MeetingDraft]:
    """The encounter between those chosen."""
    if told:
        yield meeting_draft(reading, _corrected(reading, told, _by_name(reading, chosen)))
    elif len(_by_name(reading, chosen)) > 1:
        parties = tuple(Party(one, capacity_of(line, one)) for one in chosen)
        yield meeting_draft(reading, described(line, line.cues("meeting")[0], parties))


def _corrected(reading: Reading, told: Encounter, chosen: Mapping[str, Mention]) -> Encounter:
    """What grammar finds, less the principals that the model left out, and with the actors that it added.

    Who was present but did not meet is not asked about, and stays; so do all where fewer than two would be left.
    """
    suggested = tuple(_by_name(reading, told.principals))[:MOST_MET]
    dropped = {name for name in suggested if name not in chosen} if len(chosen) > 1 else set()
    kept = [one for one in told.parties if one.capacity != "principal" or _name(reading, one.mention) not in dropped]
    known = {_name(reading, one.mention) for one in told.parties}
    added = (Party(one, capacity_of(told.line, one)) for name, one in chosen.items() if name not in known)
    return replace(told, parties=(*kept, *added))


def _by_line(reading: Reading) -> Iterator[tuple[Line, Sequence[Position]]]:
    """The positions of each sentence, the settled ones apart, in shares of as many as one question may have."""
    grouped = itertools.groupby(reading.positions, key=lambda one: (one.line, _are_named(one.line, one.holders)))
    for (line, _), told in grouped:
        positions = tuple(told)
        for first in range(0, len(positions), MOST_PHRASES):
            yield line, positions[first : first + MOST_PHRASES]


def _stance_question(reading: Reading, line: Line, positions: Sequence[Position]) -> Question:
    """Who takes each of some positions that a sentence may tell of."""
    holders = [one for told in positions for one in told.holders]
    others = (one for one in offered_in(reading.cast, line, bodies=True) if not _is_about(one, positions))
    offered = _by_name(reading, (*holders, *others))
    choices = (*offered, BOTH)
    fields: dict[str, Any] = {f"p{number}": (Literal[choices], ...) for number in range(1, len(positions) + 1)}
    answer = create_model("Held", __config__=CLOSED, **fields)
    suggested = [_suggested(reading, one) for one in positions]
    phrases = (
        f"{name}. {_phrase(reading, one)} — {who}?" for name, one, who in zip(fields, positions, suggested, strict=True)
    )
    return Question(
        task="stances",
        values=_shown(reading, line, offered) | {"phrases": " | ".join(phrases)},
        answer=answer,
        expand=lambda given: tuple(_held(reading, positions, offered, given.model_dump().values())),
        proposal=answer(**dict(zip(fields, suggested, strict=True))),
        settled=all(_are_named(line, one.holders) for one in positions)
        or len(offered) == len(_by_name(reading, holders)),
    )


def _is_about(mention: Mention, positions: Sequence[Position]) -> bool:
    """Whether an actor stands in the words of a position: it is about them, then, and not theirs."""
    return any(start <= mention.start < end for told in positions for start, end in told.pieces)


def _are_named(line: Line, mentions: Sequence[Mention]) -> bool:
    """Whether a sentence itself names all of some actors: by more than a pronoun, «الجانبان» or «الوزير»."""
    return all(line.start <= one.start < line.end and one.kind not in {"short", "pair"} for one in mentions)


def _suggested(reading: Reading, position: Position) -> str:
    """The holder that grammar suggests."""
    return BOTH if len(position.holders) > 1 else _name(reading, position.holders[0])


def _held(
    reading: Reading, positions: Sequence[Position], offered: Mapping[str, Mention], given: Iterable[str]
) -> Iterator[StanceDraft]:
    """The positions, held by whom the model chose."""
    for position, name in zip(positions, given, strict=True):
        holders = position.holders if name == BOTH else (offered[name],)
        yield stance_draft(reading, replace(position, holders=holders))


def _by_name(reading: Reading, mentions: Iterable[Mention]) -> dict[str, Mention]:
    """Each actor once, under the name it has in the article."""
    named: dict[str, Mention] = {}
    for mention in mentions:
        named.setdefault(_name(reading, mention), mention)
    return named


def _name(reading: Reading, mention: Mention) -> str:
    """An actor's name on one line."""
    return _plain(reading.cast.actor(mention).name)


def _shown(reading: Reading, line: Line, offered: Mapping[str, Mention]) -> dict[str, str]:
    """A sentence, the end of the one before, and the actors offered."""
    lines = reading.lines
    at = lines.index(line)
    before = lines[at - 1].text[-SHOWN_BEFORE:] if at else ""
    actors = " | ".join(_called(reading, one) for one in offered.values())
    return {"before": _plain(before), "sentence": _plain(line.text), "actors": actors}


def _called(reading: Reading, mention: Mention) -> str:
    """Name and office."""
    actor = reading.cast.actor(mention)
    return _plain(f"{actor.name} ({actor.role})" if actor.role and actor.role != actor.name else actor.name)


def _phrase(reading: Reading, position: Position) -> str:
    return " ".join(" ".join(reading.text[start:end] for start, end in position.pieces).split()[:SHOWN_WORDS])


def _plain(text: str) -> str:
    return " ".join(text.split())
