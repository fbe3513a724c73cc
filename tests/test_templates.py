"""Templates and examples that do not hold: each is one line that names the file, the place and the remedy."""

import codecs
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from newsroom import ACTORS, ARTICLE, meeting

from mahdar import Extractor, PromptError, Settings, UsageError
from mahdar.prompts import STANDARD, PromptLibrary

FRONT = {
    "tasks": '["meetings", "stances"]',
    "version": "1",
    "description": '"Meetings and stances"',
    "language": '"en"',
    "changed": '"first version"',
    "examples": '["talks.json"]',
}
BLOCKS = "{% block system %}Read. {{ fields }}{% endblock %}\n{% block user %}{{ sentences }}{% endblock %}\n"
EXAMPLE = {"article": ARTICLE, "answer": {"actors": ACTORS, "meetings": [meeting()], "stances": []}}
KEYS = "prompts/README.md lists the keys"
FORM = "write an object with 'article' and 'answer'"


def written(folder: Path, front: dict[str, str], blocks: str = BLOCKS, example: Any = EXAMPLE) -> Path:
    """A folder with one template and its example; a key with an empty value is left out."""
    made = folder / "mine"
    made.mkdir(parents=True)
    matter = "".join(f"{name} = {value}\n" for name, value in {**FRONT, **front}.items() if value)
    (made / "v1.md").write_text(f"+++\n{matter}+++\n{blocks}", encoding="utf-8")
    (made / "talks.json").write_text(json.dumps(example, ensure_ascii=False), encoding="utf-8")
    return folder


def refused(folder: Path) -> str:
    """What is said of the template or its example when an article is to be read."""
    settings = Settings(base_url="http://127.0.0.1:9/v1", model="m", cache=folder)
    with pytest.raises(PromptError) as caught, Extractor(settings, prompts=[folder]) as mahdar:
        mahdar.plan(ARTICLE)
    return str(caught.value).removeprefix(f"{folder}/mine/")


@pytest.mark.parametrize(
    ("front", "said"),
    [
        ({"tasks": '"meetings"'}, f"v1.md: front matter: tasks: Input should be a valid tuple; {KEYS}"),
        (
            {"tasks": "[]"},
            f"v1.md: front matter: tasks: Tuple should have at least 1 item after validation, not 0; {KEYS}",
        ),
        ({"ready": '"false"'}, f"v1.md: front matter: ready: Input should be a valid boolean; {KEYS}"),
        ({"passage": '"many"'}, f"v1.md: front matter: passage: Input should be a valid integer; {KEYS}"),
        ({"most": "0"}, f"v1.md: front matter: most: Input should be greater than or equal to 1; {KEYS}"),
        ({"size": '"huge"'}, f"v1.md: front matter: size: Input should be 'standard' or 'small'; {KEYS}"),
        ({"exmaples": "[]"}, f"v1.md: front matter: exmaples: Extra inputs are not permitted; {KEYS}"),
        (
            {"language": "", "changed": ""},
            f"v1.md: front matter: language: Field required; changed: Field required; {KEYS}",
        ),
        ({"version": "2"}, "v1.md: its version does not match the file's name; expected v2.md"),
        ({"version": "one"}, "v1.md: front matter: Invalid value (at line 2, column 11); write TOML"),
        ({"examples": '["other.json"]'}, "other.json: named in the front matter, but not there"),
    ],
)
def test_front_matter_says_what_it_may_say(front: dict[str, str], said: str, tmp_path: Path) -> None:
    assert refused(written(tmp_path, front)) == said


@pytest.mark.parametrize(
    ("example", "said"),
    [
        ({**EXAMPLE, "article": 5}, "article: Input should be a valid string"),
        ({"article": ARTICLE}, "answer: Field required"),
        ([], "as a whole: Input should be an object"),
        ({**EXAMPLE, "answer": {"meetings": "لقاء"}}, "answer.meetings: Input should be a valid array"),
        (
            {**EXAMPLE, "answer": {"actors": [{"name": "نبيل عمار"}]}},
            "answer: Value error, each of the actors needs an id, which is a text",
        ),
    ],
)
def test_an_example_has_an_article_and_an_answer(example: Any, said: str, tmp_path: Path) -> None:
    assert refused(written(tmp_path, {}, example=example)) == f"talks.json: no example: {said}; {FORM}"


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("{{ 1 / 0 }}", "block 'user': ZeroDivisionError: division by zero"),
        ("{{ feilds }}", "block 'user': 'feilds' is undefined"),
        ("{% include 'other.md' %}", "block 'user': TypeError: no loader for this environment specified"),
        ("{{ range(10 ** 9) | list }}", "block 'user': OverflowError: Range too big."),
        ("{{ sentences.__class__.mro() }}", "block 'user': access to attribute '__class__' of 'str' object is unsafe."),
        ("{{ sentences", "line 2: expected token 'end of print statement', got '{'"),
        ("{{ sentences | shout }}", "line 2: No filter named 'shout'."),
    ],
)
def test_whatever_a_template_runs_into_is_one_line(expression: str, said: str, tmp_path: Path) -> None:
    found = refused(written(tmp_path, {}, BLOCKS.replace("{{ sentences }}", expression)))
    assert found.startswith(f"v1.md: {said}")
    assert found.endswith("; correct the template")
    assert len(found.splitlines()) == 1


@pytest.mark.parametrize("name", ["v1.md", "talks.json"])
def test_a_file_that_is_no_utf_8_says_so(name: str, tmp_path: Path) -> None:
    folder = written(tmp_path, {})
    (folder / "mine" / name).write_bytes("+++ لقاء".encode("utf-16"))
    assert refused(folder) == f"{name}: is no UTF-8 from byte 0 on; save it as UTF-8"


@pytest.mark.parametrize("name", ["v1.md", "talks.json"])
@pytest.mark.parametrize(
    ("make", "said"),
    [
        (os.mkfifo, "is no regular file"),
        (Path.mkdir, "is no regular file"),
        (lambda path: path.symlink_to("/dev/zero"), "is no regular file"),
        (lambda path: path.symlink_to("gone"), "is a link to a file that is not there"),
        (lambda path: path.symlink_to(path.name), "cannot be read: Too many levels of symbolic links"),
    ],
    ids=["a pipe", "a folder", "a device", "a dangling link", "a link to itself"],
)
def test_what_is_no_file_is_not_waited_for(name: str, make: Callable[[Path], None], said: str, tmp_path: Path) -> None:
    folder = written(tmp_path, {})
    (folder / "mine" / name).unlink()
    make(folder / "mine" / name)
    assert refused(folder) == f"{name}: {said}"


def test_a_byte_order_mark_before_the_front_matter_is_passed_over(tmp_path: Path) -> None:
    file = written(tmp_path, {}) / "mine" / "v1.md"
    file.write_bytes(codecs.BOM_UTF8 + file.read_bytes())
    assert PromptLibrary(file.parent.parent).get("mine").ref == "mine@1"


@pytest.mark.parametrize("tasks", [["meetings", "meetings"], ["meetings", "stances", "meetings@1"]])
def test_a_task_is_asked_for_once(tasks: list[str]) -> None:
    with pytest.raises(UsageError, match="task 'meetings': named twice; name each task once"):
        Extractor(tasks=tasks)


def test_a_template_is_no_task() -> None:
    with pytest.raises(PromptError) as caught:
        Extractor(tasks=["news@1"])
    assert str(caught.value) == (
        "task 'news': no such schema; known are meetings, stances; "
        "write a task's name, or task@version for a template of one version; "
        "for a task of your own name the module that defines it with --schemas"
    )


def test_the_newest_template_of_the_last_folder_is_used(tmp_path: Path) -> None:
    def version(folder: str, name: str, number: int, **front: str) -> None:
        file = tmp_path / folder / name / f"v{number}.md"
        file.parent.mkdir(parents=True, exist_ok=True)
        matter = {**FRONT, "version": str(number), "examples": "[]", **front}
        file.write_text(
            "+++\n" + "".join(f"{key} = {value}\n" for key, value in matter.items()) + f"+++\n{BLOCKS}",
            encoding="utf-8",
        )

    for number in (9, 10):
        version("one", "mine", number)
    version("one", "mine", 11, ready="false")
    version("one", "small", 12, size='"small"')
    version("two", "mine", 1)
    version("two", "yours", 1)
    one, two = (PromptLibrary(tmp_path / "one"), PromptLibrary(tmp_path / "one", tmp_path / "two"))
    assert [one.get("meetings", size).ref for size in (STANDARD, "small")] == ["mine@10", "small@12"]
    assert [two.get(ref).ref for ref in ("meetings", "mine", "meetings@11")] == ["yours@1", "mine@1", "mine@11"]
    assert two.get("mine@1").path == tmp_path / "two" / "mine" / "v1.md"
