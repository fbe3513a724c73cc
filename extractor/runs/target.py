"""Name the files that a run writes, from the --output that it was given."""

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
"""Suffix of the ledger, which records the outcome of each article."""
HISTORY: Final = ".history.jsonl"
"""Suffix of the file for records that were replaced because their article has changed."""
DAMAGED: Final = ".damaged.jsonl"
"""Suffix of the file for lines that are not as they were written."""
SIDE_FILES: Final = (LEDGER, ERRORS, HISTORY, DAMAGED)
"""Suffixes of the files beside the results."""
FORMS: Final[tuple[Form, ...]] = get_args(Form)
ENDINGS: Final = frozenset({"jsonl", "ndjson", "gz", "zst", "parquet", "duckdb", "xlsx"})
"""Endings of file names that determine a form; JSON Lines are written uncompressed, whatever the name."""
RECORDS_NAME: Final = "extractions.jsonl"
"""Name of the file of records if the output is a folder."""
REQUIRED_LIBRARIES: Final[dict[Form, tuple[str, ...]]] = {
    "csv": ("pyarrow", "duckdb"),
    "parquet": ("pyarrow", "duckdb"),
    "duckdb": ("pyarrow", "duckdb"),
    "xlsx": ("pyarrow", "duckdb", "xlsxwriter"),
}
"""Libraries that a form needs."""


@dataclass(frozen=True, slots=True)
class OutputPaths:
    """The output of a run, and the files beside it.

    Attributes:
        path: the file or folder that the caller named.
        form: its format.
    """

    path: Path
    form: Form

    @classmethod
    def of(cls, name: str | Path, form: str | None = None) -> Self:
        """Determine the form from the name of the file or folder, unless it is given.

        Raises:
            UsageError: there is no such form, the name contradicts it, the name determines none, or it is that of a
                file beside the results of another run.
        """
        if form is not None and form not in FORMS:
            raise UsageError(f"format {form!r}: not known; use one of {', '.join(FORMS)}")
        ending = _ending(Path(name))
        beside = next((end for end in SIDE_FILES if f"{name}".endswith(end)), "")
        if beside and _ending(Path(f"{name}".removesuffix(beside))) in ENDINGS:
            raise UsageError(f"{name}: is a file of the run into {f'{name}'.removesuffix(beside)}; name another file")
        folder = str(name).endswith("/") or os.path.isdir(name)  # noqa: PTH112  # Path.is_dir raises below a closed one
        if ending == "csv" and not folder:
            raise UsageError(f"{name}: CSV is several tables, each a file; name a folder, with --format csv")
        if form is None and not folder and ending not in ENDINGS:
            _refuse_unknown(Path(name), ending)
        return cls(Path(name), _form(form or ending, folder=folder))

    @classmethod
    def written(cls, path: Path) -> Self:
        """Find the output of an earlier run by its path alone, whatever form it was given."""
        return cls(path, _form(_ending(path), folder=os.path.isdir(path)))  # noqa: PTH112  # as above

    @property
    def is_folder(self) -> bool:
        """Whether the output is several files in a folder."""
        return self.form == "csv" or (self.form == "parquet" and self.path.suffix.lower() != ".parquet")

    @property
    def records(self) -> Path:
        """The JSON Lines that a run appends to, and from which the other forms are made."""
        if self.form == "jsonl":
            return self.path
        return self.path / RECORDS_NAME if self.is_folder else Path(f"{self.path}.jsonl")

    @property
    def name(self) -> Path:
        """Prefix of the names of the ledger, the error file and the others beside the records."""
        return self.records if self.is_folder else self.path

    @property
    def files(self) -> tuple[Path, ...]:
        """All files that a run writes, except the tables in a folder."""
        return self.path, self.records, *(Path(f"{self.name}{end}") for end in SIDE_FILES)

    @property
    def ledger(self) -> Path:
        """The ledger, from which a later run resumes."""
        return Path(f"{self.name}{LEDGER}")

    @property
    def begun(self) -> bool:
        """Whether there is a run to resume."""
        return os.path.exists(self.ledger)  # noqa: PTH110  # as above

    def check(self) -> None:
        """Check that the output can be written, before anything is paid for.

        Raises:
            UsageError: there is a folder where a file is wanted, or a file where a folder is; or a library is missing.
        """
        if not self.is_folder and os.path.isdir(self.path):  # noqa: PTH112  # as above
            raise UsageError(f"{self.path} is a folder, and {self.form} takes a file: name another")
        if self.is_folder and os.path.isfile(self.path):  # noqa: PTH113  # as above
            raise UsageError(f"{self.path} is a file, and {self.form} takes a folder: name another")
        for library in REQUIRED_LIBRARIES.get(self.form, ()):
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
    """Refuse a name that determines no form, unless it is that of an existing file, such as a device."""
    if ending:
        raise UsageError(
            f"{path}: mahdar does not write .{ending}; name .jsonl, .parquet, .duckdb or .xlsx, a folder with / at its "
            "end, or --format"
        )
    if not os.path.exists(path):  # noqa: PTH110  # as above
        raise UsageError(f"{path}: no format given; add --format csv, or / at its end for a folder of CSV, or .jsonl")
