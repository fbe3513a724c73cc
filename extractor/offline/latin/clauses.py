"""Clauses: the verbs of a sentence, each with its subject and with who says so."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from mahdar.offline.latin.lexicon import Verb, verbs_at
from mahdar.offline.latin.stage import ActorMentions, LatinDiscourseState, Predicate
from mahdar.offline.latin.verbs import AND, FIRST, LIGHT, THIRD, VerbGroups
from mahdar.offline.lexicon import word_group
from mahdar.offline.mention import ActorMention

_RELATIVE: Final = word_group("clauses.relative", "latin/names")
_OWN: Final = word_group("clauses.own", "latin/names")
_PREPOSITIONS: Final = word_group("clauses.prepositions", "latin/names")
_LONGEST_ASIDE: Final = 24
_LONGEST_PHRASE: Final = 7
_LONGEST_TAG: Final = 30
_ORDER: Final = {"finite": 1, "participle": 0, "gerund": 2, "infinitive": 3}
_DETERMINERS: Final = word_group("clauses.determiners", "latin/names")


@dataclass
class Clauses(VerbGroups):
    """The clauses of one sentence."""

    _busy: bool = False
    """while the verbs of saying are looked for, so that they are not asked who says so themselves"""

    @cached_property
    def predicates(self) -> tuple[Predicate, ...]:
        """The verbs of the lexicon that are predicates here, in order."""
        return tuple(self._predicates())

    def _predicates(self) -> Iterator[Predicate]:
        last: Predicate | None = None
        main: ActorMentions = ()
        for at in range(len(self.sentence.tokens)):
            if self.mention_at(at) is not None:
                continue
            found = self._predicate(at, last, main)
            if found is None:
                continue
            told = found.form in {"finite", "participle"} and not found.own and not found.passive
            if found.subject and told:
                main = self.scene.current = found.subject
            last = last if found.passive else found
            yield found

    def _predicate(self, at: int, last: Predicate | None, main: ActorMentions) -> Predicate | None:
        readings = sorted(verbs_at(self.sentence, at), key=lambda one: _ORDER[one.form])
        for verb in readings:
            told = self._read(verb, last, main)
            if told is not None:
                return told
        return None

    def _read(self, verb: Verb, last: Predicate | None, main: ActorMentions) -> Predicate | None:
        first = self._group_start(verb.at)
        group = [self.key(one) for one in range(first, verb.at)]
        passive = self._is_passive(verb, group)
        if not self._is_verb(verb, group, passive):
            return None
        before = self.before(first)
        subject, own = self._subject(verb, first, before, last, main, passive)
        speaker = self.speaker(verb.at)
        return Predicate(
            verb,
            first,
            subject,
            passive=passive,
            negated=not self.words.words["negation"].isdisjoint(group),
            uncertain=not self.words.words["uncertain"].isdisjoint(group) or self._is_conditional(first),
            future=not self.words.words["future"].isdisjoint(group) or self._is_future(verb),
            form=verb.form,
            speaker=speaker,
            own=own,
        )

    def before(self, first: int) -> int:
        """The token before a verb group, without what is set between commas, dashes, or in a light phrase."""
        at = first - 1
        while at >= 0:
            skipped = self._skip(at)
            if skipped is None:
                return at
            at = skipped
        return at

    def _skip(self, at: int) -> int | None:
        """The token before a light phrase that ends at one; None where none does."""
        if self.key(at) in AND:
            return None
        if self.key(at) in LIGHT or self.key(at) in {'"', "”", "»"} - {'"'}:
            return at - 1
        if self.key(at) in {",", ")", "–", "—", "-"}:
            return self._skip_aside(at)
        return self._skip_phrase(at)

    def _skip_aside(self, at: int) -> int | None:
        """«X, who was in Cairo, said»: the token before the comma that opens the aside."""
        opener = {")": {"("}, "–": {"–"}, "—": {"—"}, "-": {"-"}}.get(self.key(at), {","})
        for one in range(at - 1, max(-1, at - _LONGEST_ASIDE), -1):
            if self.key(one) in opener:
                held = self.mention_at(one - 1)
                if held is not None:
                    return one - 1
        return None

    def _skip_phrase(self, at: int) -> int | None:
        """«the minister of X in Cairo said»: a preposition and what it governs, behind a mention."""
        for one in range(at, max(-1, at - _LONGEST_PHRASE), -1):
            if self.key(one) in {",", ";", ".", ":"} or self.key(one) in _RELATIVE | {"que", "qu'"}:
                return None
        return None

    def _subject(  # noqa: PLR0911, PLR0917  # what decides, in order
        self,
        verb: Verb,
        first: int,
        before: int,
        last: Predicate | None,
        main: ActorMentions,
        passive: bool,  # noqa: FBT001
    ) -> tuple[ActorMentions, bool]:
        """Who does it, and whether that is the speaker's own side."""
        if passive:
            return self._agents(verb), False
        if verb.form in {"gerund", "infinitive"} and not self._is_finite(verb):
            return self._controller(last, main), False
        tagged = self.key(first - 1) == "," and not verb.in_table("stance", "with")
        if tagged and (quoted := self._inverted(verb)):
            return quoted, False
        key = self.key(before)
        if key in FIRST:
            return self.speaker(first), True
        if key in THIRD or key.endswith(("-il", "-elle", "-ils")):
            return self._pronoun(before, main)
        held = self.mention_at(before)
        if held is not None:
            return self.named(held, first)
        if key in AND and last is None:
            return self._first_named(first), False
        if (key in AND or key == ",") and last is not None:
            return self._shared(verb, last, main)
        return self._inverted(verb), False

    def _first_named(self, first: int) -> ActorMentions:
        """The mention that opens a sentence, where its verb is none of the lexicon."""
        held = next((one for one in self.mentions if one[1] <= first), None)
        return self.joined(held[0]) if held is not None else ()

    def _is_finite(self, verb: Verb) -> bool:
        """A bare English form is finite behind a plural subject or an auxiliary."""
        if verb.form != "infinitive" or self.sentence.language != "en":
            return False
        before = self.key(verb.at - 1)
        return before != "to" and not self._is_far_to(verb)

    def _is_far_to(self, verb: Verb) -> bool:
        at = verb.at - 1
        while at > 0 and self.key(at) in LIGHT:
            at -= 1
        return self.key(at) == "to"

    def _agents(self, verb: Verb) -> ActorMentions:
        """Those behind «by»."""
        for at in range(verb.stop, min(verb.stop + 7, len(self.sentence.tokens))):
            if self.key(at) in {"by", "par"}:
                return self.joined(at + 1)
        return ()

    def joined(self, at: int) -> ActorMentions:
        """The mentions that begin at a token, joined by «and» and commas."""
        found: list[ActorMention] = []
        while at < len(self.sentence.tokens):
            at = self._past_determiner(at)
            held = self.mention_at(at)
            if held is None:
                break
            found.extend(self.scene.resolved(held[2]))
            at = held[1]
            if not self._is_joining(at):
                break
            at += 1 + (self.key(at + 1) in {"and", "et", "with", "a", "aux", "au", "avec"})
        return tuple(found)

    def _is_joining(self, at: int) -> bool:
        behind = self._past_determiner(at + 1 + (self.key(at + 1) in {"and", "et", "with", "a", "aux", "au", "avec"}))
        return self.key(at) in {"and", "et", ",", "&"} and self.mention_at(behind) is not None

    def _past_determiner(self, at: int) -> int:
        while self.key(at) in _DETERMINERS and self.mention_at(at) is None:
            at += 1
        return at

    def named(self, held: tuple[int, int, ActorMention], first: int) -> tuple[ActorMentions, bool]:
        """The mentions that end before a verb, unless a preposition governs them."""
        group = [held]
        while (before := self._joined_before(group[0])) is not None:
            group.insert(0, before)
        start = self._start(group[0])
        if len(group) > 1 and self.key(start) in _PREPOSITIONS:
            group, start = [held], -1  # «met X and Y said»
        if (inside := self._inside(held)) is not None:
            return inside, False
        if self.key(start) in _PREPOSITIONS and not self._opens_clause(start):
            return ((), False)
        told = tuple(one for each in group for one in self.scene.resolved(each[2]))
        speaker = self.speaker(first)
        if speaker and self._speaks_for(speaker, told):
            return speaker, True
        return told, False

    def _start(self, held: tuple[int, int, ActorMention]) -> int:
        start = held[0] - 1
        while self.key(start) in _DETERMINERS:
            start -= 1
        return start

    def _inside(self, held: tuple[int, int, ActorMention]) -> ActorMentions | None:
        """«two Arab countries - Egypt and Jordan - had»: those named between dashes."""
        if held[2].kind not in {"pair", "people"} or self.key(held[1]) not in {"-", "–", "—", ",", ":", "("}:
            return None
        named = self.joined(held[1] + 1)
        return named if len(named) > 1 else None

    def _joined_before(self, held: tuple[int, int, ActorMention]) -> tuple[int, int, ActorMention] | None:
        at = held[0] - 1
        while self.key(at) in _DETERMINERS:
            at -= 1
        if self.key(at) not in {"and", "et", ",", "&"}:
            return None
        at -= 1 + (self.key(at - 1) == ",")
        return self.mention_at(at)

    def _opens_clause(self, at: int) -> bool:
        return self.key(at) in {"as", "after", "before", "since", "until"}

    def _speaks_for(self, speaker: ActorMentions, told: ActorMentions) -> bool:
        """Whether a subject is the speaker's own country or body."""
        actor = self.scene.cast.actor(speaker[0])
        home = self.scene.cast.actor(told[0]).country if len(told) == 1 else None
        person = speaker[0].kind in {"person", "role"}
        alike = actor.country == home or (actor.country is None and person)  # an official whose country is not told
        return len(told) == 1 and told[0].kind in {"country", "body"} and home is not None and alike

    def _pronoun(self, at: int, main: ActorMentions) -> tuple[ActorMentions, bool]:
        speaker = self.speaker(at)
        if speaker:
            return speaker, True
        return main or self.scene.subject, False

    def _shared(self, verb: Verb, last: Predicate, main: ActorMentions) -> tuple[ActorMentions, bool]:
        """«condemned X and called for Y»: the subject of the verb before."""
        if last.own and not verb.in_table("speech"):
            return last.subject, True
        return main, False

    def _controller(self, last: Predicate | None, main: ActorMentions) -> ActorMentions:
        """Whose «-ing», « -ant » or infinitive it is: the subject of the sentence, perhaps told behind it."""
        if main:
            return main
        if last is not None and last.subject:
            return last.subject
        return ()

    def _inverted(self, verb: Verb) -> ActorMentions:
        """'…", said X', « …, a déclaré X », « a-t-il déclaré »: whoever speaks stands behind."""
        if not verb.in_table("speech"):
            return ()
        start = self._group_start(verb.at)
        marked = self.key(start - 1) in {",", '"', "”", "»", "?", "!"}
        if not marked:
            return ()
        at = verb.stop
        while at in self.sentence.dated or (
            self.key(at) in {"on", "de", "son", "cote", "pour", "sa", "part"} and self.mention_at(at) is None
        ):
            at += 1
        if found := self.joined(at):
            return found
        comma = next((one for one in range(at, min(at + 7, len(self.sentence.tokens))) if self.key(one) == ","), None)
        return self.joined(comma + 1) if comma is not None and self.sentence.language == "fr" else ()

    def speaker(self, at: int) -> ActorMentions:
        """Who says what stands at a token: the subject of the verb of saying before it, or behind its quotation."""
        return next((one for one in (self._said_before(at), self._said_behind(at)) if one), ())

    def _said_before(self, at: int) -> ActorMentions:
        for told in reversed(self._sayings):
            if told.verb.stop <= at and self._governs(told, at):
                return told.subject
        if self.sentence.quoted[min(at, len(self.sentence.quoted) - 1)] and self._is_all_quoted():
            return self.scene.speaker
        return ()

    def _is_all_quoted(self) -> bool:
        """Whether the quotation holds the whole sentence, so that who spoke last goes on."""
        outside = (at for at, number in enumerate(self.sentence.quoted) if not number)
        return not any(self.sentence.tokens[at].is_word for at in outside)

    def _governs(self, told: Predicate, at: int) -> bool:
        """Whether what a verb of saying tells reaches to a token: behind «that», in quotes, or right behind."""
        between = [self.key(one) for one in range(told.verb.stop, at)]
        quoted = self.sentence.quoted[at] if at < len(self.sentence.quoted) else 0
        return (
            bool(quoted)
            or not {"that", "que", "qu'", ":"}.isdisjoint(between[:8])
            or (self.sentence.language == "en" and not {"and", "but"} & set(between) and "," not in between)
        )

    def _said_behind(self, at: int) -> ActorMentions:
        quoted = self.sentence.quoted[at] if at < len(self.sentence.quoted) else 0
        for told in self._sayings:
            if told.verb.at <= at:
                continue
            closes = quoted and not self.sentence.quoted[told.verb.at]
            if closes or self._is_tag(told):
                return told.subject
        return ()

    def _is_tag(self, told: Predicate) -> bool:
        """«…, X said.»: a verb of saying that ends the sentence."""
        named = self.mention_at(told.first - 1)
        start = named[0] - 1 if named else told.first - 1
        while self.key(start) in _DETERMINERS:
            start -= 1
        rest = len(self.sentence.tokens) - told.verb.stop
        return self.key(start) in {",", "”", '"', "»"} and rest <= _LONGEST_TAG and bool(told.subject)

    @cached_property
    def _sayings(self) -> tuple[Predicate, ...]:
        """The verbs of saying that are finite and have a subject, found without asking who speaks."""
        if self._busy:
            return ()
        self._busy = True
        try:
            return tuple(self._find_sayings())
        finally:
            self._busy = False

    def _find_sayings(self) -> Iterator[Predicate]:
        plain = Clauses(self.sentence, LatinDiscourseState(self.scene.cast, self.scene.subject, (), self.scene.groups))
        plain._busy = True  # itself, without speakers
        main: ActorMentions = ()
        last: Predicate | None = None
        for at in range(len(self.sentence.tokens)):
            if self.mention_at(at) is not None or not any(
                one.in_table("speech", "stance") for one in verbs_at(self.sentence, at)
            ):
                continue
            found = plain._predicate(at, last, main)
            if found is None or not found.subject:
                continue
            main, last = (found.subject, found) if found.form != "infinitive" else (main, last)
            if found.verb.in_table("speech"):
                yield found
