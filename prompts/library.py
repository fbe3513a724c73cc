"""Templates and examples: found, read and rendered."""

import hashlib
import json
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

if TYPE_CHECKING:
    from jinja2 import Template

BUILT_IN: Final = Path(__file__).parent
FRONT: Final = "+++"
Size = Literal["standard", "small"]
"""For which models a template is written."""
STANDARD, SMALL = get_args(Size)
ARTICLE, SENTENCES, TASKS, FIELDS = "article", "sentences", "tasks", "fields"
"""The names that a template may use: the article's text; its numbered sentences; the tasks asked for; their fields."""
SHOWN: Final = 200
"""Characters of an error of a template's own code in the message."""
_ACTORS: Final = "actors"

Message = Mapping[str, str]
Shown = Callable[[str], Mapping[str, str]]
"""What a template is given of an article's text, by the template's names for it."""


class TemplateError(ValueError):
    """A template or example file that cannot be used; names the file, the place and the remedy."""


_Names = Annotated[tuple[str, ...], Field(strict=False)]  # TOML has lists; a text is none
_Number = Annotated[int, Field(ge=1)]


class FrontMatter(BaseModel):
    """The front matter of a template."""

    model_config = ConfigDict(extra="forbid", strict=True)

    tasks: Annotated[_Names, Field(min_length=1)]
    version: _Number
    description: str
    language: str
    changed: str
    examples: _Names = ()
    size: Size = "standard"
    passage: _Number | None = None
    optional: _Names | None = None
    most: _Number | None = None
    ready: bool = True


class _ExampleFile(BaseModel):
    """A file of the form `{"article": …, "answer": {…}}`."""

    article: str
    answer: dict[str, list[dict[str, Any]]]

    @field_validator("answer")
    @classmethod
    def _actors_have_ids(cls, answer: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
        if not all(isinstance(one.get("id"), str) for one in answer.get(_ACTORS, ())):
            raise ValueError("each of the actors needs an id, which is a text")
        return answer


@dataclass(frozen=True, slots=True)
class Example:
    """A few-shot example: an article, and what a perfect answer holds for every task of the template."""

    name: str
    article: str
    answer: Mapping[str, Any]

    def answer_to(self, fields: Sequence[str]) -> Mapping[str, Any]:
        """The answer to a request for some of the lists: those, and the actors that they mention."""
        lists = {name: self.answer[name] for name in fields if name in self.answer}
        if _ACTORS not in self.answer:
            return lists
        cited = frozenset(_strings(lists))
        return {_ACTORS: [one for one in self.answer[_ACTORS] if one["id"] in cited], **lists}


@dataclass(frozen=True, eq=False)
class Prompt:
    """One version of one template. Its hash covers template and examples: all that reaches the model."""

    name: str
    version: int
    tasks: tuple[str, ...]
    """that it answers in one request"""
    description: str
    language: str
    changed: str
    text: str
    examples: tuple[Example, ...]
    path: Path
    size: str = STANDARD
    """`standard` or `small`: for which models it is written"""
    passage: int | None = None
    """tokens of article in one request, by estimate; None for as many as the model reads"""
    optional: tuple[str, ...] | None = None
    """the fields of records that are asked for among those that may be left out; None for all"""
    most: int | None = None
    """members of a list in an answer; None for as many as the schema allows"""
    ready: bool = True
    """whether it is used without being asked for by its version"""

    @property
    def ref(self) -> str:
        """`name@version`."""
        return f"{self.name}@{self.version}"

    @cached_property
    def sha256(self) -> str:
        """Hash of the template's text and its examples, not of its front matter."""
        examples = [[example.article, example.answer] for example in self.examples]
        content = json.dumps([self.text, examples], ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(content.encode("utf-8")).hexdigest()

    @cached_property
    def _template(self) -> "Template":
        from jinja2 import StrictUndefined, TemplateSyntaxError
        from jinja2.sandbox import ImmutableSandboxedEnvironment

        sandbox = ImmutableSandboxedEnvironment(
            undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False
        )
        try:
            return sandbox.from_string(self.text)
        except Exception as error:  # a syntax error, or blocks nested deeper than Python can compile
            place = f"line {error.lineno}" if isinstance(error, TemplateSyntaxError) else "its blocks"
            raise TemplateError(f"{self.path}: {place}: {_said(error)}; correct the template") from error

    def before(self, fields: Sequence[str], values: Mapping[str, Any], shown: Shown) -> tuple[Message, ...]:
        """Render the turns before the last: instructions, and each example as a question and its answer.

        They are the same for every article, so that an endpoint's prefix cache pays for them once.

        Args:
            fields: the lists that are asked for.
            values: the template's names beside those of an article.
            shown: what the template is given of an example's article.
        """
        return tuple(self._before(fields, values, shown))

    def question(self, article: Mapping[str, str], values: Mapping[str, Any]) -> Message:
        """Render the last turn, which shows an article. Its text is delimited, and never read as template."""
        return self._message("user", {**values, **article})

    def _before(self, fields: Sequence[str], values: Mapping[str, Any], shown: Shown) -> Iterator[Message]:
        yield self._message("system", values)
        for example in self.examples:
            yield self.question(shown(example.article), values)
            answer = json.dumps(example.answer_to(fields), ensure_ascii=False, separators=(",", ":"))
            yield {"role": "assistant", "content": answer}

    def _message(self, role: str, values: Mapping[str, Any]) -> Message:
        block = self._template.blocks.get(role)
        if block is None:
            raise TemplateError(f"{self.path}: no block {role!r}; write {{% block {role} %}}…{{% endblock %}}")
        try:
            content = "".join(block(self._template.new_context(dict(values))))
        except Exception as error:  # whatever its expressions come to
            raise TemplateError(f"{self.path}: block {role!r}: {_said(error)}; correct the template") from error
        return {"role": role, "content": content.strip()}


def delimited(text: str) -> str:
    """Put an article between tags that it cannot close: where it tries, the tags carry its hash."""
    fence = ARTICLE
    if f"</{ARTICLE}" in text.casefold():
        fence += "-" + hashlib.sha256(text.encode("utf-8")).hexdigest()[:8]
    return f"<{fence}>\n{text}\n</{fence}>"


class PromptLibrary:
    """Every template under the given folders; a later folder's version replaces an earlier one's of the same number."""

    def __init__(self, *folders: Path) -> None:
        self._folders = (BUILT_IN, *folders)
        self._read: dict[Path, Prompt] = {}

    def __iter__(self) -> Iterator[Prompt]:
        """All prompts, by name, then by version."""
        return iter(sorted(self._newest_last(), key=lambda prompt: (prompt.name, prompt.version)))

    def get(self, ref: str, size: str = STANDARD) -> Prompt:
        """The template for a task.

        Args:
            ref: `task` or `task@version`, or a template's own `name` or `name@version`.
            size: for which models; a template of another size serves where there is none.

        Returns:
            Of several the one in the last folder given, and there the newest that is ready.

        Raises:
            TemplateError: there is none; says which there are.
        """
        task, _, version = ref.partition("@")
        of_task = [prompt for prompt in self._newest_last() if task in prompt.tasks or task == prompt.name]
        fitting = [prompt for prompt in of_task if (str(prompt.version) == version if version else prompt.ready)]
        if not fitting:
            known = ", ".join(f"{prompt.ref} ({', '.join(prompt.tasks)})" for prompt in self)
            raise TemplateError(f"prompt {ref!r}: not found; there are {known}")
        return ([prompt for prompt in fitting if prompt.size == size] or fitting)[-1]

    def read(self, path: Path) -> Prompt:
        """One template file with its examples."""
        if path not in self._read:
            self._read[path] = read_prompt(path)
        return self._read[path]

    def _newest_last(self) -> list[Prompt]:
        """All prompts, folder by folder, and in each by version."""
        found: dict[str, Prompt] = {}
        for folder in self._folders:
            prompts = map(self.read, folder.glob("*/v*.md"))
            for prompt in sorted(prompts, key=lambda prompt: (prompt.version, prompt.name)):
                found.pop(prompt.ref, None)
                found[prompt.ref] = prompt
        return list(found.values())


def read_prompt(path: Path) -> Prompt:
    """One template file with its examples.

    Raises:
        TemplateError: front matter, a named example, or a field is missing or wrong.
    """
    parts = _read(path).split(f"{FRONT}\n", 2)
    if len(parts) != 3 or parts[0].strip():
        raise TemplateError(f"{path}: begins without front matter; write TOML between two lines of {FRONT}")
    try:
        front = FrontMatter.model_validate(tomllib.loads(parts[1]))
    except tomllib.TOMLDecodeError as error:
        raise TemplateError(f"{path}: front matter: {error}; write TOML") from None
    except ValidationError as error:
        raise TemplateError(f"{path}: front matter: {_wrong(error)}; prompts/README.md lists the keys") from None
    if f"v{front.version}" != path.stem:
        raise TemplateError(f"{path}: its version does not match the file's name; expected v{front.version}.md")
    examples = tuple(_read_example(path.parent / name) for name in front.examples)
    return Prompt(**dict(front) | {"examples": examples}, name=path.parent.name, text=parts[2], path=path)


def _read_example(path: Path) -> Example:
    try:
        found = _ExampleFile.model_validate_json(_read(path))
    except ValidationError as error:
        said = _wrong(error)
        raise TemplateError(f"{path}: no example: {said}; write an object with 'article' and 'answer'") from None
    return Example(path.stem, found.article, found.answer)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise TemplateError(f"{path}: named in the front matter, but not there") from None
    except OSError as error:
        raise TemplateError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise TemplateError(f"{path}: is no UTF-8 from byte {error.start} on; save it as UTF-8") from None


def _wrong(error: ValidationError) -> str:
    """What does not hold, on one line: each place with what is wrong there."""
    found = error.errors(include_url=False, include_input=False)
    return "; ".join(f"{'.'.join(map(str, one['loc'])) or 'as a whole'}: {one['msg']}" for one in found)


def _said(error: Exception) -> str:
    """An error of a template's own code, on one line."""
    words = " ".join(str(error).split())[:SHOWN]
    return words if type(error).__module__.startswith("jinja2") else f"{type(error).__name__}: {words}"


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)
