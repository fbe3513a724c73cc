"""What can go wrong, in one tree.

MahdarError
├── UsageError             an option, a setting or a name that cannot be used         exit 2
├── PromptError            a template or an example that does not hold                exit 2
├── StoreError             a store that cannot be read or written                     exit 2
├── NoModelError           no model to ask: nothing configured, the embedded one away exit 3
└── ExtractionError        one document failed; `failure` is its class                exit 1
    └── BadInputError      the document itself cannot be read                         exit 1
"""

from typing import Literal

from mahdar.results import Usage

FailureClass = Literal[
    "refused",
    "truncated",
    "unparsable",
    "invalid",
    "rate_limited",
    "timeout",
    "over_budget",
    "unreachable",
    "bad_input",
    "internal",
]
"""Why a document failed: by the model, by the endpoint, by the budget, by the document, or, `internal`, by mahdar."""


class MahdarError(Exception):
    """Anything mahdar raises. The message names the value, the place and the remedy."""


class UsageError(MahdarError):
    """An option, a setting or a name that cannot be used."""


class PromptError(MahdarError):
    """A template or an example that does not hold."""


class StoreError(MahdarError):
    """A store that cannot be read or written."""


class NoModelError(MahdarError):
    """No model is there to be asked, or none by this key. One that fails at a document is that one's failure.

    Attributes:
        usage: what was spent on the documents that it left unfinished.
    """

    usage: Usage = Usage()


class ExtractionError(MahdarError):
    """One document failed.

    Attributes:
        failure: the class of the failure.
        usage: what was spent before giving up.
        retry_after: seconds that a busy endpoint last asked to wait, if it did.
    """

    def __init__(
        self,
        failure: FailureClass,
        message: str,
        usage: Usage = Usage(),  # noqa: B008  # frozen
        *,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.failure: FailureClass = failure
        self.usage = usage
        self.retry_after = retry_after

    @property
    def attempts(self) -> int:
        """Calls made before giving up."""
        return self.usage.attempts


class BadInputError(ExtractionError):
    """A document that cannot be read."""

    def __init__(self, message: str) -> None:
        super().__init__("bad_input", message)
