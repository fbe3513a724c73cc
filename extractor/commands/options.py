"""Options that several commands share."""

from pathlib import Path
from typing import Annotated, Literal

import typer

Paths = Annotated[
    list[str],
    typer.Argument(metavar="PATH", help="Articles: text files, folders of *.txt, - for standard input."),
]
Rows = Annotated[
    list[str],
    typer.Argument(
        metavar="PATH",
        help="Articles: text files, folders of *.txt, JSONL, CSV or Parquet, each also as .gz or .zst; patterns in "
        "quotes; URLs; - for standard input.",
    ),
]
Tasks = Annotated[
    list[str] | None,
    typer.Option("--task", metavar="NAME[@VERSION]", help="What to look for, and by which prompt; may be repeated."),
]
Model = Annotated[str | None, typer.Option(metavar="NAME", help="The model to ask, in place of MAHDAR_MODEL.")]
Prompts = Annotated[
    list[Path] | None,
    typer.Option(
        "--prompts", metavar="DIR", exists=True, file_okay=False, help="Folder of further templates; may be repeated."
    ),
]
OutputFile = Annotated[
    Path, typer.Argument(metavar="OUTPUT.jsonl", help="What `mahdar extract -o` wrote, or a run file.")
]
Engine = Annotated[
    Literal["local", "ray"],
    typer.Option(help="Where the work is done: in this process, or by Ray on a cluster or on this machine."),
]
RayAddress = Annotated[
    str | None,
    typer.Option("--ray-address", metavar="HOST:PORT", help="A cluster of Ray's, in place of RAY_ADDRESS."),
]
Format = Annotated[
    str | None,
    typer.Option(
        "--format", metavar="FORM", help="jsonl, csv, parquet or duckdb, where the name of the output does not tell."
    ),
]
RayWorkers = Annotated[
    int | None,
    typer.Option(
        "--ray-workers",
        min=1,
        metavar="N",
        help="Extractors at once, each with as many calls in flight as --concurrency says.",
    ),
]
TextColumn = Annotated[str, typer.Option(metavar="NAME", help="The column that holds the article.")]
IdColumn = Annotated[
    str | None, typer.Option(metavar="NAME", help="The column that names it; by default id, else file and line.")
]
