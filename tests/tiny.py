"""Two tiny articles with their labels, an endpoint's answers to them, and the command: for tests of the plumbing.

The talks are labelled with one meeting and one stance, the weather with nothing.
"""

import io
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from mahdar.cli.app import main

from loopback import Asked, Endpoint, Replies, Reply, completion

ISOLATES: Final = dict.fromkeys((0x2068, 0x2069))
KEY: Final = "sk-loopback-0123456789abcdef"

MET: Final = "استقبل وزير الخارجية العُماني بدر البوسعيدي في مسقط، الأحد 4 فبراير 2024، نظيره التونسي نبيل عمار."
SAID: Final = "وأكد البوسعيدي دعم بلاده للحوار بين الليبيين."
TALKS: Final = f"{MET}\n\n{SAID}\n"
WEATHER: Final = "هبت رياح شديدة على مدينة صفاقس، وأغلق الميناء أبوابه حتى صباح الغد.\n"

HOST: Final = {
    "name": "بدر البوسعيدي",
    "aliases": ["البوسعيدي", "وزير الخارجية العُماني"],
    "type": "person",
    "role": "وزير الخارجية العُماني",
    "organization": None,
    "country": "OM",
}
GUEST: Final = HOST | {"name": "نبيل عمار", "aliases": ["نظيره التونسي"], "role": None, "country": "TN"}
MEETING: Final[dict[str, Any]] = {
    "id": "m1",
    "kind": "talks",
    "channel": "in_person",
    "status": "held",
    "participants": [HOST | {"capacity": "principal"}, GUEST | {"capacity": "principal"}],
    "date": {"text": "الأحد 4 فبراير 2024", "value": "2024-02-04", "accept": []},
    "place": {"venue": None, "city": "مسقط", "country": "OM"},
    "topics": [],
    "outcomes": [],
    "attribution": [],
    "evidence": [{"quote": MET}],
}
STANCE: Final[dict[str, Any]] = {
    "id": "s1",
    "meeting": "m1",
    "holders": [HOST],
    "holder_mode": "individual",
    "on_behalf_of": None,
    "target": {"text": "للحوار بين الليبيين", "actor": None},
    "addressee": None,
    "polarity": "favor",
    "act": "support",
    "proposition": "أكد البوسعيدي دعم بلاده للحوار بين الليبيين",
    "speech": "indirect",
    "attribution": [],
    "evidence": [{"quote": SAID}],
}
NOTHING: Final[dict[str, Any]] = {
    "document_id": "weather",
    "language": "ar",
    "published_at": None,
    "meetings": [],
    "stances": [],
}
LABELS: Final[dict[str, Any]] = NOTHING | {"document_id": "talks", "meetings": [MEETING], "stances": [STANCE]}

ACTORS: Final[list[dict[str, Any]]] = [
    {"id": "a1", "name": HOST["name"], "type": "person"},
    {"id": "a2", "name": GUEST["name"], "type": "person"},
]
HELD: Final[dict[str, Any]] = {
    "evidence": [1],
    "principals": ["a1", "a2"],
    "kind": "talks",
    "channel": "in_person",
    "status": "held",
    "date": "الأحد 4 فبراير 2024",
    "place": {"venue": None, "city": "مسقط", "country": None},
}
SUPPORTED: Final[dict[str, Any]] = {
    "evidence": [2],
    "holders": ["a1"],
    "act": "support",
    "polarity": "favor",
    "target": "للحوار بين الليبيين",
    "proposition": "أكد البوسعيدي دعم بلاده للحوار بين الليبيين",
}


def drafted(meetings: Iterable[Any] = (HELD,), stances: Iterable[Any] = (SUPPORTED,)) -> dict[str, Any]:
    """An answer about the talks; by default a good model's."""
    return {"actors": ACTORS, "meetings": list(meetings), "stances": list(stances)}


EMPTY: Final[dict[str, Any]] = {"actors": [], "meetings": [], "stances": []}


def answering(talks: Any) -> Callable[[Asked], Reply]:
    """Replies with this answer about the talks, and with no records about the weather."""
    return lambda asked: completion(talks if MET in asked.article else EMPTY)


answers: Final = answering(drafted())
"""A good model's."""
only_meetings: Final = answering(drafted(stances=()))
"""Those of a model that has lost the stances."""


def write_articles(folder: Path) -> Path:
    """Both articles in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "talks.txt").write_text(TALKS, encoding="utf-8")
    (folder / "weather.txt").write_text(WEATHER, encoding="utf-8")
    return folder


def write_labels(folder: Path, talks: dict[str, Any] = LABELS, weather: dict[str, Any] = NOTHING) -> Path:
    """Both labels in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for labels in (talks, weather):
        text = json.dumps(labels, ensure_ascii=False)
        (folder / f"{labels['document_id']}.json").write_text(text, encoding="utf-8")
    return folder


@dataclass(frozen=True)
class Ended:
    """What a command left."""

    code: int
    out: str
    err: str

    @property
    def words(self) -> str:
        """All it said, wherever lines were broken, without what keeps directions apart."""
        return " ".join(f"{self.out} {self.err}".translate(ISOLATES).split())


def mahdar(*arguments: object) -> Ended:
    """The command, in this process."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    return Ended(int(ended.value.code or 0), out.getvalue(), err.getvalue())


@dataclass(frozen=True)
class Corpus:
    """A folder with both articles, their labels, and room for all else."""

    folder: Path
    monkeypatch: pytest.MonkeyPatch

    @classmethod
    def write(cls, folder: Path, monkeypatch: pytest.MonkeyPatch) -> "Corpus":
        write_articles(folder / "articles")
        write_labels(folder / "labels")
        return cls(folder, monkeypatch)

    def __truediv__(self, name: str) -> Path:
        return self.folder / name

    @property
    def options(self) -> tuple[object, ...]:
        """Where articles and labels are."""
        return "--articles", self / "articles", "--labels", self / "labels"

    def run(self, *more: object, mode: str = "live") -> Ended:
        """`mahdar eval run`, the recordings beside the articles."""
        recordings = () if "--recordings" in more else ("--recordings", self / "recordings")
        return mahdar("eval", "run", *self.options, "--mode", mode, *recordings, *more)

    def made(self, name: str, replies: Replies = answers, *more: object) -> Path:
        """A run file."""
        file = self / name
        with self.served(replies):
            self.run("-o", file, *more)
        return file

    @contextmanager
    def served(self, replies: Replies = answers, *, model: str = "loopback") -> Iterator[Endpoint]:
        """An endpoint, configured; afterwards nobody listens there."""
        with Endpoint(replies) as endpoint:
            self.configure(endpoint.url, model=model)
            yield endpoint

    def configure(self, url: str = "http://127.0.0.1:9/v1", *, model: str = "loopback") -> None:
        """Name an endpoint; by default one that nobody serves."""
        self.monkeypatch.setenv("OPENAI_BASE_URL", url)
        self.monkeypatch.setenv("OPENAI_API_KEY", KEY)
        self.monkeypatch.setenv("MAHDAR_MODEL", model)

    def forget(self) -> None:
        """Configure nothing."""
        for name in ("OPENAI_BASE_URL", "OPENAI_API_KEY", "MAHDAR_MODEL", "MAHDAR_MODE"):
            self.monkeypatch.delenv(name, raising=False)


def changed(labels: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Labels with one value replaced: `meetings.0.date.value`."""
    copied: dict[str, Any] = json.loads(json.dumps(labels))
    *steps, last = [int(step) if step.isdecimal() else step for step in path.split(".")]
    part: Any = copied
    for step in steps:
        part = part[step]
    part[last] = value
    return copied
