"""Identify a run by what all its results have in common, and refuse to mix the results of different runs."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mahdar.errors import UsageError
from mahdar.wording import installed_version

if TYPE_CHECKING:
    from mahdar.service import Extractor

MADE_BY: Final = "made_by"
"""Key of the part that names, by task, the model or rules that make its records."""
REMEDY: Final = "give --overwrite to replace what is there, or another name"
_SHOWN: Final = 40
"""Characters of a value in a message."""

Identity = Mapping[str, Any]
"""the parts of a run's identity by name, as JSON stores them"""


def identity(mahdar: "Extractor", keep: Iterable[str] = ()) -> Identity:
    """Return the identity of the runs of an extractor; with mode and parameters only if a model is asked.

    Args:
        mahdar: the extractor.
        keep: names of the columns that go with the records, in any order.

    Raises:
        MahdarError: the settings name no model that can be asked.
    """
    makers, endpoint = mahdar.made_by, mahdar.endpoint
    asked = {"mode": endpoint.mode, "parameters": dict(endpoint.parameters)} if endpoint is not None else {}
    return {
        MADE_BY: {task: maker.name for task, maker in makers.items()},
        "prompts": {task: maker.prompt for task, maker in makers.items() if maker.prompt},
        "schemas": {task: maker.schema for task, maker in makers.items() if maker.schema},
        **asked,
        **({"keep": ",".join(sorted(keep))} if keep else {}),
        "mahdar": installed_version(),
    }


def check_same_run(place: Path, before: Identity, now: Identity) -> None:
    """Refuse to add the results of one run to those of another.

    Args:
        place: the file of the results.
        before: the identity of the run that wrote the results.
        now: the identity of the run that would add to them.

    Raises:
        UsageError: the identities differ. The message names the differences; if the makers differ, only these.
    """
    ours, theirs = _makers(now), _makers(before)
    if ours != theirs:
        raise UsageError(f"{place} has records made by {theirs}, and this run makes them by {ours}: {REMEDY}")
    if differing := changes(before, now):
        raise UsageError(f"{place} is of another run, which differs in {', '.join(differing)}: {REMEDY}")


def older_version_error(place: Path) -> UsageError:
    """Make the error for results that an older version wrote."""
    return UsageError(
        f"{place} was written by an older mahdar and cannot be resumed: name another output, or replace it with "
        "--overwrite; its articles are extracted again"
    )


def changes(old: Identity, new: Identity) -> list[str]:
    """Return the differences of two identities, each as `name (old → new)`."""
    before, after = dict(_flat(old)), dict(_flat(new))
    return [
        f"{name} ({_short(before.get(name))} → {_short(after.get(name))})"
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    ]


def _makers(of: Identity) -> str:
    """Name the makers of a run: one alone, several with their tasks."""
    by_task: Mapping[str, str] = of[MADE_BY]
    names = dict.fromkeys(by_task.values())
    if len(names) == 1:
        return next(iter(names))
    return ", ".join(f"{name} ({task})" for task, name in by_task.items()) or "nobody"


def _flat(parts: Identity, above: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in parts.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{above}{name}.")
        else:
            yield above + name, value


def _short(value: Any) -> str:
    text = "none" if value is None else str(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
