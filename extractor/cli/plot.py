"""Implement `mahdar plot`: draw figures of a run's output into files or on the terminal."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import typer

from mahdar.charts.drawing import png, svg
from mahdar.charts.figure import Figure
from mahdar.charts.figures import NAMES, figures
from mahdar.charts.terminal import drawn
from mahdar.cli.output import standard_output
from mahdar.errors import UsageError
from mahdar.runs.outputs import Outputs
from mahdar.wording import counted

FORMATS: Final = (".png", ".svg")


def plot(path: Path, names: Sequence[str], output: Path | None, *, language: str, dark: bool, scale: float) -> None:
    """Draw figures on the terminal, into one file, or as SVG and PNG into a folder.

    Raises:
        UsageError: there is no such figure or nothing to draw, or a file cannot be written.
    """
    if output and output.suffix and not output.is_dir():
        _check_file(output, names)
    outputs = Outputs(path)
    drawings = figures((output.extraction for output in outputs), language, names or NAMES)
    failed = sum(1 for _failure in outputs.failures())
    if not drawings:
        raise UsageError(f"{path}: nothing to draw{' for ' + ', '.join(names) if names else ''}")
    if empty := [name for name in names or NAMES if name not in drawings]:
        typer.echo(f"nothing to draw for {', '.join(empty)}", err=True)
    if failed:
        typer.echo(f"{counted(failed, 'article')} failed, in no figure", err=True)
    if output is None:
        console = standard_output()
        for figure in drawings.values():
            console.print(drawn(figure))
    elif output.suffix and not output.is_dir():
        (figure,) = drawings.values()
        _write(output, figure, dark=dark, scale=scale)
    else:
        _write_all(output, drawings.values(), dark=dark, scale=scale)


def _check_file(output: Path, names: Sequence[str]) -> None:
    if output.suffix.lower() not in FORMATS:
        raise UsageError(f"-o {output}: pictures are {' or '.join(FORMATS)}; a name without an ending is a folder")
    if len(names) != 1:
        raise UsageError(f"-o {output}: one file holds one figure, name it ({', '.join(NAMES)}); or name a folder")


def _write_all(folder: Path, drawings: Iterable[Figure], *, dark: bool, scale: float) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"-o {folder}: the folder cannot be created: {error.strerror}; name another") from None
    for figure in drawings:
        for ending in FORMATS:
            _write(folder / f"{figure.name}{ending}", figure, dark=dark, scale=scale)


def _write(file: Path, figure: Figure, *, dark: bool, scale: float) -> None:
    is_text = file.suffix.lower() == ".svg"
    content = svg(figure, dark=dark).encode() if is_text else png(figure, dark=dark, scale=scale)
    try:
        file.write_bytes(content)
    except OSError as error:
        raise UsageError(f"-o {file}: cannot be written: {error.strerror}; name another") from None
    typer.echo(str(file), err=True)
