"""`mahdar eval` and `mahdar seeds`: runs, scores, comparisons, the gate, and labels."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from evals.options import (
    ARTICLES,
    LABELS,
    RECORDINGS,
    Articles,
    Labels,
    Out,
    RecordingsIn,
)
from extractor.errors import UsageError
from extractor.options import Model, Prompts, Tasks

if TYPE_CHECKING:
    from evals.runs import Run

app = typer.Typer(help="Runs over labelled articles.", no_args_is_help=True, rich_markup_mode=None)
seeds_app = typer.Typer(help="Labels of articles.", no_args_is_help=True, rich_markup_mode=None)

RunMode = Literal["live", "record", "replay"]
SystemName = Literal["mahdar", "naive"]
SOME_FAILED = 1


@app.command("run")
def run_(
    *,
    articles: Articles = ARTICLES,
    labels: Labels = LABELS,
    model: Model = None,
    task: Tasks = None,
    prompts: Prompts = None,
    mode: Annotated[
        RunMode,
        typer.Option(help="live: ask the model; record: and write its answers down; replay: answer from what was recorded."),
    ] = "live",
    recordings: RecordingsIn = RECORDINGS,
    fresh: Annotated[bool, typer.Option("--fresh", help="Record anew what is recorded already.")] = False,
    repeat: Annotated[int, typer.Option(min=1, metavar="K", help="Ask K times, for mean and spread; live only.")] = 1,
    system: Annotated[SystemName, typer.Option(help="What extracts: mahdar, or one plain prompt with instructor.")] = "mahdar",
    concurrency: Annotated[int | None, typer.Option(min=1, metavar="N", help="Articles at once.")] = None,
    output: Out = None,
    as_json: Annotated[bool, typer.Option("--json", help="The run file on standard output, in place of tables.")] = False,
) -> None:
    """Extract labelled articles, score what comes, and show it.

    An article that fails scores zero and is named; the exit code is then 1.
    """
    from evals.evaluation import Plan, evaluate
    from evals.systems import Options
    from extractor.service import TASKS

    if repeat > 1 and mode != "live":
        raise UsageError(f"--repeat {repeat}: repeats are live, got --mode {mode}: a recorded answer stays the same")
    plan = Plan(
        articles=articles,
        labels=labels,
        mode=mode,
        recordings=recordings,
        fresh=fresh,
        repeats=repeat,
        system=system,
        options=Options(model, tuple(task or TASKS), tuple(prompts or ()), None, concurrency),
    )
    made = evaluate(plan)
    conclude(made, output, as_json=as_json)
    raise typer.Exit(SOME_FAILED if any(one.failed for one in made.outcomes) else 0)


@app.command()
def score(
    outputs: Annotated[Path, typer.Argument(metavar="OUTPUT.jsonl", help="What `mahdar extract -o` wrote, or a run file.")],
    *,
    labels: Labels = LABELS,
    articles: Annotated[
        Path | None,
        typer.Option("--articles", metavar="DIR", help="Folder of *.txt; without it grounding stays unchecked."),
    ] = None,
    output: Out = None,
    as_json: Annotated[bool, typer.Option("--json", help="The run file on standard output, in place of tables.")] = False,
) -> None:
    """Score results again, without a model.

    A labelled article without a result scores zero and is named.
    """
    from evals.evaluation import rescore

    conclude(rescore(outputs, labels, articles), output, as_json=as_json)


def conclude(made: "Run", output: Path | None, *, as_json: bool) -> None:
    """Write a run where it is wanted, and show it."""
    from evals import runs, tables

    if output is not None:
        runs.write(made, output)
    if as_json:
        typer.echo(made.dumps())
    else:
        tables.console().print(tables.run(made))
