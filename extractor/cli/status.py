"""Implement `mahdar status`: show the progress of a run from its ledger, also while it is running."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from mahdar.errors import UsageError
from mahdar.runs.identity import MADE_BY, Identity, older_version_error
from mahdar.runs.ledger import Ledger, Progress
from mahdar.runs.results import OLD_LEDGER, is_running
from mahdar.runs.target import OutputPaths
from mahdar.wording import cost, counted

RUNNING, WHOLE, BROKEN_OFF = "running", "complete", "not complete"
_NAME: Final = 10
"""Width of the column of names."""
_REMEDY: Final = "name the --output of a `mahdar extract`"


@dataclass(frozen=True, slots=True)
class RunStatus:
    """The status of a run.

    Attributes:
        state: "running", "complete", or "not complete": interrupted, stopped, or of unknown total.
        progress: the counts.
        run: the identity of the run.
    """

    state: str
    progress: Progress
    run: Identity

    def as_json(self) -> dict[str, Any]:
        """Return the status as a JSON object, the counts at its top level."""
        counts = asdict(self.progress)
        del counts["tokens_in"], counts["tokens_out"], counts["charged"]
        charged = self.progress.charged
        counts |= {
            "tokens": self.progress.tokens,
            "charged_tokens": charged.tokens,
            "charged_cost": float(charged.cost),
        }
        return {"state": self.state, **counts, "run": self.run}

    def __iter__(self) -> Iterator[str]:
        """Yield the status as lines of text."""
        now = self.progress
        yield _line("state", self.state)
        yield _line("done", f"{counted(now.done, 'article', now.total)}, {now.cached:,} from the cache")
        for name, number in sorted(now.failed.items()):
            yield _line("failed", f"{number:,} {name}")
        yield _line("records", f"{now.records:,}, {now.rejected:,} rejected")
        unknown = now.charged.tokens - now.tokens
        more = f", and at most {unknown:,} of calls whose article has no result" if unknown > 0 else ""
        yield _line("tokens", f"{now.tokens:,}{more}")
        yield _line("cost", cost(now.cost))
        if now.rate is not None:
            yield _line("rate", f"{now.rate:,.1f} articles a minute")
        yield _line("made by", ", ".join(dict.fromkeys(self.run[MADE_BY].values())))
        if prompts := dict.fromkeys(str(ref).split()[0] for ref in self.run.get("prompts", {}).values()):
            yield _line("prompts", ", ".join(prompts))


def status(output: Path) -> RunStatus:
    """Return the status of the run that writes, or wrote, to `output`.

    Raises:
        UsageError: there is no run with this output.
    """
    target = OutputPaths.written(output)
    try:
        ledger = Ledger(target.ledger)
    except FileNotFoundError:
        before = Path(f"{target.name}{OLD_LEDGER}")
        if before.exists():
            raise older_version_error(before) from None
        raise UsageError(f"{output}: no run has written here; {_REMEDY}") from None
    except OSError as error:
        raise UsageError(f"{target.ledger}: {error.strerror}; {_REMEDY}") from None
    try:
        run, progress = ledger.identity, ledger.progress()
    finally:
        ledger.close()
    if run is None:
        raise UsageError(f"{target.ledger} is no ledger; {_REMEDY}")
    ended = WHOLE if progress.complete else BROKEN_OFF
    return RunStatus(RUNNING if is_running(target.records) else ended, progress, run)


def _line(name: str, said: str) -> str:
    return f"{name:<{_NAME}}{said}"
