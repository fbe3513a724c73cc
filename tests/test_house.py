"""The rules of the house: what holds for every file. What the documents promise is tested in `test_readmes.py`."""

import ast
import hashlib
import itertools
import json
import re
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[1]
PACKAGES: Final = ("extractor", "schemas", "prompts", "evals")
MADE: Final = {"__pycache__", "build", "dist"}
PROJECT: Final = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

NOT_FOR_READERS: Final = re.compile(
    r"pypi\.org|pythonhosted|--(extra-)?index-url|--find-links"  # where packages come from is the reader's choice
    r"|(?<![\w.~])/(root|home|work|opt|tmp)/\w"  # a folder of somebody's machine
    r"|file://"
)


def files() -> Iterator[Path]:
    """Every file of the project, less what tools make and hide."""
    for top in sorted(ROOT.iterdir()):
        if top.is_file():
            yield top
        elif top.name == ".ci" or not (top.name.startswith(".") or top.name in MADE or top.suffix == ".egg-info"):
            yield from (path for path in sorted(top.rglob("*")) if path.is_file() and not MADE.intersection(path.parts))


FILES: Final = tuple(files())
MODULES: Final = tuple(path for path in FILES if path.suffix == ".py")
SHIPPED: Final = tuple(path for path in MODULES if path.relative_to(ROOT).parts[0] in PACKAGES)


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    """Everything in a module."""
    return tuple(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def calls(path: Path) -> Iterator[tuple[str, str, ast.Call, str]]:
    """Calls in a module: what the method belongs to (empty for a plain name), the method, the call, its place."""
    for node in nodes(path):
        match node:
            case ast.Call(func=ast.Attribute(attr=method, value=owner)):
                yield ast.unparse(owner), method, node, f"{name(path)}:{node.lineno}"
            case ast.Call(func=ast.Name(id=function)):
                yield "", function, node, f"{name(path)}:{node.lineno}"


@cache
def imported(path: Path) -> frozenset[str]:
    """What a module imports, anywhere in it: packages, and the names taken from them."""
    statements = [node for node in nodes(path) if isinstance(node, ast.Import | ast.ImportFrom)]
    packages = [node.module or "" for node in statements if isinstance(node, ast.ImportFrom)]
    names = [alias.asname or alias.name for node in statements for alias in node.names]
    return frozenset(each.partition(".")[0] for each in (*packages, *names))


def given(call: ast.Call) -> dict[str | None, ast.expr]:
    return {keyword.arg: keyword.value for keyword in call.keywords}


def is_text(owner: str, method: str, call: ast.Call, modules: frozenset[str]) -> bool:
    """Whether a call opens, reads or writes text, so that it has to say in which encoding.

    A function of a module is not a path's method: `os.open` takes no encoding.
    """
    if method in {"read_text", "write_text"}:
        return owner not in {"", *modules}
    if method == "open" and owner not in modules:
        mode = given(call).get("mode") or next(iter(call.args[0 if owner else 1 :]), None)
        return not (isinstance(mode, ast.Constant) and "b" in str(mode.value))
    return method in {"run", "Popen", "check_output"} and "text" in given(call)


def test_the_network_is_loopback_only(no_network: list[str]) -> None:
    with pytest.raises(RuntimeError, match="loopback only"):
        socket.create_connection(("192.0.2.1", 443))
    with pytest.raises(RuntimeError, match="loopback only"):
        socket.getaddrinfo("model.example", 443)
    assert no_network == ["192.0.2.1", "model.example"]
    no_network.clear()


def test_loopback_is_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(("localhost", server.getsockname()[1])).close()


def test_text_is_opened_with_its_encoding() -> None:
    assert [
        place
        for path in MODULES
        for owner, method, call, place in calls(path)
        if is_text(owner, method, call, imported(path)) and "encoding" not in given(call)
    ] == []


def test_json_keeps_arabic_as_arabic() -> None:
    assert [
        place
        for path in SHIPPED
        for owner, method, call, place in calls(path)
        if (owner, method) in {("json", "dumps"), ("json", "dump")}
        and ast.unparse(given(call).get("ensure_ascii", ast.Constant(value=True))) != "False"
    ] == []


def test_nothing_is_pickled() -> None:
    refused = {"pickle", "marshal", "shelve"}
    assert [name(path) for path in SHIPPED if refused.intersection(imported(path))] == []


def test_no_file_names_a_registry_or_a_folder_of_a_machine() -> None:
    readable = [path for path in FILES if path.suffix != ".png" and path != Path(__file__)]
    texts = {name(path): path.read_text(encoding="utf-8") for path in readable}
    assert [f"{path}: {found[0]}" for path, text in texts.items() for found in NOT_FOR_READERS.finditer(text)] == []


def test_importing_the_extractor_loads_nothing_heavy() -> None:
    heavy = {"openai", "instructor", "scipy", "numpy", "dateparser", "jinja2", "rich", "typer", "babel", "pycountry"}
    program = "import mahdar, json, sys; print(json.dumps(sorted(sys.modules)))"
    said = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, check=True).stdout
    assert heavy.isdisjoint(json.loads(said))


@pytest.mark.parametrize(
    ("stem", "sha256"),
    [
        ("000_64624abc260ecb33", "d3a2d3d5966d917a6ae5fe80ce5705cede950a01e65d284495fdabbb4bf046f7"),
        ("001_7696498eca8da83d", "c2019a224fa97e82cd74d6205c0c6862e0ffa59769c869e65149678af0f4d4de"),
        ("002_ec7758134357b2f5", "9c96c35a71b1f6f70f23031ab16bbb22686a95c6762991975c88094ca615c44b"),
        ("003_29bfab6d2ee2a304", "285cbf981d8d869ba457d5ea1e81417620c56733bbdf4c6603b07b3a9802f61b"),
        ("004_2c4d119b83c83160", "27f8b047516abf16e82c6a233feb95a020a91679ff3d409dcb28ef03e62eaa2b"),
    ],
)
def test_a_seed_article_has_the_bytes_it_was_found_with(stem: str, sha256: str) -> None:
    article = ROOT / "seeds" / "articles" / f"{stem}.txt"
    assert hashlib.sha256(article.read_bytes()).hexdigest() == sha256


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_is_typed(package: str) -> None:
    assert (ROOT / package / "py.typed").is_file()


def test_the_change_log_begins_with_what_is_unreleased_or_with_this_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    sections = re.findall(r"^## \[(\S+)\]", text, re.MULTILINE)
    assert next(one for one in sections if one != "Unreleased") == PROJECT["version"]
    assert "Unreleased" not in sections[1:]


def test_everything_that_is_asked_for_is_pinned() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert [pin for pin in pins if not re.fullmatch(r"[\w.-]+==[\w.]+", pin)] == []
    wanted = [*PROJECT["dependencies"], *itertools.chain(*PROJECT["optional-dependencies"].values())]
    assert {package(each) for each in wanted} <= {package(pin) for pin in pins}


def package(requirement: str) -> str:
    """The normalized name that a requirement begins with."""
    return re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", requirement, maxsplit=1)[0]).lower()
