"""The wheel: what users install works without a clone, beside modules of their own that have the folders' names."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

ROOT: Final = Path(__file__).parents[1]
FOLDERS: Final = ("extractor", "schemas", "prompts", "evals")
SEED: Final = "000_64624abc260ecb33"
OWN: Final = 'raise RuntimeError("a module of the user was imported by mahdar")\n'

TEST_OF_A_PROMPT: Final = """
def test_prompt(mahdar_run):
    assert mahdar_run.meetings.soft_f1 >= 0.6
"""
SETTINGS: Final = "[pytest]\nmahdar_articles = texts\nmahdar_labels = gold\nmahdar_recordings = recordings\n"


@dataclass(frozen=True)
class Installed:
    """An environment with the wheel in it, and a folder whose own modules have the names of ours."""

    bin: Path
    folder: Path

    def run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment in the folder."""
        variables = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}
        return subprocess.run(
            [self.bin / program, *arguments],
            cwd=self.folder,
            env={**variables, "PYTHONPATH": str(self.folder)},
            capture_output=True,
            encoding="utf-8",
            check=False,
        )


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Build the wheel and install it; what it depends on is seen where this interpreter has it."""
    base = tmp_path_factory.mktemp("packaging")
    source = base / "source"
    for name in FOLDERS:
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    # Without the variables that make sets: a relative PIP_CONSTRAINT is of the project's root.
    pip = [sys.executable, "-m", "pip", "--isolated", "--disable-pip-version-check", "--quiet"]
    subprocess.run(
        [*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", base, source], check=True, cwd=base
    )
    (wheel,) = base.glob("mahdar-*.whl")
    venv.create(base / "environment", symlinks=True, with_pip=False)
    bin_ = base / "environment" / "bin"
    subprocess.run(
        [*pip, "--python", bin_ / "python", "install", "--no-deps", "--no-index", "--ignore-installed", wheel],
        check=True,
    )
    site = Path(sysconfig.get_path("purelib", vars={"base": str(base / "environment")}))
    # A line of a .pth file is a folder whose own .pth files are not read: the clone stays out of sight.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")

    folder = base / "newsroom"
    (folder / "evals").mkdir(parents=True)
    for name in ("extractor.py", "schemas.py", "prompts.py", "evals/__init__.py"):
        (folder / name).write_text(OWN, encoding="utf-8")
    for name, kept in (("texts", f"articles/{SEED}.txt"), ("gold", f"labels/{SEED}.json")):
        (folder / name).mkdir()
        shutil.copy(ROOT / "seeds" / kept, folder / name)
    shutil.copytree(ROOT / "evals" / "recordings" / "reference-llm", folder / "recordings" / "reference-llm")
    return Installed(bin_, folder)


def test_the_api_works_beside_modules_of_the_same_names(installed: Installed) -> None:
    program = (
        "import json, pathlib, mahdar; from mahdar import Extractor\n"
        "from mahdar.schemas import Meeting; from mahdar.prompts import PromptLibrary\n"
        "from mahdar.evals import SCORING\n"
        f"text = pathlib.Path('texts/{SEED}.txt').read_text(encoding='utf-8')\n"
        "with Extractor(model='offline') as extractor:\n"
        "    found = extractor.extract(text, published_at='2020-07-20')\n"
        "names = [person.name for meeting in found.meetings for person in meeting.participants]\n"
        "print(json.dumps([mahdar.__file__, names], ensure_ascii=False))"
    )
    ended = installed.run("python", "-c", program)
    assert ended.stderr == ""
    place, names = json.loads(ended.stdout)
    assert Path(place).is_relative_to(installed.bin.parent)
    assert names == ["فتحي باشاغا", "جان إيف لودريان"]


def test_the_commands_work_beside_modules_of_the_same_names(installed: Installed) -> None:
    ended = installed.run("mahdar", "extract", "texts", "--model", "offline", "-o", "records.jsonl")
    assert (ended.returncode, ended.stderr.count("Traceback")) == (0, 0)
    (line,) = (installed.folder / "records.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(line)["document_id"] == SEED
    shown = installed.run("mahdar", "prompts", "list").stdout
    assert shown.startswith("news@1 ")
    ended = installed.run(
        "mahdar", "eval", "run", "--articles", "texts", "--labels", "gold", "--model", "offline", "-o", "run.json"
    )
    assert ended.returncode == 0, ended.stderr
    run: dict[str, Any] = json.loads((installed.folder / "run.json").read_text(encoding="utf-8"))
    assert SEED in json.dumps(run)


def test_the_pytest_plugin_works_beside_modules_of_the_same_names(installed: Installed) -> None:
    (installed.folder / "test_prompts.py").write_text(TEST_OF_A_PROMPT, encoding="utf-8")
    (installed.folder / "pytest.ini").write_text(SETTINGS, encoding="utf-8")
    ended = installed.run("python", "-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert "1 passed" in ended.stdout, ended.stdout + ended.stderr


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("from extractor import Extractor as a; from mahdar import Extractor as b; print(a is b)", "True"),
        ("import extractor; print(dir(extractor) == dir(__import__('mahdar')))", "True"),
        ("import extractor.service", "No module named 'extractor.service'"),
        ("import schemas.records", "this folder is installed as mahdar.schemas: import that"),
        ("import prompts.library", "this folder is installed as mahdar.prompts: import that"),
        ("import evals.cli", "this folder is installed as mahdar.evals: import that"),
    ],
)
def test_a_clone_has_one_copy_of_each_module(program: str, said: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, encoding="utf-8", check=False
    )
    assert said in ended.stdout + ended.stderr


def test_a_clone_that_is_not_installed_says_so(installed: Installed) -> None:
    program = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from extractor import Extractor"
    ended = subprocess.run(
        [sys.executable, "-S", "-c", program], cwd=installed.folder, capture_output=True, encoding="utf-8", check=False
    )
    assert ended.stderr.endswith("mahdar is not installed: pip install mahdar, or in a clone: make demo\n")


def test_the_public_names_are_listed() -> None:
    import mahdar

    assert dir(mahdar) == sorted(mahdar.__all__)
