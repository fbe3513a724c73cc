"""Assemble an article's drafts into an extraction, without any call: over stored answers it is free."""

from collections.abc import Sequence

from pydantic import BaseModel

from mahdar.assembling.assembly import Assembly
from mahdar.assembling.merging import merge
from mahdar.documents.document import Document
from mahdar.documents.language import language_of
from mahdar.drafting import Drafted
from mahdar.schemas.records import Extraction, Provenance, Record, Rejected
from mahdar.tasks import TASKS, Task
from mahdar.validation.answers import Problem
from mahdar.validation.source import Source


def assemble(document: Document, tasks: Sequence[Task], drafted: Drafted, seconds: float) -> Extraction:
    """Turn drafts into the merged, numbered and linked records of an extraction.

    Args:
        document: the article.
        tasks: the tasks that were drafted.
        drafted: the drafts of each task.
        seconds: the time that drafting took.
    """
    source = drafted.source or Source(document.text, document.published_at)
    records: dict[str, list[Record]] = {}
    rejected: list[Rejected] = []
    for task in tasks:
        assembly = Assembly(task.schema, source)
        for item in drafted.items.get(task.name, ()):
            assembly.add(item)
        records[task.name] = assembly.records
        rejected.extend(_rejected(task.name, problem) for problem in drafted.problems.get(task.name, ()))
        rejected.extend(assembly.rejected)
    merged = merge(records, document.text)
    return Extraction(
        document_id=document.id,
        text_sha256=document.sha256,
        language=document.language or language_of(document.text),
        published_at=document.published_at,
        kept=dict(document.kept),
        meetings=merged.get("meetings", ()),
        stances=merged.get("stances", ()),
        more={task: of_task for task, of_task in merged.items() if task not in TASKS},
        rejected=tuple(rejected),
        provenance=_provenance(drafted, seconds),
    )


def _provenance(drafted: Drafted, seconds: float) -> Provenance:
    usage, makers = drafted.usage, drafted.made_by
    return Provenance(
        made_by={task: maker.name for task, maker in makers.items()},
        prompts={task: maker.prompt for task, maker in makers.items() if maker.prompt},
        schemas={task: maker.schema for task, maker in makers.items() if maker.schema},
        fingerprints=drafted.fingerprints,
        calls=usage.calls,
        attempts=usage.attempts,
        reasks=usage.reasks,
        tokens_in=usage.tokens_in,
        tokens_out=usage.tokens_out,
        cost=None if usage.unpriced else float(usage.cost),
        cached=not usage.calls and usage.hits > 0,
        seconds=round(seconds, 3),
        valid_at_first=drafted.valid_at_first,
    )


def _rejected(task: str, problem: Problem) -> Rejected:
    item = problem.item.model_dump(mode="json") if isinstance(problem.item, BaseModel) else problem.item
    return Rejected(task=task, path=problem.path, reason=problem.message, item=item)
