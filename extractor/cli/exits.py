"""Define the exit codes of the commands."""

from typing import Final

ALL_WELL: Final = 0
SOME_FAILED: Final = 1
UNUSABLE: Final = 2
NO_MODEL: Final = 3
INTERRUPTED: Final = 130
