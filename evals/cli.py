"""`mahdar eval` and `mahdar seeds`: runs, scores, comparisons, the gate, and labels."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from evals.options import (
    ARTICLES,
    BASELINE,
    LABELS,
    RECORDINGS,
    Articles,
    BaselineFile,
    Labels,
    Out,
    RecordingsIn,
    RunFile,
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
        typer.Option(
            help="live: ask the model; record: and write its answers down; replay: answer from what was recorded."
        ),
    ] = "live",
    recordings: RecordingsIn = RECORDINGS,
    fresh: Annotated[bool, typer.Option("--fresh", help="Record anew what is recorded already.")] = False,
    repeat: Annotated[int, typer.Option(min=1, metavar="K", help="Ask K times, for mean and spread; live only.")] = 1,
    system: Annotated[
        SystemName, typer.Option(help="What extracts: mahdar, or one plain prompt with instructor.")
    ] = "mahdar",
    concurrency: Annotated[int | None, typer.Option(min=1, metavar="N", help="Articles at once.")] = None,
    output: Out = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="The run file on standard output, in place of tables.")
    ] = False,
) -> None:
    """Extract labelled articles, score what comes, and show it.

    An article that fails scores zero and is named; the exit code is then 1.
    """
    from evals.evaluation import Plan, evaluate
    from evals.systems import Options
    from extractor.tasks import TASKS

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
    outputs: Annotated[
        Path, typer.Argument(metavar="OUTPUT.jsonl", help="What `mahdar extract -o` wrote, or a run file.")
    ],
    *,
    labels: Labels = LABELS,
    articles: Annotated[
        Path | None,
        typer.Option("--articles", metavar="DIR", help="Folder of *.txt; without it grounding stays unchecked."),
    ] = None,
    output: Out = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="The run file on standard output, in place of tables.")
    ] = False,
) -> None:
    """Score results again, without a model.

    A labelled article without a result scores zero and is named.
    """
    from evals.evaluation import rescore

    conclude(rescore(outputs, labels, articles), output, as_json=as_json)


@app.command()
def compare(
    before: Annotated[Path, typer.Argument(metavar="A.json", help="The run that stands.")],
    after: Annotated[Path, typer.Argument(metavar="B.json", help="The run that may replace it.")],
) -> None:
    """Show what the second run won and lost: figures, articles, and the records that changed."""
    from evals import compare_tables, runs, tables
    from evals.compare import compare_runs

    one, other = runs.read(before), runs.read(after)
    tables.console().print(compare_tables.comparison(compare_runs(one, other), one, other))


@app.command()
def gate(
    run: RunFile,
    *,
    baseline: BaselineFile = BASELINE,
    max_drop: Annotated[
        float | None,
        typer.Option(min=0, metavar="X", help="How far any figure may fall, in place of the baseline's allowances."),
    ] = None,
    junit: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where JUnit XML goes; by default beside RUN.json.")
    ] = None,
) -> None:
    """Judge a run by the accepted figures: exit 1 where one has fallen by more than is allowed."""
    from evals import gate as gates
    from evals import runs

    cases = gates.gate(runs.read(run), gates.read(baseline), place=str(baseline), max_drop=max_drop)
    file = junit or run.with_suffix(".junit.xml")
    runs.write_text(file, gates.junit(cases))
    for line in gates.reason(cases):
        typer.echo(line)
    typer.echo(f"JUnit → {file}")
    raise typer.Exit(1 if any(case.fell for case in cases) else 0)


@app.command()
def accept(
    run: RunFile,
    *,
    baseline: BaselineFile = BASELINE,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Lower what has to be lowered without asking.")] = False,
) -> None:
    """Make a run's figures the accepted ones, and say which of them that lowers.

    Allowances stay as they are.
    """
    from evals import gate as gates
    from evals import runs

    old = gates.read(baseline) if baseline.exists() else None
    new = gates.baseline(runs.read(run), *([old.allowances] if old else []))
    for line in gates.announced(old, new):
        typer.echo(line)
    if old is not None and gates.lowered(old, new) and not yes and not _agreed(f"Lower them in {baseline}?"):
        typer.echo("nothing accepted")
        raise typer.Exit(1)
    gates.write(new, baseline)
    typer.echo(f"accepted → {baseline}")


def _agreed(question: str) -> bool:
    try:
        return typer.confirm(question)
    except typer.Abort:
        raise UsageError("nobody there to agree; give --yes to lower them without being asked") from None


def conclude(made: "Run", output: Path | None, *, as_json: bool) -> None:
    """Write a run where it is wanted, and show it."""
    from evals import runs, tables

    if output is not None:
        runs.write(made, output)
    if as_json:
        typer.echo(made.dumps())
    else:
        tables.console().print(tables.run(made))
