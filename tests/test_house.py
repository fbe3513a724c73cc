"""The rules of the house: what holds for every file, and what the documents promise."""

import ast
import doctest
import hashlib
import itertools
import json
import re
import shlex
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final, get_args

import pytest
from typer.main import get_command

from extractor.cli.app import app
from extractor.errors import FailureClass
from schemas import Meeting, Stance

from loopback import Endpoint, completion

ROOT: Final = Path(__file__).parents[1]
PACKAGES: Final = ("extractor", "schemas", "prompts", "evals")
MADE: Final = {"__pycache__", "build", "dist"}
README: Final = (ROOT / "README.md").read_text(encoding="utf-8")
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
    program = "import extractor, json, sys; print(json.dumps(sorted(sys.modules)))"
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


def test_the_change_log_begins_with_this_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(r"^## \[(\d\S*)\]", text, re.MULTILINE)[0] == PROJECT["version"]


def test_everything_that_is_asked_for_is_pinned() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert [pin for pin in pins if not re.fullmatch(r"[\w.-]+==[\w.]+", pin)] == []
    wanted = [*PROJECT["dependencies"], *itertools.chain(*PROJECT["optional-dependencies"].values())]
    assert {package(each) for each in wanted} <= {package(pin) for pin in pins}


def package(requirement: str) -> str:
    """The normalized name that a requirement begins with."""
    return re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", requirement, maxsplit=1)[0]).lower()


def blocks(language: str) -> list[str]:
    """The fenced code of the README in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def lines_of(program: str) -> list[list[str]]:
    """Every use of a program in the README, less its comment, what is set before it and where it is piped."""
    shown = [*"".join(blocks("sh")).splitlines(), *re.findall(r"`([^`\n]+)`", README)]
    found = (re.match(rf"(?:[A-Z_]+=\S+ )*{program} ([^#|>]+)", line) for line in shown)
    return [shlex.split(match[1]) for match in found if match]


@pytest.mark.parametrize("words", lines_of("make"), ids=" ".join)
def test_a_make_target_in_the_readme_exists(words: list[str]) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(rf"^{words[0]}:", makefile, re.MULTILINE)


@pytest.mark.parametrize("words", lines_of("mahdar"), ids=" ".join)
def test_a_command_in_the_readme_exists(words: list[str]) -> None:
    command: Any = get_command(app)
    for word in words:
        command = getattr(command, "commands", {}).get(word, command)
    assert not hasattr(command, "commands")
    known = {name for parameter in command.params for name in parameter.opts + parameter.secondary_opts}
    assert {word for word in words if word.startswith("-") and word != "-"} <= known


def first_column(heading: str) -> set[str]:
    """What stands in backticks in the first column of the README's table with this heading."""
    table = README.partition(heading)[2].partition("\n\n")[0] if heading in README else ""
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("|")]
    return {name for row in rows for name in re.findall(r"`(\w+)`", row)}


@pytest.mark.parametrize(("record", "start"), [(Meeting, "**A meeting** is"), (Stance, "**A stance** is")])
def test_the_readme_shows_every_field_of_a_record(record: type[Meeting | Stance], start: str) -> None:
    shown = first_column(re.findall(rf"{re.escape(start)}.*\n\n", README)[0])
    assert shown == {*record.model_fields, *record.model_computed_fields}


def test_the_readme_explains_every_class_of_failure_that_there_is() -> None:
    code = [path.read_text(encoding="utf-8") for path in SHIPPED if path.name != "errors.py"]
    raised = {each for each in get_args(FailureClass) if any(f'"{each}"' in text for text in code)}
    assert first_column("| class | the article failed because |\n") == raised


def test_the_readme_shows_every_folder_of_code() -> None:
    folders = {path.parent for path in (*SHIPPED, *(ROOT / "tests").glob("*.py"))}
    shown = set(re.findall(r"`(\w+)/`", README.partition("## Where things are")[2]))
    assert {folder.name for folder in folders if folder.parent.name != "evals"} <= shown


def test_the_readme_explains_every_variable_that_is_read() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in SHIPPED)
    assert first_column("| variable | meaning |\n") == set(re.findall(r'"((?:OPENAI|MAHDAR)_[A-Z_]+)"', code))


def test_the_transcript_in_the_readme_is_what_python_answers() -> None:
    transcript = doctest.DocTestParser().get_doctest("".join(blocks("pycon")), {}, "README.md", None, None)
    result = doctest.DocTestRunner().run(transcript)
    assert (result.failed, result.attempted) == (0, 5)


def test_the_program_in_the_readme_runs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    quote = "أجرى رئيس المجلس الرئاسي الليبي محمد المنفي، اليوم الأربعاء، مباحثات ثنائية مع الرئيس الصيني شي جين بينج"
    people = [{"name": name, "type": "person"} for name in ("محمد المنفي", "شي جين بينج")]
    meeting = {"evidence": [quote], "participants": people, "kind": "talks", "channel": "in_person", "status": "held"}
    monkeypatch.chdir(ROOT)
    with Endpoint(lambda asked: completion({asked.task: [meeting] * (asked.task == "meetings")})) as endpoint:
        monkeypatch.setenv("OPENAI_BASE_URL", endpoint.url)
        monkeypatch.setenv("MAHDAR_MODEL", "loopback")
        for program in blocks("python"):
            exec(compile(program, "README.md", "exec"), {})
    first, *rest = capsys.readouterr().out.splitlines()
    assert first == "held ['محمد المنفي', 'شي جين بينج']"
    assert sorted(line.partition(" ")[0] for line in rest) == ["first", "second"]
