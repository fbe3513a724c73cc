"""The questions of `evals/questions.md`, each answered by one query over the tables of the recorded seeds."""

import datetime as dt
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import duckdb
import pandas as pd
import pytest
from tiny import mahdar

from mahdar import read_tables
from mahdar.runs.outputs import lines

QUESTIONS: Final = Path(__file__).parents[1] / "evals" / "questions.md"
Frames = dict[str, pd.DataFrame]


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> Frames:
    """The tables of the recorded answers, with an outlet for each article."""
    folder = tmp_path_factory.mktemp("seeds")
    assert mahdar("eval", "run", "--mode", "replay", "-o", folder / "run.json").code == 0
    outlets = {True: "صحيفة أ", False: "صحيفة ب"}
    found = [one | {"kept": {"outlet": outlets[one["document_id"] < "002"]}} for _, one in lines(folder / "run.json")]
    records = folder / "records.jsonl"
    records.write_text("".join(f"{json.dumps(one)}\n" for one in found), encoding="utf-8")
    return read_tables(records)


def questions() -> Iterator[tuple[str, str, str]]:
    """Each question with the language of its query, and the query."""
    for part in QUESTIONS.read_text(encoding="utf-8").split("\n## ")[1:]:
        ((language, query),) = re.findall(r"```(\w+)\n(.*?)```", part, re.DOTALL)
        yield part.partition("\n")[0], language, query


def answered(tables: Frames, language: str, query: str) -> list[tuple[Any, ...]]:
    if language == "sql":
        with duckdb.connect() as database:
            for name, frame in tables.items():
                database.register(name, frame)
            return database.sql(query).fetchall()
    found = eval(query, {"tables": tables})  # the project's own document
    frame = found.reset_index() if isinstance(found, pd.Series) else found
    return list(frame.itertuples(index=False, name=None))


BASHAGHA: Final = "فتحي باشاغا"
ANSWERS: Final[list[list[tuple[Any, ...]]]] = [
    [("بايرون كاميليري", BASHAGHA, 3), ("خلوصي أكار", BASHAGHA, 3), ("بايرون كاميليري", "خلوصي أكار", 2)],
    [("LY", "TR", 4), ("LY", "MT", 3), ("EG", "LY", 2), ("LY", "RU", 2), ("MT", "TR", 2)],
    [("LY", "TR", 2)],
    [
        (dt.datetime(2020, 11, 19), "praise", "favor", "الدور الإيجابي لفرنسا في دعم الحوار السياسي"),  # noqa: DTZ001
        (None, "support", "favor", "الحوار بين الليبين"),
    ],
    [
        ("affirm_importance", 16),
        ("support", 3),
        ("praise", 3),
        ("reject", 2),
        ("accuse", 2),
        ("commit", 2),
        ("thank", 1),
        ("demand", 1),
    ],
    [(BASHAGHA, "الدول التي تدعم حفتر"), (BASHAGHA, "حفتر")],
    [("TR", "LY | MT"), ("TR", "LY | QA")],
    [
        ("EG", "LY", "resumption", "استئناف عمل السفارة المصرية في طرابلس في أقرب الآجال"),
        ("EG", "LY", "agreement_verbal", "دراسة عودة رحلات الطيران بين المطارات الليبية والمصرية"),
        ("CN", "LY", "agreement_verbal", "عودة الشركات الصينية إلى ليبيا وفق آلية يتم التوافق عليها من خلال اللجنة"),
    ],
    [("political_process", 3), ("economy_trade", 2), ("elections", 1)],
    [("LY", "صحيفة أ", 5)],
]


@pytest.mark.parametrize(("number", "question"), list(enumerate(questions(), 1)), ids=lambda value: str(value)[:40])
def test_a_question_is_answered_by_one_query(seeds: Frames, number: int, question: tuple[str, str, str]) -> None:
    said, language, query = question
    assert said.startswith(f"{number}. ")
    found = answered(seeds, language, query)
    if language == "python":  # pandas sorts equal counts as it likes
        found, expected = sorted(found, key=repr), sorted(ANSWERS[number - 1], key=repr)
    else:
        expected = ANSWERS[number - 1]
    assert found == expected


def test_there_are_ten_questions() -> None:
    assert len(list(questions())) == len(ANSWERS) == 10
