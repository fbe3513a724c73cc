"""Templates and examples: found, read and rendered."""

import hashlib
import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Template

BUILT_IN = Path(__file__).parent
FRONT = "+++"
REQUIRED = ("task", "version", "description", "language", "changed")

Message = Mapping[str, str]


class TemplateError(ValueError):
    """A template or example file that cannot be used; names the file, the place and the remedy."""


@dataclass(frozen=True, slots=True)
class Example:
    """A few-shot example: an article and what a perfect answer holds."""

    name: str
    article: str
    answer: Mapping[str, Any]


@dataclass(frozen=True)
class Prompt:
    """One version of one task's prompt. Its hash covers template and examples: all that reaches the model."""

    task: str
    version: int
    description: str
    language: str
    changed: str
    text: str
    examples: tuple[Example, ...]
    path: Path

    @property
    def ref(self) -> str:
        """`task@version`."""
        return f"{self.task}@{self.version}"

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
        except TemplateSyntaxError as error:
            raise TemplateError(f"{self.path}: line {error.lineno}: {error.message}") from None

    def messages(self, article: str, values: Mapping[str, Any]) -> tuple[Message, ...]:
        """What is sent: instructions, each example as a turn, then the article.

        Everything before the article is the same for every article, so that a server's prefix cache pays for it once.
        """
        turns = [self._message("system", values)]
        for example in self.examples:
            turns.append(self._message("user", {**values, **_delimited(example.article)}))
            turns.append({"role": "assistant", "content": json.dumps(example.answer, ensure_ascii=False)})
        return (*turns, self._message("user", {**values, **_delimited(article)}))

    def _message(self, role: str, values: Mapping[str, Any]) -> Message:
        from jinja2 import TemplateError as JinjaError

        block = self._template.blocks.get(role)
        if block is None:
            raise TemplateError(f"{self.path}: no block {role!r}; write {{% block {role} %}}…{{% endblock %}}")
        try:
            content = "".join(block(self._template.new_context(dict(values))))
        except JinjaError as error:
            raise TemplateError(f"{self.path}: block {role!r}: {error.message}") from None
        return {"role": role, "content": content.strip()}


def _delimited(article: str) -> dict[str, str]:
    """The article as data, between tags that it cannot close: where it tries, the tags carry its hash."""
    fence = "article"
    if "</article" in article.casefold():
        fence += "-" + hashlib.sha256(article.encode("utf-8")).hexdigest()[:8]
    return {"article": f"<{fence}>\n{article}\n</{fence}>"}


class PromptLibrary:
    """Every prompt under the given folders; a later folder's version replaces an earlier one's of the same number."""

    def __init__(self, *folders: Path) -> None:
        self._folders = (BUILT_IN, *folders)
        self._read: dict[Path, Prompt] = {}

    def __iter__(self) -> Iterator[Prompt]:
        """All prompts, by task, then by version."""
        found = (self.read(path) for folder in self._folders for path in sorted(folder.glob("*/v*.md")))
        prompts = {(prompt.task, prompt.version): prompt for prompt in found}
        return iter(prompts[key] for key in sorted(prompts))

    def get(self, ref: str) -> Prompt:
        """The prompt called `task@version`, or the newest of `task`.

        Raises:
            TemplateError: no such prompt; says which there are.
        """
        task, _, version = ref.partition("@")
        of_task = [prompt for prompt in self if prompt.task == task]
        fitting = [prompt for prompt in of_task if not version or str(prompt.version) == version]
        if not fitting:
            known = ", ".join(prompt.ref for prompt in self)
            raise TemplateError(f"prompt {ref!r}: not found; there are {known}")
        return fitting[-1]

    def read(self, path: Path) -> Prompt:
        """One template file with its examples."""
        if path not in self._read:
            self._read[path] = read_prompt(path)
        return self._read[path]


def read_prompt(path: Path) -> Prompt:
    """One template file with its examples.

    Raises:
        TemplateError: front matter, a named example, or a field is missing or wrong.
    """
    _, front, text = _parts(path)
    try:
        fields = tomllib.loads(front)
    except tomllib.TOMLDecodeError as error:
        raise TemplateError(f"{path}: front matter: {error}") from None
    if missing := [name for name in REQUIRED if name not in fields]:
        raise TemplateError(f"{path}: front matter lacks {', '.join(missing)}")
    if fields["task"] != path.parent.name or f"v{fields['version']}" != path.stem:
        raise TemplateError(f"{path}: task and version do not match the path; expected TASK/vVERSION.md")
    examples = tuple(_read_example(path.parent / name) for name in fields.get("examples", ()))
    return Prompt(**{name: fields[name] for name in REQUIRED}, text=text, examples=examples, path=path)


def _parts(path: Path) -> tuple[str, str, str]:
    parts = path.read_text(encoding="utf-8").split(f"{FRONT}\n", 2)
    if len(parts) != 3 or parts[0].strip():
        raise TemplateError(f"{path}: begins without front matter; write TOML between two lines of {FRONT}")
    return parts[0], parts[1], parts[2]


def _read_example(path: Path) -> Example:
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        return Example(path.stem, fields["article"], fields["answer"])
    except FileNotFoundError:
        raise TemplateError(f"{path}: named in the front matter, but not there") from None
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise TemplateError(f"{path}: not an example ({error!r}); write an object with 'article' and 'answer'") from None
