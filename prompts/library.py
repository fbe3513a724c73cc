"""Templates and examples: found, read and rendered."""

import hashlib
import json
import tomllib
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Template

BUILT_IN = Path(__file__).parent
FRONT = "+++"
STANDARD = "standard"
SMALL = "small"
ARTICLE = "article"
REQUIRED = ("task", "version", "description", "language", "changed")

Message = Mapping[str, str]


class TemplateError(ValueError):
    """A template or example file that cannot be used; names the file, the place and the remedy."""


@dataclass(frozen=True, slots=True)
class Example:
    """A few-shot example: what a template is given of an article, and what a perfect answer holds."""

    name: str
    values: Mapping[str, str]
    answer: Mapping[str, Any]

    @property
    def article(self) -> str:
        """All of the example's text, to find its quotes in."""
        return "\n".join(self.values.values())


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
    profile: str = STANDARD
    """for which models it is written; see `extractor.llm.endpoint`"""

    @property
    def ref(self) -> str:
        """`task@version`."""
        return f"{self.task}@{self.version}"

    @property
    def parts(self) -> tuple[str, ...]:
        """The template's names for what comes from an article."""
        return tuple(self.examples[0].values) if self.examples else (ARTICLE,)

    @cached_property
    def sha256(self) -> str:
        """Hash of the template's text and its examples, not of its front matter."""
        examples = [[dict(example.values), example.answer] for example in self.examples]
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

    def messages(self, data: Mapping[str, str], values: Mapping[str, Any]) -> tuple[Message, ...]:
        """What is sent: instructions, each example as a turn, then what is asked about.

        Everything before the last turn is the same for every article: a server's prefix cache pays for it once.

        Args:
            data: what comes from an article, by the template's names for it; delimited, and never read as template.
            values: the template's other names.
        """
        return (*self._before(values), self._message("user", {**values, **_delimited(data)}))

    def _before(self, values: Mapping[str, Any]) -> tuple[Message, ...]:
        """The turns before the last, rendered once."""
        for known, turns in self._rendered:
            if known == values:
                return turns
        turns = tuple(self._opening(values))
        self._rendered.append((values, turns))
        return turns

    @cached_property
    def _rendered(self) -> deque[tuple[Mapping[str, Any], tuple[Message, ...]]]:
        return deque(maxlen=4)  # closed questions have values of their own, and there is no end of them

    def _opening(self, values: Mapping[str, Any]) -> Iterator[Message]:
        yield self._message("system", values)
        for example in self.examples:
            yield self._message("user", {**values, **_delimited(example.values)})
            yield {"role": "assistant", "content": json.dumps(example.answer, ensure_ascii=False)}

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


def _delimited(data: Mapping[str, str]) -> dict[str, str]:
    """An article's text as data that cannot break out: an article between tags, all else on one line of its own."""
    return {name: _tagged(text) if name == ARTICLE else " ".join(text.split()) for name, text in data.items()}


def _tagged(article: str) -> str:
    """Between tags that the article cannot close: where it tries, the tags carry its hash."""
    fence = ARTICLE
    if f"</{ARTICLE}" in article.casefold():
        fence += "-" + hashlib.sha256(article.encode("utf-8")).hexdigest()[:8]
    return f"<{fence}>\n{article}\n</{fence}>"


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

    def get(self, ref: str, profile: str = STANDARD) -> Prompt:
        """The prompt called `task@version`, or the newest of `task` for the profile, or the newest of all.

        Raises:
            TemplateError: no such prompt; says which there are.
        """
        task, _, version = ref.partition("@")
        of_task = [prompt for prompt in self if prompt.task == task]
        fitting = [prompt for prompt in of_task if not version or str(prompt.version) == version]
        if not fitting:
            known = ", ".join(prompt.ref for prompt in self)
            raise TemplateError(f"prompt {ref!r}: not found; there are {known}")
        return max(fitting, key=lambda prompt: (prompt.profile == profile, prompt.version))

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
    examples = tuple(one for name in fields.get("examples", ()) for one in _read_examples(path.parent / name))
    known = {name: fields[name] for name in (*REQUIRED, "profile") if name in fields}
    return Prompt(**known, text=text, examples=examples, path=path)


def _parts(path: Path) -> tuple[str, str, str]:
    parts = path.read_text(encoding="utf-8").split(f"{FRONT}\n", 2)
    if len(parts) != 3 or parts[0].strip():
        raise TemplateError(f"{path}: begins without front matter; write TOML between two lines of {FRONT}")
    return parts[0], parts[1], parts[2]


def _read_examples(path: Path) -> list[Example]:
    """One example or a list of them: `{"article": …, "answer": …}`, or `{"values": {…}, "answer": …}`."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        listed = content if isinstance(content, list) else [content]
        return [Example(path.stem, _values(fields), fields["answer"]) for fields in listed]
    except FileNotFoundError:
        raise TemplateError(f"{path}: named in the front matter, but not there") from None
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise TemplateError(f"{path}: no example ({error!r}); write an object with 'article' and 'answer'") from None


def _values(fields: Mapping[str, Any]) -> Mapping[str, str]:
    return {ARTICLE: fields[ARTICLE]} if ARTICLE in fields else dict(fields["values"])
