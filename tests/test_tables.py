"""The tables: one row a thing, no cell with a list, the same in every form; and the questions that they answer."""

import datetime as dt
import json
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal

import duckdb
import openpyxl
import pandas as pd
import pytest
from pydantic import BaseModel, Field
from tiny import mahdar

import mahdar as package
from mahdar import UsageError, read_tables
from mahdar.schemas.drafts import DRAFTS, ActorId, Drafts, ItemDraft
from mahdar.schemas.records import Actor, Date, Record

COLUMNS: Final = Path(__file__).parents[1] / "extractor" / "tables" / "columns.toml"
Frames = dict[str, pd.DataFrame]

TEXT: Final = "التقى رئيس ناميبيا نتومبو ناندي ندايتوا وزير الخارجية الجزائري أحمد عطاف في ويندهوك، وأكدا دعم الحوار."


def evidence(quote: str) -> dict[str, Any]:
    start = TEXT.index(quote)
    return {"quote": quote, "start": start, "end": start + len(quote), "match": "exact"}


def actor(name: str, country: str | None = None, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": "person", "role": None, "organization": None, "country": country, **more}


HOST: Final = actor("نتومبو ناندي ندايتوا", "NA", actor_id="a1", role="رئيس ناميبيا")
GUEST: Final = actor("أحمد عطاف", "DZ", actor_id="a2")
MET: Final = evidence("التقى رئيس ناميبيا نتومبو ناندي ندايتوا وزير الخارجية الجزائري أحمد عطاف في ويندهوك")
MEETING: Final[dict[str, Any]] = {
    "id": "m1",
    "event_id": "e7",
    "kind": "talks",
    "channel": "in_person",
    "status": "held",
    "participants": [HOST | {"capacity": "principal"}, GUEST | {"capacity": "principal"}],
    "date": {"text": "في مارس", "value": "2024-02", "resolution": "explicit", "flags": ["weekday_mismatch"]},
    "place": {"venue": None, "city": "ويندهوك", "country": "NA"},
    "topics": [{"text": "انتخابات، وأمن", "code": "security_cooperation"}, {"text": "=1+1", "code": "elections"}],
    "outcomes": [],
    "attribution": ["وكالة الأنباء", "@الوزارة"],
    "evidence": [MET],
    "format": "bilateral",
    "cameo": "040",
    "plover": "CONSULT",
}
STANCE: Final[dict[str, Any]] = {
    "id": "s1",
    "meeting": "m1",
    "holders": [HOST, GUEST],
    "holder_mode": "joint",
    "on_behalf_of": None,
    "target": {"text": "الحوار", "actor": actor("ليبيا", "LY", type="country", actor_id="a3")},
    "addressee": None,
    "polarity": "favor",
    "act": "support",
    "proposition": "أكد الطرفان دعم الحوار",
    "speech": "indirect",
    "attribution": [],
    "evidence": [evidence("وأكدا دعم الحوار")],
    "cameo": "051",
    "plover": "SUPPORT",
}
AGREEMENT: Final[dict[str, Any]] = {
    "id": "g1",
    "subject": "الصيد البحري",
    "parties": [actor("ناميبيا", "NA"), actor("الجزائر", "DZ", capacity="host")],
    "terms": [{"text": "البند"}, {"text": "الملحق", "pages": 2}],
    "date": {"text": "أمس", "value": "2024-02-04", "resolution": "explicit", "flags": []},
    "clauses": [{"title": "البند الأول", "duties": ["نشر القوائم", "تبادل السفن"]}],
    "binding": True,
    "attribution": [],
    "evidence": [MET],
}
PROVENANCE: Final[dict[str, Any]] = {
    "made_by": {"meetings": "loopback", "stances": "loopback", "agreements": "loopback"},
    "calls": 1,
    "tokens_in": 10,
    "tokens_out": 5,
    "cost": None,
    "cached": False,
    "seconds": 0.5,
}


def line(**changes: Any) -> dict[str, Any]:
    """An article's extraction as JSON Lines hold it."""
    return {
        "document_id": "خبر-1",
        "text_sha256": "0" * 64,
        "language": "ar",
        "published_at": "2024-02-05",
        "kept": {"url": "https://example.org/1", "title": "=عنوان", "outlet": "NA"},
        "meetings": [MEETING],
        "stances": [STANCE],
        "more": {"agreements": [AGREEMENT]},
        "rejected": [{"task": "meetings", "path": "$.meetings[1]", "reason": "غير موجود", "item": {"who": ["س", "ص"]}}],
        "provenance": PROVENANCE,
        **changes,
    }


NOTHING: Final = line(document_id="-2", published_at=None, kept={}, meetings=[], stances=[], more={}, rejected=[])


def written(file: Path, *found: dict[str, Any]) -> Path:
    file.write_text("".join(f"{json.dumps(one, ensure_ascii=False)}\n" for one in found), encoding="utf-8")
    return file


def exported(folder: Path, output: str, *options: str, found: tuple[dict[str, Any], ...] = (line(), NOTHING)) -> Path:
    records = written(folder / "records.jsonl", *found)
    ended = mahdar("export", records, "-o", f"{folder}/{output}", *options)
    assert (ended.code, ended.out, ended.err) == (0, "", f"{len(found)} articles → {folder}/{output}\n")
    return folder / output


FORMS: Final[dict[str, Callable[[Path], Frames]]] = {
    "csv": lambda folder: read_tables(exported(folder, "csv/")),
    "parquet": lambda folder: read_tables(exported(folder, "pq/", "--format", "parquet")),
    "duckdb": lambda folder: read_tables(exported(folder, "out.duckdb")),
    "jsonl": lambda folder: read_tables(written(folder / "records.jsonl", line(), NOTHING)),
}


@pytest.fixture(params=FORMS, scope="module")
def frames(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Frames:
    return FORMS[request.param](tmp_path_factory.mktemp(request.param))


def rows(frame: pd.DataFrame, *columns: str) -> list[tuple[Any, ...]]:
    """Some columns as plain values; None is what is missing."""
    values = frame[list(columns)].astype(object)
    return [tuple(None if pd.isna(cell) else cell for cell in row) for row in values.itertuples(index=False, name=None)]


def test_every_form_has_the_same_tables(tmp_path: Path) -> None:
    first, *others = [form(tmp_path) for form in FORMS.values()]
    for other in others:
        assert list(other) == list(first) or set(other) == set(first)
        for name, frame in first.items():
            pd.testing.assert_frame_equal(other[name], frame)


def test_a_thing_is_a_row_and_no_cell_holds_a_list(frames: Frames) -> None:
    assert {name: len(frame) for name, frame in frames.items()} == {
        "articles": 2,
        "meetings": 1,
        "participants": 2,
        "topics": 2,
        "outcomes": 0,
        "stances": 1,
        "stance_holders": 2,
        "attributions": 2,
        "evidence": 3,
        "rejected": 1,
        "agreements": 1,
        "agreements_parties": 2,
        "agreements_terms": 2,
        "agreements_clauses": 1,
        "agreements_clauses_duties": 2,
        "meetings_wide": 1,
        "meeting_pairs": 1,
        "meeting_country_pairs": 1,
        "stances_long": 2,
        "coded_events": 3,
    }
    lists = [
        (name, column, cell)
        for name, frame in frames.items()
        if name != "meetings_wide"  # joined to be read
        for column in frame
        for cell in frame[column]
        if isinstance(cell, list | tuple | dict) or (isinstance(cell, str) and (" | " in cell or cell.startswith("[")))
    ]
    assert lists == []


@pytest.mark.parametrize(
    ("table", "columns", "expected"),
    [
        (
            "articles",
            "article_id n_meetings n_stances n_rejected cost_usd",
            [("خبر-1", 1, 1, 1, None), ("-2", 0, 0, 0, None)],
        ),
        ("meetings", "record_id event_id place_country cameo", [("m1", "e7", "NA", "040")]),
        ("meetings", "date_edtf date_weekday_mismatch n_participants", [("2024-02", True, 2)]),
        ("participants", "number actor_id country", [(1, "a1", "NA"), (2, "a2", "DZ")]),
        ("stance_holders", "record_id number country", [("s1", 1, "NA"), ("s1", 2, "DZ")]),
        ("stances", "meeting_id target_actor_id target_actor_country", [("m1", "a3", "LY")]),
        ("stances_long", "holder_country target_actor_name", [("NA", "ليبيا"), ("DZ", "ليبيا")]),
        ("stances_long", "stance_date_source meeting_date_edtf event_id", [("publication", "2024-02", "e7")] * 2),
        ("coded_events", "event_date_source cameo", [("publication", code) for code in ("040", "051", "051")]),
        ("meeting_pairs", "event_id a_name b_country", [("e7", HOST["name"], "DZ")]),
        ("meeting_country_pairs", "country_a country_b", [("DZ", "NA")]),
        ("meetings_wide", "participants countries", [(f"{HOST['name']} | أحمد عطاف", "DZ | NA")]),
        ("topics", "topic_text topic_code", [("انتخابات، وأمن", "security_cooperation"), ("=1+1", "elections")]),
        (
            "attributions",
            "task record_id attribution",
            [("meetings", "m1", "وكالة الأنباء"), ("meetings", "m1", "@الوزارة")],
        ),
        (
            "evidence",
            "task record_id start_offset",
            [("meetings", "m1", 0), ("stances", "s1", TEXT.index("وأكدا")), ("agreements", "g1", 0)],
        ),
        ("rejected", "task path item_json", [("meetings", "$.meetings[1]", '{"who": ["س", "ص"]}')]),
        (
            "agreements",
            "record_id subject date_edtf binding made_by",
            [("g1", "الصيد البحري", "2024-02-04", True, "loopback")],
        ),
        (
            "agreements_parties",
            "number name actor_type country capacity",
            [(1, "ناميبيا", "person", "NA", None), (2, "الجزائر", "person", "DZ", "host")],
        ),
        ("agreements_terms", "number text pages", [(1, "البند", None), (2, "الملحق", 2)]),
        ("agreements_clauses", "title_2 n_duties title", [("البند الأول", 2, "=عنوان")]),
        (
            "agreements_clauses_duties",
            "record_id agreements_clauses_number number duties",
            [("g1", 1, 1, "نشر القوائم"), ("g1", 1, 2, "تبادل السفن")],
        ),
        (
            "coded_events",
            "task source_country target_country cameo_root quad_class plover_event plover_context url",
            [
                ("meetings", "NA", "DZ", "04", 1, "CONSULT", "election", "https://example.org/1"),
                ("stances", "DZ", "LY", "05", 1, "SUPPORT", None, "https://example.org/1"),
                ("stances", "NA", "LY", "05", 1, "SUPPORT", None, "https://example.org/1"),
            ],
        ),
    ],
)
def test_the_cells(frames: Frames, table: str, columns: str, expected: list[tuple[Any, ...]]) -> None:
    assert sorted(rows(frames[table], *columns.split()), key=repr) == sorted(expected, key=repr)


def test_a_column_has_its_type(frames: Frames) -> None:
    meetings, stances = frames["meetings"], frames["stances_long"]
    assert [str(meetings[name].dtype).partition("[")[0] for name in ("cameo", "date_start", "n_topics")] == [
        "string",
        "datetime64",
        "Int64",
    ]
    assert (meetings["date_start"][0], meetings["date_end"][0]) == (dt.datetime(2024, 2, 1), dt.datetime(2024, 2, 29))  # noqa: DTZ001  # days
    assert list(stances["stance_date"]) == [dt.datetime(2024, 2, 5)] * 2  # noqa: DTZ001
    assert str(meetings["date_weekday_mismatch"].dtype) == "boolean"


def test_what_was_kept_is_in_every_table_and_view(frames: Frames) -> None:
    for name, frame in frames.items():
        assert {"url", "title", "outlet"} <= set(frame), name
    assert rows(frames["participants"], "outlet", "title") == [("NA", "=عنوان")] * 2


def test_every_quote_is_where_the_offsets_say(frames: Frames) -> None:
    for quote, start, end in rows(frames["evidence"], "quote", "start_offset", "end_offset"):
        assert TEXT[start:end] == quote


def test_a_sheet_of_excel_is_a_table_and_no_text_a_formula(tmp_path: Path) -> None:
    path = exported(tmp_path, "out.xlsx")
    read = pd.read_excel(path, sheet_name=None, keep_default_na=False, na_values=[""])
    expected = FORMS["jsonl"](tmp_path)
    assert list(read) == list(expected)
    for name, frame in expected.items():
        assert read[name].shape == frame.shape
        assert list(read[name]) == list(frame)
        joined = read[name].map(lambda cell: isinstance(cell, str) and " | " in cell)
        assert bool(joined.any(axis=None)) == (name == "meetings_wide")
    cells = {
        cell.value: (cell.data_type, cell.hyperlink)
        for sheet in openpyxl.load_workbook(path)
        for row in sheet.iter_rows()
        for cell in row
    }
    shown = ("=عنوان", "=1+1", "@الوزارة", "-2", "040", "NA", "https://example.org/1")
    assert {text: cells[text] for text in shown} == dict.fromkeys(shown, ("s", None))
    assert cells[dt.datetime(2024, 2, 1)] == ("d", None)  # noqa: DTZ001


def test_a_text_too_long_for_excel_is_cut_and_named(tmp_path: Path) -> None:
    records = written(tmp_path / "records.jsonl", line(meetings=[], stances=[], more={}, kept={"title": "ط" * 40_000}))
    ended = mahdar("export", records, "-o", tmp_path / "out.xlsx")
    said = (
        "articles.title: 1 text cut after the 32,767 characters that an Excel cell holds; CSV, Parquet and DuckDB have"
    )
    assert ended.err.startswith(said)
    assert pd.read_excel(tmp_path / "out.xlsx")["title"].str.len().tolist() == [32_767]


@pytest.mark.soak
def test_a_table_too_long_for_excel_is_refused(tmp_path: Path) -> None:
    many = MEETING | {"attribution": ["س"] * 1_048_576}
    records = written(tmp_path / "records.jsonl", line(meetings=[many], stances=[], more={}))
    ended = mahdar("export", records, "-o", tmp_path / "out.xlsx")
    assert ended.code == 2
    assert ended.err.startswith(
        "mahdar: attributions has 1,048,576 rows, and a sheet of Excel 1,048,575: write .duckdb"
    )
    assert not (tmp_path / "out.xlsx").exists()


def test_csv_is_described_by_a_data_package(tmp_path: Path) -> None:
    folder = exported(tmp_path, "csv/")
    package_ = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        ["datapackage.json", *(one["path"] for one in package_["resources"])]
    )
    by_name = {one["name"]: one["schema"] for one in package_["resources"]}
    fields = {field["name"]: field for field in by_name["meetings"]["fields"]}
    assert fields["cameo"] == {"name": "cameo", "type": "string", "description": "CAMEO event code, a text: 040"}
    assert [fields[name]["type"] for name in ("date_start", "n_topics", "date_weekday_mismatch")] == [
        "date",
        "integer",
        "boolean",
    ]
    assert by_name["participants"]["primaryKey"] == ["article_id", "record_id", "number"]
    assert by_name["participants"]["foreignKeys"] == [
        {
            "fields": ["article_id", "record_id"],
            "reference": {"resource": "meetings", "fields": ["article_id", "record_id"]},
        }
    ]


def test_a_second_export_leaves_nothing_of_the_first(tmp_path: Path) -> None:
    folder = exported(tmp_path, "csv/")
    (folder / "notes.csv").write_text("mine\n", encoding="utf-8")
    assert (folder / "agreements.csv").is_file()
    exported(tmp_path, "csv/", found=(line(more={}), NOTHING))
    assert not (folder / "agreements.csv").exists()
    assert (folder / "notes.csv").is_file()


def test_names_of_others_are_names_and_nothing_else(tmp_path: Path) -> None:
    kept = {
        'a"; DROP TABLE articles; --': "1",
        "Country": "2",
        "country": "3",
        "quote": "4",
        "نص": "5",
        "target_x": "6",
    }
    more = {
        "../../agreements": [AGREEMENT],
        "topics": [AGREEMENT | {"article_id": "x", "Number": [1, 2]}],
        "…": [],
        "meeting_pairs": [],
    }
    folder = exported(tmp_path, "csv/", found=(line(kept=kept, more=more), NOTHING))
    frames = read_tables(folder)
    assert {"_agreements", "topics_2", "topics_2_Number", "_", "meeting_pairs_2"} <= set(frames)
    assert rows(frames["topics_2"], "article_id", "article_id_2") == [("خبر-1", "x")]
    named = ('a"; DROP TABLE articles; --', "kept_Country", "kept_country_2", "kept_quote", "نص", "kept_target_x")
    assert rows(frames["coded_events"], *named)[0] == ("1", "2", "3", "4", "5", "6")


def test_articles_of_one_id_are_named(tmp_path: Path) -> None:
    records = written(tmp_path / "records.jsonl", line(), line())
    said = "1 article with the id of an earlier one: joins by article_id mix the two\n"
    assert mahdar("export", records, "-o", tmp_path / "out.duckdb").err.startswith(said)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("gone.duckdb", "gone.duckdb: no such file; check the path"),
        ("gone.jsonl", "gone.jsonl: cannot be read: No such file or directory; check the path"),
        ("empty", "empty: has no datapackage.json; name a folder that `mahdar export` wrote"),
        ("torn.duckdb", "torn.duckdb: cannot be read: "),
        ("listed", "listed: no tables of mahdar: "),
        ("altered.jsonl", "altered.jsonl: no tables of mahdar: "),
    ],
)
def test_what_holds_no_tables_is_told(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "listed").mkdir()
    (tmp_path / "listed" / "datapackage.json").write_text("[]", encoding="utf-8")
    written(tmp_path / "altered.jsonl", {**line(), "meetings": 4})
    (tmp_path / "torn.duckdb").write_bytes(b"x" * 5_000)
    with pytest.raises(UsageError) as told:
        read_tables(tmp_path / name)
    assert str(told.value).startswith(f"{tmp_path}/{said}")


def test_views_of_a_database_read_no_other_file(tmp_path: Path) -> None:
    (tmp_path / "private.txt").write_text("سرّي", encoding="utf-8")
    file = tmp_path / "given.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute(f"CREATE VIEW meetings AS SELECT content FROM read_text('{tmp_path}/private.txt')")
    with pytest.raises(UsageError, match=r"given\.duckdb: cannot be read: Permission Error"):
        read_tables(file)


def test_every_column_has_a_meaning(tmp_path: Path) -> None:
    frames = read_tables(written(tmp_path / "records.jsonl", line(kept={}, more={})))
    meanings = tomllib.loads(COLUMNS.read_text(encoding="utf-8"))
    assert {column for frame in frames.values() for column in frame} == set(meanings)
    assert package.read_tables is read_tables


# Tasks of one's own


class Clause(BaseModel):
    title: str
    duties: tuple[str, ...] = ()


class Agreement(Record):
    id_prefix: ClassVar[str] = "g"

    parties: tuple[Actor, ...]
    signed: dt.date | None = None
    ends: Date | None = None
    share: float | None = None
    clauses: tuple[Clause, ...] = ()
    state: Literal["valid", "void"] = "valid"


@pytest.fixture
def agreements() -> Iterator[None]:
    class AgreementDraft(ItemDraft):
        parties: tuple[ActorId, ...]

    class AgreementDrafts(Drafts, task="agreements", record=Agreement):
        agreements: Annotated[tuple[AgreementDraft, ...], Field(max_length=9)]

    yield
    del DRAFTS["agreements"]


def test_columns_of_a_task_of_ones_own_come_from_its_class(tmp_path: Path, agreements: None) -> None:
    parts = {"parties": [actor("ليبيا", "LY")], "clauses": [{"title": "البند", "duties": ["نشر"]}], "evidence": [MET]}
    found = [
        {"id": "g1", "signed": "2024-02-04", "ends": {"text": "2030", "value": "2030"}, "share": 1, **parts},
        {"id": "g2", "signed": None, "ends": None, "share": None, "state": "void", **parts, "clauses": []},
    ]
    frames = read_tables(exported(tmp_path, "csv/", found=(line(more={"agreements": found}, kept={}), NOTHING)))
    table = frames["agreements"]
    assert dict(table.dtypes.astype(str)) == {
        **dict.fromkeys(("article_id", "record_id", "ends_text", "ends_edtf", "ends_resolution", "state"), "string"),
        **dict.fromkeys(("published_at", "signed", "ends_start", "ends_end"), "datetime64[ms]"),
        **dict.fromkeys(("n_parties", "n_clauses", "n_attributions", "n_evidence"), "Int64"),
        "ends_weekday_mismatch": "boolean",
        "share": "Float64",
        "made_by": "string",
    }
    assert rows(table, "record_id", "share", "state", "n_clauses") == [("g1", 1.0, None, 1), ("g2", None, "void", 0)]
    assert str(table["ends_end"][0].date()) == "2030-12-31"
    assert rows(frames["agreements_clauses"], "record_id", "title", "n_duties") == [("g1", "البند", 1)]
    assert rows(frames["agreements_parties"], "record_id", "name", "country") == [
        ("g1", "ليبيا", "LY"),
        ("g2", "ليبيا", "LY"),
    ]
