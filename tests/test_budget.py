"""The budget: what is spent never exceeds it, and what the model costs is known, given, or asked for."""

import datetime as dt
import json
import subprocess
import sys
import threading
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from newsroom import ANSWER, ARTICLE, HURRIED, KEY, NOTHING, configured, meeting, reads_well, records, weather

from mahdar import Budget, Document, Extraction, Extractor, Failure, Limits, Price, UsageError
from mahdar.cli.app import main
from mahdar.documents.passages import estimate_tokens
from mahdar.drafting import Request
from mahdar.limits.budget import Spending
from mahdar.limits.estimate import estimate_input_tokens, estimate_output_tokens, max_input_tokens, max_output_tokens
from mahdar.limits.prices import find_price
from mahdar.llm.conversation import arguments_of
from mahdar.llm.endpoint import MAX_TOKENS
from mahdar.llm.endpoint import Endpoint as At
from mahdar.llm.plan import plan
from mahdar.prompts import STANDARD, PromptLibrary
from mahdar.tasks import load_tasks

from loopback import Asked, Endpoint, Reply, completion, status

PRICE = Price.per_million("2", "8")
CALL = Decimal("0.00036")
"""What a call costs at that price, of 100 tokens in and 20 out."""


def request(article: str = ARTICLE, parameters: dict[str, int] | None = None, mode: str = "json_schema") -> Request:
    parameters = {"max_tokens": MAX_TOKENS, "temperature": 0} if parameters is None else parameters
    endpoint = At(base_url="", api_key="", model="loopback", mode=mode, parameters=parameters)
    (made,) = plan(Document("1", article), load_tasks(["meetings"], PromptLibrary(), STANDARD), endpoint)
    return made


def most(article: str = ARTICLE) -> Spending:
    """What a call about an article may come to."""
    arguments = arguments_of(request(article))
    return Spending.of(PRICE, max_input_tokens(arguments), max_output_tokens(arguments))


# --- prices


@pytest.mark.parametrize(
    ("model", "base_url", "cost"),
    [
        pytest.param("gpt-4.1-mini", "https://api.openai.com/v1", "2.0", id="OpenAI"),
        pytest.param("gpt-4.1-mini", "https://news.openai.azure.com/openai/v1", "2.0", id="Azure"),
        pytest.param("openai/gpt-4.1-mini", "https://openrouter.ai/api/v1", "2.0", id="OpenRouter"),
        pytest.param("gpt-4.1-mini", "http://localhost:8000/v1", None, id="somebody's own server"),
        pytest.param("gpt-4.1-mini", "http://10.0.0.7/v1", None, id="by its number"),
        pytest.param("gpt-4.1-mini", "https://models.example/v1", None, id="nobody known"),
        pytest.param("gpt-none", "https://api.openai.com/v1", None, id="no such model"),
    ],
)
def test_a_price_is_known_for_the_endpoint_that_asks_it(model: str, base_url: str, cost: str | None) -> None:
    pytest.importorskip("genai_prices")
    price = find_price(model, base_url)
    assert (price and price.cost(1_000_000, 1_000_000)) == (cost and Decimal(cost))


def test_a_long_request_costs_more_where_that_is_the_price() -> None:
    pytest.importorskip("genai_prices")
    price = find_price("gemini-2.5-pro", "https://generativelanguage.googleapis.com/v1beta/openai")
    assert price is not None
    assert (price.cost(200_000, 1_000), price.cost(200_001, 1_000)) == (Decimal("0.26"), Decimal("0.5150025"))


def test_a_price_that_changes_with_the_hour_is_the_highest_of_the_day() -> None:
    pytest.importorskip("genai_prices")
    price = find_price("deepseek-chat", "https://api.deepseek.com/v1", today=dt.date(2025, 6, 1))
    assert price is not None
    assert (price.cost(1_000_000, 0), price.cost(0, 1_000_000)) == (Decimal("0.27"), Decimal("1.1"))


# --- tokens


@pytest.mark.parametrize("mode", ["json_schema", "json", "tools", "md_json"])
@pytest.mark.parametrize("text", [ARTICLE, "🕊️" * 40, "plain words " * 9, "ab\n\n\t  " * 9, "ـ" * 70, "漢字かな" * 9])
def test_no_request_has_more_tokens_than_bytes(text: str, mode: str) -> None:
    asked = request(text, mode=mode)
    sent = arguments_of(asked)
    assert max_input_tokens(sent) > sum(len(turn["content"].encode()) for turn in asked.messages)
    assert estimate_tokens(text) <= estimate_input_tokens(sent) <= max_input_tokens(sent)
    assert 0 < estimate_output_tokens(asked.messages[-1]["content"], asked.parameters) <= max_output_tokens(sent)


@pytest.mark.parametrize("mode", ["json_schema", "json", "tools", "md_json"])
def test_no_mode_sends_more_than_is_counted(mode: str, tmp_path: Path) -> None:
    with (
        Endpoint(reads_well) as endpoint,
        Extractor(configured(endpoint, tmp_path, mode=mode), tasks=["meetings"]) as mahdar,
    ):
        mahdar.extract(ARTICLE)
    assert max_input_tokens(arguments_of(request(mode=mode))) > len(endpoint.requests[0].raw)


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_the_answer_is_bounded_by_what_is_asked_for(name: str) -> None:
    assert max_output_tokens({name: 70}) == 70


def test_an_answer_is_about_as_long_as_its_article() -> None:
    asked = [request(" ".join(map(weather, range(count)))) for count in (2, 20)]
    short, long = (estimate_output_tokens(one.messages[-1]["content"], one.parameters) for one in asked)
    assert 5 * short < long < 10 * short


def test_without_a_bound_on_the_answer_no_budget_holds() -> None:
    with pytest.raises(UsageError, match="max_completion_tokens or max_tokens"):
        max_output_tokens({"model": "loopback"})


# --- spending


def spent(replies: Reply, budget: Budget, cache: Path, articles: int, concurrency: int) -> tuple[Spending, int, int]:
    """What was spent, how many articles were done, and how many the budget stopped."""
    with (
        Endpoint(replies) as endpoint,
        Extractor(
            configured(endpoint, cache),
            tasks=["meetings"],
            policy=HURRIED,
            concurrency=concurrency,
            budget=budget,
            price=PRICE,
        ) as mahdar,
    ):
        results = list(mahdar.extract_many(map(weather, range(articles))))
        total = mahdar.spent
    done = [result for result in results if isinstance(result, Extraction)]
    failures = [result.failure for result in results if isinstance(result, Failure)]
    assert set(failures) <= {"over_budget"}
    assert len(results) == articles
    assert len(endpoint.requests) == len(done)
    assert sum(Decimal(str(result.provenance.cost)) for result in done) == total.cost
    return total, len(done), len(failures)


def test_a_budget_that_runs_out_with_fifty_calls_in_flight(tmp_path: Path) -> None:
    one = most(weather(1)).cost
    budget, answered, arrived = 60 * one, Decimal(0), threading.Event()
    tokens = (
        max_input_tokens(arguments_of(request(weather(1)))) // 2,
        max_output_tokens(request(weather(1)).parameters) // 2,
    )
    cost = PRICE.cost(*tokens)

    def reply(asked: Asked) -> Reply:
        nonlocal answered
        number = len(endpoint.requests)
        if number > 50 and number % 7 == 0:
            return status(504)  # who knows whether it is billed
        if number > 50 and number % 11 == 0:
            return status(429)
        answered += cost
        drafts = [] if number % 5 else [{"kind": "party"}]  # asked again
        return completion(records(drafts, actors=()), tokens=tokens, after=arrived)

    with (
        Endpoint(reply) as endpoint,
        Extractor(
            configured(endpoint, tmp_path),
            tasks=["meetings"],
            policy=replace(HURRIED, attempts=9),
            concurrency=50,
            budget=Budget(max_cost=budget),
            price=PRICE,
        ) as mahdar,
    ):
        threading.Thread(target=lambda: (endpoint.await_requests(50), arrived.set())).start()
        results = list(mahdar.extract_many(map(weather, range(150))))
        spent_in_all = mahdar.spent.cost
    failures = {result.failure for result in results if isinstance(result, Failure)}
    assert len({result.document_id for result in results}) == 150
    assert "over_budget" in failures
    assert failures <= {"over_budget", "invalid"}
    assert answered <= spent_in_all <= budget
    assert spent_in_all > budget - 2 * one  # and all of it that could be spent was


def test_a_budget_of_tokens(tmp_path: Path) -> None:
    total, done, stopped = spent(
        completion(NOTHING), Budget(max_tokens=most(weather(1)).tokens + 3 * 120), tmp_path, articles=20, concurrency=9
    )
    assert (total.tokens, done) in {(360, 3), (480, 4)}  # the numerals of an article may be a byte more
    assert done + stopped == 20


def test_a_budget_of_nothing_makes_no_call(tmp_path: Path) -> None:
    assert spent(status(500), Budget(max_cost=0), tmp_path, 3, 2) == (Spending(), 0, 3)


def test_what_stopped_an_article_is_said(tmp_path: Path) -> None:
    with (
        Endpoint(status(500)) as endpoint,
        Extractor(configured(endpoint, tmp_path), budget=Budget(max_tokens=9), tasks=["meetings"]) as mahdar,
    ):
        (failure,) = mahdar.extract_many([ARTICLE])
    assert isinstance(failure, Failure)
    assert (failure.failure, failure.attempts) == ("over_budget", 0)
    assert failure.message.startswith(
        "meetings: the budget of 9 tokens would be exceeded: 0 tokens are spent, and the next "
    )


@pytest.mark.parametrize(
    ("fault", "billed"),
    [
        pytest.param(Reply("{", drop_after=0), True, id="cut after it was sent"),
        pytest.param(Reply("{}"), True, id="an answer without a choice"),
        pytest.param(status(504), True, id="somebody in between gave up"),
        pytest.param(completion(NOTHING, after=threading.Event()), True, id="no answer in time"),
        pytest.param(status(429), False, id="turned away"),
        pytest.param(status(500), False, id="broken"),
    ],
)
def test_an_attempt_that_may_be_billed_counts_at_its_most(fault: Reply, *, billed: bool, tmp_path: Path) -> None:
    with (
        Endpoint(lambda asked: fault if len(endpoint.requests) < 3 else reads_well(asked)) as endpoint,
        Extractor(
            configured(endpoint, tmp_path, timeout=0.3),
            tasks=["meetings"],
            policy=HURRIED,
            price=PRICE,
            budget=Budget(max_cost=1),
        ) as mahdar,
    ):
        cost = mahdar.extract(ARTICLE).provenance.cost
        total = mahdar.spent.cost
    assert cost == float(CALL)
    assert total == CALL + 2 * billed * most().cost


@pytest.mark.parametrize(
    "tokens", [(0, 0), (100, 0), (0, 20), (-100, 20), (100, -1), (True, 20), ("100", 20), (1.5, 20)]
)
def test_an_answer_without_usage_counts_at_its_most(tokens: Any, tmp_path: Path) -> None:
    silent = completion(ANSWER, tokens=(0, 0))
    silent.body["usage"] = dict(zip(("prompt_tokens", "completion_tokens"), tokens, strict=True))
    with (
        Endpoint(silent) as endpoint,
        Extractor(configured(endpoint, tmp_path), tasks=["meetings"], price=PRICE, budget=Budget(max_cost=1)) as mahdar,
    ):
        assert mahdar.extract(ARTICLE).provenance.cost is None
        assert mahdar.spent.cost == most().cost


def test_a_reask_is_paid_from_the_same_budget(tmp_path: Path) -> None:
    half = completion(records([meeting(), {"kind": "party"}]))
    with Endpoint([half, completion(ANSWER)]) as endpoint:
        settings = configured(endpoint, tmp_path)
        with Extractor(settings, tasks=["meetings"], budget=Budget(max_tokens=most().tokens)) as mahdar:
            (left,) = mahdar.extract_many([ARTICLE])
        assert isinstance(left, Failure)
        assert (left.failure, len(endpoint.requests)) == ("over_budget", 1)
        with Extractor(settings, tasks=["meetings"]) as mahdar:
            result = mahdar.extract(ARTICLE)
    assert (len(result.meetings), result.rejected, result.provenance.attempts) == (1, (), 1)


def test_cached_answers_cost_nothing_and_pass_any_budget(tmp_path: Path) -> None:
    with Endpoint(reads_well) as endpoint:
        settings = configured(endpoint, tmp_path)
        with Extractor(settings, price=PRICE) as mahdar:
            first = mahdar.extract(ARTICLE)
        with Extractor(settings, price=PRICE, budget=Budget(max_cost=0)) as mahdar:
            again = mahdar.extract(ARTICLE)
    assert (first.provenance.cost, again.provenance.cost, again.provenance.cached) == (float(CALL), 0.0, True)


def test_a_bound_on_a_cost_that_is_not_known_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no price known for loopback.*--price-in and --price-out"):
        Extractor(configured("http://127.0.0.1:9/v1", tmp_path), budget=Budget(max_cost=1))


def test_a_budget_is_not_negative() -> None:
    with pytest.raises(UsageError, match="max_cost -1"):
        Budget(max_cost=-1)


# --- from the command line


def mahdar(*arguments: object) -> int:
    """The exit code."""
    with pytest.raises(SystemExit) as ended:
        main(list(map(str, arguments)))
    return int(ended.value.code or 0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "articles"
    made.mkdir()
    for number in range(3):
        (made / f"{number}.txt").write_text(weather(number), encoding="utf-8")
    (made / "empty.txt").write_text(" ", encoding="utf-8")
    return made


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Endpoint:
    def reply(asked: Asked) -> Reply:
        return replace(reads_well(asked))

    made = Endpoint(reply)
    for name, value in {"BASE_URL": made.url, "API_KEY": KEY}.items():
        monkeypatch.setenv(f"OPENAI_{name}", value)
    monkeypatch.setenv("MAHDAR_MODEL", "loopback")
    return made


def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "MAHDAR_MODEL", "MAHDAR_LOCAL_MODEL"):
        monkeypatch.delenv(name, raising=False)


def test_a_dry_run_counts_and_asks_nothing(
    endpoint: Endpoint, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with endpoint:
        assert mahdar("extract", folder / "0.txt", "--json") == 0
        asked = len(endpoint.requests)
        capsys.readouterr()
        prices = ("--price-in", 2, "--price-out", 8)
        assert mahdar("extract", folder, "--dry-run", "--model", "loopback", "--model", "other", *prices) == 0
        assert len(endpoint.requests) == asked == 1
    count, heading, first, second, method = capsys.readouterr().out.splitlines()
    assert count == "3 articles, 1 cannot be read"
    assert heading.split("  ")[0] == "made by"
    assert first.split()[:4] == ["loopback", "3", "1", "2"]
    assert second.split()[:4] == ["other", "3", "0", "3"]
    assert all(cell.startswith("$0.") for cell in second.split()[-2:])
    assert method.endswith("Nothing was asked.")


def test_a_dry_run_of_standard_input_counts_it_for_every_model(endpoint: Endpoint, folder: Path) -> None:
    with endpoint:
        words = ["extract", "-", "--dry-run", "--model", "one", "--model", "two"]
        said = subprocess.run(
            [sys.executable, "-m", "mahdar.cli.app", *words], input=ARTICLE.encode(), capture_output=True, check=True
        )
    count, _, *rows, _ = said.stdout.decode().splitlines()
    assert count == "1 article"
    assert [row.split()[:4] for row in rows] == [["one", "1", "0", "1"], ["two", "1", "0", "1"]]


def test_a_dry_run_without_a_key_takes_models_for_those_of_openai(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    unset(monkeypatch)
    models = ["gpt-4.1", "gpt-4.1-mini", "embedded"]
    options = [word for model in models for word in ("--model", model)]
    assert mahdar("extract", folder, "--dry-run", "--no-cache", *options) == 0
    _, _, *rows, _ = capsys.readouterr().out.splitlines()
    larger, smaller, embedded = (row.split() for row in rows)
    assert [larger[:4], smaller[:4]] == [["gpt-4.1", "3", "0", "3"], ["gpt-4.1-mini", "3", "0", "3"]]
    assert float(larger[-1][1:]) > float(smaller[-1][1:]) > 0
    assert embedded[-1] == "$0.00"


@pytest.mark.parametrize(
    ("command", "variable"),
    [(("extract", "--model", "gpt-4.1-mini"), ""), (("extract",), "gpt-4.1-mini"), (("doctor",), "gpt-4.1-mini")],
)
def test_a_model_that_nothing_is_configured_to_ask_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *, command: Any, variable: str
) -> None:
    unset(monkeypatch)
    monkeypatch.setenv("MAHDAR_MODEL", variable)
    doctor = command == ("doctor",)
    assert mahdar(*command, *(() if doctor else (folder / "0.txt",))) == (3 if doctor else 2)
    said = capsys.readouterr()
    assert (
        "model 'gpt-4.1-mini': nothing is configured to ask it; set OPENAI_API_KEY or OPENAI_BASE_URL, "
        "or name the model embedded or offline\n"
    ) in (said.out if doctor else said.err)


def test_a_dry_run_counts_half_a_surrogate_pair_as_unread(
    endpoint: Endpoint, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = tmp_path / "in.jsonl"
    lines.write_text('{"id": "a", "text": "x \\ud800"}\n', encoding="utf-8")
    with endpoint:
        assert mahdar("extract", lines, "--dry-run") == 0
        assert capsys.readouterr().out.startswith("0 articles, 1 cannot be read\n")
        assert mahdar("extract", lines) == 1
    assert f"bad_input: {lines}:1 has a lone surrogate" in capsys.readouterr().err


def test_a_dry_run_says_where_no_price_is_known(
    endpoint: Endpoint, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with endpoint:
        assert mahdar("extract", folder, "--dry-run") == 0
    assert capsys.readouterr().out.splitlines()[2].split()[-2:] == ["unknown", "unknown"]


def test_a_budget_is_kept_from_the_command_line_too(
    endpoint: Endpoint, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.jsonl"
    with endpoint:
        assert mahdar("extract", folder, "-o", out, "--max-tokens", 500, "--rpm", 60_000, "--tpm", 90_000_000) == 1
        assert endpoint.requests == []
        assert "stopped: meetings+stances: the budget of 500 tokens would be" in (said := capsys.readouterr().err)
        assert "3 articles left" in said
        assert mahdar("extract", folder, "-o", out) == 1  # the one that is empty
    failures = [
        json.loads(line) for line in (tmp_path / "out.jsonl.errors.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    assert [failure["failure"] for failure in failures] == ["bad_input"]
    assert len(out.read_text(encoding="utf-8").splitlines()) == 3


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--max-cost", "1"], "no price known for loopback"),
        (["--price-in", "1"], "--price-in and --price-out: give both, or neither"),
        (["--model", "a", "--model", "b"], "--model a --model b: several models are compared with --dry-run only"),
    ],
)
def test_options_that_do_not_hold_are_named(
    options: list[str], said: str, endpoint: Endpoint, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = folder / "out.jsonl"
    with endpoint:
        assert mahdar("extract", folder, "-o", out, *options) == 2
    assert said in capsys.readouterr().err
    assert not out.exists()


def test_limits_are_kept_from_python_too(tmp_path: Path) -> None:
    with (
        Endpoint(reads_well) as endpoint,
        Extractor(configured(endpoint, tmp_path), limits=Limits(rpm=60_000, tpm=90_000_000)) as mahdar,
    ):
        assert len(list(mahdar.extract_many(map(weather, range(5))))) == 5
