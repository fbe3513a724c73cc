"""The embedded model for real: started, asked through instructor, and held to what a small model can do."""

import pytest

from mahdar import Extractor
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
