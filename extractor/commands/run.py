"""A run: articles in, results out as they come, and the count of what became of them."""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from extractor.commands.output import Output
from extractor.commands.progress import Silent
from extractor.reading.document import BadInput, Document
from extractor.reading.outputs import Result
from extractor.service import Extractor, Failure
from schemas.records import Extraction

ALL_WELL, SOME_FAILED, NO_MODEL = 0, 1, 3


@dataclass(slots=True)
class Tally:
    """What a run has come to so far.

    Attributes:
        cost: US dollars; None once one article's cost is not known.
    """

    total: int
    records: int = 0
    rejected: int = 0
    tokens: int = 0
    cost: float | None = 0.0
    cached: int = 0
    extracted: int = 0
    failures: list[str] = field(default_factory=list)

    @property
    def done(self) -> int:
        """Articles that need nothing more."""
        return self.extracted + len(self.failures)

    @property
    def exit_code(self) -> int:
        """What the process is to say of the run."""
        if not self.failures:
            return ALL_WELL
        silent = not self.extracted and set(self.failures) == {"unreachable"}
        return NO_MODEL if silent else SOME_FAILED

    def add(self, result: Result) -> None:
        """Count one article."""
        if isinstance(result, Failure):
            self.failures.append(result.failure)
        else:
            self._add(result)

    def _add(self, result: Extraction) -> None:
        made = result.provenance
        self.extracted += 1
        self.records += sum(map(len, result.records.values()))
        self.rejected += len(result.rejected)
        self.tokens += made.tokens_in + made.tokens_out
        self.cached += made.cached
        self.cost = None if self.cost is None or made.cost is None else self.cost + made.cost

    def __str__(self) -> str:
        cached = f" ({self.cached} from the cache)" if self.cached else ""
        return (
            f"{self.extracted} of {self.total} articles{cached}, {self.records} records, {self.rejected} rejected, "
            f"{len(self.failures)} failed"
        )


def run(
    mahdar: Extractor,
    documents: Sequence[Document | BadInput],
    outputs: Iterable[Output],
    progress: Silent,
    tally: Tally,
) -> None:
    """Extract every document; those that could not be read come first, as failures."""
    unread = (Failure(bad.id, "bad_input", bad.reason) for bad in documents if isinstance(bad, BadInput))
    read = (document for document in documents if isinstance(document, Document))
    for result in itertools.chain(unread, mahdar.extract_many(read)):
        tally.add(result)
        with progress.paused():
            for output in outputs:
                output.write(result)
        progress.advance(result, tally)
