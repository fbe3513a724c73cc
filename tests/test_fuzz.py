"""Whatever the bytes: readers, answers, quotes and dates end in a result or in a failure with a class, never in a bug.

Each property runs on a few dozen inputs with the other tests, and for ten minutes each in `make soak`.
"""

import datetime as dt
import gzip
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from newsroom import configured

from mahdar import Document, Extraction, Extractor, Failure, Settings
from mahdar.cache.completion import Completion
from mahdar.documents.document import BadInput
from mahdar.errors import BadInputError, UsageError
from mahdar.grounding.ground import EVIDENCE, PHRASE, Ground
from mahdar.llm.call import Call
from mahdar.resolving.dates import find_dates, resolve_date
from mahdar.runs.sources import Articles
from mahdar.schemas import edtf

ROOT: Final = Path(__file__).parents[1]
SECONDS: Final = 600
"""Of one property in `make soak`."""
SEED: Final = "003_29bfab6d2ee2a304"
ARTICLE: Final = (ROOT / "seeds" / "articles" / f"{SEED}.txt").read_text(encoding="utf-8")
ANSWER: Final[str] = json.loads(
    (ROOT / "evals" / "recordings" / "reference-llm" / f"{SEED}.json").read_text(encoding="utf-8")
)["answers"][0]["text"]
ROW: Final = {"id": "a", "text": "التقى الوزير نظيره في القاهرة يوم الاثنين 3 مايو 2021.", "published_at": "2021-05-04"}
FILES: Final = {
    ".txt": ARTICLE.encode(),
    ".jsonl": (json.dumps(ROW, ensure_ascii=False) + "\n").encode() * 3,
    ".csv": f'id,text,published_at\r\na,"{ROW["text"]}",2021-05-04\r\nb,"قال ""نعم""",\r\n'.encode(),
    ".tsv": f"id\ttext\na\t{ROW['text']}\n".encode(),
    ".html": f"<html lang='ar'><title>لقاء</title><body><article><p>{ROW['text']}</p></article></body></html>".encode(),
    ".jsonl.gz": gzip.compress((json.dumps(ROW, ensure_ascii=False) + "\n").encode(), mtime=0),
}
PIECES: Final = (b"\x00", b"\xff", b'"', b"\n", b"\r", b",", b"{", b"}", b"\xef\xbb\xbf", b"\x1f\x8b", b"<", b"\\u0000")
TOKENS: Final = (
    "{",
    "}",
    "[",
    "]",
    '"',
    ",",
    ":",
    "null",
    "\\",
    "\x00",
    "\ud83d",
    "1e999",
    "{{",
    "%}",
    "</think>",
    "١",
)
LETTERS: Final = "اليوم وقال التقى «»\"'\n.،؟0123456789\u200f\u0651"
DATES: Final = (
    "أمس",
    "الخميس",
    "الماضي",
    "20",
    "يوليو",
    "2020",
    "القادم",
    "من",
    "إلى",
    "و",
    "29",
    "فبراير",
    "31",
    "/",
    "؟",
)


@st.composite
def damaged(draw: st.DrawFn, whole: bytes) -> bytes:
    """A file with a few cuts, doublings, flips and foreign bytes in it."""
    data = bytearray(whole)
    for _ in range(draw(st.integers(0, 6))):
        at = draw(st.integers(0, len(data)))
        until = min(len(data), at + draw(st.integers(0, 40)))
        match draw(st.sampled_from(("cut", "double", "flip", "insert", "end"))):
            case "cut":
                del data[at:until]
            case "double":
                data[at:at] = data[at:until]
            case "flip":
                data[at:until] = bytes(255 - byte for byte in data[at:until])
            case "insert":
                data[at:at] = draw(st.sampled_from(PIECES)) * draw(st.integers(1, 3))
            case _:
                del data[at:]
    return bytes(data)


@st.composite
def damaged_answer(draw: st.DrawFn) -> str:
    """A recorded answer with a few tokens cut, doubled, moved or put in."""
    text = ANSWER
    for _ in range(draw(st.integers(0, 6))):
        at = draw(st.integers(0, len(text)))
        until = min(len(text), at + draw(st.integers(0, 200)))
        foreign = draw(st.sampled_from(TOKENS)) * draw(st.integers(1, 4))
        changed = (text[:at] + text[until:], text[:until] + text[at:], text[:at] + foreign + text[at:])
        text = draw(st.sampled_from(changed))
    return text


class Answering:
    """A transport that answers what it is told to."""

    text = ""

    async def send(self, call: Call) -> Completion:
        """Answer, whatever is asked."""
        del call
        return Completion(self.text, tokens_in=9, tokens_out=9)

    async def close(self) -> None:
        """Hold nothing."""


def check_file(folder: Path, ending: str, data: bytes) -> None:
    file = folder / f"articles{ending}"
    file.write_bytes(data)
    try:
        found = list(Articles([file]))
    except (UsageError, BadInputError):
        return
    for one in found:
        assert isinstance(one, Document | BadInput)
        assert not isinstance(one, Document) or one.text.strip()


def check_answer(extractor: Extractor, transport: Answering, text: str) -> None:
    transport.text = text
    document = Document(id="a", text=ARTICLE, published_at=dt.date(2022, 5, 23))
    (result,) = extractor.extract_many([document])
    assert isinstance(result, Extraction | Failure)
    if isinstance(result, Failure):
        assert result.failure in {"unparsable", "invalid", "truncated", "refused"}, result
        return
    for record in (*result.meetings, *result.stances):
        assert record.evidence != ()
        assert all(ARTICLE[one.start : one.end] == one.quote for one in record.evidence)
    assert Extraction.model_validate_json(result.model_dump_json()) == result


def check_text(extractor: Extractor, text: str) -> None:
    (result,) = extractor.extract_many([Document(id="a", text=text, published_at=dt.date(2022, 5, 23))])
    if isinstance(result, Failure):
        assert result.failure == "bad_input", result
    else:
        assert all(text[one.start : one.end] == one.quote for each in result.meetings for one in each.evidence)


def check_quote(text: str, quote: str) -> None:
    ground = Ground(text)
    for rule in (EVIDENCE, PHRASE):
        span = ground.find(quote, rule=rule)
        assert (span is None) == (ground.why_not(quote, rule=rule) is not None)
        assert span is None or 0 <= span.start < span.end <= len(text)


def check_date(phrase: str) -> None:
    date = resolve_date(phrase, published_at=dt.date(2020, 2, 29), article=f"{ARTICLE} {phrase}")
    assert date.value is None or edtf.parse(date.value) is not None
    assert all(0 <= one.start < one.end <= len(phrase) for one in find_dates(phrase))


def texts() -> st.SearchStrategy[str]:
    whole = damaged(ARTICLE.encode()).map(lambda data: data.decode("utf-8", "replace"))
    return st.one_of(whole, st.text(max_size=300), st.text(alphabet=LETTERS, max_size=300))


def phrases() -> st.SearchStrategy[str]:
    words = st.lists(st.one_of(st.sampled_from(DATES), st.text(max_size=6)), max_size=8)
    return words.map(" ".join)


@pytest.fixture
def properties(tmp_path: Path) -> Iterator[dict[str, tuple[st.SearchStrategy[Any], Callable[[Any], None]]]]:
    """Each property: the inputs, and the check of one."""
    transport = Answering()
    endings = st.sampled_from(sorted(FILES)).flatmap(lambda ending: st.tuples(st.just(ending), damaged(FILES[ending])))
    offline = replace(Settings.from_environment(), model="offline")
    with (
        Extractor(configured("http://127.0.0.1:9/v1", tmp_path), transport=transport, store=None) as model,
        Extractor(offline) as rules,
    ):
        yield {
            "files": (endings, lambda one: check_file(tmp_path, *one)),
            "answers": (damaged_answer(), lambda text: check_answer(model, transport, text)),
            "texts": (texts(), lambda text: check_text(rules, text)),
            "quotes": (st.tuples(texts(), texts()), lambda one: check_quote(*one)),
            "dates": (phrases(), check_date),
        }


NAMES: Final = ("files", "answers", "texts", "quotes", "dates")


def run(strategy: st.SearchStrategy[Any], check: Callable[[Any], None], examples: int, *, seeded: bool) -> None:
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=seeded,
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def holds(one: Any) -> None:
        check(one)

    holds()


@pytest.mark.parametrize("name", NAMES)
def test_whatever_comes_ends_in_a_result_or_a_failure(properties: dict[str, Any], name: str) -> None:
    run(*properties[name], 40, seeded=True)


@pytest.mark.soak
@pytest.mark.parametrize("name", NAMES)
def test_whatever_comes_for_ten_minutes_ends_in_a_result_or_a_failure(properties: dict[str, Any], name: str) -> None:
    ends = time.monotonic() + SECONDS
    while time.monotonic() < ends:
        run(*properties[name], 1000, seeded=False)
