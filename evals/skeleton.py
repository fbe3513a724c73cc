"""Write a skeleton of labels: every field with its allowed values, so that a person only chooses and copies."""

import json
from pathlib import Path
from typing import Any, Final, get_args

from mahdar.documents.document import BadInput, read_documents
from mahdar.documents.language import language_of
from mahdar.errors import BadInputError, UsageError
from mahdar.evals.running.recording import write_text
from mahdar.schemas import enums
from mahdar.schemas.labels import CHOICE

COPY: Final = "copy from the article, letter by letter"
"""Placeholder that is in no article, so that the label check refuses it."""


def write_skeleton(article: Path, labels: Path) -> Path:
    """Write a skeleton for an article, and return its path.

    Raises:
        UsageError: the article cannot be read, or has labels already.
        StoreError: the file cannot be written.
    """
    try:
        (document,) = read_documents([article])
    except (BadInputError, ValueError) as error:
        raise UsageError(f"{article}: no article: {error}; name one text file") from None
    if isinstance(document, BadInput):
        raise UsageError(document.reason)
    file = labels / f"{document.id}.json"
    if file.exists():
        raise UsageError(f"{file}: the article is labelled already: edit the file, or remove it first")
    content = {
        "document_id": document.id,
        "language": language_of(document.text),
        "published_at": None,
        "meetings": [_meeting()],
        "stances": [_stance()],
    }
    write_text(file, json.dumps(content, ensure_ascii=False, indent=2), "name another folder with --labels")
    return file


def _meeting() -> dict[str, Any]:
    return {
        "id": "m1",
        "kind": _one_of(enums.MeetingKind),
        "channel": _one_of(enums.Channel),
        "status": _one_of(enums.Status),
        "participants": [_actor() | {"capacity": _one_of(enums.Capacity)}],
        "date": {"text": None, "value": None, "accept": []},
        "place": {"venue": None, "city": None, "country": None},
        "topics": [{"text": COPY, "code": _one_of(enums.TopicCode)}],
        "outcomes": [{"text": COPY, "type": _one_of(enums.OutcomeType)}],
        "attribution": [],
        "evidence": [{"quote": COPY}],
    }


def _stance() -> dict[str, Any]:
    return {
        "id": "s1",
        "meeting": None,
        "holders": [_actor()],
        "holder_mode": _one_of(enums.HolderMode),
        "on_behalf_of": None,
        "target": {"text": COPY, "actor": None},
        "addressee": None,
        "polarity": _one_of(enums.Polarity),
        "act": _one_of(enums.Act),
        "proposition": "the position as one clause in the article's language, up to 30 words",
        "speech": _one_of(enums.Speech),
        "attribution": [],
        "evidence": [{"quote": COPY}],
    }


def _actor() -> dict[str, Any]:
    unknown = dict.fromkeys(("role", "organization", "country"))
    return {"name": COPY, "aliases": [], "type": _one_of(enums.ActorType), **unknown}


def _one_of(values: Any) -> str:
    return CHOICE.join(get_args(values))
