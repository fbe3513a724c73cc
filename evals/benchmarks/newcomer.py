"""Extract with plain instructor, for comparison: one simple prompt and one call an article.

It has its own schema and prompt, one retry, quotes found by `str.find`, and the model's dates and countries. It writes
extractions, so that the same scorer can score it; a quote that is not in the article is kept, for the scorer to count.

    OPENAI_API_KEY=… python evals/benchmarks/newcomer.py --model MODEL -o newcomer.jsonl
    mahdar eval score newcomer.jsonl
"""

import argparse
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Literal

import instructor
import openai
from instructor.core.exceptions import IncompleteOutputException, InstructorRetryException
from pydantic import BaseModel, Field, ValidationError

from mahdar import Document, Extraction
from mahdar.runs.sources import Articles
from mahdar.schemas import records
from mahdar.schemas.enums import Act, Channel, MeetingKind, Polarity, Speech, Status, TopicCode
from mahdar.schemas.records import Provenance, Rejected
from mahdar.tasks import TASKS

RETRIES: Final = 1
MAX_TOKENS: Final = 8192
COUNTRY: Final = re.compile("[A-Z]{2}")
PROMPT: Final = """\
You extract structured data from news articles, most of them in Arabic.

Read the article and list
1. every meeting: an encounter of two or more parties (talks, phone call, visit, summit, signing, press conference,
   session), also one that is planned, proposed, postponed, cancelled or denied;
2. every stance: a position that a person or an institution takes towards something (supports, praises, demands,
   calls for, rejects, condemns, accuses, warns, ...).

Copy names, places, phrases and quotes from the article exactly, in the language of the article. Use null for what the
article does not say. Do not invent anything. If there are no meetings or no stances, return empty lists."""


class Person(BaseModel):
    """Participant or holder."""

    name: str
    type: Literal["person", "organization", "government", "country", "delegation", "people", "role"] = "person"
    role: str | None = Field(None, description="office, as written in the article")
    country: str | None = Field(None, description="country represented, ISO 3166-1 alpha-2")


class PlainMeeting(BaseModel):
    """An encounter."""

    participants: list[Person] = Field(max_length=8)
    kind: MeetingKind
    status: Status
    channel: Channel = "unspecified"
    date_text: str | None = Field(None, description="the date as written in the article")
    date: str | None = Field(None, description="YYYY-MM-DD, only if the article gives it")
    city: str | None = None
    country: str | None = Field(None, description="where it took place, ISO 3166-1 alpha-2")
    topics: list[TopicCode] = Field([], max_length=4)
    quote: str = Field(description="the sentence of the article that reports the meeting, copied exactly")


class PlainStance(BaseModel):
    """A position."""

    holders: list[Person] = Field(max_length=4)
    act: Act
    polarity: Polarity = Field(description="towards the target")
    target: str = Field(description="what the position is about")
    proposition: str = Field(description="the position as one sentence in the language of the article")
    speech: Speech = "indirect"
    quote: str = Field(description="the sentence of the article that reports the position, copied exactly")


class PlainArticle(BaseModel):
    """Meetings and stances of an article."""

    meetings: list[PlainMeeting] = Field(max_length=8)
    stances: list[PlainStance] = Field(max_length=12)


def as_extraction(found: PlainArticle, document: Document, provenance: Provenance) -> Extraction:
    """Convert an answer to an extraction; invalid items are rejected with the reason."""
    kept: dict[str, list[Any]] = {"meetings": [], "stances": []}
    rejected: list[Rejected] = []
    for task, path, item in _items(found):
        try:
            number = len(kept[task]) + 1
            kept[task].append(
                _meeting(item, number, document.text) if task == "meetings" else _stance(item, number, document.text)
            )
        except ValidationError as error:
            reason = error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
            rejected.append(Rejected(task=task, path=path, reason=reason, item=item.model_dump()))
    return Extraction(
        document_id=document.id,
        text_sha256=document.sha256,
        published_at=document.published_at,
        meetings=tuple(kept["meetings"]),
        stances=tuple(kept["stances"]),
        rejected=tuple(rejected),
        provenance=provenance,
    )


def _items(found: PlainArticle) -> Iterator[tuple[str, str, Any]]:
    for task in TASKS:
        for index, item in enumerate(getattr(found, task)):
            yield task, f"$.{task}[{index}]", item


def _meeting(found: PlainMeeting, number: int, text: str) -> records.Meeting:
    dated, placed = found.date_text or found.date, found.city or _country(found.country)
    return records.Meeting(
        id=f"m{number}",
        kind=found.kind,
        channel=found.channel,
        status=found.status,
        participants=tuple(records.Participant(**_actor(person)) for person in found.participants),
        date=records.Date(text=found.date_text, value=found.date) if dated else None,
        place=records.Place(city=found.city, country=_country(found.country)) if placed else None,
        topics=tuple(records.Topic(text=code, code=code) for code in found.topics),
        evidence=_evidence(found.quote, text),
    )


def _stance(found: PlainStance, number: int, text: str) -> records.Stance:
    return records.Stance(
        id=f"s{number}",
        holders=tuple(records.Actor(**_actor(person)) for person in found.holders),
        holder_mode="individual",
        target=records.Target(text=found.target),
        polarity=found.polarity,
        act=found.act,
        proposition=found.proposition,
        speech=found.speech,
        evidence=_evidence(found.quote, text),
    )


def _actor(person: Person) -> dict[str, Any]:
    return {**person.model_dump(), "country": _country(person.country)}


def _country(code: str | None) -> str | None:
    return code if code and COUNTRY.fullmatch(code) else None


def _evidence(quote: str, text: str) -> tuple[records.Evidence, ...]:
    """Return the quote at its place in the text; at the beginning if it is not there, which the scorer counts."""
    quote = quote[: records.MAX_QUOTE]
    start = max(text.find(quote), 0)
    return (records.Evidence(quote=quote, start=start, end=start + len(quote), match="exact"),)


def main() -> None:
    """Extract the articles of a folder, and write one line for each; name those that failed on standard error."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=Path, default=Path("seeds/articles"))
    parser.add_argument("--model", help="of the endpoint that OPENAI_API_KEY and OPENAI_BASE_URL name")
    parser.add_argument("-o", "--output", type=Path, default=Path("newcomer.jsonl"))
    options = parser.parse_args()
    if options.model is None:
        print("skipped: it asks a real model; name one with --model", file=sys.stderr)
        return
    client = instructor.from_openai(openai.OpenAI(), mode=instructor.Mode.JSON_SCHEMA)
    with options.output.open("w", encoding="utf-8") as output:
        for document in Articles([options.articles]):
            if not isinstance(document, Document):
                continue
            try:
                found, completion = client.chat.completions.create_with_completion(
                    model=options.model,
                    response_model=PlainArticle,
                    messages=[{"role": "system", "content": PROMPT}, {"role": "user", "content": document.text}],
                    max_retries=RETRIES,
                    max_tokens=MAX_TOKENS,
                    temperature=0,
                )
            except (InstructorRetryException, IncompleteOutputException, openai.OpenAIError) as error:
                print(f"{document.id}: {type(error).__name__}", file=sys.stderr)
                continue
            usage = completion.usage
            made = Provenance(
                made_by=dict.fromkeys(TASKS, options.model),
                calls=1,
                attempts=1,
                tokens_in=usage.prompt_tokens if usage else 0,
                tokens_out=usage.completion_tokens if usage else 0,
            )
            output.write(as_extraction(found, document, made).model_dump_json() + "\n")


if __name__ == "__main__":
    main()
