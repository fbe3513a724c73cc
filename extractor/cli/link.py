"""`mahdar link`: give one id to one actor, and to one meeting, across articles."""

from pathlib import Path
from typing import Annotated

import typer

from mahdar.wording import counted


def link(
    records: Annotated[
        list[Path], typer.Argument(metavar="FILE.jsonl...", help="Files that `mahdar extract -o` wrote.")
    ],
    *,
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            metavar="DIR",
            file_okay=False,
            help="Output folder; results of earlier runs in it are continued.",
        ),
    ],
    corrections: Annotated[
        Path | None,
        typer.Option(
            "--corrections",
            metavar="FILE.csv",
            help="Table of corrections; by default DIR/corrections.csv, if it exists.",
        ),
    ] = None,
) -> None:
    """Give one id to one actor, and to one meeting, over all articles.

    Writes records.jsonl (with actor_id and event_id), actors and events as JSON Lines and CSV, and review.csv: doubtful
    pairs, left apart, with the evidence for and against. Fill in its column `decision`, and give it back with
    --corrections. A later run continues with new records, and never gives an id to another actor or meeting.
    """
    from mahdar.linking.linked import link

    made = link(records, output, corrections)
    for remark in made.remarks:
        typer.echo(remark, err=True)
    copies = f", {counted(made.copies, 'near-duplicate')} among them" if made.copies else ""
    doubts = f"; {counted(made.doubts, 'pair')} to review" if made.doubts else ""
    typer.echo(
        f"{counted(made.articles, 'article')}{copies}: {counted(made.actors, 'actor')}, "
        f"{counted(made.events, 'event')}{doubts} → {output}",
        err=True,
    )
