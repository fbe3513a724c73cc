"""Runs: the scored results of extracting a corpus, in one file that can be read, compared and scored again later.

A run file holds the labels beside the outputs, so that it needs nothing else, and nothing about the machine.
"""

import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from mahdar.documents.document import Document
from mahdar.errors import UsageError
from mahdar.evals.running.recording import write_text
from mahdar.evals.scorer.config import SCORING
from mahdar.evals.scorer.scoring import ArticleScore, score_article
from mahdar.evals.scorer.summary import Summary, summarise
from mahdar.evals.scorer.uncertainty import ArticleCounts, RecordType
from mahdar.results import Failure, FailureClass
from mahdar.runs.outputs import problem
from mahdar.schemas.labels import Labels
from mahdar.schemas.records import Extraction
from mahdar.wording import installed_version

VERSION: Final = 2
Mode = Literal["live", "record", "replay", "scored"]
"""Where the answers came from; `scored`: outputs that existed already."""


class RunModel(BaseModel):
    """Frozen part of a run file; unknown fields are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Asked(RunModel):
    """Who made the records, and the names and hashes of the prompts and schemas that were sent."""

    system: str
    made_by: Mapping[str, str] = {}
    """task → the model's name, or the rule reader and its version"""
    mode: str | None = None
    """how the answer's form is asked for, as MAHDAR_MODE; None for the rule reader and for outputs"""
    parameters: Mapping[str, Any] = {}
    prompts: Mapping[str, str] = {}
    schemas: Mapping[str, str] = {}
    said: str | None = None
    """sentence that describes recorded answers; None otherwise"""

    @property
    def makers(self) -> str:
        """Names of all that made the records, joined by commas."""
        return ", ".join(dict.fromkeys(self.made_by.values())) or "unknown"


class FailedCase(RunModel):
    """Reason why an article has no extraction; `missing`: there was no output for it."""

    failure: FailureClass | Literal["missing"]
    message: str
    attempts: int = 0


class CaseResult(RunModel):
    """One article: its labels, its extraction or the reason why it has none, and the score."""

    document_id: str
    text_sha256: str | None
    labels: Labels
    extraction: Extraction | None
    failed: FailedCase | None
    score: ArticleScore


class Run(RunModel):
    """Scored results over a corpus."""

    version: Literal[2] = 2
    mahdar: str
    scoring_version: str
    scoring_sha256: str
    when: dt.datetime
    run_mode: Mode
    asked: Asked
    repeats: tuple[tuple[CaseResult, ...], ...]
    """results of each repeat, usually one, in the order of the corpus"""

    @property
    def heading(self) -> str:
        """Who made the records, how and when, on one line."""
        return f"{self.asked.system} · {self.asked.makers} · {self.run_mode} · {self.when:%Y-%m-%d %H:%M} UTC"

    @property
    def outcomes(self) -> tuple[CaseResult, ...]:
        """Results of the first repeat."""
        return self.repeats[0]

    @property
    def summary(self) -> Summary:
        """Score of the first repeat."""
        return self.summaries[0]

    @property
    def summaries(self) -> tuple[Summary, ...]:
        """Score of each repeat."""
        return tuple(summarise(outcome.score for outcome in repeat) for repeat in self.repeats)

    def rows(self, records: RecordType) -> tuple[ArticleCounts, ...]:
        """Return the counts of each article, summed over all repeats; `soft_f1` is their mean."""
        found = [[ArticleCounts.of(outcome.score, records) for outcome in repeat] for repeat in self.repeats]
        return tuple(
            ArticleCounts(
                document_id=rows[0].document_id,
                credit=sum(row.credit for row in rows),
                predicted=sum(row.predicted for row in rows),
                gold=sum(row.gold for row in rows),
                soft_f1=sum(row.soft_f1 for row in rows) / len(rows),
            )
            for rows in zip(*found, strict=True)
        )

    def dumps(self) -> str:
        """Return the run as JSON."""
        return self.model_dump_json(indent=1)


def case_result(
    labels: Labels, found: Extraction | Failure | None, document: Document | None = None, place: str = "extraction"
) -> CaseResult:
    """Score one article.

    Args:
        labels: the labels of the article.
        found: its extraction or failure; None where there is neither, which scores zero as a failure does.
        document: the article; without it evidence stays unchecked.
        place: names the file of the extraction in messages.

    Raises:
        UsageError: the extraction is of another text.
    """
    extraction = found if isinstance(found, Extraction) else None
    if document is not None and extraction is not None and extraction.text_sha256 != document.sha256:
        raise UsageError(
            f"{place}: article {document.id!r} was extracted from another text ({extraction.text_sha256[:8]}) "
            f"than there is now ({document.sha256[:8]}): extract it again, or name the articles it was made from"
        )
    failed = None
    if isinstance(found, Failure):
        failed = FailedCase(failure=found.failure, message=found.message, attempts=found.attempts)
    elif found is None:
        failed = FailedCase(failure="missing", message="no output for this article")
    text_sha256 = document.sha256 if document else extraction.text_sha256 if extraction else None
    return CaseResult(
        document_id=labels.document_id,
        text_sha256=text_sha256,
        labels=labels,
        extraction=extraction,
        failed=failed,
        score=score_article(labels, extraction, document.text if document else None),
    )


def new_run(asked: Asked, run_mode: Mode, repeats: tuple[tuple[CaseResult, ...], ...], when: dt.datetime) -> Run:
    """Return a run with the versions of mahdar and of the scoring that made it; `when` is in UTC."""
    return Run(
        mahdar=installed_version(),
        scoring_version=SCORING.version,
        scoring_sha256=SCORING.sha256,
        when=when.replace(microsecond=0),
        run_mode=run_mode,
        asked=asked,
        repeats=repeats,
    )


def write(run: Run, path: Path) -> None:
    """Write a run file atomically.

    Raises:
        StoreError: it cannot be written.
    """
    write_text(path, run.dumps())


def read(path: Path) -> Run:
    """Read a run file.

    Raises:
        UsageError: the file is no run file, or was scored by another version or other weights.
    """
    text, content = read_json(path)
    if not isinstance(content, dict) or "repeats" not in content:
        raise UsageError(f"{path}: is not a run file; `mahdar eval run -o FILE` writes one")
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
        raise UsageError(f"{path}: {problem(error)}: is not a valid run file; run it again") from None


def read_json(path: Path) -> tuple[str, Any]:
    """Return a file's text, and the JSON value in it.

    Raises:
        UsageError: the file cannot be read, or is no JSON.
    """
    try:
        text = path.read_text(encoding="utf-8")
        return text, json.loads(text)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}; check the path") from None
    except UnicodeDecodeError as error:
        where = f"{error.reason} at byte {error.start}"
        raise UsageError(f"{path}: is not a text in UTF-8 ({where}); name a file of JSON") from None
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: is not JSON ({error}); name a file of JSON") from None
