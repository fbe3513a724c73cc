"""The layers: no module imports one above it, wherever in it the import stands."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[1]
PARTS: Final = ("extractor", "schemas", "prompts", "evals")
LAYERS: Final = (
    {"schemas", "wording"},
    {"results"},
    {"errors"},
    {"settings", "prompts", "task_modules"},
    {"documents"},
    {"grounding"},
    {"resolving"},
    {"validation"},
    {"tasks"},
    {"observability"},
    {"cache"},
    {"limits"},
    {"drafting"},
    {"llm", "offline"},
    {"assembling"},
    {"loop"},
    {"service"},
    {"runs"},
    {"tables", "linking", "openai_batch", "ray"},
    {"charts"},
    {"html"},
    {"notebook", "server"},
    {"cli"},
    {"evals"},
)
"""Rooms from the bottom to the top; those of one layer do not know each other."""
RANKS: Final = {room: rank for rank, rooms in enumerate(LAYERS) for room in rooms}


def modules() -> Iterator[tuple[str, Path]]:
    """Every module that is installed, by its name, but for the scripts among the benchmarks."""
    for top in PARTS:
        for path in sorted((ROOT / top).rglob("*.py")):
            words = path.relative_to(ROOT).with_suffix("").parts
            if "benchmarks" not in words:
                yield ".".join(("mahdar", *words[1:]) if top == "extractor" else ("mahdar", *words)), path


def imports(path: Path) -> Iterator[str]:
    """Every module of ours that a module imports, also inside functions and for type checkers only."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.ImportFrom(module="mahdar", names=names):
                yield from (f"mahdar.{name.name}" for name in names)
            case ast.ImportFrom(module=str(module)) if module.startswith("mahdar."):
                yield module
            case ast.Import(names=names):
                yield from (name.name for name in names if name.name.startswith("mahdar."))


def room(module: str) -> str:
    """The room of a module: the second part of its name."""
    return module.split(".")[1]


MODULES: Final = tuple(modules())


def test_every_room_has_its_layer() -> None:
    assert {room(name) for name, _ in MODULES} - {"__init__", "__main__"} == {*RANKS}


@pytest.mark.parametrize("name", sorted(RANKS))
def test_no_import_runs_upwards(name: str) -> None:
    upward = [
        f"{module} imports {target}"
        for module, path in MODULES
        if room(module) == name
        for target in imports(path)
        if room(target) != name and RANKS[room(target)] >= RANKS[name]
    ]
    assert upward == []


def test_no_two_classes_have_one_name() -> None:
    places: dict[str, list[str]] = {}
    for module, path in MODULES:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef):
                places.setdefault(node.name, []).append(module)
    assert {name: where for name, where in places.items() if len(where) > 1} == {}
