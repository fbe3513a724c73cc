"""A line read from left to right: the actors that it mentions, each word taken once."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from mahdar.documents.folding import fold
from mahdar.offline.lexicon import BODIES, SHORT, TITLES, word_group
from mahdar.offline.mention import ActorMention, MentionKind, bare, is_adjective, organization_of, raw_length, stems
from mahdar.offline.names import OPEN
from mahdar.offline.offices import FEWEST_FREE, OfficeReader
from mahdar.resolving.countries import country_of
from mahdar.resolving.names import strip_titles

_DELEGATION_HEADS: Final = word_group("scan.delegation_heads")
_PEOPLE_HEADS: Final = word_group("scan.people_heads")
_OFFICIALS: Final = word_group("scan.officials")
_HEADS_OF_STATE: Final = word_group("scan.heads_of_state")
_SAID: Final = word_group("scan.said")


class MentionReader(OfficeReader):
    """The mentions of one line. Each reader takes a word's number, and gives a mention and the word behind it."""

    def mentions(self) -> Iterator[ActorMention]:
        """The actors mentioned, in order."""
        at = 0
        while at < len(self.words):
            found = next((one for read in self._readers() if (one := read(at)) is not None), None)
            if found is None:
                at += 1
            else:
                mention, at = found
                yield mention

    def subjects(self) -> Iterator[str]:
        """Unknown words that stand between a verb of saying and what is said."""
        for cue in self.line.cues("speech"):
            at = cue.stop
            if (
                at + 1 < len(self.words)
                and self.words[at + 1].key in _SAID
                and self._adjoins(at, OPEN)
                and self._fits(at, 0)
            ):
                yield bare(self.words[at].key)

    def _readers(self) -> tuple[Callable[[int], tuple[ActorMention, int] | None], ...]:
        return self._pair, self._official, self._named, self._free, self._known, self._office, self._body, self._country

    def _pair(self, at: int) -> tuple[ActorMention, int] | None:
        if not self.line.is_cue("joint", at):
            return None
        stop = at + 1
        while stop < len(self.words) and self.row.is_known(stop) and self.row.reading(stop) != "link":
            stop += 1
        return self._mention(at, stop, "pair"), stop

    def _official(self, at: int) -> tuple[ActorMention, int] | None:
        """«المسؤول الإسباني»: whoever was named of that country."""
        stop = self.row.countries.get(at + 1)
        if stop is None or self.words[at].key.lstrip("و") not in _OFFICIALS:
            return None
        return self._mention(at, stop, "short"), stop

    def _named(self, at: int) -> tuple[ActorMention, int] | None:
        """A name with an office behind: «سيرغي لافروف، وزير الخارجية الروسي»."""
        first, at = at, self._titles(at)
        if not self._opens(at):
            return None
        stop = self._name(at)
        if stop - at < FEWEST_FREE or not self._begins_office(stop):
            return None
        if at > first and self.words[first].key in _HEADS_OF_STATE and not self._is_marked(stop):
            return None  # «الملك فلان رئيس الحكومة»: the office is another's
        end = self._office_end(stop)
        if end is None or (
            self._raw(stop).startswith("و") and not self.words[stop].key.startswith(("وزير", "وكيل", "والي", "ولي"))
        ):
            return None
        return self._person(at, stop, self.line.piece(stop, end), end, first=first), end

    def _titles(self, at: int) -> int:
        """The word behind forms of address and ranks."""
        while at < len(self.words) - 1 and self._is_title(at):
            at += 1
        return at

    def _is_title(self, at: int) -> bool:
        if self.row.is_rank(at):
            return True
        titled = any(stem in TITLES for stem, _ in stems(self.words[at].key))
        return titled and (not self.row.is_known(at + 1))

    def _free(self, at: int) -> tuple[ActorMention, int] | None:
        """A title and a name, or a name that begins with a common given name."""
        titled = self._titles(at)
        stop = self._name(titled)
        if titled > at and self.row.is_rank(at) and self._begins_office(titled) and (end := self._office_end(titled)):
            return self._mention(at, end, "role"), end
        if (
            titled > at
            and stop > titled
            and (stop - titled > 1 or self.words[at].key not in SHORT or self._is_surname(titled))
        ):
            return self._person(titled, stop, None, stop, first=at), stop
        particle = self._given(at)
        if particle is not None and (stop := self._name(at, given=True)) - at >= FEWEST_FREE:
            mention = self._person(at, stop, None, stop)
            return self._cut(mention, at, particle), stop
        return None

    def _known(self, at: int) -> tuple[ActorMention, int] | None:
        """A person named in full elsewhere: by surname, with what stands before or behind it of the name."""
        for stem, particle in stems(self.words[at].key):
            if bare(stem) in self.known and not self.row.is_known(at):
                mention = self._person(at, at + 1, None, at + 1)
                return self._cut(mention, at, particle), at + 1
        return None

    def _cut(self, mention: ActorMention, at: int, particle: str) -> ActorMention:
        """The mention without what is glued before its first word."""
        start = self.line.start + self.words[at].start + raw_length(self.words[at].raw, len(particle))
        text = self.line.article[start : mention.end]
        name = text.strip(' "“”«»()')
        if particle.endswith("لل"):
            name = f"ال{name}"  # the article is in the particle
        return replace(mention, start=start, text=text, name=name, particle=particle)

    def _office(self, at: int) -> tuple[ActorMention, int] | None:
        """An office, with the name behind it, or alone."""
        stop = self._office_end(at) if self._begins_office(at) else None
        if stop is None:
            return None
        if name := self._name_behind(stop):
            return self._person(*name, self._trimmed(at, stop), name[1], first=at), name[1]
        if far := self._name_beyond(stop):
            return self._person(far[0], far[1], self._trimmed(at, far[2]), far[1], first=at), far[1]
        if stop > at + 1:
            return self._mention(at, stop, "role"), stop
        short = self.words[at].key.removeprefix("و") in SHORT
        return (self._mention(at, stop, "short"), stop) if short else None

    def _body(self, at: int) -> tuple[ActorMention, int] | None:
        """A ministry, a government, a movement, a delegation."""
        key, particle = self._head(at, BODIES | _DELEGATION_HEADS | _PEOPLE_HEADS)
        if key is None:
            return None
        stop = self._body_end(at)
        kind: MentionKind = "delegation" if key in _DELEGATION_HEADS else "people" if key in _PEOPLE_HEADS else "body"
        if stop == at + 1:
            if key not in SHORT:
                return None
            kind = "short"
        mention = self._mention(at, stop, kind)
        return self._cut(mention, at, particle), stop

    def _country(self, at: int) -> tuple[ActorMention, int] | None:
        stop = self.row.countries.get(at)
        if stop is None or at not in self.row.named:
            return None
        mention = self._mention(at, stop, "country")
        country = next((one for one in self.line.countries if one.start >= self.words[at].start), None)
        if country is None or country.end > self.words[stop - 1].end:
            return None
        text = self.line.text[country.start : country.end]
        if is_adjective(fold(text)):
            return None
        start = self.line.start + country.start
        name = f"ا{text}" if text.startswith("ل") and f"ا{text}" in self.line.article else text
        return replace(mention, start=start, text=text, name=name, particle=fold(country.particles)), stop

    def _person(self, at: int, stop: int, office: str | None, end: int, first: int | None = None) -> ActorMention:
        first = at if first is None else first
        name = self.line.piece(at, stop)
        mention = self._mention(first, max(end, stop), "person")
        return replace(
            mention,
            name=strip_titles(name),
            office=office,
            organization=organization_of(office),
            country=self._code(office),
        )

    def _mention(self, at: int, stop: int, kind: MentionKind) -> ActorMention:
        skip = raw_length(self.words[at].raw, self._glued(at)) if kind in {"role", "person"} else 0
        start, end = self.line.start + self.words[at].start + skip, self.line.start + self.words[stop - 1].end
        if kind == "body" and self.line.article[end : end + 1] in {'"', "”", "»"} and self.line.is_quoted(stop - 1):
            end += 1
        text = self.line.article[start:end]
        office = text if kind == "role" else None
        particle = self.words[at].key[: self._glued(at)] if skip else ""
        return ActorMention(start, end, text, kind, text, office, organization_of(office), self._code(text), particle)

    def _code(self, text: str | None) -> str | None:
        return country_of(text, article=self.line.article)
