"""Recordings: raw completions as files that a reviewer can read, so that a run can be had again without a model.

One file an article, `FOLDER/<model>/<article>.json`, its answers in the order of their fingerprints. Every completion
that came is recorded, also one that nothing can be made of: a replay fails where the run failed.
"""

import hashlib
import itertools
import json
import os
import re
import tempfile
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextvars import ContextVar
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from extractor.cli.misses import NAMES, Change, why_miss
from extractor.documents.document import Document
from extractor.errors import StoreError, UsageError
from extractor.llm.completion import Completion
from extractor.llm.endpoint import Endpoint
from extractor.llm.request import Request
from extractor.llm.transport import Door, Progress

VERSION: Final = 1
SHOWN: Final = 600
"""Characters of a question that are kept for the reader; a longer one is the article, which stands elsewhere."""
COMPARED: Final = 1_000
"""Recorded questions that one without a counterpart of its own article is compared with."""
SHOWN_PARTS: Final = frozenset({"model", "mode", "parameters"})
_ANSWER: Final = ("text", "finish", "refusal", "model", "tokens_in", "tokens_out", "seconds")

ASKED: Final = "what is asked about the article"
article: ContextVar[Document] = ContextVar("article", default=Document("unnamed", ""))  # noqa: B039  # frozen
"""The article being extracted: a question does not know which one it is about, but its context does."""


class MissingRecordingError(UsageError):
    """A question whose answer is not recorded."""


class Recordings:
    """The completions below a folder, by fingerprint. Safe between threads; files are replaced whole.

    Args:
        folder: where the files are.
        fresh: know only what is put in from now on, so that all is recorded anew.
    """

    def __init__(self, folder: Path, *, fresh: bool = False) -> None:
        self.folder = folder
        self._fresh = fresh
        self._asked: set[str] = set()
        self._put: set[str] = set()
        self._missed: dict[tuple[str, str], set[str]] = {}
        self._lock = threading.RLock()

    def get(self, fingerprint: str) -> Completion | None:
        """The answer to a question, or None.

        Raises:
            UsageError: a file is no recording.
        """
        with self._lock:
            self._asked.add(fingerprint)
            known = not self._fresh or fingerprint in self._put
            entry = self._entries.get(fingerprint) if known else None
        return Completion(**{name: entry[name] for name in _ANSWER}) if entry else None

    def put(self, fingerprint: str, completion: Completion, components: Mapping[str, str], question: str = "") -> None:
        """Record an answer, in the file of the article being extracted.

        Raises:
            StoreError: it cannot be written.
        """
        answer = {name: getattr(completion, name) for name in _ANSWER} | {"seconds": round(completion.seconds, 3)}
        entry = {
            "fingerprint": fingerprint,
            "article": article.get().id,
            "article_sha256": article.get().sha256,
            "components": dict(components),
            "question": question if len(question) <= SHOWN else f"{question[:SHOWN]} …",
            **answer,
            **_as_json(completion.text),
        }
        with self._lock:
            self._put.add(fingerprint)
            self._entries[fingerprint] = entry
            self._by_article.setdefault(entry["article"], {})[fingerprint] = entry
            self._write(entry["article"], components["model"])

    def miss(self, components: Mapping[str, str]) -> MissingRecordingError:
        """Why a question is not answered: what differs from the nearest one that is."""
        about, task = article.get(), components["task"]
        with self._lock:
            own = [one for one in self._by_article.get(about.id, {}).values() if one["components"]["task"] == task]
            is_same_text = any(one["article_sha256"] == about.sha256 for one in own)
            others = itertools.islice(self._entries.values(), COMPARED)
            changes = why_miss(components, [one["components"] for one in own or others])
            differs = "nothing like it is" if changes is None else f"changed: {_names(changes, is_same_text)}"
            self._missed.setdefault((task, differs), set()).add(about.id)
        return MissingRecordingError(f"{task}: not recorded; {differs}")

    @property
    def missed(self) -> tuple[str, ...]:
        """All that was not recorded, a line for what changed, with the articles."""
        with self._lock:
            found = sorted(self._missed.items())
        return tuple(
            f"{task}: not recorded for {', '.join(sorted(names))}; {differs}" for (task, differs), names in found
        )

    def seconds(self, fingerprints: tuple[str, ...]) -> float:
        """How long the calls took that brought these answers."""
        return float(sum(self._entries[one]["seconds"] for one in fingerprints if one in self._entries))

    def prune(self, articles: Collection[str]) -> int:
        """Remove what these articles are no longer asked, of the tasks and the model of now; the number removed."""
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

    def close(self) -> None:
        """Nothing is held open."""

    @cached_property
    def _entries(self) -> dict[str, dict[str, Any]]:
        files = sorted(self.folder.glob("*/*.json")) if self.folder.is_dir() else []
        return {entry["fingerprint"]: entry for file in files for entry in _read(file)}

    @cached_property
    def _by_article(self) -> dict[str, dict[str, dict[str, Any]]]:
        found: dict[str, dict[str, dict[str, Any]]] = {}
        for fingerprint, entry in self._entries.items():
            found.setdefault(entry["article"], {})[fingerprint] = entry
        return found

    def _write(self, id_: str, model: str) -> None:
        """An article's file for one model."""
        file = self.folder / _name(model) / f"{_name(id_)}.json"
        found = {key: one for key, one in self._by_article[id_].items() if one["components"]["model"] == model}
        answers = [found[key] for key in sorted(found)]
        try:
            if answers:
                write_whole(file, json.dumps({"version": VERSION, "answers": answers}, ensure_ascii=False, indent=1))
            else:
                file.unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(f"{file}: cannot be written: {error.strerror}; name another folder") from None


class RecordingDoor(Door):
    """A door that writes down what comes through it. What is recorded already is not asked again."""

    def __init__(
        self, recordings: Recordings, endpoint: Endpoint, *, timeout: float, progress: Progress | None = None
    ) -> None:
        super().__init__(endpoint, timeout=timeout, progress=progress)
        self._recordings = recordings

    async def ask(self, request: Request) -> Completion:
        """The recorded answer, or one call, recorded."""
        known = self._recordings.get(request.fingerprint)
        if known is not None:
            return known
        completion = await super().ask(request)
        self._recordings.put(request.fingerprint, completion, request.components, request.messages[-1]["content"])
        return completion


class Replay:
    """A caller that knows recorded answers and nothing else, and touches no network."""

    def __init__(self, recordings: Recordings) -> None:
        self._recordings = recordings

    async def ask(self, request: Request) -> Completion:
        """The recorded answer.

        Raises:
            MissingRecordingError: there is none; says what changed.
        """
        known = self._recordings.get(request.fingerprint)
        if known is None:
            raise self._recordings.miss(request.components)
        return known


def _names(changes: Sequence[Change], is_same_text: bool) -> str:  # noqa: FBT001  # said by the name
    """What changed, in words. Of an unchanged article another part is asked about, which may bring its own schema."""
    if is_same_text and any(change.part == "article" for change in changes):
        changes = [change for change in changes if change.part not in {"article", "schema"}]
        return ", ".join([ASKED, *map(_name_of, changes)])
    return ", ".join(map(_name_of, changes))


def _name_of(change: Change) -> str:
    """With the values where they are words, not where they are hashes, which would differ from question to question."""
    return str(change) if change.part in SHOWN_PARTS else NAMES.get(change.part, ASKED)


def write_whole(file: Path, text: str) -> None:
    """Write a file that is there entire or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor, made = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(f"{text}\n")
        Path(made).chmod(0o644)
        Path(made).replace(file)
    except BaseException:
        Path(made).unlink(missing_ok=True)
        raise


def _as_json(text: str) -> dict[str, Any]:
    """The answer as a reader wants it, beside the raw text; nothing where it is no JSON."""
    try:
        return {"answer": json.loads(text, parse_constant=_refuse)}
    except (ValueError, RecursionError):
        return {}


def _refuse(constant: str) -> None:
    """NaN and Infinity, which Python reads and JSON does not have."""
    raise ValueError(constant)


def _read(file: Path) -> Iterator[dict[str, Any]]:
    """The answers in a file.

    Raises:
        UsageError: it is no recording, or what is shown of an answer is not what it says.
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
    named = all(name in entry for name in ("fingerprint", "article", "article_sha256", *_ANSWER))
    return (
        named
        and "task" in entry["components"]
        and _as_json(entry["text"]) == {name: entry[name] for name in ("answer",) if name in entry}
    )


def _kind(entry: Mapping[str, Any]) -> tuple[str, str]:
    """Task and model."""
    return entry["components"]["task"], entry["components"]["model"]


def _name(text: str) -> str:
    """A model's or an article's name as the name of a file; where that changes it, no other becomes the same."""
    name = re.sub(r"[^\w.-]+", "_", text).lstrip(".")
    return name if name and name == text else f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
