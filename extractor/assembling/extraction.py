"""The extraction that the answers to an article's questions amount to. Pure: over stored answers it is free."""

from collections.abc import Iterable, Iterator, Mapping

from pydantic import BaseModel

from extractor.asking.asker import Answer
from extractor.assembling.assembly import Assembly
from extractor.assembling.merging import merged
from extractor.grounding.source import Source
from extractor.inquiries import Expand
from extractor.reading.document import Document
from extractor.reading.language import language_of
from extractor.tasks import TASKS, Task
from schemas.drafts import ItemDraft
from schemas.records import Extraction, Provenance, Record, Rejected

Answered = tuple[Task, Answer, Expand | None]
"""a task, an answer to one of its questions, and what makes drafts of it"""
Settled = tuple[Task, tuple[ItemDraft, ...]]
"""a task, and the drafts that needed no question"""


def assemble(
    document: Document, answers: Iterable[Answered], provenance: Provenance, settled: Iterable[Settled] = ()
) -> Extraction:
    """Drafts become records, told apart, numbered and linked.

    Args:
        document: the article.
        answers: what a model said.
        provenance: how it came about.
        settled: drafts that needed no answer.
    """
    source = Source(document.text, document.published_at)
    records: dict[str, list[Record]] = {}
    rejected: list[Rejected] = []
    for task, drafts in settled:
        assembly = Assembly(task.schema, source, task.examples)
        for number, draft in enumerate(drafts):
            assembly.add(f"settled[{number}]", draft)
        records.setdefault(task.schema.task, []).extend(assembly.records)
        rejected.extend(assembly.rejected)
    for task, answer, expand in answers:
        assembly = Assembly(task.schema, source, task.examples)
        for path, draft in _drafts(answer, expand):
            assembly.add(path, draft)
        records.setdefault(task.schema.task, []).extend(assembly.records)
        rejected.extend((*_invalid(task, answer), *assembly.rejected))
    return _extraction(document, merged(records, document.text), rejected, provenance)


def _drafts(answer: Answer, expand: Expand | None) -> Iterator[tuple[str, ItemDraft]]:
    for path, draft in answer.drafts.drafts:
        if expand is None:
            assert isinstance(draft, ItemDraft)
            yield path, draft
            continue
        yield from ((f"{path}[{number}]", made) for number, made in enumerate(expand(draft)))


def _invalid(task: Task, answer: Answer) -> Iterator[Rejected]:
    for one in answer.drafts.problems:
        item = one.item.model_dump(mode="json") if isinstance(one.item, BaseModel) else one.item
        yield Rejected(task=task.schema.task, path=one.path, reason=one.message, item=item)


def _extraction(
    document: Document, records: Mapping[str, tuple[Record, ...]], rejected: list[Rejected], provenance: Provenance
) -> Extraction:
    more = {task: found for task, found in records.items() if task not in TASKS}
    return Extraction(
        document_id=document.id,
        text_sha256=document.sha256,
        language=document.language or language_of(document.text),
        published_at=document.published_at,
        meetings=records.get("meetings", ()),
        stances=records.get("stances", ()),
        more=more,
        rejected=tuple(rejected),
        provenance=provenance,
    )
