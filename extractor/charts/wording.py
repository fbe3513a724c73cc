"""Wording: what figures are called and labelled in Arabic, English and French."""

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
    """The words of one language."""

    language: str
    texts: Mapping[str, Any]

    @property
    def mirrored(self) -> bool:
        """Whether a reader begins at the right."""
        return self.language in RIGHT_TO_LEFT

    def title(self, figure: str) -> str:
        """What a figure is called."""
        return str(self.texts[figure])

    def say(self, kind: str, name: str) -> str:
        """A term of a closed list; one that came later, as it is."""
        return str(self.texts[kind].get(name, name.replace("_", " ")))

    def columns(self, *names: str) -> tuple[str, ...]:
        """Headings of a table."""
        return tuple(self.say("column", name) for name in names)

    def notes(self, **counts: int) -> tuple[str, ...]:
        """What a picture does not show; nothing where it shows all."""
        return tuple(self.say("note", name).format(n=self.number(count)) for name, count in counts.items() if count)

    def number(self, count: int) -> str:
        """A number, thousands set apart as the language does."""
        return f"{count:,}".replace(",", "\u00a0" if self.language == "fr" else ",")

    def country(self, code: str | None) -> str:
        """A country's name; EU and UN as well."""
        if code is None:
            return self.say("term", "no_country")
        return str(_locale(self.language).territories.get(code, code))

    def tongue(self, code: str | None) -> str:
        """A language's name."""
        if code is None:
            return self.say("term", "no_language")
        return str(_locale(self.language).languages.get(code, code))


@cache
def wording(language: str) -> Wording:
    """The words of a language.

    Raises:
        UsageError: there are none.
    """
    known = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    if language not in known:
        raise UsageError(f"language {language!r}: figures speak {', '.join(sorted(known))}")
    return Wording(language, known[language])


@cache
def _locale(language: str) -> Any:
    from babel import Locale

    return Locale(language)
