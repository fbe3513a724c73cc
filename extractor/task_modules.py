"""Import modules that define further tasks.

Code is imported only from modules that the user names (`--schemas`), and from entry points of installed packages in the
group `mahdar.tasks`, each with the name of its task:

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
    """Import modules that define tasks, which registers the tasks in this process.

    Args:
        modules: Python files (`mytasks.py`), or names of modules that Python finds (`mypackage.tasks`).

    Raises:
        UsageError: a module does not exist, fails, or defines no task or an invalid one.
    """
    for name in modules:
        file = Path(name)
        if file.suffix == ".py" or file.is_file():
            _import(name, partial(_import_file, file))
        else:
            _import(name, partial(importlib.import_module, name))


def import_installed(task: str | None = None) -> None:
    """Import the entry points of a task that is not registered.

    Args:
        task: the task's name; None for all tasks.

    Raises:
        UsageError: an entry point fails, or does not define the task of its name.
    """
    if task in DRAFTS:  # to look for entry points takes 10 ms
        return
    for point in entry_points(group=ENTRY_POINTS):
        if point.name not in DRAFTS and task in {point.name, None}:
            place = f"entry point {point.name!r} ({point.value})"
            _import(place, partial(importlib.import_module, point.module))
            if point.name not in DRAFTS:
                raise UsageError(f"{place}: defines no task {point.name!r}; name the entry point as its task is called")


def record_class(task: str) -> type[Record] | None:
    """Return the record class of a task; None if neither this process nor an installed package defines the task."""
    import_installed(task)
    return DRAFTS[task].record if task in DRAFTS else None


def _import_file(file: Path) -> ModuleType:
    """Import a file as the module of its stem, or under another name if a module has that name."""
    if not file.is_file():
        raise UsageError(f"{file}: no such file; name a Python file, or a module that Python finds")
    path = file.resolve()
    other = getattr(sys.modules.get(path.stem), "__file__", None)
    name = path.stem if path.stem not in sys.modules or other == str(path) else f"{path.stem}_of_{path.parent.name}"
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
    """Import a module and check its tasks; if one is invalid, none of them is registered."""
    before = dict(DRAFTS)
    try:
        _check_all(place, import_(), before)
    except (Exception, SystemExit) as error:  # foreign code may raise anything
        DRAFTS.clear()
        DRAFTS.update(before)
        if isinstance(error, UsageError):
            raise
        remedy = "; name an installed module, or a file FILE.py" if isinstance(error, ModuleNotFoundError) else ""
        raise UsageError(f"{place}: cannot be imported: {_describe(error)}{remedy}") from None


def _check_all(place: str, module: ModuleType, before: Mapping[str, type[Drafts]]) -> None:
    """Check the tasks that a module or its submodules define; `before` is the registry before the import."""
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
    """Refuse a task with an invalid name or schema, or whose records would have the ids of another task's."""
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
    """Whether an annotation is `tuple[X, ...]` of a subclass of `ItemDraft`."""
    members = get_args(annotation)
    is_tuple = get_origin(annotation) is tuple and len(members) == 2 and members[1] is Ellipsis
    return is_tuple and isinstance(members[0], type) and issubclass(members[0], ItemDraft)


def _describe(error: BaseException) -> str:
    """Describe an error of a module's code on one line, with the line of code that raised it."""
    if isinstance(error, SyntaxError):
        return f"line {error.lineno}: {error.msg}"
    message = " ".join(str(error).split()) or "no reason given"
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename not in {__file__, importlib.__file__} and not frame.filename.startswith("<frozen")
    ]
    place = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {message}{place}"
