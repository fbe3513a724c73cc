"""Reports to be looked at: the seeds as their labels have them, a small newsroom's, and one that means harm."""

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from mahdar.evals.running.runs import Asked, Run, case_result, new_run
from mahdar.schemas.enums import DateResolution
from mahdar.schemas.labels import Labels, as_extraction, read
from mahdar.schemas.records import Extraction

ROOT: Final = Path(__file__).parents[1]
ARTICLES: Final = ROOT / "seeds" / "articles"

SCRIPT: Final = "<script>window.canary='script'</script>"
HANDLER: Final = "\"'><img src=x onerror=\"window.canary='handler'\" autofocus onfocus=\"window.canary='focus'\">"
CLOSING: Final = "</script></style></title><!--<script><svg onload=\"window.canary='svg'\">"
LINK: Final = "javascript:window.canary='link'"
TEMPLATE: Final = "{{ 7 * 7 }}{% for x in y %}${window.canary='template'}{#"
OVERRIDE: Final = "abc\u202edef\u202c"
HARM: Final = f"{OVERRIDE} {SCRIPT}{HANDLER}{CLOSING} {LINK} {TEMPLATE} \u2028\u2067\u0000\u200f&lt;b&gt;&amp;"
MET: Final = "التقى الوزيران أمس الإثنين 20 يوليو."


def harm(name: str) -> str:
    """Text that would run, if anything let it; the name says in which field it stands."""
    return f"{name} {HARM}"


def seeds() -> Iterator[Extraction]:
    """The seeds' labels as extractions: they change less often than any model's answers."""
    for file in sorted((ROOT / "seeds" / "labels").glob("*.json")):
        yield as_extraction(read(file), (ARTICLES / f"{file.stem}.txt").read_bytes().decode())


def write(extractions: Iterable[Extraction | dict[str, Any]], file: Path) -> Path:
    """Extractions as `mahdar extract -o` writes them."""
    rows = (one.model_dump(mode="json") if isinstance(one, Extraction) else one for one in extractions)
    file.write_text("".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows), encoding="utf-8")
    return file


def write_texts(texts: dict[str, str], file: Path) -> Path:
    """Articles as JSON Lines."""
    rows = ({"id": id_, "text": text} for id_, text in texts.items())
    file.write_text("".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows), encoding="utf-8")
    return file


def extraction(id_: str, text: str, **more: Any) -> dict[str, Any]:
    """One article's line."""
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    made = {"made_by": {"meetings": "loopback"}}
    return {"document_id": id_, "text_sha256": sha256, "language": "ar", "provenance": made, **more}


def evidence(text: str, quote: str) -> dict[str, Any]:
    """Where a quote stands."""
    start = text.index(quote)
    return {"quote": quote, "start": start, "end": start + len(quote), "match": "exact"}


def meeting(*pieces: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A meeting of two."""
    people = [{"name": name, "type": "person", "country": country} for name, country in (("سامي", "OM"), ("Ann", "FR"))]
    shape = {"id": "m1", "kind": "talks", "channel": "in_person", "status": "held", "participants": people}
    return {**shape, "evidence": list(pieces), **more}


RESOLUTIONS: Final[tuple[tuple[DateResolution, str | None], ...]] = (
    ("explicit", "2020-07-20"),
    ("relative_to_publication", "2020-07-20"),
    ("partial", "XXXX-07-20"),
    ("unresolved", None),
)
EMOJI: Final = f"🙂🙂 خبر عاجل: {MET}\r\nالسطر الثاني.\r\n"
ENGLISH: Final = "The two ministers met. They\u202eagreed\u202c on trade."


def newsroom() -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Articles for each thing that a reader may meet, and their texts."""
    day = "أمس الإثنين 20 يوليو"
    dated = [
        meeting(
            evidence(EMOJI, MET),
            id=f"m{number}",
            date={"text": day, "value": value, "resolution": resolution, "flags": ["weekday_mismatch"] * (number == 1)},
        )
        for number, (resolution, value) in enumerate(RESOLUTIONS, start=1)
    ]
    lost = evidence(EMOJI, MET) | {"start": 0, "end": len(MET)}
    rejected = [{"task": "stances", "path": "$.stances[0]", "reason": "not in the article", "item": {"name": "شبح"}}]
    agreed = {
        "id": "g1",
        "parties": [{"name": "Ann", "type": "person", "role": "minister", "organization": None, "country": "FR"}],
        "terms": [{"text": "sea", "number": 3}, "fish"],
        "evidence": [evidence(ENGLISH, "on trade")],
    }
    more = {"agreements": [agreed]}
    lines = [
        extraction("2020/dated", EMOJI, published_at="2020-07-21", meetings=dated, rejected=rejected),
        extraction("english", ENGLISH, language="en", meetings=[meeting(evidence(ENGLISH, ENGLISH[4:17]))], more=more),
        extraction("lost", EMOJI, meetings=[meeting(lost)]),
        extraction("absent", "لا نص.", meetings=[meeting(evidence("لا نص.", "نص"))]),
        extraction("other", "نص قديم.", meetings=[meeting(evidence("نص قديم.", "قديم"))]),
    ]
    return lines, {"2020/dated": EMOJI, "english": ENGLISH, "other": "نص جديد."}


PLAIN = "وهبت رياح قوية على السواحل، وبلغت الحرارة ثلاثين درجة في الظل.\n" * 1_000
"""So much of it that the harm before it is a small part of the article: pages of markup are no articles."""


def harmful() -> tuple[dict[str, Any], str]:
    """An extraction with harm in every field that is not a closed list, and its article."""
    harm_that_is_text = harm("text").replace("\0", "")  # NUL can stand in no article
    text = f"{harm_that_is_text}\n{MET}\n{OVERRIDE}\n{PLAIN}"
    actor = {name: harm(name) for name in ("name", "role", "organization")} | {
        "type": "person",
        "country": "LY",
    }
    record = {"attribution": [harm("attribution")], "evidence": [evidence(text, HARM[:300]), evidence(text, MET)]}
    one = record | {
        "id": harm("m1"),
        "kind": "talks",
        "channel": "phone",
        "status": "held",
        "participants": [actor, actor | {"name": harm("second"), "capacity": "host", "country": "TR"}],
        "date": {"text": harm("date"), "value": harm("value"), "resolution": "explicit"},
        "place": {"venue": harm("venue"), "city": harm("city"), "country": "FR"},
        "topics": [{"text": harm("topic"), "code": "other"}],
        "outcomes": [{"text": harm("outcome"), "type": "other"}],
    }
    stance = record | {
        "id": harm("s1"),
        "meeting": harm("m1"),
        "holders": [actor],
        "holder_mode": "collective",
        "on_behalf_of": harm("on_behalf_of"),
        "target": {"text": harm("target"), "actor": actor | {"name": harm("target actor")}},
        "addressee": harm("addressee"),
        "polarity": "against",
        "act": "reject",
        "proposition": harm("proposition"),
        "speech": "direct",
    }
    refused = {
        "task": harm("task"),
        "path": harm("path"),
        "reason": harm("reason"),
        "item": {harm("key"): harm("item")},
    }
    further = {
        "id": harm("r1"),
        "__proto__": {"shown": True},
        harm("field"): harm("other"),
        "attribution": [],
        **record,
    }
    found = {
        "document_id": harm("id"),
        "text_sha256": hashlib.sha256(text.encode()).hexdigest(),
        "language": harm("language"),
        "kept": {"title": harm("title"), "url": f"https://{harm('url')}", harm("kept"): harm("outlet")},
        "meetings": [one],
        "stances": [stance],
        "more": {harm("agreements"): [further]},
        "rejected": [refused],
        "provenance": {"made_by": {harm("task"): harm("model")}, "prompts": {harm("prompt"): harm("version")}},
    }
    return found, text


def harmful_failure() -> dict[str, Any]:
    """A line of the error file."""
    return {"document_id": harm("failed"), "failure": "refused", "message": harm("message"), "attempts": 1}


def run(labels: Labels, found: Extraction, model: str = "loopback") -> Run:
    """A run over one article."""
    asked = Asked(system="mahdar", made_by={"meetings": model}, prompts={"meetings": model})
    return new_run(asked, "scored", ((case_result(labels, found),),), dt.datetime(2026, 1, 2, tzinfo=dt.UTC))


def harmful_run(found: Extraction, **changes: Any) -> Run:
    """A run whose labels mean harm as well."""
    actor = {"name": harm("name"), "aliases": [harm("alias")], "type": "person"}
    actor |= {"role": harm("role"), "organization": harm("organization"), "country": "LY"}
    first, second = actor | {"capacity": "principal"}, actor | {"name": harm("second"), "capacity": "principal"}
    quoted = {"attribution": [harm("attribution")], "evidence": [{"quote": harm("quote")}], "note": harm("note")}
    one = quoted | {
        "id": harm("gold m1"),
        "kind": "summit",
        "channel": "phone",
        "status": "held",
        "participants": [first, second],
        "date": {"text": harm("date"), "value": None, "accept": [harm("accept")]},
        "place": {"venue": harm("venue"), "city": harm("city"), "country": "FR", "accept": []},
        "topics": [{"text": harm("topic"), "code": "energy"}],
        "outcomes": [],
    }
    stance = quoted | {
        "id": harm("gold s1"),
        "meeting": None,
        "holders": [actor | {"name": "أحد آخر"}],
        "holder_mode": "individual",
        "on_behalf_of": None,
        "target": {"text": harm("target"), "actor": None},
        "addressee": None,
        "polarity": "favor",
        "act": "support",
        "proposition": harm("proposition"),
        "speech": "direct",
    }
    labels = {"document_id": found.document_id, "language": "ar", "published_at": None}
    labels |= {"meetings": [one], "stances": [stance]}
    return run(Labels.model_validate_json(json.dumps(labels)), found.model_copy(update=changes), harm("model"))


@contextmanager
def collected(page: Any) -> Iterator[list[str]]:
    """What a page complains of, asks the network for, or pops up, while it is used; the test ends with nothing."""
    found: list[str] = []
    page.on("console", lambda message: found.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: found.append(f"error: {error}"))
    page.on("request", lambda asked: None if asked.url.startswith("data:") else found.append(f"request: {asked.url}"))
    page.on("dialog", lambda dialog: found.append(f"dialog: {dialog.message}"))
    yield found
