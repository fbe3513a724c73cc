"""The words of the rules, read from the lexicon files: sorted, one a line, in groups."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from mahdar.resolving.names import GIVEN as FIRST_NAMES


@cache
def tables(file: str) -> Mapping[str, Any]:
    """Read a lexicon file of this folder, named without `.toml`."""
    return tomllib.loads((Path(__file__).parent / f"{file}.toml").read_text(encoding="utf-8"))


def word_group(group: str, file: str = "lexicon") -> frozenset[str]:
    """The words of a group, `TABLE.NAME`, of a lexicon file."""
    table, name = group.split(".")
    return frozenset(tables(file)[table][name])


def prefixes(group: str, file: str = "lexicon") -> tuple[str, ...]:
    """The words of a group in the form that `str.startswith` and `str.endswith` take."""
    return tuple(sorted(word_group(group, file)))


COMMON: Final = word_group("words.common")
BODIES: Final = word_group("words.bodies")
SHORT: Final = word_group("words.short")
TITLES: Final = word_group("words.titles")
DESCRIBING: Final = word_group("words.describing")
DEEDS: Final = word_group("words.deeds")
WORDS_TOO: Final = word_group("words.words_too")
GIVEN: Final = (FIRST_NAMES - WORDS_TOO) | word_group("words.given")
