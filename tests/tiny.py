"""Two tiny articles with their labels, and an endpoint's answers to them: for tests of the plumbing around a score.

The talks are labelled with one meeting and one stance, the weather with nothing.
"""

import json
from pathlib import Path
from typing import Any, Final

from loopback import Asked, Reply, completion

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

DRAFTED: Final[dict[str, list[dict[str, Any]]]] = {
    "meetings": [
        {
            "evidence": [MET],
            "attribution": [],
            "participants": [{"name": actor["name"], "type": "person"} for actor in (HOST, GUEST)],
            "date": {"text": "الأحد 4 فبراير 2024"},
            "place": {"venue": None, "city": "مسقط", "country": None},
            "status": "held",
            "channel": "in_person",
            "kind": "talks",
        }
    ],
    "stances": [
        {
            "evidence": [SAID],
            "holders": [{"name": "البوسعيدي", "type": "person"}],
            "act": "support",
            "target": {"text": "للحوار بين الليبيين"},
            "polarity": "favor",
            "proposition": "أكد البوسعيدي دعم بلاده للحوار بين الليبيين",
        }
    ],
}
"""What a good model answers about the talks."""


def answers(asked: Asked) -> Reply:
    """The records of the talks, none for the weather."""
    return completion({asked.task: DRAFTED[asked.task] if MET in asked.article else []})


def only_meetings(asked: Asked) -> Reply:
    """A model that has lost the stances."""
    return answers(asked) if asked.task == "meetings" else completion({"stances": []})


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
