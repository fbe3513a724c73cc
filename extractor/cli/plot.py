"""Plotting: figures of a file of outputs, into files or onto the terminal."""

from collections.abc import Iterable, Mapping, Sequence
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
    """Draw figures: in the terminal, into one file, or both as SVG and PNG into a folder.

    Raises:
        UsageError: there is no such figure, nothing to draw, or no place for it.
    """
    if output and output.suffix and not output.is_dir():
        _check_file(output, names)
    outputs = Outputs(path)
    made = figures((one.extraction for one in outputs), language, names or NAMES)
    _tell(path, names, made, sum(1 for _failure in outputs.failures()))
    if output is None:
        _print(made.values())
    elif output.suffix and not output.is_dir():
        (figure,) = made.values()
        _write(output, figure, dark=dark, scale=scale)
    else:
        _write_all(output, made.values(), dark=dark, scale=scale)


def _check_file(output: Path, names: Sequence[str]) -> None:
    if output.suffix.lower() not in FORMATS:
        raise UsageError(f"-o {output}: pictures are {' or '.join(FORMATS)}; a name without an ending is a folder")
    if len(names) != 1:
        raise UsageError(f"-o {output}: one file holds one figure, name it ({', '.join(NAMES)}); or name a folder")


def _tell(path: Path, names: Sequence[str], made: Mapping[str, Figure], failed: int) -> None:
    """What is in no picture is said."""
    if not made:
        raise UsageError(f"{path}: nothing to draw{' for ' + ', '.join(names) if names else ''}")
    empty = [name for name in names or NAMES if name not in made]
    if empty:
        typer.echo(f"nothing to draw for {', '.join(empty)}", err=True)
    if failed:
        typer.echo(f"{counted(failed, 'article')} failed, in no figure", err=True)


def _print(made: Iterable[Figure]) -> None:
    console = standard_output()
    for figure in made:
        console.print(drawn(figure))


def _write_all(folder: Path, made: Iterable[Figure], *, dark: bool, scale: float) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"-o {folder}: no folder can be made: {error.strerror}; name another") from None
    for figure in made:
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
