"""Documents: reading, decoding, and refusing what is no article."""

import datetime as dt
import hashlib
import io
import pickle
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mahdar.documents.checks import MAX_BYTES
from mahdar.documents.decoding import decode
from mahdar.documents.document import BadInput, Document, as_date, check, read_documents
from mahdar.documents.folding import spaced
from mahdar.errors import BadInputError

ARABIC = (
    "التقى وزير الخارجية الليبي نظيره المصري في القاهرة، وأكد أن الحوار مستمر بين البلدين.\r\nوقال إن «الزيارة» مهمة.\n"
)
FRENCH = (
    "Le ministre a reçu son homologue égyptien à Paris. « C’est un succès », a déclaré une source dans la délégation.\n"
)
ENGLISH = (
    "The minister said that the “talks” in Algiers – the third since May – were a success for both of the parties.\n"
)


@pytest.mark.parametrize("text", [ARABIC, FRENCH, ENGLISH])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_unicode_is_decoded_and_keeps_its_newlines(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding)) == text


@pytest.mark.parametrize(
    ("text", "encoding"),
    [(ARABIC, "cp1256"), (ARABIC.replace("«", "").replace("»", ""), "iso8859_6")]
    + [(text, "cp1252") for text in (FRENCH, ENGLISH)]
    + [(FRENCH.replace("’", "'"), "latin-1")],
)
def test_a_one_byte_encoding_is_decoded_when_the_text_proves_it(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding)) == text


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("باشاغا يلتقي لودريان".encode("cp1256"), "looks like WINDOWS-1256, but cannot be sure: convert it to UTF-8"),
        ("باشاغا يصل باريس".encode("iso8859_6"), "but cannot be sure"),
        ("Élysée".encode("cp1252"), "looks like WINDOWS-1252, but cannot be sure: .* iconv -f WINDOWS-1252 -t UTF-8"),
        ("El señor ministro habló en España".encode("cp1252"), "looks like WINDOWS-1252, but cannot be sure"),
        ("Министр встретился с послом в городе".encode("cp1251"), "its encoding cannot be told: convert it with iconv"),
        (FRENCH.replace("’", "'").encode("cp850"), "its encoding cannot be told"),
        (b"The minister met the\xffambassador.\xff He said that talks went on.", "its encoding cannot be told"),
        (ENGLISH.encode("mac_roman"), "its encoding cannot be told"),
        (ARABIC.encode("utf-16-le"), "looks like UTF-16LE without a byte order mark, .* iconv -f UTF-16LE -t UTF-8"),
        (ARABIC.encode("utf-16-be"), "looks like UTF-16BE"),
        (b"\xff\xfe\x00\xd8", "has the byte order mark of UTF-16-LE and is not that at byte 0"),
        (b"%PDF-1.7\n1 0 obj", "is a PDF, not text: extract its text first"),
        (b"PK\x03\x04\x14\x00", "is a ZIP archive or an Office document"),
        (b"\x1f\x8b\x08\x00", "is compressed with gzip: unpack it first"),
        (b"\x89PNG\r\n\x1a\n", "is a PNG image, not text"),
        (b"\xff\xd8\xff\xe0", "is a JPEG image, not text"),
        (b"{\\rtf1\\ansi", "is an RTF document"),
        (b"\n<!DOCTYPE html>\n<html>", "is an HTML or XML page"),
        (b'[{"id": "x", "text": "abc def"}]\n', "is JSON, not text: write one object a line as .jsonl"),
        (b'\n{"id": "x",\n "text": "abc def"}', "is JSON, not text"),
        (b"text\x00\x01\x02", "is binary, not text .a NUL at byte 4."),
        (b"\x01\x02\x03 text", "is binary, not text .3 control characters."),
        (ARABIC.encode() + b"\xd9", "is damaged UTF-8, first at byte [0-9]+, 1 places in all"),
        (b"\xff" + ARABIC.encode(), "is damaged UTF-8, first at byte 0"),
        ("الوز\ufffdر".encode(), "has lost 1 of 6 characters, replaced by U.FFFD"),
    ],
)
def test_what_is_not_certain_is_refused_by_name(data: bytes, reason: str) -> None:
    with pytest.raises(BadInputError, match=reason):
        decode(data)


@pytest.mark.parametrize(
    ("text", "written", "read"),
    [
        (ARABIC, "utf-8", "latin-1"),
        (ARABIC, "utf-8", "cp1256"),
        (ARABIC, "cp1256", "cp1252"),
        (FRENCH.replace("à", "a"), "utf-8", "cp1252"),
    ],
)
def test_utf8_that_holds_misread_text_is_refused(text: str, written: str, read: str) -> None:
    with pytest.raises(BadInputError, match=f"was {written.upper()} once and has been read as"):
        decode(text.encode(written).decode(read).encode())


def test_misread_text_is_known_by_its_beginning() -> None:
    """«Ø§Ù„» as browsers read it: undefined bytes of Windows-1252 are kept as control characters."""
    with pytest.raises(BadInputError, match="'Ø§Ù„ØªÙ"):
        decode(
            "".join(
                chr(byte) if byte in b"\x81\x8d\x8f\x90\x9d" else bytes([byte]).decode("cp1252")
                for byte in ARABIC.encode()
            ).encode()
        )


@pytest.mark.parametrize(
    "text", ["[photo] The minister met the ambassador.", "[1] قال الوزير.", "{لقاء", '"A quote."', "[" * 100_000 + "x"]
)
def test_what_merely_begins_like_json_is_text(text: str) -> None:
    assert decode(text.encode()) == text


def test_a_few_replacement_characters_are_accepted() -> None:
    text = ARABIC * 3 + "\ufffd"
    assert decode(text.encode()) == text


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0"), max_size=200))
def test_decoding_returns_the_text_or_refuses_it(text: str) -> None:
    try:
        assert decode(b"\xef\xbb\xbf" + text.encode()) == text
    except BadInputError as error:
        assert str(error)  # noqa: PT017 either is right


@given(st.binary(max_size=200))
def test_any_bytes_are_decoded_or_refused(data: bytes) -> None:
    try:
        assert isinstance(decode(data), str)
    except BadInputError as error:
        assert str(error)  # noqa: PT017 either is right


def test_a_document_knows_the_hash_of_its_text() -> None:
    document = Document("a", "لقاء")
    expected = hashlib.sha256("لقاء".encode()).hexdigest()
    assert (document.sha256, document.sha256) == (expected, expected)


def test_half_a_surrogate_pair_has_a_hash_and_is_refused() -> None:
    document = Document("a", "لقاء \ud800")
    assert len(document.sha256) == 64
    with pytest.raises(BadInputError, match=r"document 'a' has a lone surrogate \(U\+D800\) at offset 5"):
        check(document)


def test_a_document_survives_another_process() -> None:
    document = Document("a", "لقاء", dt.date(2020, 7, 21), "ar")
    assert pickle.loads(pickle.dumps(document)) == document


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2020-07-20", dt.date(2020, 7, 20)),
        (dt.date(2020, 7, 20), dt.date(2020, 7, 20)),
        (dt.datetime(2020, 7, 20, 23, 30, tzinfo=dt.UTC), dt.date(2020, 7, 20)),
        (None, None),
    ],
)
def test_a_date_of_publication(value: str | dt.date | None, expected: dt.date | None) -> None:
    assert as_date(value) == expected
    assert Document("a", "لقاء", published_at=value).published_at == expected  # type: ignore[arg-type]  # a string too


@pytest.mark.parametrize("value", ["2020-02-30", "20 يوليو", "2020-7-20", "20200720", "2020-W30-1", "٢٠٢٠-٠٧-٢٠", ""])
def test_a_wrong_date_is_refused_with_the_remedy(value: str) -> None:
    with pytest.raises(BadInputError, match=f"{value!r} is not a date: write it as year-month-day"):
        as_date(value)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "document 'x' is empty: give the article's text"),
        (" \n\u00a0", "is empty"),
        ("\ufeff\n", "is empty"),
        ("123 - 5+5 ***", r"has no letters .'123 - 5\+5"),
        ("أ" * (MAX_BYTES // 2 + 1), "has 2,000,002 bytes, more than the 2,000,000 an article may have: split it"),
        ("لقاء\udcff", r"has a lone surrogate .U\+DCFF. at offset 4"),
        ("لقاء\0", r"has a NUL character .U\+0000. at offset 4"),
    ],
)
def test_a_document_that_is_no_article_is_refused(text: str, reason: str) -> None:
    with pytest.raises(BadInputError, match=reason):
        check(Document("x", text))


@pytest.mark.parametrize("text", [ARABIC, "لقاء", "é", "أ" * (MAX_BYTES // 2)])
def test_any_other_document_passes(text: str) -> None:
    check(Document("x", text))


def write(folder: Path, *names: str, data: bytes = ARABIC.encode()) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def test_a_file_is_a_document_named_by_its_stem(tmp_path: Path) -> None:
    write(tmp_path, "002.txt")
    assert list(read_documents([tmp_path / "002.txt"], published_at="2020-07-21", language="ar")) == [
        Document("002", ARABIC, dt.date(2020, 7, 21), "ar")
    ]


def test_a_folder_is_read_whole_in_order_without_hidden_and_other_files(tmp_path: Path) -> None:
    write(tmp_path, "c.txt", "b/d.txt", "a.TXT", ".hidden.txt", ".git/x.txt", "notes.md")
    assert [document.id for document in read_documents([str(tmp_path)])] == ["a", "d", "c"]


def test_equal_stems_are_told_apart_by_their_paths(tmp_path: Path) -> None:
    write(tmp_path, "2020/talks.txt", "2021/talks.txt", "2021/visit.txt")
    folders = [tmp_path / "2021", tmp_path / "2020"]
    assert [document.id for document in read_documents(folders)] == ["2021/talks.txt", "visit", "2020/talks.txt"]


def test_a_path_named_twice_is_read_once(tmp_path: Path) -> None:
    write(tmp_path, "a.txt")
    assert len(list(read_documents([tmp_path, tmp_path / "a.txt", tmp_path / "b/../a.txt"]))) == 1


def test_a_dash_is_standard_input(tmp_path: Path) -> None:
    write(tmp_path, "stdin.txt")
    assert list(read_documents(["-"], io.BytesIO(ARABIC.encode()))) == [Document("stdin", ARABIC)]
    both = read_documents(["-", tmp_path], io.BytesIO(ARABIC.encode()))
    assert [document.id for document in both] == ["-", "stdin.txt"]


def test_a_file_that_cannot_be_read_is_reported_and_the_rest_goes_on(tmp_path: Path) -> None:
    write(tmp_path, "a.txt", data=b"%PDF-1.7")
    (tmp_path / "b.txt").symlink_to(tmp_path / "gone")
    write(tmp_path, "c.txt", data=b"x" * 5_000_000)
    write(tmp_path, "d.txt")
    assert list(read_documents([tmp_path])) == [
        BadInput("a", f"{tmp_path}/a.txt is a PDF, not text: extract its text first, for example with pdftotext"),
        BadInput("b", f"{tmp_path}/b.txt cannot be read: No such file or directory"),
        BadInput("c", f"{tmp_path}/c.txt has 5,000,000 bytes, more than the 2,000,000 an article may have: split it"),
        Document("d", ARABIC),
    ]


def test_standard_input_that_is_too_long_is_reported() -> None:
    (found,) = read_documents(["-"], io.BytesIO(b"x" * 3_000_000))
    assert found == BadInput(
        "stdin", "standard input has at least 2,000,001 bytes, more than the 2,000,000 an article may have: split it"
    )


def test_a_path_that_does_not_exist_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"gone.txt': no such file or folder: check the path"):
        read_documents([tmp_path / "gone.txt"])


def test_a_folder_without_texts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"has no .txt files"):
        read_documents([tmp_path])


def test_a_file_name_that_is_not_utf8_gives_an_id_that_is(tmp_path: Path) -> None:
    write(tmp_path, "\udce9.txt")
    assert [document.id for document in read_documents([tmp_path])] == ["\\udce9"]


def test_words_too_long_to_recur_are_not_kept_in_memory() -> None:
    tracemalloc.start()
    try:
        for number in range(40):
            assert spaced(f"{'كلمة' * 20_000}{number}").endswith(f"{number} ")
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 1_000_000
