"""The source: one article as everything after the completion sees it."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain, islice
from typing import Final

from mahdar.documents.boilerplate import in_noise
from mahdar.documents.numbered import numbered_sentences
from mahdar.documents.sentences import Sentence, sentences
from mahdar.grounding.forms import content_words, forms, name_forms, name_words, stems, words_of
from mahdar.grounding.ground import PHRASE, Ground, Miss, Span, ground_of, shortened

SUPPORTED: Final = 0.6
"""Share of a clause's content words that neighbouring sentences must have: the rest is for other words that say it."""
BORNE: Final = 2
"""Content words that a sentence must have in common with a record of which it is evidence."""


@dataclass(frozen=True)
class Source:
    """An article's text and what is known about it."""

    text: str
    published_at: dt.date | None = None
    examples: tuple[Ground, ...] = field(default=(), repr=False)
    """the articles of few-shot examples: a model may copy from them"""
    shown: range | None = None
    """the numbers of the sentences that were shown; None for all"""

    @cached_property
    def ground(self) -> Ground:
        """For finding quotes and phrases."""
        return ground_of(self.text)

    @cached_property
    def sentences(self) -> tuple[Sentence, ...]:
        """The numbered sentences of the body; the first has the number 1."""
        return numbered_sentences(self.text)

    @cached_property
    def numbers(self) -> range:
        """The numbers of the sentences that were shown."""
        return range(1, len(self.sentences) + 1) if self.shown is None else self.shown

    def showing(self, numbers: range) -> "Source":
        """The same article, of which only the sentences of these numbers were shown, and can be cited."""
        return self if numbers == self.numbers else replace(self, shown=numbers)

    @cached_property
    def countries(self) -> frozenset[str]:
        """The codes of all countries that the article mentions in any form."""
        from mahdar.resolving.places import countries_in

        return countries_in(self.text)

    def find_quote(self, quote: str) -> Span | None:
        """Where a quote stands; in the body where it stands there too, else in a headline or caption."""
        found = list(self.ground.find_all(shortened(quote)))
        in_body = (span for span in found if not in_noise(self.text, span.start))
        return next(in_body, found[0] if found else None)

    def why_not(self, quote: str) -> str | None:
        """Why a quote is no evidence; None where it is."""
        quote = shortened(quote)
        if self.ground.find(quote) is not None:
            return None
        if any(example.find(quote) for example in self.examples):
            return "comes from a few-shot example, not from the article"
        return str(self.ground.why_not(quote) or Miss.ABSENT)

    def phrase(self, words: str) -> str | None:
        """The words as the article spells them, or None where it has them nowhere.

        «للتبادل» is «التبادل» after «ل»: there the words stay as they were asked for.
        """
        if words not in self._phrases:
            self._phrases[words] = self._find_phrase(words)
        return self._phrases[words]

    def has_phrase(self, words: str) -> bool:
        """Whether it holds these words in this order, clitics and spelling conventions aside."""
        return self.phrase(words) is not None

    def has_name(self, name: str) -> bool:
        """Whether it holds a name: as it is, or each word of it, in any form, in one sentence.

        A country is named by its adjective too: «وساطة قطرية» is Qatar's.
        """
        if name not in self._names:
            self._names[name] = self._has_name(name)
        return self._names[name]

    def _has_name(self, name: str) -> bool:
        if self.has_phrase(name) or self._is_country(name):
            return True
        wanted = [name_forms(word) for word in name_words(name)]
        return bool(wanted) and any(
            not any(one.isdisjoint(known) for one in wanted) for known in self._forms_by_sentence
        )

    def supports(self, clause: str, names: Iterable[str] = ()) -> bool:
        """Whether a clause is made of the words of a sentence and its two neighbours, inflection aside.

        Args:
            clause: in a drafter's words.
            names: of actors, which the clause may hold in place of pronouns.
        """
        key = clause, tuple(names)
        if key not in self._supported:
            self._supported[key] = self._supports(*key)
        return self._supported[key]

    def _supports(self, clause: str, names: Iterable[str]) -> bool:
        if self.has_phrase(clause):
            return True
        words = set(content_words(clause))
        said = words.difference(*map(content_words, names)) or words
        counts = Counter(chain.from_iterable(map(self._near, said)))
        return bool(words) and max(counts.values(), default=0) >= SUPPORTED * len(said)

    def bearing(self, numbers: Iterable[int], names: Iterable[str], texts: Iterable[str]) -> frozenset[int]:
        """Those of the numbered sentences that have words in common with a record, inflection aside.

        The last word of somebody's full name is enough: the news call them by it.

        Args:
            numbers: of sentences; those that do not exist are passed over.
            names: of the record's actors.
            texts: of the record.
        """
        named = [words for words in map(content_words, names) if words]
        words = {word: stems(word) for one in (*named, *map(content_words, texts)) for word in one}
        last = [stems(one[-1]) for one in named if len(one) > 1]
        enough = min(BORNE, len(words))

        def bears(number: int) -> bool:
            there = self._stems_of(number)
            if any(not there.isdisjoint(one) for one in last):
                return True
            common = (one for one in words.values() if not there.isdisjoint(one))
            return sum(1 for _ in islice(common, enough)) == enough

        return frozenset(number for number in numbers if 0 < number <= len(self.sentences) and bears(number))

    def _near(self, word: str) -> frozenset[int]:
        """The indices of the sentences that have a word, or stand beside one that has it."""
        if word not in self._near_by_word:
            found = {index for stem in stems(word) for index in self._indices_by_stem.get(stem, ())}
            self._near_by_word[word] = frozenset(near for index in found for near in (index - 1, index, index + 1))
        return self._near_by_word[word]

    def _stems_of(self, number: int) -> frozenset[str]:
        """The stems of a numbered sentence's words, put together once."""
        if number not in self._stems_by_number:
            sentence = self.sentences[number - 1]
            words = content_words(self.text[sentence.start : sentence.end])
            self._stems_by_number[number] = frozenset(stem for word in words for stem in stems(word))
        return self._stems_by_number[number]

    @cached_property
    def _stems_by_number(self) -> dict[int, frozenset[str]]:
        return {}

    @cached_property
    def _near_by_word(self) -> dict[str, frozenset[int]]:
        return {}

    @cached_property
    def _indices_by_stem(self) -> Mapping[str, set[int]]:
        found: dict[str, set[int]] = {}
        for index, one in enumerate(sentences(self.text)):
            for word in content_words(self.text[one.start : one.end]):
                for stem in stems(word):
                    found.setdefault(stem, set()).add(index)
        return found

    @cached_property
    def _supported(self) -> dict[tuple[str, tuple[str, ...]], bool]:
        """What was looked up already, as `_phrases`."""
        return {}

    @cached_property
    def _names(self) -> dict[str, bool]:
        """What was looked up already, as `_phrases`."""
        return {}

    @cached_property
    def _phrases(self) -> dict[str, str | None]:
        """What was looked up already: an actor is, for each record that names it."""
        return {}

    def _find_phrase(self, words: str) -> str | None:
        span = self.ground.find(words, rule=PHRASE)
        if span:
            return self.text[span.start : span.end]
        assimilated = words.startswith("ال") and self.ground.find(f"لل{words[2:]}", rule=PHRASE)
        return words if assimilated else None

    def _is_country(self, name: str) -> bool:
        """Whether it is the name of a country that the article mentions in some form."""
        from mahdar.resolving.countries import CountryForm, country_mentions

        return any(
            one.kind is CountryForm.NAME and one.end - one.start == len(name) and one.code in self.countries
            for one in country_mentions(name)
        )

    @cached_property
    def _forms_by_sentence(self) -> tuple[frozenset[str], ...]:
        return tuple(
            frozenset(form for word in words_of(self.text[one.start : one.end]) for form in forms(word))
            for one in sentences(self.text)
        )
