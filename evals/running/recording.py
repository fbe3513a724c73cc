"""Keep raw completions in files that a reviewer can read, so that a run can be replayed without a model.

Each model has a folder, `FOLDER/<model>/`, with a file for each article, `<article>.json`, and `recording.json`, which
says how and when the model was asked. An article's file holds its completions in the order of the requests, a re-ask
after the answer that it corrects. Invalid completions are recorded too, so that a replay fails where the run failed.
"""

import datetime as dt
import hashlib
import itertools
import json
import re
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mahdar.cache.completion import Completion, read_entry
from mahdar.cli.misses import NAMES, PLAIN, Change, why_miss
from mahdar.cli.report import write_file
from mahdar.errors import StoreError, UsageError

VERSION: Final = 2
DESCRIPTION: Final = "recording.json"
"""File that describes a model's folder; no article's file has this name."""
REFERENCE: Final = "reference-llm"
"""Model that is replayed if several are recorded and none is named."""
_REMEDY: Final = "name another folder"
SHOWN: Final = 600
"""Characters kept of a question, for a reviewer; the rest is the article, which has its own file."""
COMPARED: Final = 1_000
"""Recorded requests that a missing one is compared with if its own article has none."""


class Description(BaseModel):
    """How a recorded model was asked: everything that a replay needs to know about the endpoint."""

    model_config = ConfigDict(frozen=True)

    model: str
    mode: str
    parameters: Mapping[str, Any] = Field(default_factory=dict)
    embedded: bool = False
    """whether it is the embedded model, which has its own templates and passages"""
    asked: dt.date | None = None
    """day of the last answer"""
    said: str = ""
    """one sentence that describes the model and how it was asked"""


class Recordings:
    """The completions below a folder, by fingerprint. Safe to use from several threads; files are replaced atomically.

    Args:
        folder: holds the files.
        articles: SHA-256 of a text → id of the article.
        fresh: return only completions that were put in since, so that everything is recorded again.
    """

    def __init__(self, folder: Path, articles: Mapping[str, str] | None = None, *, fresh: bool = False) -> None:
        self.folder = folder
        self._articles = articles or {}
        self._fresh = fresh
        self._asked: set[str] = set()
        self._put: set[str] = set()
        self._missed: dict[tuple[str, str], set[str]] = {}
        self._reasks_missed: set[str] = set()
        self._lock = threading.RLock()

    def get(self, fingerprint: str) -> Completion | None:
        """Return the answer to a request; None if it is not recorded.

        Raises:
            UsageError: a file is no recording.
        """
        with self._lock:
            self._asked.add(fingerprint)
            known = not self._fresh or fingerprint in self._put
            entry = self._entries.get(fingerprint) if known else None
        return Completion.from_entry(entry) if entry else None

    def put(
        self,
        fingerprint: str,
        completion: Completion,
        components: Mapping[str, str],
        *,
        question: str = "",
        reask_of: str | None = None,
    ) -> None:
        """Record an answer, in the file of its article.

        Args:
            fingerprint: of the request.
            completion: its answer.
            components: the parts of the first request's fingerprint.
            question: the last message, for a reviewer.
            reask_of: the fingerprint of the first request, if this is a re-ask.

        Raises:
            StoreError: the file cannot be written.
        """
        entry = {
            "fingerprint": fingerprint,
            **({"reask_of": reask_of} if reask_of else {}),
            "article": self._name_of(components),
            "question": question if len(question) <= SHOWN else f"{question[:SHOWN]} …",
            **json.loads(completion.dumps(components)),
        }
        entry |= _as_json(entry)
        with self._lock:
            self._put.add(fingerprint)
            self._entries[fingerprint] = entry
            self._by_article.setdefault(entry["article"], {})[fingerprint] = entry
            self._write(entry["article"], components["model"])

    def miss(self, components: Mapping[str, str]) -> None:
        """Note that a request is not recorded, and how it differs from the nearest recorded one."""
        about, task = self._name_of(components), components["task"]
        with self._lock:
            own = [one for one in self._by_article.get(about, {}).values() if one["components"]["task"] == task]
            others = itertools.islice(self._entries.values(), COMPARED)
            changes = why_miss(components, [one["components"] for one in own or others])
            differs = "nothing like it is recorded" if changes is None else f"changed: {_said(changes)}"
            self._missed.setdefault((task, differs), set()).add(about)

    def miss_reask(self, components: Mapping[str, str]) -> None:
        """Note that a re-ask is not recorded, so that the answer before it stands."""
        with self._lock:
            self._reasks_missed.add(self._name_of(components))

    @property
    def missed(self) -> tuple[str, ...]:
        """Requests that were not recorded: one line for each kind of change, with the articles."""
        with self._lock:
            found = sorted(self._missed.items())
        return tuple(
            f"not recorded: {task.replace('+', ', ')} for {', '.join(sorted(names))}; {differs}"
            for (task, differs), names in found
        )

    @property
    def reasks_missed(self) -> tuple[str, ...]:
        """Articles whose re-asks were not recorded."""
        with self._lock:
            return tuple(sorted(self._reasks_missed))

    def described(self, model: str | None) -> Description:
        """Return how a recorded model was asked.

        Args:
            model: the model; None for the only one, or `REFERENCE` of several. A model that is not recorded gets the
                description of a recorded one, so that a miss can say that the model has changed.

        Raises:
            UsageError: nothing is recorded, or several models are and none is named.
        """
        known = {one.model: one for one in map(_read_description, sorted(self.folder.glob(f"*/{DESCRIPTION}")))}
        if not known:
            raise UsageError(f"{self.folder}: nothing is recorded there")
        if model is None and len(known) > 1 and REFERENCE not in known:
            raise UsageError(f"{self.folder}: answers of {', '.join(known)} are recorded: choose with --model")
        default = known.get(REFERENCE) or next(iter(known.values()))
        return default if model is None else known.get(model) or default.model_copy(update={"model": model})

    def describe(self, description: Description) -> None:
        """Write how the model was asked beside its answers, if any were put in.

        A sentence that is there is kept as long as an answer of an earlier recording is.

        Raises:
            StoreError: the file cannot be written.
        """
        file = self.folder / _name(description.model) / DESCRIPTION
        with self._lock:
            of_model = {one for one, put in self._entries.items() if put["components"]["model"] == description.model}
            if of_model.isdisjoint(self._put):
                return
            said = _read_description(file).said if file.is_file() and not of_model <= set(self._put) else ""
            said = said or f"Answers of {description.model}, asked by mahdar eval run --mode record."
            text = description.model_copy(update={"said": said}).model_dump_json(indent=1)
            write_text(file, text, _REMEDY)

    def seconds(self, fingerprints: tuple[str, ...]) -> float:
        """Return the seconds that the recorded calls of these fingerprints took."""
        return float(sum(self._entries[one]["seconds"] for one in fingerprints if one in self._entries))

    def prune(self, articles: Collection[str]) -> int:
        """Remove answers of these articles that were not used, for the current tasks and model; return their number."""
        with self._lock:
            current = self._asked | self._put
            asked = {_kind(self._entries[one]) for one in current if one in self._entries}
            stale = [
                (id_, fingerprint)
                for id_ in articles
                for fingerprint, entry in self._by_article.get(id_, {}).items()
                if fingerprint not in current and _kind(entry) in asked
            ]
            for id_, fingerprint in stale:
                del self._by_article[id_][fingerprint]
                self._entries.pop(fingerprint, None)
            for id_, model in {(id_, model) for id_, _ in stale for _, model in asked}:
                self._write(id_, model)
        return len(stale)

    @cached_property
    def _entries(self) -> dict[str, dict[str, Any]]:
        files = sorted(self.folder.glob("*/*.json")) if self.folder.is_dir() else []
        return {
            entry["fingerprint"]: entry for file in files if file.name != DESCRIPTION for entry in _read_answers(file)
        }

    @cached_property
    def _by_article(self) -> dict[str, dict[str, dict[str, Any]]]:
        found: dict[str, dict[str, dict[str, Any]]] = {}
        for fingerprint, entry in self._entries.items():
            found.setdefault(entry["article"], {})[fingerprint] = entry
        return found

    def _name_of(self, components: Mapping[str, str]) -> str:
        """Return the id of a request's article; the beginning of its hash if the id is unknown."""
        return self._articles.get(components["article"], components["article"][:12])

    def _write(self, id_: str, model: str) -> None:
        """Write an article's file for one model; remove it if no answer is left."""
        file = self.folder / _name(model) / f"{_name(id_)}.json"
        found = [one for one in self._by_article[id_].values() if one["components"]["model"] == model]
        if found:
            # A first request comes before its re-asks.
            answers = sorted(
                found,
                key=lambda one: (one.get("reask_of", one["fingerprint"]), "reask_of" in one, one["fingerprint"]),
            )
            text = json.dumps({"version": VERSION, "answers": answers}, ensure_ascii=False, indent=1)
            write_text(file, text, _REMEDY)
        else:
            file.unlink(missing_ok=True)


def write_text(file: Path, text: str, remedy: str = "name another file") -> None:
    """Write a file atomically, creating its folder.

    Raises:
        StoreError: it cannot be written; the message ends with the remedy.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_file(file, f"{text}\n")
    except OSError as error:
        raise StoreError(f"{file}: cannot be written: {error.strerror}; {remedy}") from None


def _said(changes: Sequence[Change]) -> str:
    """Name the parts of a request that changed, with the values of those that are not hashes.

    The bound on the answer's tokens depends on the article's length: parameters are named only for the same article.
    """
    about_another = any(change.part == "article" for change in changes)
    named = [change for change in changes if not (about_another and change.part == "parameters")]
    return ", ".join(
        str(change) if change.part in PLAIN else NAMES.get(change.part, "what the template renders to")
        for change in named
    )


def _as_json(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answer as JSON to stand beside the raw text; empty if it is no JSON."""
    text = entry["text"] or next((arguments for _name, arguments in entry["tool_calls"]), "")
    try:
        return {"answer": json.loads(text, parse_constant=_refuse)}
    except (ValueError, RecursionError):
        return {}


def _refuse(constant: str) -> None:
    """Refuse NaN and Infinity, which Python reads and JSON does not have."""
    raise ValueError(constant)


def _read_description(file: Path) -> Description:
    try:
        return Description.model_validate_json(file.read_text(encoding="utf-8"))
    except (OSError, ValidationError, UnicodeDecodeError) as error:
        raise UsageError(f"{file}: does not say how the model was asked ({error}); record it again") from None


def _read_answers(file: Path) -> Iterator[dict[str, Any]]:
    """Yield the answers in an article's file.

    Raises:
        UsageError: the file is no recording, or an answer shown as JSON differs from the raw text.
    """
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        answers = list(content["answers"])
        sound = content["version"] == VERSION and all(_is_sound(entry) for entry in answers)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{file}: no recording ({error!r}); remove it, and record it again") from None
    if not sound:
        raise UsageError(
            f"{file}: no recording of version {VERSION}, or changed by hand: remove it, and record it again"
        )
    yield from answers


def _is_sound(entry: Mapping[str, Any]) -> bool:
    if (
        not all(name in entry for name in ("fingerprint", "article"))
        or read_entry(json.dumps(entry, ensure_ascii=False)) is None
    ):
        return False
    shown = {name: entry[name] for name in ("answer",) if name in entry}
    return {"task", "model"} <= entry["components"].keys() and _as_json(entry) == shown


def _kind(entry: Mapping[str, Any]) -> tuple[str, str]:
    """Return task and model of an answer."""
    return entry["components"]["task"], entry["components"]["model"]


def _name(text: str) -> str:
    """Return a file name for a model or an article; a changed name gets a hash, so that no two become the same."""
    name = re.sub(r"[^\w.-]+", "_", text).lstrip(".")
    plain = name and name == text and f"{name}.json" != DESCRIPTION
    return name if plain else f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
