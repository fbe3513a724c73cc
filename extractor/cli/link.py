"""`mahdar link`: the same actor, the same meeting, across articles."""

from pathlib import Path
from typing import Annotated

import typer

from mahdar.wording import counted


def link(
    records: Annotated[
        list[Path], typer.Argument(metavar="FILE.jsonl...", help="What `mahdar extract -o` wrote; several go together.")
    ],
    *,
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", metavar="DIR", file_okay=False, help="Where results go; what is there is gone on from."
        ),
    ],
    corrections: Annotated[
        Path | None,
        typer.Option(
            "--corrections",
            metavar="FILE.csv",
            help="Who is one, who are two, and ids of your own; by default DIR/corrections.csv, where it is there.",
        ),
    ] = None,
) -> None:
    """Give one id to one actor, and to one meeting, over all articles.

    DIR gets records.jsonl (with actor_id and event_id), actors and events as JSON Lines and CSV, and review.csv: pairs
    in doubt, left apart, with what speaks for and against. Fill in its column `decision` and give it back as
    corrections. A later run with new records goes on: an id is never given to another.
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
