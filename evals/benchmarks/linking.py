"""Measure time, memory and errors of linking over simulated articles with real names in the spellings of newspapers.

    python evals/benchmarks/linking.py [ARTICLES]

Persons have real given and family names, a country, and an office that may change; a few occur in many articles, most
in one or two, as in news. Mentions have the spelling noise of Arabic (hamza, taa marbuta, dots, tatweel, «عبد الله»
as one word), and some give only the surname or the office. One to four articles report a meeting. The true ids are
known, so errors are counted; but names are combined at random, so that the rate of namesakes is not that of news.
"""

import datetime as dt
import hashlib
import itertools
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mahdar.documents.folding import word_set
from mahdar.evals.linking.clusters import pairwise
from mahdar.runs.outputs import lines

SEED: Final = 20261201
PERSONS_AN_ARTICLE: Final = 0.25
"""Persons for each article of the simulation."""
FIRST_DAY: Final = dt.date(2016, 1, 1)
DAYS: Final = 3650

GIVEN: Final = sorted(
    word_set(
        """
    محمد أحمد محمود علي عمر حسن حسين خالد وليد سعيد فهد فايز ناصر منصور نبيل جمال كمال كريم إبراهيم إسماعيل
    يوسف يحيى ياسر موسى عيسى صالح طارق طه هشام عادل عثمان عباس عماد مروان بشير باسم جابر حاتم رامي راشد زياد
    فتحي فيصل قاسم مفتاح رمضان رفيق أنور نوح خميس فرج شوقي نجيب عارف غسان نزار أيمن أشرف أنس حبيب رضا سيف ضياء
    علاء سامح شادي فؤاد لبيب مأمون مازن مهند نادر هيثم وائل وسيم جورج جوزيف ميشال إلياس سليم أنطون عبدالله
    عبدالرحمن عبدالعزيز عبدالكريم عبداللطيف عبدالحميد سيرغي ميخائيل جان بيتر هاكان خلوصي رجب أنطونيو لويجي
    ماريا نجلاء ستيفاني فاطمة سعاد ليلى
        """
    )
)
FAMILY: Final = sorted(
    word_set(
        """
    باشاغا اللافي الكوني المنفي السراج الدبيبة المشري معيتيق سيالة المنقوش النمروش الطرابلسي التريكي الزنتاني
    بوريطة العثماني بنكيران أخنوش العلمي الفاسي لعمامرة عطاف بوقادوم مساهل جراد تبون بوتفليقة سلال أويحيى
    الجهيناوي الغنوشي المرزوقي السبسي الشاهد الفخفاخ المشيشي بودن شكري عبدالعاطي فهمي العرابي أبوالغيط مدبولي
    السيسي مرسي البرادعي الصفدي جودة المعشر الخصاونة الرزاز الحريري ميقاتي بري جنبلاط جعجع باسيل عون فرنجية
    الأسد المعلم المقداد الشرع الزعبي العبادي المالكي علاوي الكاظمي السوداني الصدر الحكيم بارزاني طالباني صالح
    هادي بحاح العليمي الزبيدي بلحاف الجبير القحطاني العتيبي الشمري الدوسري المطيري العطية الكواري المري الصباح
    المبارك الخالد الزياني خليفة قرقاش النهيان المكتوم العلوي البوسعيدي البشير البرهان حمدوك المهدي الترابي
    لافروف بوغدانوف بوتين شويغو بلينكن كيري أوباما ترامب سوليفان شينكر نورلاند لودريان ماكرون فابيوس أيرولت
    هولاند ميركل شتاينماير ماس ديمايو كونتي تاياني ألباريس سانشيز كاميليري أبيلا موسكات أكار فيدان أردوغان
    داوودأوغلو قالن تشاووشأوغلو ظريف روحاني لاريجاني عبداللهيان خامنئي غوتيريش سلامة كوبيش وليامز باتيلي خوري
    كوبلر ليون متري بيدرسون غريفيث غروندبرغ
        """
    )
)
COUNTRIES: Final = {
    "LY": ("ليبيا", "الليبي"),
    "MA": ("المغرب", "المغربي"),
    "DZ": ("الجزائر", "الجزائري"),
    "TN": ("تونس", "التونسي"),
    "EG": ("مصر", "المصري"),
    "JO": ("الأردن", "الأردني"),
    "LB": ("لبنان", "اللبناني"),
    "SY": ("سوريا", "السوري"),
    "IQ": ("العراق", "العراقي"),
    "YE": ("اليمن", "اليمني"),
    "SA": ("السعودية", "السعودي"),
    "QA": ("قطر", "القطري"),
    "AE": ("الإمارات", "الإماراتي"),
    "TR": ("تركيا", "التركي"),
    "RU": ("روسيا", "الروسي"),
    "US": ("الولايات المتحدة", "الأمريكي"),
    "FR": ("فرنسا", "الفرنسي"),
    "DE": ("ألمانيا", "الألماني"),
    "IT": ("إيطاليا", "الإيطالي"),
    "SD": ("السودان", "السوداني"),
}
OFFICES: Final = (
    "وزير الخارجية",
    "وزير الدفاع",
    "وزير الداخلية",
    "وزير المالية",
    "وزير الصحة",
    "رئيس الوزراء",
    "رئيس البرلمان",
    "مدير المخابرات",
)
MANY: Final = ("السفير", "النائب", "المتحدث باسم وزارة الخارجية", "مستشار الرئيس", "عضو مجلس النواب", "")
CITIES: Final = ("القاهرة", "طرابلس", "تونس العاصمة", "الرباط", "أنقرة", "باريس", "موسكو", "الدوحة", "الرياض", "عمّان")
SWAPS: Final = (("غ", "ج"), ("ط", "ت"), ("ة", "ه"), ("ى", "ي"), ("أ", "ا"), ("إ", "ا"), ("ض", "د"))


@dataclass(frozen=True, slots=True)
class Person:
    """A simulated person."""

    id: str
    given: str
    middle: str
    family: str
    country: str
    offices: tuple[str, ...]

    def office(self, day: dt.date) -> str:
        """Return the person's office on a day."""
        return self.offices[(day - FIRST_DAY).days * len(self.offices) // DAYS]


class World:
    """Simulated persons and articles about them."""

    def __init__(self, articles: int) -> None:
        self._random = random.Random(SEED)  # noqa: S311  # made-up articles
        self._persons = [self._person(number) for number in range(int(articles * PERSONS_AN_ARTICLE) + 50)]
        self._cumulated = list(itertools.accumulate(1 / (rank + 5) for rank in range(len(self._persons))))
        self._size = articles

    def articles(self) -> Iterator[dict[str, Any]]:
        """Yield articles, with the true ids of actors beside their names under `truth`."""
        number = 0
        while number < self._size:
            event = self._event()
            for _ in range(min(self._random.choice((1, 1, 1, 2, 3, 4)), self._size - number)):
                yield self._article(number, event)
                number += 1

    def _person(self, number: int) -> Person:
        chosen = self._random
        sole = number < len(COUNTRIES) * len(OFFICES)
        country = list(COUNTRIES)[number % len(COUNTRIES)] if sole else chosen.choice(list(COUNTRIES))
        first = OFFICES[number // len(COUNTRIES)] if sole else chosen.choice(MANY)
        later = chosen.choice(MANY) if chosen.random() < 0.2 and not sole else first
        given, middle, family = chosen.choice(GIVEN), chosen.choice(GIVEN), chosen.choice(FAMILY)
        return Person(f"P{number}", given, middle, family, country, (first, later))

    def _event(self) -> dict[str, Any]:
        chosen = self._random
        day = FIRST_DAY + dt.timedelta(days=chosen.randrange(DAYS))
        told = list(dict.fromkeys(chosen.choices(self._persons, cum_weights=self._cumulated, k=chosen.randrange(3, 7))))
        return {"day": day, "met": told[:2], "others": told[2:], "city": chosen.choice(CITIES)}

    def _article(self, number: int, event: dict[str, Any]) -> dict[str, Any]:
        chosen, day = self._random, event["day"]
        truth: dict[str, str] = {}
        met = [self._mention(person, day, truth) for person in event["met"]]
        country = COUNTRIES[chosen.choice(list(COUNTRIES))]
        truth[country[0]] = country[0]
        quotes = [" ".join(chosen.choices([*FAMILY, *GIVEN], k=30)) for _ in range(4)]
        meeting = {
            "id": "m1",
            "kind": "talks",
            "channel": "in_person",
            "status": "held",
            "participants": [{**one, "capacity": "principal"} for one in met],
            "date": {"text": "اليوم", "value": day.isoformat() if chosen.random() < 0.7 else None},
            "place": {"venue": None, "city": event["city"], "country": None},
            "topics": [{"text": "العلاقات", "code": "bilateral_relations"}],
            "outcomes": [],
            "attribution": [],
            "evidence": [{"quote": quotes[0], "start": 0, "end": len(quotes[0]), "match": "exact"}],
        }
        stances = [
            {
                "id": f"s{at}",
                "holders": [self._mention(person, day, truth)],
                "target": {
                    "text": "الاتفاق",
                    "actor": {"name": country[0], "type": "country", "country": None} if at == 1 else None,
                },
                "proposition": quotes[at % 4],
                "evidence": [{"quote": quotes[at % 4], "start": at, "end": at + len(quotes[at % 4]), "match": "exact"}],
            }
            for at, person in enumerate(event["others"], 1)
        ]
        return {
            "document_id": f"news-{number:06}",
            "text_sha256": hashlib.sha256(str(number).encode()).hexdigest(),
            "language": "ar",
            "published_at": (day + dt.timedelta(days=chosen.choice((0, 0, 1)))).isoformat(),
            "meetings": [meeting] if len(met) > 1 else [],
            "stances": stances,
            "rejected": [],
            "provenance": {},
            "truth": truth,
        }

    def _mention(self, person: Person, day: dt.date, truth: dict[str, str]) -> dict[str, Any]:
        chosen = self._random
        nisba = COUNTRIES[person.country][1]
        office = person.office(day)
        role = f"{office} {nisba}" if office else None
        known = person.country if chosen.random() < 0.95 else None
        kind = chosen.random()
        if kind < 0.03 and office in OFFICES:
            name, type_ = f"{office} {nisba}", "role"
        elif kind < 0.08:
            name, type_ = self._spelt(person.family), "person"
        else:
            middle = [person.middle] if chosen.random() < 0.15 else []
            name, type_ = self._spelt(" ".join([person.given, *middle, person.family])), "person"
        truth.setdefault(name, person.id)
        return {"name": name, "type": type_, "role": role, "organization": None, "country": known}

    def _spelt(self, name: str) -> str:
        chosen = self._random
        if "عبد" in name and chosen.random() < 0.5:
            name = name.replace("عبدال", "عبد ال")
        if chosen.random() < 0.2:
            letter, other = chosen.choice(SWAPS)
            name = name.replace(letter, other, 1)
        if chosen.random() < 0.03:
            at = chosen.randrange(1, len(name))
            name = name[:at] + "ـ" + name[at:]
        return name


def run(articles: int) -> None:
    """Simulate articles, link them in another process, and print time, memory and errors."""
    with tempfile.TemporaryDirectory() as folder:
        records, linked = Path(folder) / "records.jsonl", Path(folder) / "linked"
        with records.open("w", encoding="utf-8") as file:
            for line in World(articles).articles():
                file.write(f"{json.dumps(line, ensure_ascii=False)}\n")
        print(f"{articles:,} articles, {records.stat().st_size / 1e6:,.0f} MB of records")
        command = [sys.executable, "-m", "mahdar.cli.app", "link", str(records), "-o", str(linked)]
        began = time.perf_counter()
        subprocess.run(command, check=True, env={**os.environ, "PYTHONHASHSEED": "0"})  # noqa: S603
        seconds = time.perf_counter() - began
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        worked, peak = used.ru_utime + used.ru_stime, used.ru_maxrss / 1024
        print(f"linked in {seconds:,.0f} s, {worked:,.0f} s of them on the processor, at most {peak:,.0f} MB")
        rates = pairwise(*_clusters(linked / "records.jsonl"))
        print(f"pairs of mentions: precision {rates.precision:.4f}, recall {rates.recall:.4f}")


def _clusters(path: Path) -> tuple[dict[tuple[str, str], str], dict[tuple[str, str], str]]:
    gold, found = {}, {}
    for _, line in lines(path):
        parties = [*(one for meeting in line["meetings"] for one in meeting["participants"])]
        parties += [one for stance in line["stances"] for one in stance["holders"]]
        for party in parties:
            item = line["document_id"], party["name"]
            gold[item], found[item] = line["truth"][party["name"]], party["actor_id"]
    return gold, found


if __name__ == "__main__":
    run(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
