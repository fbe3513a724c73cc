"""Submit every unanswered request of the articles to the provider, packed into files.

The requests are those that a live extraction would send next: the re-ask, if the stored answer is invalid.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import IO, Final

from mahdar.cache.disk import Store
from mahdar.documents.document import BadInput, Document
from mahdar.errors import BadInputError
from mahdar.llm.call import Call
from mahdar.llm.client import Policy
from mahdar.llm.conversation import next_call
from mahdar.llm.parameters import NOTHING_KNOWN
from mahdar.openai_batch.api import BatchApi, spooled
from mahdar.openai_batch.job import Batch, BatchJob, SubmittedRequest
from mahdar.openai_batch.line import request_line
from mahdar.service import Extractor
from mahdar.validation.source import Source

MAX_REQUESTS: Final = 50_000
MAX_BYTES: Final = 200_000_000
"""Limits of one file, by OpenAI's reference for `POST /batches`; Azure and Groq allow as much."""


@dataclass(slots=True)
class Submitted:
    """Counts of a submission.

    Attributes:
        answered: requests whose answer is in the store.
        under_way: requests that were submitted before and are not collected yet.
        unread: documents that cannot be read, and why.
    """

    documents: int = 0
    requests: int = 0
    batches: int = 0
    answered: int = 0
    under_way: int = 0
    unread: list[BadInput] = field(default_factory=list)


class Submission:
    """Submits unanswered requests, in the order of the articles.

    Args:
        mahdar: plans the requests; it sends none of them.
        store: holds the answers so far.
        job: the job, which is updated.
        api: the provider.
        max_requests: maximum of requests in a file.
        max_bytes: maximum size of a file.
    """

    def __init__(
        self,
        mahdar: Extractor,
        store: Store,
        job: BatchJob,
        api: BatchApi,
        *,
        max_requests: int = MAX_REQUESTS,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self._mahdar = mahdar
        self._accepted = mahdar.endpoint.accepted if mahdar.endpoint else NOTHING_KNOWN
        self._store = store
        self._job = job
        self._api = api
        self._limits = min(max_requests, MAX_REQUESTS), min(max_bytes, MAX_BYTES)
        self.so_far = Submitted()

    def run(self, documents: Iterable[Document | BadInput]) -> Submitted:
        """Finish an interrupted submission, then submit the requests of the documents.

        Raises:
            MahdarError: the provider refuses or cannot be reached, or the job file cannot be written. Earlier batches
                are in the job, and the next call resumes from there.
        """
        for batch in self._job.batches:
            if batch.batch_id is None:
                found = self._api.find(batch.sha256, self._known, batch.file_id)
                self._make(batch, found.batch_id if found else None)
        for parcel in self._packed(self._missing(documents)):
            self._hand_in(parcel)
        return self.so_far

    def _hand_in(self, parcel: "_Parcel") -> None:
        """Upload a file and create its batch; save the job before and after each step, so that it can be resumed.

        If the provider has a batch of the same requests, as when the job file was lost, that batch is used instead.
        """
        self._job.write_entries(parcel.number, parcel.entries)
        sha256 = parcel.digest.hexdigest()
        found = self._api.find(sha256, self._known)
        parcel.content.seek(0)
        file_id = found.file_id if found else self._api.upload(parcel.content, f"mahdar-{sha256[:12]}.jsonl")
        batch = Batch(number=parcel.number, requests=len(parcel.entries), sha256=sha256, file_id=file_id)
        self._job.put(batch)
        self._make(batch, found.batch_id if found else None)

    def _make(self, batch: Batch, batch_id: str | None) -> None:
        """Save the batch of an uploaded file, after creating it if `batch_id` is None."""
        batch_id = batch_id or self._api.create(batch.file_id, batch.sha256)
        self._job.put(batch.model_copy(update={"batch_id": batch_id}))
        self.so_far.batches += 1
        self.so_far.requests += batch.requests

    @property
    def _known(self) -> frozenset[str]:
        return frozenset(batch.batch_id for batch in self._job.batches if batch.batch_id)

    def _packed(self, missing: "Iterable[tuple[SubmittedRequest, bytes]]") -> "Iterator[_Parcel]":
        """Yield files within the limits, one at a time; a file is gone once the next is asked for."""
        with ExitStack() as open_:
            parcel = None
            for entry, line in missing:
                if parcel is not None and not parcel.takes(line, *self._limits):
                    yield parcel
                    open_.close()
                    parcel = None
                if parcel is None:
                    content = open_.enter_context(spooled())
                    parcel = _Parcel(len(self._job.batches) + 1, content)
                parcel.add(entry, line)
            if parcel is not None:
                yield parcel

    def _missing(self, documents: Iterable[Document | BadInput]) -> Iterator[tuple[SubmittedRequest, bytes]]:
        """Yield every request that has no answer and is not under way, once."""
        under_way = self._job.under_way()
        for document in documents:
            self.so_far.documents += 1
            for call in self._unanswered(document):
                if call.fingerprint in under_way:
                    self.so_far.under_way += 1
                    continue
                under_way.add(call.fingerprint)
                reask = call.fingerprint != call.request.fingerprint
                body = json.dumps(self._accepted.apply_to(call.arguments), ensure_ascii=False)
                yield (
                    SubmittedRequest(call.fingerprint, document.id, reask, call.components),
                    request_line(call.fingerprint, body),
                )

    def _unanswered(self, document: Document | BadInput) -> Iterator[Call]:
        """Yield the calls that a live extraction of a document would make next."""
        if isinstance(document, BadInput):
            self.so_far.unread.append(document)
            return
        try:
            requests = self._mahdar.plan(document)
        except BadInputError as error:
            self.so_far.unread.append(BadInput(document.id, str(error)))
            return
        source = Source(document.text, document.published_at)
        for request in requests:
            call = next_call(request, source, self._store.get, reasks=Policy().reasks)
            if call is None:
                self.so_far.answered += 1
            else:
                yield call


class _Parcel:
    """A file of requests being packed."""

    def __init__(self, number: int, content: IO[bytes]) -> None:
        self.number = number
        self.content = content
        self.entries: list[SubmittedRequest] = []
        self.digest = hashlib.sha256()
        self._size = 0

    def takes(self, line: bytes, max_requests: int, max_bytes: int) -> bool:
        return len(self.entries) < max_requests and self._size + len(line) <= max_bytes

    def add(self, entry: SubmittedRequest, line: bytes) -> None:
        self.entries.append(entry)
        self.content.write(line)
        self.digest.update(line)
        self._size += len(line)
