"""Ablation: the same corpus under every combination of task versions, models and answer modes."""

import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mahdar.evals.running.evaluation import Plan, evaluate
from mahdar.evals.running.runs import Run, write
from mahdar.evals.running.systems import Options
from mahdar.tasks import TASKS


@dataclass(frozen=True, slots=True)
class Variant:
    """One combination; None is what the environment says."""

    tasks: tuple[str, ...]
    model: str | None
    answer_mode: str | None

    def options(self, others: Options) -> Options:
        """What a system is given."""
        return replace(others, tasks=self.tasks, model=self.model, answer_mode=self.answer_mode)

    @property
    def name(self) -> str:
        """For a file."""
        words = [*self.tasks, *(part for part in (self.model, self.answer_mode) if part)]
        return re.sub(r"[^\w.@-]+", "_", "-".join(words)).lstrip(".")


def variants(tasks: Sequence[str], models: Sequence[str], answer_modes: Sequence[str]) -> tuple[Variant, ...]:
    """Every combination, of what is given.

    Args:
        tasks: sets of tasks, each with commas between.
        models: names of models.
        answer_modes: as in `MAHDAR_MODE`.
    """
    sets = [tuple(one.split(",")) for one in tasks] or [TASKS]
    return tuple(Variant(*one) for one in itertools.product(sets, models or (None,), answer_modes or (None,)))


def run_all(plan: Plan, wanted: Iterable[Variant], folder: Path | None = None) -> tuple[tuple[Variant, Run], ...]:
    """Run them one after the other, and keep the run files where a folder is given."""
    found = []
    for variant in wanted:
        made = evaluate(replace(plan, options=variant.options(plan.options)))
        if folder is not None:
            write(made, folder / f"{variant.name}.json")
        found.append((variant, made))
    return tuple(found)
