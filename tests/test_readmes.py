"""What the documents promise: their commands, links, fields, closed values and programs are the code's."""

import doctest
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, get_args

import pytest
from tiny import mahdar
from typer.main import get_command

from mahdar.cli import exits
from mahdar.cli.app import app
from mahdar.prompts import library
from mahdar.results import FailureClass
from mahdar.schemas import codes, enums, records

from loopback import Endpoint, completion

ROOT: Final = Path(__file__).parents[1]
README, PROMPTS, SCHEMAS, EXTRACTOR = "README.md", "prompts/README.md", "schemas/README.md", "extractor/README.md"
TEXTS: Final = {
    name: (ROOT / name).read_text(encoding="utf-8")
    for name in (
        README,
        PROMPTS,
        SCHEMAS,
        EXTRACTOR,
        "extractor/linking/README.md",
        "extractor/offline/README.md",
        "seeds/README.md",
        "evals/README.md",
        "evals/analysis.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
    )
}
CODE: Final = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for package in ("extractor", "schemas", "prompts", "evals")
    for path in sorted((ROOT / package).rglob("*.py"))
}
RECORDS: Final = (
    records.Extraction,
    records.Meeting,
    records.Participant,
    records.Actor,
    records.Stance,
    records.Target,
    records.Topic,
    records.Outcome,
    records.Date,
    records.Place,
    records.Evidence,
    records.Rejected,
    records.Provenance,
)
CLOSED: Final = sorted(name for name, value in vars(enums).items() if get_args(value))
ISOLATES: Final = dict.fromkeys((0x2068, 0x2069))


def blocks(text: str, language: str) -> list[str]:
    """The fenced code of a document in one language, indented or not."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL)
    return [re.sub(rf"^{indent}", "", code, flags=re.MULTILINE) for indent, code in found]


def files(text: str) -> dict[str, str]:
    """The files that a document shows, by name."""
    return dict(re.findall(r"^<!-- file: (\S+) -->\n```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL))


def section(text: str, heading: str) -> str:
    """What stands under a heading, up to the next of any level."""
    return re.split(r"^#", text.partition(f"# {heading}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]


def rows(table: str) -> list[list[str]]:
    """The cells of a table, less its head."""
    lines = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("|")]
    return lines[2:]


def named(table: str) -> list[str]:
    """What stands in backticks in the first column of the first table of a text."""
    first = re.search(r"(?:^\|.*\n)+", table, re.MULTILINE)
    return [name for row in rows(first[0] if first else "") for name in re.findall(r"`(\w+)/?`", row[0])]


def lines_of(program: str) -> tuple[Any, ...]:
    """Every use of a program in a document, less its comment, what is set before it and where it is piped."""
    return tuple(_lines_of(program))


def _lines_of(program: str) -> Iterator[Any]:
    for document, text in TEXTS.items():
        shown = "".join(blocks(text, "sh")).replace("\\\n", " ").splitlines()
        for line in dict.fromkeys([*shown, *re.findall(r"`([^`\n]+)`", text)]):
            if match := re.match(rf"(?:[A-Z_]+=\S+ )*{program} ([^#|>]+)", line.strip()):
                yield pytest.param(shlex.split(match[1]), id=f"{document}: {match[0].strip()}")


def anchors(text: str) -> set[str]:
    """The names by which the headings of a document are linked to."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.casefold()).replace(" ", "-") for heading in headings}


def test_the_readme_can_be_read_in_one_go() -> None:
    assert len(TEXTS[README].splitlines()) <= 180


@pytest.mark.parametrize("words", lines_of("make"))
def test_a_make_target_that_is_shown_exists(words: list[str]) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(rf"^{words[0]}:", makefile, re.MULTILINE)


@pytest.mark.parametrize("words", lines_of("mahdar"))
def test_a_command_that_is_shown_exists(words: list[str]) -> None:
    command: Any = get_command(app)
    for word in words:
        command = getattr(command, "commands", {}).get(word, command)
    assert not hasattr(command, "commands")
    known = {name for parameter in command.params for name in parameter.opts + parameter.secondary_opts}
    assert {word for word in words if word.startswith("-") and word != "-"} <= {*known, "--help"}


@pytest.mark.parametrize("document", TEXTS)
def test_a_link_leads_somewhere(document: str) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", TEXTS[document]):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        file = (ROOT / document).parent / path if path else ROOT / document
        assert file.is_file(), target
        assert not anchor or anchor in anchors(file.read_text(encoding="utf-8")), target


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.__name__)
def test_every_field_of_a_record_is_explained(record: type[records.Value]) -> None:
    fields = {*record.model_fields, *record.model_computed_fields}
    assert sorted(named(section(TEXTS[SCHEMAS], record.__name__))) == sorted(fields)


@pytest.mark.parametrize("name", CLOSED)
def test_every_closed_value_is_explained(name: str) -> None:
    assert sorted(named(section(TEXTS[SCHEMAS], name))) == sorted(get_args(getattr(enums, name)))


@pytest.mark.parametrize("cells", rows(section(TEXTS[SCHEMAS], "Act")), ids=lambda cells: cells[0])
def test_the_codes_of_an_act_are_those_that_are_derived(cells: list[str]) -> None:
    act: Any = cells[0].strip("`")
    for told, code_of in ((cells[2], codes.stance_cameo), (cells[3], codes.stance_plover)):
        code = None if told == "–" else told.rstrip("*")
        assert code_of(act, "favor") == code
        assert code_of(act, "against") == (None if told.endswith("*") else code)


def test_every_ruling_that_code_cites_is_written_down() -> None:
    rulings = [
        int(number) for number in re.findall(r"^(\d+)\. ", TEXTS[SCHEMAS].partition("## Rulings")[2], re.MULTILINE)
    ]
    assert rulings == [*range(1, len(rulings) + 1)]
    cited = {number for text in CODE.values() for number in re.findall(r"rulings? (\d+)(?: and (\d+))?", text)}
    assert cited
    assert {int(one) for pair in cited for one in pair if one} <= set(rulings)


def test_every_class_of_failure_is_explained() -> None:
    assert sorted(named(section(TEXTS[EXTRACTOR], "Failures and exit codes"))) == sorted(get_args(FailureClass))


def test_every_exit_code_is_explained() -> None:
    shown = re.findall(r"^\| (\d+) \|", section(TEXTS[EXTRACTOR], "Failures and exit codes"), re.MULTILINE)
    assert sorted(map(int, shown)) == sorted(value for value in vars(exits).values() if isinstance(value, int))


def test_every_variable_that_is_read_is_explained() -> None:
    read = set(re.findall(r'"((?:OPENAI|MAHDAR)_[A-Z_]+)"', "".join(CODE.values())))
    assert set(named(section(TEXTS[EXTRACTOR], "Settings"))) == read


def test_every_extra_is_explained() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    table = section(TEXTS[EXTRACTOR], "Settings").partition("| extra |")[2]
    shown = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|", table, re.MULTILINE)
    assert {name for cell in shown for name in re.findall(r"\w+", cell)} == {*project["optional-dependencies"]}


def test_every_folder_of_code_is_shown() -> None:
    top = {path.split("/")[0] for path in CODE} | {"seeds", "tests"}
    assert set(named(section(TEXTS[README], "Where things are"))) == top
    rooms = {path.split("/")[1] for path in CODE if path.startswith("extractor/") and path.count("/") > 1}
    table = section(TEXTS[EXTRACTOR], "How it works").partition("| folder |")[2]
    assert set(re.findall(r"`(\w+)/`", "".join(row[0] for row in rows(f"| folder |{table}")))) == rooms


def test_every_key_and_variable_of_a_template_is_explained() -> None:
    assert sorted(named(section(TEXTS[PROMPTS], "A file"))) == sorted(library.FrontMatter.model_fields)
    variables = {library.ARTICLE, library.SENTENCES, library.TASKS, library.FIELDS}
    assert set(named(section(TEXTS[PROMPTS], "Blocks and variables"))) == variables


def test_a_transcript_is_what_python_answers() -> None:
    shown = [block for text in TEXTS.values() for block in blocks(text, "pycon")]
    transcript = doctest.DocTestParser().get_doctest("".join(shown), {}, "README.md", None, None)
    result = doctest.DocTestRunner().run(transcript)
    assert (result.failed, result.attempted) == (0, 5)


def test_the_record_that_the_readme_shows_is_what_the_demo_prints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    mahdar("eval", "run", "--mode", "replay", "-o", tmp_path / "run.json")
    printed = words(mahdar("show", tmp_path / "run.json", "000").out)
    pieces = TEXTS[README].partition("<!-- excerpt")[2].partition("```\n")[2].partition("```")[0].split("…")
    assert [piece for piece in map(words, pieces) if piece not in printed] == []


def test_the_program_in_the_readme_runs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    people = {"a1": "محمد المنفي", "a2": "شي جين بينج"}
    actors = [{"id": id_, "name": name, "type": "person"} for id_, name in people.items()]
    meeting = {"evidence": [6], "principals": [*people], "kind": "talks", "channel": "in_person", "status": "held"}
    monkeypatch.chdir(ROOT)
    with Endpoint(completion({"actors": actors, "meetings": [meeting], "stances": []})) as endpoint:
        configure(monkeypatch, endpoint)
        for program in blocks(TEXTS[README], "python"):
            exec(compile(program, "README.md", "exec"), {})
    first, *rest = capsys.readouterr().out.splitlines()
    assert first == "held ['محمد المنفي', 'شي جين بينج']"
    assert sorted(line.partition(" ")[0] for line in rest) == ["first", "second"]


def test_the_task_of_the_prompts_readme_runs(tmp_path: Path) -> None:
    for name, content in files(TEXTS[PROMPTS]).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content, encoding="utf-8")
    actors = [{"id": id_, "name": name, "type": "country"} for id_, name in (("a1", "تونس"), ("a2", "الجزائر"))]
    agreed = {"evidence": [1], "parties": ["a1", "a2"], "subject": "التبادل الحر", "date": "يوم 3 مارس 2021"}
    answer = {"actors": actors, "agreements": [{**agreed, "attribution": ["وزارة التجارة التونسية"]}]}
    (commands,) = re.findall(r"^<!-- run -->\n```sh\n(.*?)^```", TEXTS[PROMPTS], re.MULTILINE | re.DOTALL)
    with Endpoint(completion(answer)) as endpoint:
        configured = {"OPENAI_BASE_URL": endpoint.url, "MAHDAR_MODEL": "loopback", "PYTHONPATH": str(ROOT)}
        environment = {**os.environ, **configured, "PYTHONIOENCODING": "utf-8"}
        # in processes of their own, since a task is registered for as long as its process lives
        printed = []
        for command in (*commands.splitlines(), "python main.py"):
            program, *arguments = shlex.split(command)
            start = [sys.executable, *(["-m", "mahdar.cli.app"] if program == "mahdar" else [])]
            ended = subprocess.run(
                [*start, *arguments],
                cwd=tmp_path,
                env=environment,
                capture_output=True,
                text=True,
                encoding="utf-8",
                check=False,
            )
            assert ended.returncode == 0, f"{command}: {ended.stderr}"
            printed.append(ended.stdout)
    checked, _, shown, *_, program = printed
    assert "agreements@1: no problem\n" in checked
    assert "التبادل الحر" in shown
    assert program == "g1 ['TN', 'DZ'] التبادل الحر 2021-03-03\n"
    assert len(endpoint.requests) == 1, "the second time the answer comes from the cache"


def test_an_answer_and_an_example_that_are_shown_are_json() -> None:
    assert [json.loads(block) for text in TEXTS.values() for block in blocks(text, "json")]


def words(printed: str) -> str:
    """What is printed, wherever lines are broken, without rules and what keeps directions apart."""
    return " ".join(printed.translate(ISOLATES).replace("─", " ").split())


def configure(monkeypatch: pytest.MonkeyPatch, endpoint: Endpoint) -> None:
    """Name the endpoint in the environment."""
    monkeypatch.setenv("OPENAI_BASE_URL", endpoint.url)
    monkeypatch.setenv("MAHDAR_MODEL", "loopback")
