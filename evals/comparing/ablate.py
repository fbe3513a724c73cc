"""Evaluate a corpus with every combination of task versions, models and answer modes."""

import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mahdar.evals.running.evaluation import Plan, evaluate
from mahdar.evals.running.runs import Run, write
from mahdar.tasks import TASKS


@dataclass(frozen=True, slots=True)
class Variant:
    """One combination; None leaves a part to the environment."""

    tasks: tuple[str, ...]
    model: str | None
    answer_mode: str | None

    @property
    def name(self) -> str:
        """Name for a file."""
        words = [*self.tasks, *(part for part in (self.model, self.answer_mode) if part)]
        return re.sub(r"[^\w.@-]+", "_", "-".join(words)).lstrip(".")


def variants(tasks: Sequence[str], models: Sequence[str], answer_modes: Sequence[str]) -> tuple[Variant, ...]:
    """Return every combination of the given parts; an empty part is left to the environment.

    Args:
        tasks: sets of tasks, each separated by commas.
        models: names of models.
        answer_modes: values of `MAHDAR_MODE`.
    """
    sets = [tuple(names.split(",")) for names in tasks] or [TASKS]
    return tuple(Variant(*parts) for parts in itertools.product(sets, models or (None,), answer_modes or (None,)))


def run_all(plan: Plan, wanted: Iterable[Variant], folder: Path | None = None) -> tuple[tuple[Variant, Run], ...]:
    """Evaluate the variants one after the other; write the run files if a folder is given."""
    evaluated = []
    for variant in wanted:
        options = replace(plan.options, tasks=variant.tasks, model=variant.model, answer_mode=variant.answer_mode)
        run = evaluate(replace(plan, options=options))
        if folder is not None:
            write(run, folder / f"{variant.name}.json")
        evaluated.append((variant, run))
    return tuple(evaluated)
