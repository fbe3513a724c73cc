"""Endpoints as they are: what providers answer, by their own documents and users, and what comes of each answer.

A file of `tests/endpoints` holds one provider's habits. Of each answer it says:

    status, headers, body    as sent; `<answer>` stands for the JSON of a good answer, `<none>` for one without records,
                             `<cut>` for a good one that stops behind its meeting, `<answer head>` and `<answer tail>`
                             for its halves, `<answer as text>` for it as a JSON string, `<twice>` for a good one in
                             which a key stands twice; a text that is `<answer as object>` stands for the JSON itself
    class                    `records` where the meeting is read, else the class of the failure
    asked                    how many requests are made
    remedy                   words of the message
    mode                     that is asked in, where it matters
    takes                    the parameters with which the endpoint is content; null for one that it does not take. What
                             was learnt from the first article is sent with the second at once
    long                     whether the article is a long one
"""

import gzip
import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from newsroom import ANSWER, ARTICLE, HURRIED, MET, NOTHING, configured, reads_well, weather

from mahdar import Extraction, Extractor, Failure, Policy, Settings
from mahdar.cli.app import main
from mahdar.errors import UsageError

from loopback import Asked, Endpoint, Reply, completion, status

FOLDER: Final = Path(__file__).parent / "endpoints"
WRITTEN: Final = json.dumps(ANSWER, ensure_ascii=False)
CUT: Final = WRITTEN[: WRITTEN.index('"stances"') + 30]
STANDS_FOR: Final = {
    "<answer>": WRITTEN,
    "<answer head>": WRITTEN[:300],
    "<answer tail>": WRITTEN[300:],
    "<answer as text>": json.dumps(WRITTEN, ensure_ascii=False),
    "<none>": json.dumps(NOTHING),
    "<cut>": CUT,
    "<twice>": WRITTEN.replace('"stances"', '"meetings": [], "stances"'),
}
LONG: Final = ARTICLE + "".join(map(weather, range(120)))


def items(count: int) -> str:
    return f'{{"meetings": [{", ".join(["{}"] * count)}]}}'


def answers() -> list[Any]:
    return [
        pytest.param(one, id=f"{path.stem}: {one['name']}")
        for path in sorted(FOLDER.glob("*.json"))
        for one in json.loads(path.read_text(encoding="utf-8"))["answers"]
    ]


def filled(value: Any, *, inside: bool = False) -> Any:
    """A body with the answers put in; inside a body that is text, as they stand in a JSON string."""
    if value == "<answer as object>":
        return ANSWER
    if isinstance(value, str):
        for name, text in STANDS_FOR.items():
            value = value.replace(name, json.dumps(text)[1:-1] if inside else text)
        return value
    if isinstance(value, list):
        return [filled(one) for one in value]
    return {name: filled(one) for name, one in value.items()} if isinstance(value, dict) else value


def sent_by(answer: dict[str, Any]) -> Reply:
    body = filled(answer["body"], inside=isinstance(answer["body"], str))
    body = body if isinstance(body, str) else json.dumps(body)
    return Reply(body, status=answer["status"], headers=answer.get("headers", {}))


def content_with(body: dict[str, Any], takes: dict[str, int | None]) -> bool:
    """Whether a request has the parameters that an endpoint takes."""
    for name, most in takes.items():
        if (most is None and name in body) or (most is not None and body[name] > most):
            return False
    return "max_tokens" in body or "max_completion_tokens" in body


@pytest.mark.parametrize("answer", answers())
def test_an_answer_has_its_class_and_its_remedy(answer: dict[str, Any], tmp_path: Path) -> None:
    takes = answer.get("takes")

    def reply(asked: Asked) -> Reply:
        if MET not in asked.article:
            return completion(NOTHING)
        return completion(ANSWER) if takes is not None and content_with(asked.body, takes) else sent_by(answer)

    def about_the_meeting(asked: Asked) -> bool:
        return MET in asked.article

    texts = [weather(1), LONG if answer.get("long") else ARTICLE, *([ARTICLE + weather(2)] if takes else [])]
    with (
        Endpoint(reply) as endpoint,
        Extractor(configured(endpoint, tmp_path, mode=answer.get("mode")), policy=HURRIED, concurrency=1) as mahdar,
    ):
        _, *results = mahdar.extract_many(texts)
    assert [came_to(result) for result in results] == [answer["class"]] * len(results)
    assert len([one for one in endpoint.requests if about_the_meeting(one)]) == answer["asked"]
    for result in results:
        if isinstance(result, Failure):
            assert answer["remedy"] in result.message
            assert result.message.isprintable()


def came_to(result: Extraction | Failure) -> str:
    if isinstance(result, Failure):
        return result.failure
    assert len(result.meetings) == 1
    assert result.provenance.tokens_in < 1_000_000
    return "records"


@dataclass(frozen=True)
class Window:
    """An endpoint whose context takes some tokens for a prompt and its answer.

    Attributes:
        tokens: of the context.
        prompt: tokens of every prompt.
        words: of its refusals.
    """

    tokens: int
    prompt: int
    words: str

    def __call__(self, asked: Asked) -> Reply:
        bound = asked.body["max_tokens"]
        if self.prompt + bound <= self.tokens:
            return completion(ANSWER)
        room = self.tokens - bound
        return status(400, message=self.words.format(bound=bound, total=self.prompt + bound, room=room, more=room + 1))


VLLM: Final = (
    "This model's maximum context length is 8192 tokens. However, you requested {bound} output tokens and your "
)


@pytest.mark.parametrize(
    ("words", "prompt", "asked"),
    [
        pytest.param(
            VLLM + "prompt contains at least {more} input tokens, for a total of at least 8193 tokens.", 6_000, 2
        ),
        pytest.param(
            VLLM + "prompt contains at least {more} input tokens, for a total of at least 8193 tokens.", 7_000, 3
        ),
        pytest.param(
            VLLM + "prompt contains 90000 characters (more than 81280 characters, which is the upper bound for {room} "
            "input tokens).",
            6_000,
            2,
        ),
        pytest.param("Invalid request: Your request exceeded model token limit: 8192 (requested: {total})", 7_000, 2),
        pytest.param("max_total_tokens ({total}) must be less than or equal to max_seq_len (8192)", 7_000, 2),
    ],
    ids=[
        "vllm counts to the end of the room",
        "vllm asks for less and less",
        "vllm counts letters",
        "moonshot",
        "siliconflow",
    ],
)
def test_the_room_for_an_answer_is_learnt(words: str, prompt: int, asked: int, tmp_path: Path) -> None:
    with (
        Endpoint(Window(8_192, prompt, words)) as endpoint,
        Extractor(configured(endpoint, tmp_path), policy=HURRIED, concurrency=1) as mahdar,
    ):
        first, second = mahdar.extract_many([ARTICLE, ARTICLE + weather(2)])
    assert [came_to(first), came_to(second)] == ["records", "records"]
    assert len(endpoint.requests) == asked + 1, "the second article is sent at once with what was learnt"


def test_there_are_enough_of_them() -> None:
    assert len(answers()) >= 60


def test_what_was_learnt_changes_no_fingerprint(tmp_path: Path) -> None:
    refusal = status(400, message="Unsupported value: 'temperature' does not support 0 with this model.")

    def reply(asked: Asked) -> Reply:
        return refusal if "temperature" in asked.body else reads_well(asked)

    with Endpoint(reply) as endpoint:
        for _ in range(2):
            with Extractor(configured(endpoint, tmp_path), concurrency=1) as mahdar:
                first, second = mahdar.extract_many([ARTICLE, weather(1)])
                assert isinstance(first, Extraction)
                assert isinstance(second, Extraction)
    assert ["temperature" in asked.body for asked in endpoint.requests] == [True, False, False]
    assert first.provenance.cached
    assert second.provenance.cached


JUNK: Final = (None, 5, "x", "data: 5", [], [[]], {}, {"choices": 1}, {"delta": "x"}, {"index": [], "function": None})


@pytest.mark.parametrize("junk", JUNK)
@pytest.mark.parametrize(
    "form",
    [
        '{"choices": [{"message": {"tool_calls": [%s]}}]}',
        '{"choices": [{"message": {"function_call": %s, "content": ""}}]}',
        '{"choices": [{"message": {"content": [%s]}}]}',
        '{"choices": [{"finish_reason": %s, "message": {"content": ""}}]}',
        '{"choices": [%s]}',
        '{"error": %s}',
        '{"error": {"message": %s, "code": "429"}}',
        "data: %s\n\n",
        'data: {"choices": [%s]}\n\n',
        'data: {"choices": [{"delta": {"tool_calls": [%s]}}]}\n\n',
    ],
)
@pytest.mark.parametrize("code", [200, 400])
def test_no_form_of_an_answer_is_a_fault_of_ours(form: str, junk: object, code: int, tmp_path: Path) -> None:
    body = form.replace("%s", json.dumps(junk))
    with Endpoint(Reply(body, status=code)) as endpoint:
        settings = configured(endpoint, tmp_path)
        with Extractor(settings, policy=Policy(attempts=1), tasks=["meetings"], store=None) as mahdar:
            (result,) = mahdar.extract_many([ARTICLE])
    assert isinstance(result, Failure)
    assert result.failure in {"unreachable", "unparsable", "invalid", "refused", "rate_limited"}


def test_an_answer_to_a_cut_prompt_is_not_kept(tmp_path: Path) -> None:
    replies = [completion(NOTHING, tokens=(2_050, 20)), completion(ANSWER, tokens=(9_000, 300))]
    with Endpoint(replies) as endpoint, Extractor(configured(endpoint, tmp_path), policy=HURRIED) as mahdar:
        (first,), (second,) = mahdar.extract_many([LONG]), mahdar.extract_many([LONG])
    assert isinstance(first, Failure)
    assert isinstance(second, Extraction)
    assert len(second.meetings) == 1


@pytest.mark.parametrize(
    ("sentences", "tokens", "came"),
    [
        (30, 2_048, "truncated"),  # 14 kB
        (30, 2_300, "records"),
        (120, 4_095, "truncated"),  # 28 kB
        (120, 5_000, "records"),
        (0, 1_900, "records"),
    ],
)
def test_a_prompt_that_fills_a_window_was_cut_where_it_is_too_long_for_it(
    sentences: int, tokens: int, came: str, tmp_path: Path
) -> None:
    with (
        Endpoint(completion(ANSWER, tokens=(tokens, 20))) as endpoint,
        Extractor(configured(endpoint, tmp_path)) as mahdar,
    ):
        (result,) = mahdar.extract_many([ARTICLE + "".join(map(weather, range(sentences)))])
    assert came_to(result) == came


@pytest.mark.parametrize(
    ("code", "body", "said"),
    [
        pytest.param(200, b" " * 100_000_000, "more than 8,388,608 bytes", id="blanks"),
        pytest.param(500, b" " * 100_000_000, "more than 8,388,608 bytes", id="an error of blanks"),
        pytest.param(200, completion(items(2_000_000)).data, "it may have 1,000,000", id="two million items"),
        pytest.param(200, completion(items(200_000)).data, "more than 20,000 values", id="two hundred thousand"),
    ],
)
def test_an_answer_without_an_end_is_bounded(code: int, body: bytes, said: str, tmp_path: Path) -> None:
    zipped = Reply(gzip.compress(body), status=code, headers={"Content-Encoding": "gzip"})
    with Endpoint(zipped) as endpoint, Extractor(configured(endpoint, tmp_path), policy=HURRIED) as mahdar:
        (result,) = mahdar.extract_many([ARTICLE])
    assert isinstance(result, Failure)
    assert (result.failure, len(endpoint.requests)) == ("invalid", 1)
    assert said in result.message


def run(*arguments: str) -> Any:
    """The exit code of a command."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return ended.value.code


def test_control_characters_of_an_endpoint_reach_no_terminal_and_no_log(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caplog.set_level(logging.DEBUG)
    article = tmp_path / "article.txt"
    article.write_text(ARTICLE, encoding="utf-8")
    with Endpoint(status(400, message="\x1b[31mred\x9b2J \u202etxet")) as endpoint:
        monkeypatch.setenv("OPENAI_BASE_URL", endpoint.url)
        monkeypatch.setenv("MAHDAR_MODEL", "loopback")
        codes = [run("extract", str(article)), run("doctor")]
    shown = capsys.readouterr()
    assert codes == [1, 3]
    assert r"HTTP 400: \x1b[31mred\x9b2J \u202etxet" in shown.err
    assert r"HTTP 400: \x1b[31mred\x9b2J \u202etxet" in shown.out
    assert not set("\x1b\x9b\u202e") & set(shown.out + shown.err + caplog.text)


def test_the_doctor_learns_what_is_taken_and_names_the_window(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    refusal = status(400, message="Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.")

    def reply(asked: Asked) -> Reply:
        return refusal if "max_tokens" in asked.body else completion(NOTHING)

    with Endpoint(reply) as endpoint:
        monkeypatch.setenv("OPENAI_BASE_URL", endpoint.url)
        monkeypatch.setenv("MAHDAR_MODEL", "loopback")
        assert run("doctor") == 0
    shown = capsys.readouterr().out
    assert "OLLAMA_CONTEXT_LENGTH" in next(line for line in shown.splitlines() if line.startswith("✓ context"))
    assert len(endpoint.requests) == 2


@pytest.mark.parametrize(
    ("said", "bound", "without"),
    [
        ("max_completion_tokens -temperature", {"max_completion_tokens": 16_000}, {"max_tokens", "temperature"}),
        ("max_tokens=2000,-temperature", {"max_tokens": 2_000}, {"max_completion_tokens", "temperature"}),
        ("max_completion_tokens=2000", {"max_completion_tokens": 2_000, "temperature": 0}, {"max_tokens"}),
    ],
)
def test_parameters_said_in_advance_are_sent_at_once(said: str, bound: dict[str, int], without: set[str]) -> None:
    with Endpoint(completion(NOTHING)) as endpoint:
        environment = {"OPENAI_BASE_URL": endpoint.url, "MAHDAR_MODEL": "loopback", "MAHDAR_PARAMETERS": said}
        with Extractor(Settings.from_environment(environment), store=None) as mahdar:
            told = mahdar.extract(ARTICLE).provenance.fingerprints
        with Extractor(Settings.from_environment({**environment, "MAHDAR_PARAMETERS": ""}), store=None) as mahdar:
            assert mahdar.extract(ARTICLE).provenance.fingerprints == told, "what is sent is no part of the question"
    body = endpoint.requests[0].body
    assert all(body[name] <= most for name, most in bound.items())
    assert not without & body.keys()


def test_parameters_that_are_not_understood_are_refused() -> None:
    said = {"OPENAI_BASE_URL": "http://localhost/v1", "MAHDAR_MODEL": "m", "MAHDAR_PARAMETERS": "temperature=0"}
    with pytest.raises(UsageError, match=r"MAHDAR_PARAMETERS 'temperature=0': not understood; write max_completion"):
        Extractor(Settings.from_environment(said), store=None).plan(ARTICLE)
