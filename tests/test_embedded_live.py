"""The embedded model for real: started, asked through instructor, and held to what a small model can do."""

from pathlib import Path

import pytest

from mahdar import Extractor
from mahdar.llm.local.model import EmbeddedModel, EmbeddedStartError
from mahdar.llm.local.weights import QWEN, LocalModelMissingError, part_files, require_engine

ARTICLE = """\
استقبل وزير الخارجية المصري سامح شكري نظيره الأردني أيمن الصفدي في القاهرة أمس.
وأكد الصفدي دعم بلاده لجهود الإغاثة في السودان.
"""


@pytest.fixture
def installed() -> None:
    try:
        require_engine()
        part_files(QWEN)
    except LocalModelMissingError as error:
        pytest.skip(str(error))


@pytest.mark.model
@pytest.mark.usefixtures("installed")
def test_the_embedded_model_drafts_records_in_the_words_of_the_article() -> None:
    with Extractor(model="embedded", store=None) as mahdar:
        result = mahdar.extract(ARTICLE, published_at="2023-06-12")

    made = result.provenance
    assert set(made.made_by.values()) == {QWEN.name}
    assert (set(made.prompts), set(made.schemas)) == ({"meetings", "stances"}, {"meetings", "stances"})
    assert (made.calls, made.cached) == (1, False)
    pieces = [piece for record in (*result.meetings, *result.stances) for piece in record.evidence]
    assert pieces
    assert [piece.quote for piece in pieces] == [ARTICLE[piece.start : piece.end] for piece in pieces]


def test_a_damaged_model_file_is_told_without_a_stack_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("xllamacpp")
    damaged = tmp_path / "تالف.gguf"
    damaged.write_bytes(b"GGUF and no model")
    monkeypatch.setenv("MAHDAR_LOCAL_MODEL", str(damaged))
    with EmbeddedModel(cache=tmp_path / "cache") as embedded, pytest.raises(EmbeddedStartError) as told:
        embedded.ensure()
    assert "ended with code 1; free memory, name another file in MAHDAR_LOCAL_MODEL" in str(told.value)
    assert "Traceback" not in str(told.value)
