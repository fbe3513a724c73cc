"""`mahdar eval link`: score linked records, and gate them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from mahdar.evals.options import RecordingsIn

if TYPE_CHECKING:
    from mahdar.evals.linking.scoring import LinkingScore

LINKING: Final = Path("evals/linking/articles")
"""Folder of the project's labels of linking, relative to its root."""
SHOWN: Final = 20
"""Errors shown without --errors."""


def link(
    records: Annotated[
        Path | None,
        typer.Argument(
            metavar="RECORDS.jsonl",
            help="What `mahdar link` wrote; by default, link the recorded answers to --articles.",
        ),
    ] = None,
    *,
    articles: Annotated[Path, typer.Option("--articles", metavar="PATH", help="Articles with recorded answers.")] = (
        LINKING / "articles.jsonl"
    ),
    recordings: RecordingsIn = LINKING / "recordings",
    labels: Annotated[
        list[Path] | None,
        typer.Option("--labels", metavar="FILE.json", help="Labels of actors or events; may be repeated."),
    ] = None,
    half: Annotated[
        str | None, typer.Option("--half", metavar="tune|report", help="Count only labels of this half.")
    ] = None,
    errors: Annotated[
        bool, typer.Option("--errors", help="Show every pair that is wrongly joined or left apart.")
    ] = False,
    baseline: Annotated[
        Path | None,
        typer.Option("--baseline", metavar="FILE", help="Accepted figures; the exit code is 1 if a figure fell."),
    ] = None,
    accept: Annotated[bool, typer.Option("--accept", help="Write the figures to the file of --baseline.")] = False,
) -> None:
    """Score linked records against labels of which mentions are one actor, and which meetings one event.

    Shows pairwise and B³ precision and recall over the labels that records have, and over the pairs marked as hard.
    Without RECORDS, the project's own articles are replayed, linked and scored.
    """
    from tempfile import TemporaryDirectory

    from mahdar.errors import UsageError
    from mahdar.evals.linking import scoring
    from mahdar.evals.linking.labels import read_labels, read_linked
    from mahdar.evals.linking.replaying import relinked
    from mahdar.evals.running.recording import write_text

    if half not in {None, "tune", "report"}:
        raise UsageError(f"--half {half}: say tune or report")
    if accept and baseline is None:
        raise UsageError("--accept: name the file to write with --baseline")
    accepted = dict(scoring.read_baseline(baseline).sets) if baseline and (not accept or baseline.is_file()) else {}
    with TemporaryDirectory() as folder:
        linked = read_linked(records or relinked(articles, recordings, Path(folder)))
    fell = []
    for file in labels or [LINKING / "actors.json", LINKING / "events.json"]:
        score = scoring.score(read_labels(file), linked, half)
        _show(file, score, errors=errors)
        name = f"{file.name}, {half or 'all'}"
        if accept:
            accepted[name] = score.figures
        elif baseline:
            fell += [f"{name}: {line}" for line in scoring.fallen(score, accepted.get(name, {}))]
    if accept and baseline:
        write_text(baseline, scoring.LinkingBaseline(sets=accepted).model_dump_json(indent=1))
    for line in fell:
        typer.echo(line, err=True)
    raise typer.Exit(1 if fell else 0)


def _show(file: Path, score: "LinkingScore", *, errors: bool) -> None:
    typer.echo(f"{file}")
    for name, rates in score.rates.items():
        typer.echo(f"  {name:<18} P {rates.precision:.3f}  R {rates.recall:.3f}  F1 {rates.f1:.3f}")
    for case, counts in sorted(score.cases.items()):
        told = ", ".join(f"{what}: {number}" for what, number in sorted(counts.items()))
        typer.echo(f"  {case}: {told}")
    for what, number in score.left_out.items():
        typer.echo(f"  left out, {what}: {number}")
    for line in score.errors if errors else score.errors[:SHOWN]:
        typer.echo(f"  {line}")
    if len(score.errors) > SHOWN and not errors:
        typer.echo(f"  and {len(score.errors) - SHOWN} more: --errors shows all")
