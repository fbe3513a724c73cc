"""The stage: who is spoken of at a point of an English or French article, and a verb with who does it."""

import re
from dataclasses import dataclass, field
from typing import Final

from mahdar.documents.folding import fold
from mahdar.offline.actors import ActorIndex
from mahdar.offline.latin.lexicon import Verb, VerbForm
from mahdar.offline.lexicon import word_group
from mahdar.offline.mention import ActorMention

ActorMentions = tuple[ActorMention, ...]
_OFFICE_OF: Final = {
    "leaders": r"president|prime minister|king|emir|sultan|prince|chancellor",
    "presidents": r"president",
    "ministers": r"minister|secretary",
    "dirigeants": r"president|premier ministre|roi|emir|sultan|prince|chancelier",
    "ministres": r"ministre|secretaire|diplomatie",
}
"""What those hold who are called «the two …»."""
_PERSONS: Final = word_group("stage.persons", "latin/names")


@dataclass(frozen=True, slots=True)
class Predicate:
    """A verb in its clause."""

    verb: Verb
    first: int
    """where its auxiliaries begin"""
    subject: ActorMentions
    passive: bool = False
    negated: bool = False
    uncertain: bool = False
    future: bool = False
    form: VerbForm = "finite"
    speaker: ActorMentions = ()
    """who says so, where it stands in reported speech"""
    own: bool = False
    """whether the subject is the speaker's «we», «he», «his country»"""


@dataclass
class LatinDiscourseState:
    """Who is on stage at a point of the article."""

    cast: ActorIndex
    subject: ActorMentions = ()
    speaker: ActorMentions = ()
    groups: list[ActorMentions] = field(default_factory=list)
    """the principals of every encounter told so far"""
    current: ActorMentions = ()
    """the subject told last in this sentence"""

    def resolved(self, mention: ActorMention) -> ActorMentions:
        """A mention as the actors it means: «the two leaders» are those who met last."""
        if mention.kind != "pair":
            return (mention,)
        two = fold(mention.text).split()[0] in {"two", "both", "deux"}
        persons = fold(mention.text).split()[-1] in _PERSONS
        told = (*reversed(self.groups), self.current, self.subject)
        fitting = [one for one in told if self._fits(one, two=two, persons=persons)]
        office = _OFFICE_OF.get(fold(mention.text).split()[-1], "")
        held = (one for one in fitting if office and all(re.search(office, self._role(each)) for each in one))
        return next(held, fitting[0] if fitting else ())

    def _role(self, mention: ActorMention) -> str:
        return fold(self.cast.actor(mention).role or "")

    def _fits(self, group: ActorMentions, *, two: bool, persons: bool) -> bool:
        """Whether a group may be meant by «the two», and by «leaders», who are persons."""
        enough = len(group) == 2 if two else len(group) > 1
        return enough and (not persons or all(one.kind in {"person", "role"} for one in group))
