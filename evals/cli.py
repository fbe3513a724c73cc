"""`mahdar eval` and `mahdar seeds`: runs, scores, comparisons, the gate, and labels."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from mahdar.cli import options as shared
from mahdar.cli.exits import SOME_FAILED
from mahdar.errors import UsageError
from mahdar.evals.linking.command import link
from mahdar.evals.options import (
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
    check_extra,
)
from mahdar.wording import counted

if TYPE_CHECKING:
    from mahdar.evals.running.runs import Run

app = typer.Typer(help="Extract and score labelled articles.", no_args_is_help=True, rich_markup_mode=None)
seeds_app = typer.Typer(help="Labels of articles.", no_args_is_help=True, rich_markup_mode=None)

Mode = Annotated[
    Literal["live", "record", "replay"],
    typer.Option(help="live: ask the model; record: ask it and record its answers; replay: use the recorded answers."),
]
Concurrency = Annotated[int | None, typer.Option(min=1, metavar="N", help="Articles at once.")]


@app.callback()
def _check_extra() -> None:
    """Refuse to start without the extra, before anything is extracted and paid for."""
    check_extra("mahdar eval")


app.command()(link)


@app.command("run")
def run_(
    *,
    articles: Articles = ARTICLES,
    labels: Labels = LABELS,
    model: shared.Model = None,
    task: shared.Tasks = None,
    prompts: shared.Prompts = None,
    schemas: shared.Schemas = None,
    mode: Mode = "live",
    recordings: RecordingsIn = RECORDINGS,
    fresh: Annotated[bool, typer.Option("--fresh", help="Ask again for answers that are recorded.")] = False,
    repeat: Annotated[
        int, typer.Option(min=1, metavar="K", help="Extract K times, for mean and spread; live only.")
    ] = 1,
    concurrency: Concurrency = None,
    output: Out = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the run file instead of tables.")] = False,
) -> None:
    """Extract labelled articles, score the records, and show the score.

    An article that fails scores zero and is named; the exit code is then 1. A replay needs no endpoint: it uses the
    recorded model, or the one that --model names if several are recorded.
    """
    from mahdar.evals.running.evaluation import Plan, evaluate
    from mahdar.evals.running.extracting import Options
    from mahdar.tasks import TASKS

    if repeat > 1 and mode != "live":
        raise UsageError(f"--repeat {repeat}: repeats are live, got --mode {mode}: a recorded answer stays the same")
    if fresh and mode != "record":
        raise UsageError(f"--fresh needs --mode record, got --mode {mode}")
    if mode == "live":
        shared.settings_of(model)  # warns that the rules are used if no model is configured
    plan = Plan(
        articles=articles,
        labels=labels,
        mode=mode,
        recordings=recordings,
        fresh=fresh,
        repeats=repeat,
        options=Options(
            model, tuple(task or TASKS), tuple(prompts or ()), shared.import_schemas(schemas), concurrency=concurrency
        ),
    )
    result = evaluate(plan)
    conclude(result, output, as_json=as_json)
    raise typer.Exit(SOME_FAILED if any(case.failed for case in result.outcomes) else 0)


@app.command()
def record(
    articles: Annotated[
        Path, typer.Argument(metavar="ARTICLES", help="A folder of *.txt, or a file of JSONL, CSV or Parquet.")
    ],
    *,
    recordings: RecordingsIn,
    model: shared.Model = None,
    task: shared.Tasks = None,
    prompts: shared.Prompts = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Ask again for answers that are recorded.")] = False,
    concurrency: Concurrency = None,
) -> None:
    """Record a model's answers to articles that have no labels.

    Answers that are recorded are not asked for again. Failures are named on standard error; the exit code is then 1.
    """
    from mahdar.evals.running.extracting import Options
    from mahdar.evals.running.unlabelled import record as record_answers
    from mahdar.results import Failure
    from mahdar.tasks import TASKS

    options = Options(model, tuple(task or TASKS), tuple(prompts or ()), concurrency=concurrency)
    results = record_answers(articles, recordings, options, fresh=fresh)
    failures = [result for result in results.values() if isinstance(result, Failure)]
    for failure in failures:
        typer.echo(f"{failure.document_id}: {failure.failure}: {failure.message}", err=True)
    recorded = counted(len(results) - len(failures), "article", len(results))
    typer.echo(f"{recorded} recorded → {recordings}", err=True)
    raise typer.Exit(SOME_FAILED if failures else 0)


@app.command()
def score(
    outputs: Annotated[
        Path, typer.Argument(metavar="OUTPUT.jsonl", help="What `mahdar extract -o` wrote, or a run file.")
    ],
    *,
    labels: Labels = LABELS,
    articles: Annotated[
        Path | None,
        typer.Option("--articles", metavar="DIR", help="Folder of *.txt; without it evidence stays unchecked."),
    ] = None,
    output: Out = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the run file instead of tables.")] = False,
) -> None:
    """Score existing results, without a model.

    A labelled article without a result scores zero and is named.
    """
    from mahdar.evals.running.evaluation import rescore

    conclude(rescore(outputs, labels, articles), output, as_json=as_json)


@app.command()
def compare(
    before: Annotated[Path, typer.Argument(metavar="A.json", help="The run before a change.")],
    after: Annotated[Path, typer.Argument(metavar="B.json", help="The run after it.")],
    *,
    short: Annotated[bool, typer.Option("--short", help="Show only soft F1 of both with its interval.")] = False,
) -> None:
    """Compare two runs over the same articles.

    Shows the figures with a paired test, the articles, and the records that changed, side by side.
    """
    from mahdar.evals import tables
    from mahdar.evals.comparing import tables as compare_tables
    from mahdar.evals.comparing.compare import compare_runs
    from mahdar.evals.running import runs

    old, new = runs.read(before), runs.read(after)
    compared = compare_runs(old, new)
    table = compare_tables.headlines(old, new) if short else compare_tables.comparison(compared, old, new)
    tables.console().print(table)


@app.command()
def gate(
    run: RunFile,
    *,
    baseline: BaselineFile = BASELINE,
    max_drop: Annotated[
        float | None,
        typer.Option(
            min=0, metavar="X", help="Allow any figure to fall this far, in place of the baseline's allowances."
        ),
    ] = None,
    junit: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write JUnit XML here; by default beside RUN.json.")
    ] = None,
) -> None:
    """Check a run against the accepted figures.

    The exit code is 1 if a figure fell by more than the baseline allows.
    """
    from mahdar.evals.comparing import gate as gates
    from mahdar.evals.running import runs
    from mahdar.evals.running.recording import write_text

    cases = gates.gate(runs.read(run), gates.read(baseline), place=str(baseline), max_drop=max_drop)
    file = junit or run.with_suffix(".junit.xml")
    write_text(file, gates.junit(cases))
    for line in gates.reason(cases):
        typer.echo(line)
    typer.echo(f"JUnit → {file}")
    raise typer.Exit(1 if any(case.fell for case in cases) else 0)


@app.command()
def accept(
    run: RunFile,
    *,
    baseline: BaselineFile = BASELINE,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Lower figures without asking.")] = False,
) -> None:
    """Make a run's figures the accepted ones.

    Names every figure that this lowers, and asks first. Allowances stay as they are.
    """
    from mahdar.evals.comparing import gate as gates
    from mahdar.evals.running import runs
    from mahdar.evals.running.recording import write_text

    old = gates.read(baseline) if baseline.exists() else None
    new = gates.baseline(runs.read(run), *([old.allowances] if old else []))
    for line in gates.announced(old, new):
        typer.echo(line)
    if old is not None and gates.lowered(old, new) and not yes:
        unasked = "no terminal to ask on: give --yes to lower them without being asked"
        if not shared.agreed(f"Lower them in {baseline}?", unasked):
            typer.echo("nothing accepted")
            raise typer.Exit(1)
    write_text(baseline, new.model_dump_json(indent=1))
    typer.echo(f"accepted → {baseline}")


@app.command()
def agreement(
    first: Annotated[Path, typer.Argument(metavar="A_DIR", help="One annotator's label files.")],
    second: Annotated[Path, typer.Argument(metavar="B_DIR", help="The other annotator's, of the same articles.")],
    *,
    articles: Articles = ARTICLES,
) -> None:
    """Measure how far two annotators agree.

    Scores each against the other, and computes Krippendorff's α for the closed fields of records that both have.
    """
    from mahdar.evals import tables
    from mahdar.evals.comparing import agreement as annotators

    tables.console().print(tables.agreement(annotators.agreement(first, second, articles)))


@app.command()
def ablate(
    *,
    tasks: Annotated[
        list[str] | None,
        typer.Option(
            "--tasks",
            metavar="NAME[@VERSION],…",
            help="A set of tasks, such as meetings@1,stances@2; may be repeated.",
        ),
    ] = None,
    model: Annotated[list[str] | None, typer.Option(metavar="NAME", help="A model; may be repeated.")] = None,
    answer_mode: Annotated[
        list[str] | None,
        typer.Option(metavar="MODE", help="A value of MAHDAR_MODE; may be repeated."),
    ] = None,
    articles: Articles = ARTICLES,
    labels: Labels = LABELS,
    prompts: shared.Prompts = None,
    schemas: shared.Schemas = None,
    mode: Mode = "live",
    recordings: RecordingsIn = RECORDINGS,
    concurrency: Concurrency = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="DIR", help="Write the run files into this folder.")
    ] = None,
) -> None:
    """Run every combination of task versions, models and answer modes, and show the scores in one table."""
    from mahdar.evals import tables
    from mahdar.evals.comparing.ablate import run_all, variants
    from mahdar.evals.running.evaluation import Plan
    from mahdar.evals.running.extracting import Options

    options = Options(prompts=tuple(prompts or ()), schemas=shared.import_schemas(schemas), concurrency=concurrency)
    plan = Plan(articles=articles, labels=labels, mode=mode, recordings=recordings, options=options)
    made = run_all(plan, variants(tasks or (), model or (), answer_mode or ()), output)
    tables.console().print(tables.ablation(made))


@app.command()
def report(
    run: RunFile,
    *,
    against: Annotated[Path | None, typer.Option(metavar="OTHER.json", help="Show the changes since this run.")] = None,
    output: shared.PageFile = Path("report.html"),
    overwrite: shared.OverwritePage = False,
    language: shared.PageLanguage = "en",
) -> None:
    """Write an HTML page that shows a run's records beside the labels."""
    from mahdar.cli.report import write
    from mahdar.evals.reporting.report import of_runs

    for path in write(of_runs(run, against, output.name, language), output, overwrite=overwrite):
        typer.echo(f"report → {path}", err=True)


@seeds_app.command()
def check(*, articles: Articles = ARTICLES, labels: Labels = LABELS) -> None:
    """Check all label files: their shape, ids and codes, and that every quote is in its article.

    Prints one line for each problem, with the file and the path in it; the exit code is then 2.
    """
    from mahdar.evals.running.corpus import read_corpus

    cases = read_corpus(articles, labels)
    meetings, stances = (sum(len(getattr(case.labels, name)) for case in cases) for name in ("meetings", "stances"))
    counts = (counted(len(cases), "article"), counted(meetings, "meeting"), counted(stances, "stance"))
    typer.echo(f"{', '.join(counts)}: all valid")


@seeds_app.command()
def new(
    article: Annotated[Path, typer.Argument(metavar="ARTICLE", help="The article's text file.")],
    *,
    labels: Labels = LABELS,
) -> None:
    """Write a skeleton of labels for an article, to be filled in by a person.

    It has one meeting and one stance, to be copied or removed, and fails the check until it is filled in.
    """
    from mahdar.evals.skeleton import write_skeleton

    words = ["mahdar", "seeds", "check"]
    for name, folder, default in (("--articles", article.parent, ARTICLES), ("--labels", labels, LABELS)):
        words += [name, str(folder)] if folder != default else []
    typer.echo(f"fill in {write_skeleton(article, labels)}, then run: {shlex.join(words)}")


def conclude(run: "Run", output: Path | None, *, as_json: bool) -> None:
    """Write a run file if a path is given, and print the run as tables or JSON."""
    from mahdar.evals import tables
    from mahdar.evals.running import runs

    if output is not None:
        runs.write(run, output)
    if as_json:
        typer.echo(run.dumps())
    else:
        tables.console().print(tables.run(run))
