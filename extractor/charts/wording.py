"""Titles and labels of figures in Arabic, English and French."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from mahdar.errors import UsageError

_FILE: Final = Path(__file__).with_name("wording.toml")
RIGHT_TO_LEFT: Final = frozenset({"ar"})


@dataclass(frozen=True, slots=True)
class Wording:
    """Texts of one language."""

    language: str
    texts: Mapping[str, Any]

    @property
    def mirrored(self) -> bool:
        """Whether the language is written from right to left."""
        return self.language in RIGHT_TO_LEFT

    def title(self, figure: str) -> str:
        """Return the title of a figure."""
        return str(self.texts[figure])

    def say(self, kind: str, name: str) -> str:
        """Return the text of a term of a closed list; an unknown term is returned with spaces for underscores."""
        return str(self.texts[kind].get(name, name.replace("_", " ")))

    def columns(self, *names: str) -> tuple[str, ...]:
        """Return headings of a table."""
        return tuple(self.say("column", name) for name in names)

    def notes(self, **counts: int) -> tuple[str, ...]:
        """Return a note for each count that is not 0."""
        return tuple(self.say("note", name).format(n=self.number(count)) for name, count in counts.items() if count)

    def number(self, count: int) -> str:
        """Format a number with the language's thousands separator."""
        return f"{count:,}".replace(",", "\u00a0" if self.language == "fr" else ",")

    def country(self, code: str | None) -> str:
        """Return the name of a country, EU or UN; None is the text for no country."""
        if code is None:
            return self.say("term", "no_country")
        return str(_locale(self.language).territories.get(code, code))

    def tongue(self, code: str | None) -> str:
        """Return the name of a language; None is the text for no language."""
        if code is None:
            return self.say("term", "no_language")
        return str(_locale(self.language).languages.get(code, code))


@cache
def wording(language: str) -> Wording:
    """Load the texts of a language.

    Raises:
        UsageError: figures do not have this language.
    """
    known = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    if language not in known:
        raise UsageError(f"language {language!r}: figures have {', '.join(sorted(known))}")
    return Wording(language, known[language])


@cache
def _locale(language: str) -> Any:
    from babel import Locale

    return Locale(language)
