"""Verbs in an English or French sentence: which forms are verbs where they stand, and what their auxiliaries say."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from mahdar.offline.latin.lexicon import Lexicon, Verb, lexicon
from mahdar.offline.latin.stage import LatinDiscourseState
from mahdar.offline.latin.tokens import TokenizedSentence
from mahdar.offline.lexicon import word_group
from mahdar.offline.mention import ActorMention

THIRD: Final = word_group("verbs.third", "latin/names")
FIRST: Final = word_group("verbs.first", "latin/names")
PLURAL: Final = word_group("verbs.plural", "latin/names")
AND: Final = word_group("verbs.and", "latin/names")
CLITICS: Final = word_group("verbs.clitics", "latin/names")
LIGHT: Final = word_group("verbs.light", "latin/names")
_INVERTED: Final = re.compile(r"(?:a-t|ont|avait|avaient|ai)-(?:il|elle|ils|elles|on|je)")
_HAVING: Final = word_group("verbs.having", "latin/names")


@dataclass
class VerbGroups:
    """The words of one sentence, and which of them are verbs with their auxiliaries."""

    sentence: TokenizedSentence
    scene: LatinDiscourseState

    @cached_property
    def words(self) -> Lexicon:
        """The lexicon of its language."""
        return lexicon(self.sentence.language)

    @cached_property
    def mentions(self) -> tuple[tuple[int, int, ActorMention], ...]:
        """Its mentions with their first token and the one behind."""
        start, end = self.sentence.line.start, self.sentence.line.end
        told = self.scene.cast.within(start, end)
        return tuple(
            (self.sentence.number(one.start - start), self.sentence.number(one.end - start - 1) + 1, one)
            for one in told
        )

    def mention_at(self, at: int) -> tuple[int, int, ActorMention] | None:
        """The mention that holds a token."""
        return next((one for one in self.mentions if one[0] <= at < one[1]), None)

    def key(self, at: int) -> str:
        """The folded token at a place."""
        return self.sentence.key(at)

    def _is_future(self, verb: Verb) -> bool:
        """« se rendra », « se rencontreront »; not « rencontra »."""
        text = self.sentence.tokens[verb.at].text
        french = self.sentence.language == "fr" and verb.form == "finite"
        return french and re.search(r"r(?:a|ont|ons|ait|aient)$", text) is not None and not (
            verb.lemma.endswith("rer") and not re.search(r"rer(?:a|ont|ons|ait|aient)$", text)
        )  # fmt: skip

    def _is_conditional(self, first: int) -> bool:
        """Whether the clause begins with «if», «whether», «unless»."""
        for at in range(first - 1, max(-1, first - 12), -1):
            if self.key(at) in {"if", "whether", "unless", "si", "would-be"}:
                return True
            if self.key(at) in {",", ";", ":", "that", "que", "qu'"}:
                return False
        return False

    def _group_start(self, at: int) -> int:
        """The first of the auxiliaries, pronouns and adverbs before a verb."""
        first = at
        while first > 0 and self.mention_at(first - 1) is None and self._is_auxiliary(first - 1):
            first -= 1
        while first < at and (self.key(first) in LIGHT or self.key(first) == "to"):
            first += 1
        return first

    def _is_auxiliary(self, at: int) -> bool:
        key = self.key(at)
        tables = self.words.words
        if key in tables["auxiliaries"] | tables["negation"] | tables["uncertain"] | tables["future"] or key in LIGHT:
            return True
        if self.sentence.language == "fr":
            return key in CLITICS - {"que", "qu'", "-", "la", "les"} - FIRST or key.endswith("ment")
        return key.endswith("ly") and key not in {"italy", "only", "july"}

    def _is_passive(self, verb: Verb, group: Sequence[str]) -> bool:
        if verb.form != "participle":
            return False
        english = {"is", "are", "was", "were", "be", "been", "being"}
        french = {"est", "sont", "etait", "etaient", "ete", "etant", "sera", "seront", "etre", "fut", "furent", "soit"}
        if self.sentence.language == "en":
            return not english.isdisjoint(group) or (self._by(verb) and "has" not in group and "had" not in group)
        if any(entry.pronominal for entry in verb.entries):
            return False
        moved = verb.lemma in {"arriver", "aller", "se rendre"}
        return not moved and (not french.isdisjoint(group) or self._by(verb))

    def _by(self, verb: Verb) -> bool:
        reach = 7 if verb.code("stance") == "rate" else 2
        return any(self.key(at) in {"by", "par"} for at in range(verb.stop, verb.stop + reach))

    def _is_verb(self, verb: Verb, group: Sequence[str], passive: bool) -> bool:  # noqa: FBT001, PLR0911  # a table
        """Whether a form is a verb where it stands: «calls» and «support» are nouns as well."""
        before = self.key(verb.at - 1)
        if verb.form == "participle":
            have = _HAVING
            if self.sentence.language == "en":
                return passive or not have.isdisjoint(group)
            pronominal = any(entry.pronominal for entry in verb.entries)
            joined = before in AND | {","} or before.endswith("ment") or _INVERTED.fullmatch(before) is not None
            return passive or pronominal or (not have.isdisjoint(group)) or joined
        if verb.form == "infinitive":
            if self.sentence.language == "en":
                return (
                    before in {"to"} | self.words.words["auxiliaries"]
                    or self._is_plural_present(verb)
                    or self._is_after_to(verb)
                )
            return True
        if verb.form == "gerund" and verb.lemma == "meet":
            return before in {"after", "before", "while", "upon", ","}
        if verb.form == "gerund":
            return before not in word_group("verbs.is_verb1", "latin/names")
        nominal = word_group("verbs.is_verb", "latin/names")
        return not (
            before in nominal
            and not (
                self.sentence.language == "fr"
                and before in {"le", "la", "l'", "les"}
                and self.key(verb.at - 2) in THIRD
            )
        )

    def _is_plural_present(self, verb: Verb) -> bool:
        """«Egypt and Jordan support the plan»: a bare form right behind a mention, a pronoun or an adverb."""
        at = verb.at - 1
        while at > 0 and (self.key(at) in LIGHT or self.key(at).endswith("ly")):
            at -= 1
        if self.key(at) in FIRST | PLURAL | {"who", "and"}:
            return self.key(at) != "and"
        held = self.mention_at(at)
        return held is not None and (held[2].kind in {"people", "pair"} or self.key(held[0] - 1) == "and")

    def _is_after_to(self, verb: Verb) -> bool:
        at = verb.at - 1
        while at > 0 and (self.key(at) in LIGHT or self.key(at).endswith("ly")):
            at -= 1
        return self.key(at) in {"to", "will", "would", "did", "does", "do", "not"}
