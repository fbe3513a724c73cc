"""The naive baseline: the program of a good newcomer to instructor, one plain prompt and one call an article.

Its own schema and prompt, two attempts, quotes looked up by `str.find`, dates and countries as the model gives them.
What it finds is put into the form of an extraction, so that the same scorer judges it; a quote that is not in the
article is kept as it is, for the scorer to count.
"""

import json
import logging
import re
import time
from collections.abc import Iterator
from typing import Any, Final, Literal

import httpx2
import instructor
import openai
from instructor.core.exceptions import IncompleteOutputException, InstructorRetryException
from pydantic import BaseModel, Field, ValidationError

from mahdar.documents.document import Document
from mahdar.errors import ExtractionError, FailureClass, UsageError
from mahdar.evals.naive.transport import CallCount, RecordingTransport
from mahdar.evals.running.recording import Recordings
from mahdar.evals.running.runs import Asked, Mode, sha256
from mahdar.evals.running.systems import Options, concurrency_of
from mahdar.llm.endpoint import Endpoint
from mahdar.llm.transport import Progress
from mahdar.results import Usage
from mahdar.schemas import records
from mahdar.schemas.enums import Act, Channel, MeetingKind, Polarity, Speech, Status, TopicCode
from mahdar.schemas.json_schema import content_hash
from mahdar.schemas.records import Extraction, Provenance, Rejected
from mahdar.tasks import TASKS

RETRIES: Final = 1
MAX_TOKENS: Final = 2048
"""A small model that repeats itself is cut here; an article's answer takes a quarter of it."""
TIMEOUT: Final = 900
"""Seconds: on two cores a long answer of the embedded model, under so wide a grammar, takes more than five minutes."""
COUNTRY: Final = re.compile("[A-Z]{2}")
SHOWN: Final = 300
"""Characters of a failure's message."""
QUOTE: Final = 400
"""Characters that a record's evidence may have."""
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
    """Who met, or holds a position."""

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
    """What an article reports."""

    meetings: list[PlainMeeting] = Field(max_length=8)
    stances: list[PlainStance] = Field(max_length=12)


class Naive:
    """The program as a system: live, recorded or replayed.

    Raises:
        UsageError: no model is named.
    """

    def __init__(
        self,
        options: Options,
        mode: Mode,
        recordings: Recordings,
        endpoint: Endpoint | None,
        *,
        progress: Progress | None = None,
    ) -> None:
        if endpoint is None:
            raise UsageError("--system naive asks a model: set OPENAI_API_KEY and MAHDAR_MODEL, or --model embedded")
        self._endpoint = endpoint
        self._mode = instructor.Mode[endpoint.mode.upper()]
        self._parameters = {**endpoint.parameters, "max_tokens": MAX_TOKENS}
        self._embedded: Any = None
        self._replays = mode == "replay"
        self.concurrency = concurrency_of(options, mode, endpoint)
        base_url, key = self._address(mode, progress)
        self._transport = RecordingTransport(mode, recordings, self._components())
        logging.getLogger("instructor").setLevel(logging.CRITICAL)  # it says on standard error what is raised as well
        self._openai = openai.OpenAI(
            base_url=base_url,
            api_key=key,
            max_retries=0,
            timeout=TIMEOUT,
            http_client=httpx2.Client(transport=self._transport, trust_env=False),  # a proxy would go around it
        )
        self._client = instructor.from_openai(self._openai, mode=self._mode)

    @property
    def asked(self) -> Asked:
        """By the endpoint, the prompt and the schema."""
        return Asked(
            system="naive",
            made_by=dict.fromkeys(TASKS, self._endpoint.model),
            mode=self._endpoint.mode,
            parameters=self._parameters,
            prompts={"naive": f"sha256:{sha256(PROMPT)}"},
            schemas={"naive": f"sha256:{content_hash(PlainArticle.model_json_schema())}"},
        )

    def extract(self, document: Document) -> Extraction:
        """Extract one article.

        Raises:
            ExtractionError: the call failed, or twice brought nothing that fits the schema.
        """
        started = time.monotonic()
        try:
            found = self._client.chat.completions.create(
                model=self._endpoint.model,
                response_model=PlainArticle,
                messages=[{"role": "system", "content": PROMPT}, {"role": "user", "content": document.text}],
                max_retries=RETRIES,
                **self._parameters,
            )
        except (InstructorRetryException, IncompleteOutputException, openai.OpenAIError) as error:
            raise self._failed(error) from None
        spent = self._transport.take_spent()
        seconds = spent.seconds if self._replays else time.monotonic() - started
        return as_extraction(found, document, self._provenance(spent, seconds))

    def close(self) -> None:
        """Let go of connections, and of the embedded model."""
        self._openai.close()
        if self._embedded is not None:
            self._embedded.stop()

    def _address(self, mode: Mode, progress: Progress | None) -> tuple[str, str]:
        if mode == "replay":
            return "http://127.0.0.1/v1", "none"
        if not self._endpoint.embedded:
            return self._endpoint.base_url, self._endpoint.api_key
        from mahdar.llm.local.model import EmbeddedModel

        self._embedded = EmbeddedModel()
        local = self._embedded.ensure(progress)
        return local.base_url, local.api_key

    def _components(self) -> dict[str, str]:
        """The parts of a fingerprint that all questions share."""
        return {
            "task": "naive",
            "model": self._endpoint.model,
            "mode": self._endpoint.mode,
            "schema": content_hash(PlainArticle.model_json_schema()),
            "prompt": sha256(PROMPT),
            "parameters": json.dumps(self._parameters, ensure_ascii=False, sort_keys=True),
        }

    def _failed(self, error: Exception) -> ExtractionError:
        spent = self._transport.take_spent()
        usage = Usage(spent.calls, spent.calls, tokens_in=spent.tokens_in, tokens_out=spent.tokens_out)
        return ExtractionError(_failure(error), " ".join(str(error.__cause__ or error).split())[:SHOWN], usage)

    def _provenance(self, spent: CallCount, seconds: float) -> Provenance:
        asked = self.asked
        return Provenance(
            made_by=dict(asked.made_by),
            prompts=dict(asked.prompts),
            schemas=dict(asked.schemas),
            fingerprints=tuple(spent.fingerprints),
            calls=spent.calls,
            attempts=spent.calls,
            reasks=spent.calls - 1,
            tokens_in=spent.tokens_in,
            tokens_out=spent.tokens_out,
            cost=0.0 if self._endpoint.embedded else None,
            seconds=round(seconds, 3),
            valid_at_first=spent.calls == 1,
        )


def as_extraction(found: PlainArticle, document: Document, provenance: Provenance) -> Extraction:
    """What the program found, in the form that is scored; what does not fit it is rejected with the reason."""
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
    """The quote where it stands; at the beginning where it stands nowhere, which the scorer sees."""
    quote = quote[:QUOTE]
    start = max(text.find(quote), 0)
    return (records.Evidence(quote=quote, start=start, end=start + len(quote), match="exact"),)


def _failure(error: BaseException) -> FailureClass:
    """The class of a failure, by what is at the bottom of it."""
    kinds: dict[type[BaseException], FailureClass] = {
        IncompleteOutputException: "truncated",
        openai.RateLimitError: "rate_limited",
        openai.APITimeoutError: "timeout",
        openai.APIStatusError: "refused",
        openai.APIConnectionError: "unreachable",
    }
    cause: BaseException | None = error
    while cause is not None:
        for kind, failure in kinds.items():
            if isinstance(cause, kind):
                return failure
        cause = cause.__cause__ or cause.__context__
    return "invalid"
