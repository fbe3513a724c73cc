"""The words by which it is told who is mentioned in an Arabic article, read from `lexicon.toml`."""

import tomllib
from pathlib import Path
from typing import Final

from mahdar.resolving.names import GIVEN as FIRST_NAMES

_TABLES: Final = tomllib.loads(Path(__file__).with_name("lexicon.toml").read_text(encoding="utf-8"))

COMMON: Final = frozenset(_TABLES["common"])
BODIES: Final = frozenset(_TABLES["bodies"])
SHORT: Final = frozenset(_TABLES["short"])
TITLES: Final = frozenset(_TABLES["titles"])
DESCRIBING: Final = frozenset(_TABLES["describing"])
DEEDS: Final = frozenset(_TABLES["deeds"])
WORDS_TOO: Final = frozenset(_TABLES["words_too"])
GIVEN: Final = (FIRST_NAMES - WORDS_TOO) | frozenset(_TABLES["given"])
