"""An article, another one without news in it, and what a model that reads well answers."""

from pathlib import Path
from typing import Any, Final

from extractor import Policy, Settings

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


def meeting(**changes: Any) -> dict[str, Any]:
    """The meeting of the article, or one that differs from it."""
    return {
        "evidence": [MET],
        "attribution": [],
        "participants": [{"name": name, "type": "person"} for name in PRINCIPALS],
        "date": {"text": "الأحد 4 فبراير 2024"},
        "place": {"venue": None, "city": "نواكشوط", "country": None},
        "topics": [],
        "outcomes": [],
        "status": "held",
        "channel": "in_person",
        "kind": "talks",
        **changes,
    }


def stance(**changes: Any) -> dict[str, Any]:
    """The stance of the article, or one that differs from it."""
    return {
        "evidence": [SAID],
        "holders": [{"name": "ولد مرزوك", "type": "person"}],
        "act": "support",
        "target": {"text": "لفتح المعابر بين البلدين"},
        "polarity": "favor",
        "proposition": "أعلن ولد مرزوك تأييد بلاده لفتح المعابر بين البلدين",
        **changes,
    }


MEETINGS: Final = {"meetings": [meeting()]}
STANCES: Final = {"stances": [stance()]}


def reads_well(asked: Asked) -> Reply:
    """The answer to either task, about either article."""
    if MET not in asked.article:
        return completion({asked.task: []})
    return completion(MEETINGS if asked.task == "meetings" else STANCES)


def configured(endpoint: Endpoint | str, cache: Path, **more: Any) -> Settings:
    """Settings for an endpoint on loopback."""
    url = endpoint if isinstance(endpoint, str) else endpoint.url
    return Settings(**{"base_url": url, "api_key": KEY, "model": "loopback", "cache": cache, **more})
