"""Modules that define tasks of one's own.

Code is run from two places only: a module that the user names (`--schemas`), and the entry points `mahdar.tasks` of
installed packages, each under the name of its task:

[project.entry-points."mahdar.tasks"]
agreements = "mytasks.agreements"
"""

import importlib
import importlib.util
import re
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, Final, get_args, get_origin

from mahdar.errors import UsageError
from mahdar.schemas.drafts import DRAFTS, Drafts, ItemDraft, MeetingDrafts, StanceDrafts
from mahdar.schemas.records import Record

ENTRY_POINTS: Final = "mahdar.tasks"
_OWN: Final = {drafts.task: drafts for drafts in (MeetingDrafts, StanceDrafts)}
_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")


def import_tasks(modules: Iterable[str]) -> None:
    """Import modules that define tasks, so that their names are known in this process.

    Args:
        modules: each a Python file (`mytasks.py`), or the name of a module that Python finds (`mypackage.tasks`).

    Raises:
        UsageError: there is no such module, it fails, it defines no task, or one that does not hold.
    """
    for name in modules:
        file = Path(name)
        if file.suffix == ".py" or file.is_file():
            _import(name, partial(_import_file, file))
        else:
            _import(name, partial(importlib.import_module, name))


def import_installed(task: str | None = None) -> None:
    """Import what installed packages have for a task, or for all; nothing where the task is known already.

    Raises:
        UsageError: it fails, or defines no task of that name.
    """
    for point in entry_points(group=ENTRY_POINTS):
        if point.name not in DRAFTS and task in {point.name, None}:
            place = f"entry point {point.name!r} ({point.value})"
            _import(place, partial(importlib.import_module, point.module))
            if point.name not in DRAFTS:
                raise UsageError(f"{place}: defines no task {point.name!r}; name the entry point as its task is called")


def record_class(task: str) -> type[Record] | None:
    """The class of a task's records; None where neither this process nor an installed package has the task."""
    import_installed(task)
    return DRAFTS[task].record if task in DRAFTS else None


def _import_file(file: Path) -> ModuleType:
    """Run a file as the module of its name, or one that no other module has."""
    if not file.is_file():
        raise UsageError(f"{file}: no such file; name a Python file, or a module that Python finds")
    path = file.resolve()
    taken = getattr(sys.modules.get(path.stem), "__file__", None)
    name = path.stem if path.stem not in sys.modules or taken == str(path) else f"{path.stem}_of_{path.parent.name}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UsageError(f"{file}: no Python file; its name must end in .py")
    module = importlib.util.module_from_spec(spec)
    before = sys.modules.get(name)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        sys.modules.pop(name)
        if before is not None:
            sys.modules[name] = before
        raise
    return module


def _import(place: str, import_: Callable[[], ModuleType]) -> None:
    """Import a module, and check the tasks that it defines; where one does not hold, none of them stays known."""
    before = dict(DRAFTS)
    try:
        _check_all(place, import_(), before)
    except (Exception, SystemExit) as error:  # whatever the code of others comes to
        DRAFTS.clear()
        DRAFTS.update(before)
        if isinstance(error, UsageError):
            raise
        raise UsageError(f"{place}: cannot be imported: {_said(error)}") from None


def _check_all(place: str, module: ModuleType, before: Mapping[str, type[Drafts]]) -> None:
    package = f"{module.__name__}."
    defined = {
        task: drafts
        for task, drafts in DRAFTS.items()
        if before.get(task) is not drafts or f"{drafts.__module__}.".startswith(package)
    }
    if not defined:
        raise UsageError(f"{place}: defines no task; derive a class from mahdar.schemas.drafts.Drafts")
    for task, drafts in defined.items():
        _check(place, task, drafts)


def _check(place: str, task: str, drafts: type[Drafts]) -> None:
    """Refuse a task that could not be asked for, or whose records could not be told from another's."""
    where = f"{place}: task {task!r}"
    if task in _OWN and drafts is not _OWN[task]:
        raise UsageError(f"{where}: mahdar has a task of this name; give yours another")
    if not _NAME.fullmatch(task):
        raise UsageError(f"{where}: a task's name has small letters, digits and _ only")
    if len(drafts.model_fields) != 1 or not _is_list(next(iter(drafts.model_fields.values())).annotation):
        raise UsageError(
            f"{where}: {drafts.__name__} has one field, a tuple[…, ...] of a class that derives from ItemDraft; it has "
            f"{', '.join(drafts.model_fields) or 'none'}"
        )
    if not issubclass(drafts.record, Record):
        raise UsageError(f"{where}: its record, {drafts.record!r}, does not derive from Record")
    for other, known in DRAFTS.items():
        if other != task and known.record.id_prefix == drafts.record.id_prefix:
            raise UsageError(
                f"{where}: its records are numbered {drafts.record.id_prefix}1, {drafts.record.id_prefix}2, … as those "
                f"of {other!r}; give {drafts.record.__name__} another id_prefix"
            )


def _is_list(annotation: Any) -> bool:
    inner = get_args(annotation)
    listed = get_origin(annotation) is tuple and len(inner) == 2 and inner[1] is Ellipsis
    return listed and isinstance(inner[0], type) and issubclass(inner[0], ItemDraft)


def _said(error: BaseException) -> str:
    """An error of a module's own code on one line, with the last line of code that it comes from."""
    words = " ".join(str(error).split()) or "no reason given"
    if isinstance(error, SyntaxError):
        return f"line {error.lineno}: {error.msg}"
    here = {__file__, importlib.__file__}
    frames = [one for one in traceback.extract_tb(error.__traceback__) if one.filename not in here]
    frames = [one for one in frames if not one.filename.startswith("<frozen")]
    at = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {words}{at}"
