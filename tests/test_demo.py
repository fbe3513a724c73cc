"""The main job for real: the embedded model is asked what rules leave open in a seed article."""

from pathlib import Path

import pytest

from extractor import Extractor
from extractor.cache.disk import DiskStore
from extractor.llm.local.weights import QWEN, LocalModelMissingError, part_files, require_engine

ARTICLE = Path(__file__).parents[1] / "seeds" / "articles" / "003_29bfab6d2ee2a304.txt"


@pytest.fixture
def installed() -> None:
    try:
        require_engine()
        part_files(QWEN)
    except LocalModelMissingError as error:
        pytest.skip(str(error))


@pytest.mark.model
@pytest.mark.usefixtures("installed")
def test_with_nothing_configured_the_embedded_model_finds_a_meeting_in_the_words_of_the_article(tmp_path: Path) -> None:
    text = ARTICLE.read_text(encoding="utf-8")
    with Extractor(store=DiskStore(tmp_path)) as mahdar:
        result = mahdar.extract(text)

    assert result.meetings
    assert result.provenance.calls
    assert not result.provenance.cached
    quotes = [piece for record in (*result.meetings, *result.stances) for piece in record.evidence]
    assert [piece.quote for piece in quotes] == [text[piece.start : piece.end] for piece in quotes]
