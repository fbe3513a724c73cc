"""Command-line options that several commands share."""

from pathlib import Path
from typing import Annotated, Final

import typer

from mahdar.errors import UsageError

ARTICLES: Final = Path("seeds/articles")
LABELS: Final = Path("seeds/labels")
RECORDINGS: Final = Path("evals/recordings")
BASELINE: Final = Path("evals/baseline.json")
"""Places of this project's own corpus, relative to its root."""

Articles = Annotated[Path, typer.Option("--articles", metavar="DIR", help="Folder of *.txt.")]
Labels = Annotated[Path, typer.Option("--labels", metavar="DIR", help="Folder of a JSON file for each article.")]
RecordingsIn = Annotated[Path, typer.Option("--recordings", metavar="DIR", help="Where raw answers are recorded.")]
RunFile = Annotated[Path, typer.Argument(metavar="RUN.json", help="A run file.")]
BaselineFile = Annotated[Path, typer.Option("--baseline", metavar="FILE", help="The accepted figures.")]
Out = Annotated[Path | None, typer.Option("--output", "-o", metavar="RUN.json", help="Write the run file here.")]


def check_extra(command: str) -> None:
    """Refuse a command whose extra is not installed.

    Raises:
        UsageError: a package of the extra `evals` is missing.
    """
    from importlib.util import find_spec

    missing = [name for name in ("numpy", "scipy") if find_spec(name) is None]
    if missing:
        raise UsageError(f"{command} needs {' and '.join(missing)}: pip install 'mahdar[evals]'")
