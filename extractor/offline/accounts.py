"""Accounts: what one encounter is told by, and when it counts."""

from dataclasses import replace

from mahdar.offline.actors import ActorIndex
from mahdar.offline.cues import AnnotatedSentence
from mahdar.offline.encounters import RuleMeeting


def go_on(encounters: list[RuleMeeting], number: int, line: AnnotatedSentence) -> None:
    """Add a sentence to the account of an encounter, once."""
    told = encounters[number]
    if line not in (told.line, *told.followers):
        encounters[number] = replace(told, followers=(*told.followers, line))


def names_of(encounter: RuleMeeting, cast: ActorIndex) -> frozenset[str]:
    """Those who met, by their names."""
    return frozenset(cast.actor(one).name for one in encounter.principals)


def is_accounted(visit: RuleMeeting, encounters: list[RuleMeeting], cast: ActorIndex) -> bool:
    """Whether a visit is told by an encounter on it: it counts only where nobody met (contract)."""
    names = names_of(visit, cast)
    met = (one for one in encounters if one.kind != "visit" and one.status == visit.status)
    return visit.kind == "visit" and any(names & names_of(one, cast) for one in met)
