"""The extraction that the answers to an article's questions amount to. Pure: over stored answers it is free."""

from collections.abc import Iterable, Iterator, Mapping

from pydantic import BaseModel

from extractor.assembling.assembly import Assembly
from extractor.assembling.merging import merged
from extractor.documents.document import Document
from extractor.documents.language import language_of
from extractor.grounding.source import Source
from extractor.inquiries import Expand
from extractor.llm.client import Answer
from extractor.offline.questions import Question
from extractor.tasks import TASKS, Task
from schemas.drafts import ItemDraft
from schemas.records import Extraction, Provenance, Record, Rejected

Answered = tuple[Task, Answer, Expand | None]
"""a task, an answer to one of its questions, and what makes drafts of it"""
Settled = tuple[Task, tuple[Question, ...]]
"""a task, and what it needed not ask"""


def assemble(
    document: Document, answers: Iterable[Answered], provenance: Provenance, settled: Iterable[Settled] = ()
) -> Extraction:
    """Drafts become records, told apart, numbered and linked.

    Args:
        document: the article.
        answers: what a model said.
        provenance: how it came about.
        settled: what needed no answer.
    """
    source = Source(document.text, document.published_at)
    records: dict[str, list[Record]] = {}
    rejected: list[Rejected] = []
    for task, questions in settled:
        assembly = Assembly(task.schema, source, task.examples)
        for number, question in enumerate(questions):
            assembly.add_expanded(f"settled[{number}]", question.expand, question.proposal)
        records.setdefault(task.schema.task, []).extend(assembly.records)
        rejected.extend(assembly.rejected)
    for task, answer, expand in answers:
        assembly = Assembly(task.schema, source, task.examples)
        for path, draft in answer.drafts.drafts:
            _add(assembly, path, draft, expand)
        records.setdefault(task.schema.task, []).extend(assembly.records)
        rejected.extend((*_invalid(task, answer), *assembly.rejected))
    return _extraction(document, merged(records, document.text), rejected, provenance)


def _add(assembly: Assembly, path: str, said: BaseModel, expand: Expand | None) -> None:
    if expand is not None:
        assembly.add_expanded(path, expand, said)
        return
    assert isinstance(said, ItemDraft)
    assembly.add(path, said)


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
