"""Find, read and render prompt templates and their examples."""

import hashlib
import json
import stat
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
"""The size of models that a template is written for."""
STANDARD, SMALL = get_args(Size)
ARTICLE, SENTENCES, TASKS, FIELDS = "article", "sentences", "tasks", "fields"
"""The variables of a template: the article's text, its numbered sentences, the tasks, and their fields."""
SHOWN: Final = 200
"""Characters of an error in a template's code that a message shows."""
_ACTORS: Final = "actors"

Message = Mapping[str, str]
Shown = Callable[[str], Mapping[str, str]]
"""A function from an article's text to the template's variables of the article."""


class TemplateError(ValueError):
    """A template or example file cannot be used; the message names the file, the place and the remedy."""


_Names = Annotated[tuple[str, ...], Field(strict=False)]  # TOML has lists, not tuples
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
    """An example file: `{"article": …, "answer": {…}}`."""

    article: str
    answer: dict[str, list[dict[str, Any]]]

    @field_validator("answer")
    @classmethod
    def _actors_have_ids(cls, answer: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
        if not all(isinstance(actor.get("id"), str) for actor in answer.get(_ACTORS, ())):
            raise ValueError("each of the actors needs an id, which is a text")
        return answer


@dataclass(frozen=True, slots=True)
class Example:
    """A few-shot example: an article, and the perfect answer for every task of the template."""

    name: str
    article: str
    answer: Mapping[str, Any]

    def answer_to(self, fields: Sequence[str]) -> Mapping[str, Any]:
        """Return the part of the answer for some of its lists: these, and the actors to which they refer."""
        lists = {name: self.answer[name] for name in fields if name in self.answer}
        if _ACTORS not in self.answer:
            return lists
        cited = frozenset(_strings(lists))
        return {_ACTORS: [actor for actor in self.answer[_ACTORS] if actor["id"] in cited], **lists}


@dataclass(frozen=True, eq=False)
class Prompt:
    """A version of a template.

    Attributes:
        name: the name of its folder.
        version: the number in its file name.
        tasks: the tasks that it answers in one request.
        description: what it asks for.
        language: the language of its instructions.
        changed: what this version changed.
        text: the template.
        examples: the few-shot examples.
        path: the file.
        size: the size of models that it is written for: `standard` or `small`.
        passage: estimated tokens of an article in one request; None for as many as the model reads.
        optional: fields of records to ask for among those with a default; None for all.
        most: maximum of a list's members in an answer; None for the schema's own.
        ready: whether it is used when no version is given.
    """

    name: str
    version: int
    tasks: tuple[str, ...]
    description: str
    language: str
    changed: str
    text: str
    examples: tuple[Example, ...]
    path: Path
    size: str = STANDARD
    passage: int | None = None
    optional: tuple[str, ...] | None = None
    most: int | None = None
    ready: bool = True

    @property
    def ref(self) -> str:
        """`name@version`."""
        return f"{self.name}@{self.version}"

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the template's text and examples, without its front matter."""
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
            raise TemplateError(f"{self.path}: {place}: {_describe(error)}; correct the template") from error

    def render_prefix(self, fields: Sequence[str], values: Mapping[str, Any], shown: Shown) -> tuple[Message, ...]:
        """Render the messages before the article: instructions, and each example as a question and its answer.

        They are the same for every article, so that an endpoint's prefix cache can serve them.

        Args:
            fields: the names of the answer's lists.
            values: the template's variables other than those of an article.
            shown: returns the variables of an example's article.
        """
        messages = [self._render_block("system", values)]
        for example in self.examples:
            answer = json.dumps(example.answer_to(fields), ensure_ascii=False, separators=(",", ":"))
            messages += [
                self.render_question(shown(example.article), values),
                {"role": "assistant", "content": answer},
            ]
        return tuple(messages)

    def render_question(self, article: Mapping[str, str], values: Mapping[str, Any]) -> Message:
        """Render the last message, which shows an article. Its text is a value, never part of the template."""
        return self._render_block("user", {**values, **article})

    def _render_block(self, role: str, values: Mapping[str, Any]) -> Message:
        block = self._template.blocks.get(role)
        if block is None:
            raise TemplateError(f"{self.path}: no block {role!r}; write {{% block {role} %}}…{{% endblock %}}")
        try:
            content = "".join(block(self._template.new_context(dict(values))))
        except Exception as error:  # its expressions may raise anything
            raise TemplateError(f"{self.path}: block {role!r}: {_describe(error)}; correct the template") from error
        return {"role": role, "content": content.strip()}


def delimited(text: str) -> str:
    """Put an article between tags that it cannot close: if it contains the closing tag, the tags have its hash."""
    fence = ARTICLE
    if f"</{ARTICLE}" in text.casefold():
        fence += "-" + hashlib.sha256(text.encode("utf-8")).hexdigest()[:8]
    return f"<{fence}>\n{text}\n</{fence}>"


class PromptLibrary:
    """The built-in templates and those in given folders; of the same version, that in the last folder counts."""

    def __init__(self, *folders: Path) -> None:
        self._folders = (BUILT_IN, *folders)
        self._read: dict[Path, Prompt] = {}

    def __iter__(self) -> Iterator[Prompt]:
        """Iterate over all prompts by name and version."""
        return iter(sorted(self._newest_last(), key=lambda prompt: (prompt.name, prompt.version)))

    def get(self, ref: str, size: str = STANDARD) -> Prompt:
        """Return the template for a task.

        Args:
            ref: `task` or `task@version`, or a template's `name` or `name@version`.
            size: the preferred size: `standard` or `small`.

        Returns:
            The newest ready template, or that of the version, in the last folder that has one.

        Raises:
            TemplateError: there is none; the message lists the templates.
        """
        task, _, version = ref.partition("@")
        of_task = [prompt for prompt in self._newest_last() if task in prompt.tasks or task == prompt.name]
        fitting = [prompt for prompt in of_task if (str(prompt.version) == version if version else prompt.ready)]
        if not fitting:
            known = ", ".join(f"{prompt.ref} ({', '.join(prompt.tasks)})" for prompt in self)
            raise TemplateError(f"prompt {ref!r}: not found; there are {known}; --prompts DIR adds your own")
        return ([prompt for prompt in fitting if prompt.size == size] or fitting)[-1]

    def read(self, path: Path) -> Prompt:
        """Read a template file with its examples, once."""
        if path not in self._read:
            self._read[path] = read_prompt(path)
        return self._read[path]

    def _newest_last(self) -> list[Prompt]:
        """Return all prompts by folder, and in each by version."""
        newest: dict[str, Prompt] = {}
        for folder in self._folders:
            prompts = map(self.read, folder.glob("*/v*.md"))
            for prompt in sorted(prompts, key=lambda prompt: (prompt.version, prompt.name)):
                newest.pop(prompt.ref, None)
                newest[prompt.ref] = prompt
        return list(newest.values())


def read_prompt(path: Path) -> Prompt:
    """Read a template file with its examples.

    Raises:
        TemplateError: the front matter, a field of it, or an example is missing or invalid.
    """
    parts = _read(path).split(f"{FRONT}\n", 2)
    if len(parts) != 3 or parts[0].strip():
        raise TemplateError(f"{path}: begins without front matter; write TOML between two lines of {FRONT}")
    try:
        front = FrontMatter.model_validate(tomllib.loads(parts[1]))
    except tomllib.TOMLDecodeError as error:
        raise TemplateError(f"{path}: front matter: {error}; write TOML") from None
    except ValidationError as error:
        raise TemplateError(
            f"{path}: front matter: {_describe_problems(error)}; prompts/README.md lists the keys"
        ) from None
    if f"v{front.version}" != path.stem:
        raise TemplateError(f"{path}: its version does not match the file's name; expected v{front.version}.md")
    examples = tuple(_read_example(path.parent / name) for name in front.examples)
    return Prompt(**dict(front) | {"examples": examples}, name=path.parent.name, text=parts[2], path=path)


def _read_example(path: Path) -> Example:
    try:
        example = _ExampleFile.model_validate_json(_read(path))
    except ValidationError as error:
        problems = _describe_problems(error)
        raise TemplateError(f"{path}: no example: {problems}; write an object with 'article' and 'answer'") from None
    return Example(path.stem, example.article, example.answer)


def _read(path: Path) -> str:
    """Read a file of UTF-8, with or without a byte order mark."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # reading a pipe would wait for its writer
            raise TemplateError(f"{path}: is no regular file")
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        said = (
            "is a link to a file that is not there" if path.is_symlink() else "named in the front matter, but not there"
        )
        raise TemplateError(f"{path}: {said}") from None
    except OSError as error:
        raise TemplateError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise TemplateError(f"{path}: is no UTF-8 from byte {error.start} on; save it as UTF-8") from None


def _describe_problems(error: ValidationError) -> str:
    """Describe the problems on one line, each with its place."""
    details = error.errors(include_url=False, include_input=False)
    return "; ".join(f"{'.'.join(map(str, detail['loc'])) or 'as a whole'}: {detail['msg']}" for detail in details)


def _describe(error: Exception) -> str:
    """Describe an error of a template's code on one line."""
    message = " ".join(str(error).split())[:SHOWN]
    return message if type(error).__module__.startswith("jinja2") else f"{type(error).__name__}: {message}"


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)
