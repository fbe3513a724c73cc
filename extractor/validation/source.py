"""Check a draft's names, phrases, clauses and quotes against the article."""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, wraps
from itertools import chain, islice
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

from mahdar.documents.boilerplate import in_noise
from mahdar.documents.numbered import numbered_sentences
from mahdar.documents.sentences import Sentence, sentences
from mahdar.grounding.forms import content_words, essential_words, folded_words, forms, name_forms, stems
from mahdar.grounding.ground import PHRASE, Ground, Miss, Span, ground_of, shortened

SUPPORTED: Final = 0.6
"""Share of a clause's content words that neighbouring sentences must have; the rest may be worded differently."""
BORNE: Final = 2
"""Content words that a sentence must share with a record to be its evidence."""

VOCALISED: Final = 3
"""Characters of a fully vocalised word for each of a bare one, at most: a longer text cannot be the article's."""

P = ParamSpec("P")
T = TypeVar("T")


def _memoized(method: Callable[Concatenate["Source", P], T]) -> Callable[Concatenate["Source", P], T]:
    """Keep a method's results in its instance, by the positional arguments: many records name the same actor."""

    @wraps(method)
    def memoized(self: "Source", /, *args: P.args, **kwargs: P.kwargs) -> T:
        results = self._results.setdefault(method.__name__, {})
        if args not in results:
            results[args] = method(self, *args, **kwargs)
        result: T = results[args]
        return result

    return memoized


@dataclass(frozen=True)
class Source:
    """An article that drafts are checked against.

    Attributes:
        text: the article as written.
        published_at: the day of publication; None if unknown.
        examples: the articles of few-shot examples, from which a model may wrongly copy.
        shown: the numbers of the sentences that the model was shown; None for all.
    """

    text: str
    published_at: dt.date | None = None
    examples: tuple[Ground, ...] = field(default=(), repr=False)
    shown: range | None = None
    _results: dict[str, dict[tuple[Any, ...], Any]] = field(default_factory=dict, init=False, repr=False, compare=False)

    @cached_property
    def ground(self) -> Ground:
        """The article as text in which quotes are found."""
        return ground_of(self.text)

    @cached_property
    def sentences(self) -> tuple[Sentence, ...]:
        """The sentences of the body; the first one is number 1."""
        return numbered_sentences(self.text)

    @cached_property
    def numbers(self) -> range:
        """The numbers of the sentences that the model was shown."""
        return range(1, len(self.sentences) + 1) if self.shown is None else self.shown

    def showing(self, numbers: range) -> "Source":
        """Return the article with only these sentences shown, so that no others can be cited."""
        return self if numbers == self.numbers else replace(self, shown=numbers)

    @cached_property
    def countries(self) -> frozenset[str]:
        """The codes of the countries that the article mentions in any form."""
        from mahdar.resolving.places import countries_in

        return countries_in(self.text)

    def find_quote(self, quote: str) -> Span | None:
        """Return where a quote stands, in the body if possible, else in a headline or caption; None if nowhere."""
        spans = list(self.ground.find_all(shortened(quote)))
        in_body = (span for span in spans if not in_noise(self.text, span.start))
        return next(in_body, spans[0] if spans else None)

    def why_not(self, quote: str) -> str | None:
        """Return why a quote is not evidence; None if it is."""
        quote = shortened(quote)
        if self.ground.find(quote) is not None:
            return None
        if any(example.find(quote) for example in self.examples):
            return "comes from a few-shot example, not from the article"
        return str(self.ground.why_not(quote) or Miss.ABSENT)

    def may_have(self, text: str) -> bool:
        """Whether a text is short enough to stand in the article in some spelling; what is not is never searched."""
        return len(text) <= VOCALISED * len(self.text)

    @_memoized
    def phrase(self, words: str) -> str | None:
        """Return words as the article spells them; None if it does not have them.

        «التبادل» after «ل» is «للتبادل»: there the words are returned as given.
        """
        if not self.may_have(words):
            return None
        span = self.ground.find(words, rule=PHRASE)
        if span:
            return self.text[span.start : span.end]
        assimilated = words.startswith("ال") and self.ground.find(f"لل{words[2:]}", rule=PHRASE)
        return words if assimilated else None

    def has_phrase(self, words: str) -> bool:
        """Whether the article has these words in this order, apart from clitics and spelling conventions."""
        return self.phrase(words) is not None

    @_memoized
    def has_name(self, name: str) -> bool:
        """Whether the article has a name: as it is, or each of its words, in any form, in one sentence.

        A country is also named by its adjective: «وساطة قطرية» names Qatar.
        """
        if not self.may_have(name):
            return False
        if self.has_phrase(name) or self._is_country(name):
            return True
        words = [name_forms(word) for word in essential_words(name)]
        return bool(words) and any(
            not any(word.isdisjoint(sentence) for word in words) for sentence in self._forms_by_sentence
        )

    def supports(self, clause: str, names: Iterable[str] = ()) -> bool:
        """Whether a clause consists of words of a sentence and its two neighbours, in any inflection.

        Args:
            clause: the clause in a drafter's words.
            names: names of actors, which the clause may have instead of pronouns.
        """
        return self._supports(clause, tuple(filter(self.may_have, names)))

    @_memoized
    def _supports(self, clause: str, names: tuple[str, ...]) -> bool:
        if not self.may_have(clause):
            return False
        if self.has_phrase(clause):
            return True
        words = set(content_words(clause))
        words = words.difference(*map(content_words, names)) or words
        counts = Counter(chain.from_iterable(map(self._near, words)))
        return bool(words) and max(counts.values(), default=0) >= SUPPORTED * len(words)

    def bearing(self, numbers: Iterable[int], names: Iterable[str], texts: Iterable[str]) -> frozenset[int]:
        """Return those of the numbered sentences that share words with a record, in any inflection.

        `BORNE` content words are needed, or the last word of an actor's full name, by which news refer to persons. A
        text that is longer than the article counts as one word that no sentence has.

        Args:
            numbers: numbers of sentences; those that do not exist are ignored.
            names: names of the record's actors.
            texts: texts of the record.
        """
        texts = list(texts)
        searched = [text for text in texts if self.may_have(text)]
        name_words = [words for words in map(content_words, filter(self.may_have, names)) if words]
        by_word = {word: stems(word) for words in (*name_words, *map(content_words, searched)) for word in words}
        last_words = [stems(words[-1]) for words in name_words if len(words) > 1]
        needed = min(BORNE, len(by_word) + len(texts) - len(searched))

        def bears(number: int) -> bool:
            sentence = self._stems_of(number)
            if any(not sentence.isdisjoint(word) for word in last_words):
                return True
            shared = (word for word in by_word.values() if not sentence.isdisjoint(word))
            return sum(1 for _ in islice(shared, needed)) == needed

        return frozenset(number for number in numbers if 0 < number <= len(self.sentences) and bears(number))

    @_memoized
    def _near(self, word: str) -> frozenset[int]:
        """Return the indices of the sentences that have a word, and of their neighbours."""
        indices = {index for stem in stems(word) for index in self._indices_by_stem.get(stem, ())}
        return frozenset(near for index in indices for near in (index - 1, index, index + 1))

    @_memoized
    def _stems_of(self, number: int) -> frozenset[str]:
        """Return the stems of a numbered sentence's words."""
        sentence = self.sentences[number - 1]
        words = content_words(self.text[sentence.start : sentence.end])
        return frozenset(stem for word in words for stem in stems(word))

    @cached_property
    def _indices_by_stem(self) -> Mapping[str, set[int]]:
        indices: dict[str, set[int]] = {}
        for index, sentence in enumerate(sentences(self.text)):
            for word in content_words(self.text[sentence.start : sentence.end]):
                for stem in stems(word):
                    indices.setdefault(stem, set()).add(index)
        return indices

    def _is_country(self, name: str) -> bool:
        """Whether a name is that of a country that the article mentions in any form."""
        from mahdar.resolving.countries import CountryForm, country_mentions

        return any(
            mention.kind is CountryForm.NAME
            and mention.end - mention.start == len(name)
            and mention.code in self.countries
            for mention in country_mentions(name)
        )

    @cached_property
    def _forms_by_sentence(self) -> tuple[frozenset[str], ...]:
        return tuple(
            frozenset(form for word in folded_words(self.text[sentence.start : sentence.end]) for form in forms(word))
            for sentence in sentences(self.text)
        )
