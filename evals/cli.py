"""`mahdar eval` and `mahdar seeds`: runs, scores, comparisons, the gate, and labels."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from mahdar.cli.options import (
    Model,
    OverwritePage,
    PageFile,
    PageLanguage,
    Prompts,
    Schemas,
    Tasks,
    import_schemas,
    settings_of,
)
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

app = typer.Typer(help="Runs over labelled articles.", no_args_is_help=True, rich_markup_mode=None)
seeds_app = typer.Typer(help="Labels of articles.", no_args_is_help=True, rich_markup_mode=None)

Mode = Annotated[
    Literal["live", "record", "replay"],
    typer.Option(
        help="live: ask the model; record: and write its answers down; replay: answer from what was recorded."
    ),
]
Concurrency = Annotated[int | None, typer.Option(min=1, metavar="N", help="Articles at once.")]
SOME_FAILED = 1


@app.callback()
def _check_extra() -> None:
    """Name what is missing before anything is extracted, and paid for."""
    check_extra("mahdar eval")


app.command()(link)


@app.command("run")
def run_(
    *,
    articles: Articles = ARTICLES,
    labels: Labels = LABELS,
    model: Model = None,
    task: Tasks = None,
    prompts: Prompts = None,
    schemas: Schemas = None,
    mode: Mode = "live",
    recordings: RecordingsIn = RECORDINGS,
    fresh: Annotated[bool, typer.Option("--fresh", help="Record anew what is recorded already.")] = False,
    repeat: Annotated[int, typer.Option(min=1, metavar="K", help="Ask K times, for mean and spread; live only.")] = 1,
    concurrency: Concurrency = None,
    output: Out = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="The run file on standard output, in place of tables.")
    ] = False,
) -> None:
    """Extract labelled articles, score what comes, and show it.

    An article that fails scores zero and is named; the exit code is then 1. A replay needs no endpoint: it takes the
    model that is recorded, by --model where there are several.
    """
    from mahdar.evals.running.evaluation import Plan, evaluate
    from mahdar.evals.running.systems import Options
    from mahdar.tasks import TASKS

    if repeat > 1 and mode != "live":
        raise UsageError(f"--repeat {repeat}: repeats are live, got --mode {mode}: a recorded answer stays the same")
    if fresh and mode != "record":
        raise UsageError(f"--fresh records anew, got --mode {mode}: give --mode record")
    if mode == "live":
        settings_of(model)  # says so where nothing is configured, and rules read
    plan = Plan(
        articles=articles,
        labels=labels,
        mode=mode,
        recordings=recordings,
        fresh=fresh,
        repeats=repeat,
        options=Options(
            model, tuple(task or TASKS), tuple(prompts or ()), import_schemas(schemas), concurrency=concurrency
        ),
    )
    made = evaluate(plan)
    conclude(made, output, as_json=as_json)
    raise typer.Exit(SOME_FAILED if any(one.failed for one in made.outcomes) else 0)


@app.command()
def record(
    articles: Annotated[
        Path, typer.Argument(metavar="ARTICLES", help="A folder of *.txt, or a file of JSONL, CSV or Parquet.")
    ],
    *,
    recordings: RecordingsIn,
    model: Model = None,
    task: Tasks = None,
    prompts: Prompts = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Record anew what is recorded already.")] = False,
    concurrency: Concurrency = None,
) -> None:
    """Write down a model's answers to articles that have no labels.

    What is recorded already is not asked again. Failures are named on standard error; the exit code is then 1.
    """
    from mahdar.evals.running.systems import Options
    from mahdar.evals.running.unlabelled import record as record_answers
    from mahdar.results import Failure
    from mahdar.tasks import TASKS

    options = Options(model, tuple(task or TASKS), tuple(prompts or ()), concurrency=concurrency)
    results = record_answers(articles, recordings, options, fresh=fresh)
    failures = [one for one in results.values() if isinstance(one, Failure)]
    for one in failures:
        typer.echo(f"{one.document_id}: {one.failure}: {one.message}", err=True)
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
    from mahdar.evals.running.evaluation import rescore

    conclude(rescore(outputs, labels, articles), output, as_json=as_json)


@app.command()
def compare(
    before: Annotated[Path, typer.Argument(metavar="A.json", help="The run that stands.")],
    after: Annotated[Path, typer.Argument(metavar="B.json", help="The run that may replace it.")],
    *,
    short: Annotated[bool, typer.Option("--short", help="Soft F1 of both with its interval, and no more.")] = False,
) -> None:
    """Show what a second run won and lost.

    Figures with a paired test, articles, and the records that changed, side by side.
    """
    from mahdar.evals import tables
    from mahdar.evals.comparing import tables as compare_tables
    from mahdar.evals.comparing.compare import compare_runs
    from mahdar.evals.running import runs

    one, other = runs.read(before), runs.read(after)
    compared = compare_runs(one, other)
    told = compare_tables.headlines(one, other) if short else compare_tables.comparison(compared, one, other)
    tables.console().print(told)


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
    """Judge a run by the accepted figures.

    Exit code 1 where one has fallen by more than is allowed.
    """
    from mahdar.evals.comparing import gate as gates
    from mahdar.evals.running import runs

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
    """Accept a run's figures, and say what falls.

    Asks before it lowers anything. Allowances stay as they are.
    """
    from mahdar.evals.comparing import gate as gates
    from mahdar.evals.running import runs

    old = gates.read(baseline) if baseline.exists() else None
    new = gates.baseline(runs.read(run), *([old.allowances] if old else []))
    for line in gates.announced(old, new):
        typer.echo(line)
    if old is not None and gates.lowered(old, new) and not yes and not _agreed(f"Lower them in {baseline}?"):
        typer.echo("nothing accepted")
        raise typer.Exit(1)
    gates.write(new, baseline)
    typer.echo(f"accepted → {baseline}")


@app.command()
def agreement(
    first: Annotated[Path, typer.Argument(metavar="A_DIR", help="One annotator's label files.")],
    second: Annotated[Path, typer.Argument(metavar="B_DIR", help="The other's, of the same articles.")],
    *,
    articles: Articles = ARTICLES,
) -> None:
    """Compare the labels of two annotators.

    The scorer both ways, and Krippendorff's α on the closed fields of records that both have.
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
            help="A set of tasks, such as meetings@1,stances@2; once for each set to be tried.",
        ),
    ] = None,
    model: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Once for each model to be tried.")] = None,
    answer_mode: Annotated[
        list[str] | None,
        typer.Option(metavar="MODE", help="How the answer's form is asked for, as MAHDAR_MODE; may be repeated."),
    ] = None,
    articles: Articles = ARTICLES,
    labels: Labels = LABELS,
    prompts: Prompts = None,
    schemas: Schemas = None,
    mode: Mode = "live",
    recordings: RecordingsIn = RECORDINGS,
    concurrency: Concurrency = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="DIR", help="Write every run file into this folder.")
    ] = None,
) -> None:
    """Run every combination, for one table.

    Of task versions, models, and modes in which the answer's form is asked for.
    """
    from mahdar.evals import tables
    from mahdar.evals.comparing.ablate import run_all, variants
    from mahdar.evals.running.evaluation import Plan
    from mahdar.evals.running.systems import Options

    options = Options(prompts=tuple(prompts or ()), schemas=import_schemas(schemas), concurrency=concurrency)
    plan = Plan(articles=articles, labels=labels, mode=mode, recordings=recordings, options=options)
    found = run_all(plan, variants(tasks or (), model or (), answer_mode or ()), output)
    tables.console().print(tables.ablation(found))


@app.command()
def report(
    run: RunFile,
    *,
    against: Annotated[Path | None, typer.Option(metavar="OTHER.json", help="Show first what changed since.")] = None,
    output: PageFile = Path("report.html"),
    overwrite: OverwritePage = False,
    language: PageLanguage = "en",
) -> None:
    """Write one HTML file that shows a run's records beside the labels."""
    from mahdar.cli.report import write
    from mahdar.evals.reporting.report import of_runs

    for path in write(of_runs(run, against, output.name, language), output, overwrite=overwrite):
        typer.echo(f"report → {path}", err=True)


@seeds_app.command()
def check(*, articles: Articles = ARTICLES, labels: Labels = LABELS) -> None:
    """Check all label files.

    Their shape, quotes letter by letter, ids and codes. Exit code 2 where one is not sound; every problem is a line
    with its file and its path.
    """
    from mahdar.evals.running.corpus import read_corpus

    cases = read_corpus(articles, labels)
    meetings, stances = (sum(len(getattr(case.labels, name)) for case in cases) for name in ("meetings", "stances"))
    found = (counted(len(cases), "article"), counted(meetings, "meeting"), counted(stances, "stance"))
    typer.echo(f"{', '.join(found)}: all sound")


@seeds_app.command()
def new(
    article: Annotated[Path, typer.Argument(metavar="ARTICLE", help="The article's text file.")],
    *,
    labels: Labels = LABELS,
) -> None:
    """Begin the labels of an article.

    Writes a skeleton to be filled in by a person. It has one meeting and one stance, to be copied or removed, and does
    not pass the check as it is.
    """
    from mahdar.evals.skeleton import write_skeleton

    words = ["mahdar", "seeds", "check"]
    for name, folder, default in (("--articles", article.parent, ARTICLES), ("--labels", labels, LABELS)):
        words += [name, str(folder)] if folder != default else []
    typer.echo(f"fill in {write_skeleton(article, labels)}, then run: {shlex.join(words)}")


def _agreed(question: str) -> bool:
    try:
        return typer.confirm(question)
    except typer.Abort:
        raise UsageError("nobody there to agree; give --yes to lower them without being asked") from None


def conclude(made: "Run", output: Path | None, *, as_json: bool) -> None:
    """Write a run where it is wanted, and show it."""
    from mahdar.evals import tables
    from mahdar.evals.running import runs

    if output is not None:
        runs.write(made, output)
    if as_json:
        typer.echo(made.dumps())
    else:
        tables.console().print(tables.run(made))
