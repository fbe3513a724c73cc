"""Extractions written by hand, for what is made of many of them: figures, reports, pages."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mahdar.schemas import Extraction, Provenance

NAMES = {"OM": "بدر البوسعيدي", "TN": "نبيل عمار", "DZ": "أحمد عطاف", "JO": "أيمن الصفدي", "EG": "سامح شكري"}
"""A minister for each country."""


MADE = Provenance(made_by={"meetings": "press", "stances": "press"})


def evidence(quote: str = "التقى الوزيران في مسقط.", start: int = 0) -> list[dict[str, Any]]:
    return [{"quote": quote, "start": start, "end": start + len(quote), "match": "exact"}]


def actor(country: str | None, name: str | None = None, **fields: Any) -> dict[str, Any]:
    return {"name": name or NAMES.get(country or "", "وزير"), "type": "person", "country": country, **fields}


def meeting(*countries: str, date: str | None = None, topics: Iterable[str] = (), **fields: Any) -> dict[str, Any]:
    return {
        "id": "m1",
        "kind": "talks",
        "channel": "in_person",
        "status": "held",
        "participants": [actor(country) for country in countries],
        "date": {"text": date, "value": date} if date else None,
        "topics": [{"text": "الحوار", "code": code} for code in topics],
        "evidence": evidence(),
        **fields,
    }


def stance(country: str, target: str, polarity: str = "favor", act: str = "support", **fields: Any) -> dict[str, Any]:
    return {
        "id": "s1",
        "holders": [actor(country)],
        "holder_mode": "individual",
        "target": {"text": target},
        "polarity": polarity,
        "act": act,
        "proposition": "يدعم الحوار",
        "speech": "indirect",
        "evidence": evidence(),
        **fields,
    }


def extraction(id_: str = "a", meetings: Iterable[Any] = (), stances: Iterable[Any] = (), **fields: Any) -> Extraction:
    """An article's records, numbered in their order."""
    return Extraction(
        document_id=id_,
        meetings=[{**one, "id": f"m{number}"} for number, one in enumerate(meetings, start=1)],
        stances=[{**one, "id": f"s{number}"} for number, one in enumerate(stances, start=1)],
        **{"text_sha256": "0" * 64, "language": "ar", "provenance": MADE, **fields},
    )


def written(path: Path, extractions: Iterable[Extraction], *more: Any) -> Path:
    """A file as `mahdar extract -o` writes it, with further lines."""
    lines = [one.model_dump_json() for one in extractions]
    lines += [one if isinstance(one, str) else json.dumps(one, ensure_ascii=False) for one in more]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path
