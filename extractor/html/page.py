"""Render a page: a template with its styles and scripts inline, and a policy that lets nothing else run.

Text of articles and models enters a page in two ways only: through Jinja's escaping, or as JSON in a script element
that is not executed. The policy allows style and script by their hashes, so that a changed script does not run.
"""

import base64
import hashlib
import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final, Literal

from babel import Locale
from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from mahdar.charts.wording import wording
from mahdar.html.payload import safe_json

Language = Literal["en", "ar", "fr"]
LANGUAGES: Final[Mapping[Language, str]] = {"en": "English", "ar": "العربية", "fr": "Français"}
RIGHT_TO_LEFT: Final = frozenset({"ar", "dv", "fa", "he", "ku", "ps", "sd", "ug", "ur", "yi"})
"""Primary subtags of languages that are written from right to left."""

# Bidirectional and other invisible controls, which are shown by their code points.
_CONTROLS: Final = re.compile(
    "[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f\ufff9-\ufffb]"
)
_GAP: Final = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class PageSource:
    """A template, styles and scripts, each a file of a package."""

    package: str
    template: str
    styles: Sequence[str]
    scripts: Sequence[str]
    calls: bool = False
    """whether the script sends requests to the page's own server"""

    @property
    def style(self) -> str:
        """All styles, concatenated."""
        return "\n".join(_packaged(name, self.package) for name in self.styles)

    @property
    def script(self) -> str:
        """All scripts, concatenated."""
        return "\n".join(_packaged(name, self.package) for name in self.scripts)

    @property
    def policy(self) -> str:
        """Content-Security-Policy that allows this style, this script, inline pictures, and no other server."""
        own = "; connect-src 'self'" if self.calls else ""
        return (
            f"default-src 'none'; script-src {_hash(self.script)}; style-src {_hash(self.style)}; img-src data:; "
            f"base-uri 'none'; form-action 'none'{own}"
        )


def render(source: PageSource, *, language: Language, **values: Any) -> str:
    """Render a page to HTML.

    Args:
        source: template, styles and scripts.
        language: of the interface when the page opens.
        values: variables of the template; all are escaped.
    """
    template = _environment(source.package).get_template(source.template)
    return template.render(
        policy=source.policy,
        style=Markup(source.style),  # noqa: S704  # the package's own
        script=Markup(source.script),  # noqa: S704
        interface=Markup(safe_json(interface())),  # noqa: S704  # escaped for a script element
        languages=LANGUAGES,
        language=language,
        direction="rtl" if language in RIGHT_TO_LEFT else "ltr",
        t=_Interface(language),
        **values,
    )


@cache
def interface() -> Mapping[str, Mapping[str, str]]:
    """Load the texts of the interface: language → name → text."""
    own = tomllib.loads(_packaged("interface.toml", __package__))
    shared = {language: wording(language).texts for language in LANGUAGES}  # with figures: the terms of closed lists
    terms = {
        language: {kind: texts[kind] for kind in ("kind", "act", "topic", "polarity")}
        for language, texts in shared.items()
    }
    return {language: dict((*_flat(terms[language]), *_flat(own[language]))) for language in LANGUAGES}


def visible(text: str) -> str:
    """Write out directional and invisible controls of a text, so that they cannot change its visible order."""
    return _CONTROLS.sub(lambda found: f"⟦U+{ord(found[0]):04X}⟧", text)


def foreign(text: object) -> Markup:
    """Escape a text of an article or a model, and isolate its direction."""
    return Markup('<bdi dir="auto">{}</bdi>').format(visible(str(text)))


def numeral(text: str) -> Markup:
    """Mark a number or a range as left to right in every language."""
    return Markup('<bdi dir="ltr">{}</bdi>').format(text)


def data_uri(svg: str) -> str:
    """Return an SVG as a data URI for an image element, where its scripts cannot run."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode("ascii")


@dataclass(frozen=True, slots=True)
class _Interface:
    """Texts of the interface, marked up so that the script can change their language."""

    language: Language

    def __call__(self, name: str, **given: object) -> Markup:
        readable = name.rpartition(".")[2].replace("_", " ")
        words = interface()[self.language].get(_counted(self.language, name, given.get("count")), readable)
        arguments = Markup(' data-args="{}"').format(json.dumps(given, ensure_ascii=False)) if given else ""
        filled = Markup("").join(_filled(words, given))
        return Markup('<span data-t="{}"{}>{}</span>').format(name, arguments, filled)


def _counted(language: Language, name: str, count: object) -> str:
    """Return the name of the plural form for a count, by CLDR's rules; the name itself if it has no such form."""
    if not isinstance(count, int):
        return name
    form = f"{name}.{Locale.parse(language).plural_form(count)}"
    return form if form in interface()[language] else name


def _filled(words: str, given: Mapping[str, object]) -> Iterator[str | Markup]:
    """Yield a text with its arguments filled in, each isolated so that signs and brackets stay on their side."""
    for at, part in enumerate(_GAP.split(words)):
        if at % 2:
            text = f"{given[part]:,}" if isinstance(given[part], int) else str(given[part])
            yield Markup('<bdi dir="{}">{}</bdi>').format("auto" if any(map(str.isalpha, text)) else "ltr", text)
        else:
            yield part


def _flat(texts: Mapping[str, Any], start: str = "") -> Iterator[tuple[str, str]]:
    """Yield nested texts by dotted name: `theme.dark`; the key `_` stands for its parent, `theme`."""
    for name, text in texts.items():
        whole = start + name
        if isinstance(text, Mapping):
            yield from _flat(text, f"{whole}.")
        else:
            yield whole.removesuffix("._"), text


def _hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
    return f"'sha256-{digest}'"


@cache
def _packaged(name: str, package: str) -> str:
    """Read a file of the given package, or else of this one, whose parts pages share."""
    for place in (package, __package__):
        file = files(place) / name
        if file.is_file():
            return file.read_text(encoding="utf-8").replace("\r\n", "\n")
    raise FileNotFoundError(name)


@cache
def _environment(package: str) -> Environment:
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=FunctionLoader(lambda name: _packaged(name, package)),
    )
    environment.filters.update(foreign=foreign, visible=visible)
    return environment
