"""Measure the time of scoring 1,000 articles of 10 records; each prediction is a damaged copy of its labels.

Run from the project's root: `python evals/benchmarks/scoring.py`.
"""

import random
import time
from typing import Any

from mahdar.evals import score_article, summarise
from mahdar.schemas.labels import Labels, as_extraction
from mahdar.schemas.records import Extraction

ARTICLES = 1_000
RECORDS = 5
"""Records of each type in an article."""
SEED = 7
LAST_NAMES = (
    *("المنفي", "الدبيبة", "باشاغا", "العطية", "الصفدي", "لعمامرة"),
    *("بوريطة", "شكري", "قالن", "لافروف", "تاياني"),
)
FIRST_NAMES = ("محمد", "خالد", "نجلاء", "أيمن", "سامح", "ناصر", "عثمان", "إبراهيم", "سيرغي", "أنطونيو", "جورجيا")
OFFICES = ("وزير الخارجية", "وزير الداخلية", "رئيس الوزراء", "وزير الدفاع", "رئيس المخابرات")
PHRASES = (
    *("دعم المسار السياسي", "وقف إطلاق النار", "تأمين الحدود", "مكافحة الهجرة", "تعزيز التعاون", "إجراء الانتخابات"),
    *("احترام السيادة", "إعادة الإعمار", "تبادل الزيارات", "رفع العقوبات", "توحيد المؤسسات", "عودة السفارات"),
)
COUNTRIES = ("LY", "TN", "DZ", "EG", "TR", "QA", "IT", "MT")
ACTS = ("support", "praise", "call_for", "reject", "condemn", "affirm_importance")


def main() -> None:
    """Score and print the time."""
    chance = random.Random(SEED)  # noqa: S311  # made-up articles
    cases = [_case(chance, number) for number in range(ARTICLES)]
    start, worked = time.perf_counter(), time.process_time()
    summary = summarise(score_article(labels, worn, text) for labels, worn, text in cases)
    seconds, worked = time.perf_counter() - start, time.process_time() - worked
    print(f"{ARTICLES} articles of {2 * RECORDS} records in {seconds:.1f} s, {worked:.1f} s of them on the processor")
    print(f"soft F1: meetings {summary.meetings.micro.soft.f1:.3f}, stances {summary.stances.micro.soft.f1:.3f}")


def _case(chance: random.Random, number: int) -> tuple[Labels, Extraction, str]:
    actors = [_actor(chance) for _ in range(6)]
    sentences = [_sentence(chance, actors) for _ in range(4 * RECORDS)]
    labels = Labels.model_validate(
        {
            "document_id": f"a{number}",
            "language": "ar",
            "published_at": None,
            "meetings": [_meeting(chance, actors, sentences, at) for at in range(RECORDS)],
            "stances": [_stance(chance, actors, sentences, at) for at in range(RECORDS)],
        },
        strict=False,
    )
    text = "\n".join(sentences)
    return labels, _worn(chance, as_extraction(labels, text)), text


def _actor(chance: random.Random) -> dict[str, Any]:
    last = chance.choice(LAST_NAMES)
    name = f"{chance.choice(FIRST_NAMES)} {last}"
    role = f"{chance.choice(OFFICES)} {chance.choice(LAST_NAMES)}"
    country = chance.choice(COUNTRIES)
    return {
        "name": name,
        "aliases": [last, role],
        "type": "person",
        "role": role,
        "organization": None,
        "country": country,
    }


def _sentence(chance: random.Random, actors: list[dict[str, Any]]) -> str:
    one, other = chance.sample(actors, 2)
    return f"التقى {one['name']} مع {other['name']} وأكد {_phrase(chance, 14)}."


def _phrase(chance: random.Random, words: int) -> str:
    return " و".join(chance.choices(PHRASES, k=words // 2))


def _meeting(chance: random.Random, actors: list[dict[str, Any]], sentences: list[str], at: int) -> dict[str, Any]:
    return {
        "id": f"m{at + 1}",
        "kind": chance.choice(("talks", "press_conference")),
        "channel": "in_person",
        "status": "held",
        "participants": [actor | {"capacity": "principal"} for actor in chance.sample(actors, 2)],
        "date": {"text": "أمس الإثنين", "value": f"2020-07-{at + 10}"},
        "place": {"venue": "مقر وزارة الدفاع", "city": "أنقرة", "country": "TR"},
        "topics": [{"text": _phrase(chance, 5), "code": "security_cooperation"}],
        "outcomes": [{"text": _phrase(chance, 6), "type": "decision"}],
        "attribution": [],
        "evidence": [{"quote": sentences[at]}],
    }


def _stance(chance: random.Random, actors: list[dict[str, Any]], sentences: list[str], at: int) -> dict[str, Any]:
    return {
        "id": f"s{at + 1}",
        "meeting": None,
        "holders": [chance.choice(actors)],
        "holder_mode": "individual",
        "on_behalf_of": None,
        "target": {"text": _phrase(chance, 5), "actor": None},
        "addressee": None,
        "polarity": chance.choice(("favor", "against")),
        "act": chance.choice(ACTS),
        "proposition": _phrase(chance, 14),
        "speech": "indirect",
        "attribution": ["وكالة الأنباء"],
        "evidence": [{"quote": sentences[RECORDS + at]}],
    }


def _worn(chance: random.Random, whole: Extraction) -> Extraction:
    """Shuffle an extraction, drop a record of each type, and cut the propositions."""
    meetings = chance.sample(whole.meetings, RECORDS - 1)
    stances = [
        stance.model_copy(
            update={"proposition": stance.proposition[chance.randrange(20) :], "act": chance.choice(ACTS)}
        )
        for stance in chance.sample(whole.stances, RECORDS - 1)
    ]
    return whole.model_copy(update={"meetings": tuple(meetings), "stances": tuple(stances)})


if __name__ == "__main__":
    main()
