"""Tasks of one's own on the command line: a module that is named, or an entry point, and every command knows them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from tiny import KEY, Ended, mahdar, write_articles, write_labels

from mahdar.schemas.drafts import DRAFTS
from mahdar.settings import Settings

from batches import Provider
from loopback import Endpoint, completion

ARTICLE: Final = "عيّن رئيس الحكومة السيدة نجلاء المنقوش وزيرة للخارجية، الاثنين 15 مارس 2021."
MODULE: Final = """
from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from mahdar.schemas.drafts import ActorId, DateText, Drafts, ItemDraft, Phrase
from mahdar.schemas.records import Actor, Date, Record


class Appointment(Record):
    id_prefix: ClassVar[str] = "a"

    person: Actor
    office: str
    date: Date | None = None


class AppointmentDraft(ItemDraft):
    person: ActorId
    office: Phrase
    date: DateText = None


class AppointmentDrafts(Drafts, task="appointments", record=Appointment):
    appointments: Annotated[tuple[AppointmentDraft, ...], Field(max_length=20)]
"""
TEMPLATE: Final = """+++
tasks = ["appointments"]
version = 1
description = "Who was appointed to which office"
language = "en"
changed = "first version"
+++
{% block system %}List every appointment as JSON.
{{ fields }}{% endblock %}
{% block user %}{{ sentences }}{% endblock %}
"""
ANSWER: Final = {
    "actors": [{"id": "a1", "name": "نجلاء المنقوش", "type": "person"}],
    "appointments": [
        {"evidence": [1], "person": "a1", "office": "وزيرة للخارجية", "date": "الاثنين 15 مارس 2021"},
    ],
}


@pytest.fixture(autouse=True)
def known_tasks() -> Iterator[None]:
    """The tasks of one test are unknown to the next."""
    before = dict(DRAFTS)
    yield
    DRAFTS.clear()
    DRAFTS.update(before)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an article, a module and a template, in which commands are run."""
    (tmp_path / "prompts" / "appointments").mkdir(parents=True)
    (tmp_path / "prompts" / "appointments" / "v1.md").write_text(TEMPLATE, encoding="utf-8")
    (tmp_path / "appointments.py").write_text(MODULE, encoding="utf-8")
    (tmp_path / "articles").mkdir()
    (tmp_path / "articles" / "news.txt").write_text(ARTICLE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MAHDAR_MODEL", "m")
    monkeypatch.setenv("MAHDAR_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path


TASK: Final = ("--task", "appointments", "--prompts", "prompts", "--schemas", "appointments.py")


def answered(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> Ended:
    """What a command comes to, with an endpoint that finds the appointment."""
    with Endpoint(completion(ANSWER)) as endpoint:
        monkeypatch.setenv("OPENAI_BASE_URL", endpoint.url)
        return mahdar(*arguments)


def test_a_task_in_a_file_is_known_from_the_extraction_to_the_tables(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = answered(monkeypatch, "extract", "articles", *TASK, "-o", "out.jsonl")
    assert ended.code == 0, ended.err
    (found,) = json.loads(Path("out.jsonl").read_bytes())["more"]["appointments"]
    assert (found["id"], found["person"]["name"], found["office"]) == ("a1", "نجلاء المنقوش", "وزيرة للخارجية")
    assert found["date"]["value"] == "2021-03-15"

    shown = mahdar("show", "out.jsonl", "news/a1", "--schemas", "appointments.py")
    assert (shown.code, "نجلاء المنقوش" in shown.out, "2021-03-15" in shown.out) == (0, True, True)
    made = mahdar("report", "out.jsonl", "--articles", "articles", "--no-pictures", "--schemas", "appointments.py")
    assert made.code == 0, made.err
    assert "وزيرة للخارجية" in Path("report.html").read_text(encoding="utf-8")
    exported = mahdar("export", "out.jsonl", "-o", "tables/", "--schemas", "appointments.py")
    assert exported.code == 0, exported.err


def test_prompts_and_schemas_of_a_task_are_checked_and_shown(folder: Path) -> None:
    unknown = mahdar("prompts", "check", "--prompts", "prompts")
    assert (unknown.code, "task 'appointments': no such schema" in unknown.err) == (1, True)
    assert mahdar("prompts", "check", *TASK[2:]).code == 0
    shown = mahdar("prompts", "show", "appointments", "--article", "articles/news.txt", *TASK[2:])
    assert (shown.code, "office: text" in shown.out, ARTICLE in shown.out) == (0, True, True)
    exported = mahdar("schema", "export", "schemas", *TASK[4:])
    assert exported.code == 0
    draft = json.loads((folder / "schemas" / "appointments.draft.schema.json").read_bytes())
    assert list(draft["properties"]) == ["evidence", "person", "office", "date"]


def test_a_task_without_its_module_names_the_remedy(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = answered(monkeypatch, "extract", "articles", *TASK[:4], "-o", "out.jsonl")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.endswith("for a task of your own name the module that defines it with --schemas\n")


def test_a_module_that_python_finds_is_named_without_its_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = folder / "newsroom_tasks"
    package.mkdir()
    (package / "__init__.py").write_text("", encoding="utf-8")
    (package / "posts.py").write_text(MODULE, encoding="utf-8")
    monkeypatch.syspath_prepend(folder)
    named = (*TASK[:4], "--schemas", "newsroom_tasks.posts")
    ended = answered(monkeypatch, "extract", "articles", *named, "-o", "out.jsonl")
    assert ended.code == 0, ended.err
    assert json.loads(Path("out.jsonl").read_bytes())["more"]["appointments"][0]["id"] == "a1"


def test_an_installed_package_needs_no_module_to_be_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "installed_posts.py").write_text(MODULE, encoding="utf-8")
    metadata = folder / "installed_posts-1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: installed-posts\nVersion: 1\n", encoding="utf-8")
    (metadata / "entry_points.txt").write_text("[mahdar.tasks]\nappointments = installed_posts\n", encoding="utf-8")
    monkeypatch.syspath_prepend(folder)
    ended = answered(monkeypatch, "extract", "articles", *TASK[:4], "-o", "out.jsonl")
    assert ended.code == 0, ended.err
    assert mahdar("show", "out.jsonl", "news/a1").code == 0
    assert mahdar("prompts", "check", "--prompts", "prompts").code == 0


def test_a_batch_of_a_task_is_submitted_and_collected(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    provider = Provider(lambda asked: completion(ANSWER))
    with Endpoint(provider) as endpoint:
        monkeypatch.setenv("OPENAI_BASE_URL", endpoint.url)
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        submitted = mahdar("batch", "submit", "articles", *TASK, "-o", "night.json")
        assert submitted.code == 0, submitted.err
        provider.end()
        collected = mahdar("batch", "collect", "night.json")
        assert collected.code == 0, collected.err
        mahdar("extract", "articles", *TASK, "-o", "out.jsonl")
    taken = json.loads(Path("out.jsonl").read_bytes())
    assert taken["provenance"]["cached"] is True
    assert taken["more"]["appointments"][0]["office"] == "وزيرة للخارجية"


def test_an_evaluation_records_and_replays_a_task(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    corpus = ("--articles", write_articles(folder / "texts"), "--labels", write_labels(folder / "labels"))
    recorded = answered(monkeypatch, "eval", "run", "--mode", "record", *corpus, *TASK, "--recordings", "recordings")
    assert recorded.code == 0, recorded.err
    replayed = mahdar("eval", "run", "--mode", "replay", *corpus, *TASK, "--recordings", "recordings", "-o", "run.json")
    assert replayed.code == 0, replayed.err
    shown = mahdar("show", "run.json", *TASK[4:])
    assert (shown.code, shown.out.count("appointments 0")) == (0, 2), "both talk of other things"


def test_a_worker_of_a_cluster_imports_the_module_itself(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mahdar.ray.cluster import Work

    with Endpoint(completion(ANSWER)) as endpoint:
        settings = Settings(base_url=endpoint.url, model="m", cache=folder / "cache")
        module = str(folder / "appointments.py")
        with Work(settings, ("appointments",), (folder / "prompts",), (module,)).extractor() as extractor:
            assert len(extractor.extract(ARTICLE).more["appointments"]) == 1


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("x = 5", "defines no task; derive a class from mahdar.schemas.drafts.Drafts"),
        ("import x y", "cannot be imported: line 1: invalid syntax"),
        ("\n1 / 0", "cannot be imported: ZeroDivisionError: division by zero (own.py, line 2)"),
        ("import mahdar_no_such", "ModuleNotFoundError: No module named 'mahdar_no_such' (own.py, line 1)"),
        ("raise SystemExit(3)", "cannot be imported: SystemExit: 3 (own.py, line 1)"),
        (MODULE.replace('"appointments"', '"meetings"'), "task 'meetings': mahdar has a task of this name"),
        (MODULE.replace('"appointments"', '"../x"'), "task '../x': a task's name has small letters, digits and _ only"),
        (MODULE.replace('= "a"', '= "m"'), "its records are numbered m1, m2, … as those of 'meetings'; give Appoint"),
        (f"{MODULE}    more: int\n", "AppointmentDrafts has one field, a tuple[…, ...] of a class that derives from"),
        (MODULE.replace("record=Appointment", "record=Actor"), "does not derive from Record"),
    ],
)
def test_a_module_that_does_not_hold_is_refused_in_one_line(folder: Path, code: str, said: str) -> None:
    (folder / "own.py").write_text(code, encoding="utf-8")
    ended = mahdar("prompts", "check", "--schemas", "own.py")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("mahdar: own.py: ")
    assert said in ended.err
    assert ended.err.count("\n") == 1
    assert "meetings" in DRAFTS
    assert "appointments" not in DRAFTS


@pytest.mark.parametrize(
    ("module", "said"),
    [
        ("nowhere.py", "nowhere.py: no such file; name a Python file, or a module that Python finds"),
        (
            "nowhere.tasks",
            (
                "nowhere.tasks: cannot be imported: ModuleNotFoundError: No module named 'nowhere'; "
                "name an installed module, or a file FILE.py"
            ),
        ),
    ],
)
def test_a_module_that_is_not_there_is_named(folder: Path, module: str, said: str) -> None:
    ended = mahdar("show", "out.jsonl", "--schemas", module)
    assert (ended.code, ended.out, ended.err) == (2, "", f"mahdar: {said}\n")
