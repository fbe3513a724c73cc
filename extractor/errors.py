"""The errors that mahdar raises, in one tree.

MahdarError
├── UsageError             an option, a setting or a name that cannot be used         exit 2
├── PromptError            a template or an example that does not hold                exit 2
├── StoreError             a store that cannot be read or written                     exit 2
├── NoModelError           no model to ask: none configured, installed or reachable   exit 3
└── ExtractionError        one document failed; `failure` is its class                exit 1
    └── BadInputError      the document itself cannot be read                         exit 1
"""

from mahdar.results import FailureClass, Usage


class MahdarError(Exception):
    """Base of all errors that mahdar raises. The message names the value, the place and the remedy."""


class UsageError(MahdarError):
    """An option, a setting or a name that cannot be used."""


class PromptError(MahdarError):
    """A template or an example that does not hold."""


class StoreError(MahdarError):
    """A store that cannot be read or written."""


class NoModelError(MahdarError):
    """No model can be asked: none is configured, none is reachable, or the key is refused.

    A call that fails because of its document is an `ExtractionError`.

    Attributes:
        usage: what was spent on the documents left unfinished.
    """

    usage: Usage = Usage()


class ExtractionError(MahdarError):
    """One document failed.

    Attributes:
        failure: the class of the failure.
        usage: what was spent before giving up.
        retry_after: seconds that a busy endpoint last asked to wait; None where it named none.
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
