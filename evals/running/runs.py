"""Runs: what a system made of a corpus, scored, in one file that can be read, compared and scored again a year later.

The file holds the labels beside the outputs, and nothing of the machine it was made on.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from mahdar.errors import FailureClass, StoreError, UsageError
from mahdar.evals.running.corpus import Case
from mahdar.evals.running.recording import write_whole
from mahdar.evals.scorer.config import SCORING
from mahdar.evals.scorer.scoring import ArticleScore, score_article
from mahdar.evals.scorer.summary import Summary, summarise
from mahdar.evals.scorer.uncertainty import ArticleCounts, RecordType
from mahdar.results import Failure
from mahdar.runs.outputs import problem
from mahdar.schemas.labels import Labels
from mahdar.schemas.records import Extraction

VERSION: Final = 2
Mode = Literal["live", "record", "replay", "scored"]
"""`scored`: outputs that were there already."""


class RunModel(BaseModel):
    """A frozen part of a run file."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Asked(RunModel):
    """Who made the records, and how they were asked: by the names and hashes that also stand in the fingerprints."""

    system: str
    made_by: Mapping[str, str] = {}
    """task → a model, or the rule reader and its version"""
    mode: str | None = None
    parameters: Mapping[str, Any] = {}
    prompts: Mapping[str, str] = {}
    schemas: Mapping[str, str] = {}
    said: str | None = None
    """of recorded answers: one sentence on what they are"""

    @property
    def makers(self) -> str:
        """Who made the records, whatever the task."""
        return ", ".join(dict.fromkeys(self.made_by.values())) or "unknown"


class FailedCase(RunModel):
    """Why an article has no extraction."""

    failure: FailureClass | Literal["missing"]
    message: str
    attempts: int = 0


class CaseResult(RunModel):
    """One article: what was found in it, or why nothing was, what there was to find, and the score."""

    document_id: str
    text_sha256: str | None
    labels: Labels
    extraction: Extraction | None
    failed: FailedCase | None
    score: ArticleScore


class Run(RunModel):
    """What a system made of a corpus."""

    version: Literal[2] = 2
    mahdar: str
    scoring_version: str
    scoring_sha256: str
    when: dt.datetime
    run_mode: Mode
    asked: Asked
    repeats: tuple[tuple[CaseResult, ...], ...]
    """the corpus as often as it was asked; once, mostly"""

    @property
    def outcomes(self) -> tuple[CaseResult, ...]:
        """The articles of the first repeat."""
        return self.repeats[0]

    @property
    def summary(self) -> Summary:
        """The score of the first repeat."""
        return self.summaries[0]

    @property
    def summaries(self) -> tuple[Summary, ...]:
        """The score of each repeat."""
        return tuple(summarise(outcome.score for outcome in repeat) for repeat in self.repeats)

    def rows(self, records: RecordType) -> tuple[ArticleCounts, ...]:
        """What each article adds to the score, over all repeats."""
        found = [[ArticleCounts.of(outcome.score, records) for outcome in repeat] for repeat in self.repeats]
        return tuple(_summed(rows) for rows in zip(*found, strict=True))

    def dumps(self) -> str:
        """As it is written."""
        return self.model_dump_json(indent=1)


def outcome(case: Case, found: Extraction | Failure | None, place: str = "extraction") -> CaseResult:
    """An article, scored. None where nobody says anything about it: it scores zero as well.

    Args:
        case: the article and its labels.
        found: what became of it.
        place: names the file of the extraction in messages.

    Raises:
        UsageError: the extraction is of another text.
    """
    extraction = found if isinstance(found, Extraction) else None
    document = case.document
    if extraction is not None and extraction.text_sha256 != document.sha256:
        raise UsageError(
            f"{place}: article {document.id!r} was extracted from another text ({extraction.text_sha256[:8]}) "
            f"than there is now ({document.sha256[:8]}): extract it again, or name the articles it was made from"
        )
    return _outcome(case.labels, document.text, document.sha256, found)


def outcome_without_text(labels: Labels, found: Extraction | Failure | None) -> CaseResult:
    """An article, scored without its text: grounding stays unchecked."""
    return _outcome(labels, None, found.text_sha256 if isinstance(found, Extraction) else None, found)


def made(asked: Asked, run_mode: Mode, repeats: tuple[tuple[CaseResult, ...], ...], when: dt.datetime) -> Run:
    """A run, with what it was made by."""
    return Run(
        mahdar=_version(),
        scoring_version=SCORING.version,
        scoring_sha256=SCORING.sha256,
        when=when.replace(microsecond=0),
        run_mode=run_mode,
        asked=asked,
        repeats=repeats,
    )


def write(run: Run, path: Path) -> None:
    """Write a run file, entire or not at all.

    Raises:
        StoreError: it cannot be written.
    """
    write_text(path, run.dumps())


def write_text(path: Path, text: str) -> None:
    """Write a file, entire or not at all.

    Raises:
        StoreError: it cannot be written.
    """
    try:
        write_whole(path, text)
    except OSError as error:
        raise StoreError(f"{path}: cannot be written: {error.strerror}; name another file") from None


def read(path: Path) -> Run:
    """A run from its file.

    Raises:
        UsageError: no run file, or one that was scored by other weights.
    """
    text, content = read_json(path)
    if not isinstance(content, dict) or "repeats" not in content:
        raise UsageError(f"{path}: no run file; `mahdar eval run -o FILE` writes one")
    if content.get("version") != VERSION:
        raise UsageError(
            f"{path}: a run file of version {content.get('version')!r}, this reads {VERSION}: run it again"
        )
    if content.get("scoring_sha256") != SCORING.sha256:
        raise UsageError(
            f"{path}: scored by version {content.get('scoring_version')} ({str(content.get('scoring_sha256'))[:8]}), "
            f"this is {SCORING.version} ({SCORING.sha256[:8]}): score it again: mahdar eval score {path} -o {path}"
        )
    try:
        return Run.model_validate_json(text)
    except ValidationError as error:
        raise UsageError(f"{path}: {problem(error)}: no sound run file; run it again") from None


def read_json(path: Path) -> tuple[str, Any]:
    """A file's text, and the JSON in it.

    Raises:
        UsageError: there is none.
    """
    try:
        text = path.read_text(encoding="utf-8")
        return text, json.loads(text)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}; check the path") from None
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: no JSON: {error}") from None


def sha256(text: str) -> str:
    """The hash that names a text in a run file."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _outcome(labels: Labels, text: str | None, hash_: str | None, found: Extraction | Failure | None) -> CaseResult:
    extraction = found if isinstance(found, Extraction) else None
    return CaseResult(
        document_id=labels.document_id,
        text_sha256=hash_,
        labels=labels,
        extraction=extraction,
        failed=None if extraction else _failed(found if isinstance(found, Failure) else None),
        score=score_article(labels, extraction, text),
    )


def _failed(failure: Failure | None) -> FailedCase:
    if failure is None:
        return FailedCase(failure="missing", message="no output for this article")
    return FailedCase(failure=failure.failure, message=failure.message, attempts=failure.attempts)


def _summed(rows: Sequence[ArticleCounts]) -> ArticleCounts:
    return ArticleCounts(
        document_id=rows[0].document_id,
        credit=sum(row.credit for row in rows),
        predicted=sum(row.predicted for row in rows),
        gold=sum(row.gold for row in rows),
        soft_f1=sum(row.soft_f1 for row in rows) / len(rows),
    )


def _version() -> str:
    try:
        return installed("mahdar")
    except PackageNotFoundError:
        return "not installed"
