"""Target: what the results of a run are written to, and the files that belong to it."""

import os
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Final, Literal, Self, get_args

from mahdar.errors import UsageError
from mahdar.runs.locations import REMEDY
from mahdar.runs.outputs import ERRORS

Form = Literal["jsonl", "csv", "parquet", "duckdb", "xlsx"]
LEDGER: Final = ".ledger.sqlite"
"""Ends the name of the file beside the results that tells what is done."""
HISTORY: Final = ".history.jsonl"
"""Ends the name of the file for records that were replaced because their article has changed."""
DAMAGED: Final = ".damaged.jsonl"
"""Ends the name of the file for lines that are not as they were written."""
FORMS: Final[tuple[Form, ...]] = get_args(Form)
ENDINGS: Final = frozenset({"jsonl", "ndjson", "gz", "zst", "parquet", "duckdb", "xlsx"})
"""Of names that tell what is written; JSON Lines are not compressed, whatever the name."""
IN_FOLDER: Final = "extractions.jsonl"
"""The records of a run whose output is a folder."""
NEEDED: Final[dict[Form, tuple[str, ...]]] = {
    "csv": ("pyarrow", "duckdb"),
    "parquet": ("pyarrow", "duckdb"),
    "duckdb": ("pyarrow", "duckdb"),
    "xlsx": ("pyarrow", "duckdb", "xlsxwriter"),
}
"""Libraries by form."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where the results of a run go.

    Attributes:
        path: what the caller named.
        form: how it is written.
    """

    path: Path
    form: Form

    @classmethod
    def of(cls, name: str | Path, form: str | None = None) -> Self:
        """By the name of the file, or of the folder, where no form is given.

        Raises:
            UsageError: there is no such form, or the name does not go with it, or tells none.
        """
        if form is not None and form not in FORMS:
            raise UsageError(f"format {form!r}: not known; use one of {', '.join(FORMS)}")
        ending = _ending(Path(name))
        folder = str(name).endswith("/") or os.path.isdir(name)  # noqa: PTH112  # Path.is_dir raises below a closed one
        if ending == "csv" and not folder:
            raise UsageError(f"{name}: CSV is several tables, each a file; name a folder, with --format csv")
        if form is None and not folder and ending not in ENDINGS:
            _refuse_unknown(Path(name), ending)
        return cls(Path(name), _form(form or ending, folder=folder))

    @classmethod
    def written(cls, path: Path) -> Self:
        """What a run has written to, in whatever form it was told."""
        return cls(path, _form(_ending(path), folder=os.path.isdir(path)))  # noqa: PTH112  # as above

    @property
    def is_folder(self) -> bool:
        """Several files in a folder."""
        return self.form == "csv" or (self.form == "parquet" and self.path.suffix.lower() != ".parquet")

    @property
    def records(self) -> Path:
        """The JSON Lines that a run appends to, and all else is made from."""
        if self.form == "jsonl":
            return self.path
        return self.path / IN_FOLDER if self.is_folder else Path(f"{self.path}.jsonl")

    @property
    def name(self) -> Path:
        """What the names of ledger and errors begin with."""
        return self.records if self.is_folder else self.path

    @property
    def files(self) -> tuple[Path, ...]:
        """All that a run writes, the tables of a folder apart."""
        return self.path, self.records, *(Path(f"{self.name}{end}") for end in (LEDGER, ERRORS, HISTORY, DAMAGED))

    @property
    def ledger(self) -> Path:
        """What a later run goes on from."""
        return Path(f"{self.name}{LEDGER}")

    @property
    def begun(self) -> bool:
        """Whether there is a run to go on with."""
        return os.path.exists(self.ledger)  # noqa: PTH110  # as above

    def check(self) -> None:
        """See that it can be written, before anything is paid for.

        Raises:
            UsageError: a folder is in the place of a file, or the other way round; or a library is missing.
        """
        if not self.is_folder and os.path.isdir(self.path):  # noqa: PTH112  # as above
            raise UsageError(
                f"{self.path} is a folder, and {self.form} takes a file: name another; "
                "a folder of parts goes on with --engine ray"
            )
        if self.is_folder and os.path.isfile(self.path):  # noqa: PTH113  # as above
            raise UsageError(f"{self.path} is a file, and {self.form} takes a folder: name another")
        for library in NEEDED.get(self.form, ()):
            try:
                import_module(library)
            except ImportError:
                raise UsageError(f"writing {self.form} takes {library}; {REMEDY}") from None


def _ending(path: Path) -> str:
    return path.suffix.lower().removeprefix(".")


def _form(named: str, *, folder: bool) -> Form:
    other: Form = "csv" if folder else "jsonl"
    return next((form for form in FORMS if form == named), other)


def _refuse_unknown(path: Path, ending: str) -> None:
    """A name that tells no form is good for what is there already, such as a device."""
    if ending:
        raise UsageError(
            f"{path}: no form mahdar writes: name .jsonl, .parquet, .duckdb or .xlsx, a folder with / at its end, "
            "or --format"
        )
    if not os.path.exists(path):  # noqa: PTH110  # as above
        raise UsageError(f"{path}: no form named; add --format csv, or / at its end for a folder of CSV, or .jsonl")
