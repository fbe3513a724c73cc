"""An article, another one without news in it, and what a model that reads well answers."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from mahdar import Policy, Settings

from loopback import Asked, Endpoint, Reply, completion

KEY: Final = "sk-newsroom-0123456789abcdef"
MET: Final = (
    "استقبل وزير الخارجية الموريتاني محمد سالم ولد مرزوك في نواكشوط، الأحد 4 فبراير 2024، "
    "نظيره السنغالي إسماعيلا ماديور فال."
)
SAID: Final = "وأعلن ولد مرزوك تأييد بلاده لفتح المعابر بين البلدين."
ARTICLE: Final = f"{MET}\n\n{SAID}\n"
PRINCIPALS: Final = ["محمد سالم ولد مرزوك", "إسماعيلا ماديور فال"]
HURRIED: Final = Policy(first_wait=0)
"""As patient as by default, without the waiting."""


def weather(number: int) -> str:
    """One of many articles without news."""
    return f"هبت رياح شديدة على {number} من المدن الساحلية، وأغلقت موانئها أبوابها حتى صباح الغد.\n"


ACTORS: Final[list[dict[str, Any]]] = [
    {"id": "a1", "name": PRINCIPALS[0], "type": "person", "role": "وزير الخارجية الموريتاني"},
    {"id": "a2", "name": PRINCIPALS[1], "type": "person"},
]


def meeting(**changes: Any) -> dict[str, Any]:
    """The meeting of the article, or one that differs from it."""
    return {
        "evidence": [1],
        "principals": ["a1", "a2"],
        "others": [],
        "kind": "talks",
        "channel": "in_person",
        "status": "held",
        "date": "الأحد 4 فبراير 2024",
        "place": {"venue": None, "city": "نواكشوط", "country": None},
        "topics": [],
        "outcomes": [],
        "attribution": [],
        **changes,
    }


def stance(**changes: Any) -> dict[str, Any]:
    """The stance of the article, or one that differs from it."""
    return {
        "evidence": [2],
        "holders": ["a1"],
        "act": "support",
        "polarity": "favor",
        "target": "لفتح المعابر بين البلدين",
        "proposition": "أعلن ولد مرزوك تأييد بلاده لفتح المعابر بين البلدين",
        **changes,
    }


def records(
    meetings: Iterable[Any] = (), stances: Iterable[Any] = (), actors: Iterable[Any] = tuple(ACTORS)
) -> dict[str, Any]:
    """An answer: the lists that both tasks ask for."""
    return {"actors": list(actors), "meetings": list(meetings), "stances": list(stances)}


ANSWER: Final = records([meeting()], [stance()])
NOTHING: Final = records(actors=())


def reads_well(asked: Asked) -> Reply:
    """The answer about either article, whichever tasks are asked for."""
    return completion(ANSWER if MET in asked.article else NOTHING)


def configured(endpoint: Endpoint | str, cache: Path, **more: Any) -> Settings:
    """Settings for an endpoint on loopback."""
    url = endpoint if isinstance(endpoint, str) else endpoint.url
    return Settings(**{"base_url": url, "api_key": KEY, "model": "loopback", "cache": cache, **more})
