"""The service over HTTP: what is answered to whom, what is refused, and what is never done twice."""

import http.client
import json
import logging
import re
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
from newsroom import ARTICLE, MET, NOTHING, PRINCIPALS, SAID, configured, reads_well, records, weather
from serving import PATIENCE, Served, most_of_a_call, serving, until
from tiny import mahdar

from mahdar import Budget, Extractor, Policy, Price, Settings, UsageError
from mahdar.server.callers import read_tokens
from mahdar.server.running import listen
from mahdar.server.service import Bounds

from loopback import Endpoint, Reply, completion, status

SECRET: Final = "a-secret-of-the-desk"
OTHER: Final = "a-secret-of-the-archive"
OFFLINE: Final = Settings(model="offline")


@pytest.fixture
def newsroom(tmp_path: Path) -> Iterator[Served]:
    with Endpoint(reads_well) as endpoint, serving(configured(endpoint, tmp_path / "cache"), tmp_path / "serve") as one:
        yield one


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def unhurried(result: dict[str, Any]) -> dict[str, Any]:
    """A result without what differs from one run to the next."""
    return {**result, "provenance": {**result["provenance"], "seconds": 0, "cached": False, "attempts": 0, "calls": 0}}


def test_one_article_is_answered_as_the_python_api_answers_it(tmp_path: Path) -> None:
    with Endpoint(reads_well) as endpoint:
        settings = configured(endpoint, tmp_path / "cache")
        with Extractor(settings) as extractor:
            expected = json.loads(
                extractor.extract(ARTICLE, published_at="2024-02-05", document_id="a1").model_dump_json()
            )
        with serving(settings, tmp_path / "serve") as service:
            asked = {"text": ARTICLE, "id": "a1", "published_at": "2024-02-05", "kept": {"title": "مرزوك وفال"}}
            answer = service.post("/v1/extractions", asked)
        assert len(endpoint.requests) == 1  # the second answer is from the cache
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    found = answer.json()
    assert found["kept"] == {"title": "مرزوك وفال"}
    assert [actor["name"] for actor in found["meetings"][0]["participants"]] == PRINCIPALS
    for name in ("tokens_in", "tokens_out", "cost"):
        expected["provenance"][name] = found["provenance"][name]
    assert unhurried({**found, "kept": {}}) == unhurried(expected)
    assert "محمد سالم ولد مرزوك" in answer.text  # Arabic as Arabic


def test_a_list_is_answered_line_by_line_with_failures_among_them(newsroom: Served) -> None:
    asked = [{"text": ARTICLE, "id": "a"}, {"text": " ", "id": "b"}, {"text": weather(3), "id": "c"}]
    asked.append({"text": ARTICLE, "id": "d", "published_at": "gestern"})
    answer = newsroom.post("/v1/extractions", asked)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/x-ndjson")
    found = {line["document_id"]: line for line in lines(answer.text)}
    assert sorted(found) == ["a", "b", "c", "d"]
    assert (len(found["a"]["meetings"]), len(found["a"]["stances"]), found["c"]["meetings"]) == (1, 1, [])
    assert {id_: line.get("failure") for id_, line in found.items()} == {
        "a": None,
        "b": "bad_input",
        "c": None,
        "d": "bad_input",
    }


def test_an_article_is_asked_for_the_tasks_that_it_names(tmp_path: Path) -> None:
    with Endpoint(reads_well) as endpoint, serving(configured(endpoint, tmp_path), tmp_path / "s") as service:
        found = service.post("/v1/extractions", {"text": ARTICLE, "tasks": ["stances"]}).json()
        assert [asked.lists for asked in endpoint.requests] == [("stances",)]
    assert (found["meetings"], len(found["stances"])) == ([], 1)
    assert list(found["provenance"]["made_by"]) == ["stances"]


def test_articles_that_are_asked_at_once_are_paid_for_once(tmp_path: Path) -> None:
    held = threading.Event()
    answers: list[dict[str, Any]] = []
    with (
        Endpoint(lambda asked: Reply(reads_well(asked).body, after=held)) as endpoint,
        serving(configured(endpoint, tmp_path), tmp_path / "s") as service,
    ):

        def ask() -> None:
            answers.append(service.post("/v1/extractions", {"text": ARTICLE, "id": "one"}).json())

        threads = [threading.Thread(target=ask) for _ in range(6)]
        for thread in threads:
            thread.start()
        endpoint.await_requests(1)
        until(lambda: under_way(service) == len(threads))
        held.set()
        for thread in threads:
            thread.join()
        assert len(endpoint.requests) == 1
    assert [answer["meetings"][0]["id"] for answer in answers] == ["m1"] * 6
    assert sum(answer["provenance"]["calls"] for answer in answers) == 1


def under_way(service: Served) -> int:
    """Requests under way, but for the one that asks."""
    told = service.get("/metrics").text
    return int(float(re.findall(r"^mahdar_requests_under_way (\S+)", told, re.MULTILINE)[0])) - 1


JSON: Final = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("sent", "headers", "expected", "said"),
    [
        (b"", JSON, (422, "invalid_request"), "the body: "),
        (b"{", JSON, (400, "invalid_request"), "JSON decode error"),
        (b"\x00\xff\xfe", JSON, (400, "invalid_request"), "error parsing the body"),
        (b'{"text": "\xd9"}', JSON, (400, "invalid_request"), "error parsing the body"),
        (b"[" * 100_000, JSON, (400, "invalid_request"), "error parsing the body"),
        (b'"text"', JSON, (422, "invalid_request"), "the body: "),
        (b"[]", JSON, (422, "invalid_request"), "at least 1"),
        (b"{}", JSON, (422, "invalid_request"), "/text: Field required"),
        (b'{"text": 7}', JSON, (422, "invalid_request"), "/text: "),
        (b'{"text": null}', JSON, (422, "invalid_request"), "/text: "),
        (b'{"text": "\\ud800"}', JSON, (422, "bad_input"), "surrogate"),
        (b'{"text": "a", "id": "\\ud800"}', JSON, (422, "invalid_request"), "/id: "),
        (b'{"text": "a", "\\ud800": ""}', JSON, (422, "invalid_request"), "unicode"),
        (b'{"text": "a", "body": "b"}', JSON, (422, "invalid_request"), "/body: "),
        (b'[{"text": "a"}, {"txt": "b"}]', JSON, (422, "invalid_request"), "/1/text: "),
        (b'{"text": "a", "kept": {"n": 1}}', JSON, (422, "invalid_request"), "/kept/n: "),
        (b'{"text": "a", "tasks": ["agreements"]}', JSON, (422, "invalid_request"), "meetings, stances"),
        (b'[{"text": "a", "id": "1"}, {"text": "b", "id": "1"}]', JSON, (422, "invalid_request"), "'1'"),
        (b'{"text": "a"}', {"Content-Type": "text/plain"}, (415, "unsupported"), "application/json"),
        (b'{"text": "a"}', {}, (415, "unsupported"), "application/json"),
        (b'{"text": "a"}', {**JSON, "Origin": "http://site.example"}, (403, "forbidden"), "this machine"),
        (b'{"text": "a"}', {**JSON, "Origin": "null"}, (403, "forbidden"), "this machine"),
        (b'{"text": "a"}', {**JSON, "Host": "site.example"}, (403, "forbidden"), "this machine"),
        (b'{"text": ""}', JSON, (422, "bad_input"), "is empty"),
        ('{"text": "<!doctype html><title>أهلا</title>"}'.encode(), JSON, (422, "bad_input"), "web page"),
        (b'{"text": "a", "published_at": "2020-13-01"}', JSON, (422, "bad_input"), "2020-13-01"),
        (b'{"text": "' + b"a" * 9_000_000 + b'"}', JSON, (413, "too_large"), "8,000,000"),
        (json.dumps([{"text": "a"}] * 101, ensure_ascii=False).encode(), JSON, (413, "too_large"), "100 at most"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_bad_request_is_a_problem_with_its_class_and_remedy(
    offline: Served, sent: bytes, headers: dict[str, str], expected: tuple[int, str], said: str
) -> None:
    answer = offline.client.post("/v1/extractions", content=sent, headers=headers)
    told = answer.json()
    assert (answer.status_code, told["failure"], answer.headers["content-type"]) == (
        *expected,
        "application/problem+json",
    )
    assert (told["type"], told["status"]) == (f"urn:mahdar:problem:{told['failure']}", answer.status_code)
    assert said in told["detail"]
    assert told["title"]
    assert told["remedy"]


@pytest.fixture(scope="module")
def offline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(OFFLINE, tmp_path_factory.mktemp("offline")) as service:
        yield service


@pytest.mark.parametrize(
    ("method", "path", "code", "failure"),
    [
        ("GET", "/v1/nothing", 404, "not_found"),
        ("GET", "/v1/schemas/agreements", 404, "not_found"),
        ("DELETE", "/v1/extractions", 405, "not_allowed"),
        ("BREW", "/v1/extractions", 405, "not_allowed"),
    ],
)
def test_what_is_not_there_is_a_problem(offline: Served, method: str, path: str, code: int, failure: str) -> None:
    answer = offline.client.request(method, path)
    assert (answer.status_code, answer.json()["failure"]) == (code, failure)


@pytest.mark.parametrize(
    ("method", "path", "said"),
    [
        (
            "POST",
            "/v1/jobs?text_colum=body",
            "'text_colum': this request has published_at, text_column, id_column, date",
        ),
        ("POST", "/v1/jobs?tasks=meetings&task=stances", "'task': "),
        ("POST", "/v1/tables?form=xlsx", "'form': this request has format"),
        ("POST", "/v1/extractions?published_at=2024-02-05", "'published_at': this request has none"),
        ("GET", "/v1/tasks?نوع=لقاءات", "'نوع': this request has none"),
    ],
)
def test_a_parameter_that_a_request_does_not_have_is_refused(
    offline: Served, method: str, path: str, said: str
) -> None:
    headers = {"Content-Type": "application/json" if "extractions" in path else "application/x-ndjson"}
    answer = offline.client.request(method, path, content=b"{}", headers=headers)
    assert (answer.status_code, answer.json()["failure"]) == (422, "invalid_request")
    assert answer.json()["detail"].startswith(f"query parameter {said}")


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (status(429, {"retry-after": "0"}), (503, "rate_limited", True)),
        (completion("لا أستطيع", finish="content_filter", refusal="no"), (502, "refused", False)),
        (completion("ليس هذا جوابا"), (502, "unparsable", False)),
        (completion({"result": []}), (502, "invalid", False)),
        (status(401), (503, "no_model", True)),
        (Reply(disconnect=True), (502, "unreachable", False)),
    ],
    ids=["429", "refusal", "no JSON", "other JSON", "wrong key", "disconnect"],
)
def test_what_the_model_does_has_its_status(tmp_path: Path, reply: Reply, expected: tuple[int, str, bool]) -> None:
    with Endpoint(reply) as endpoint, serving(configured(endpoint, tmp_path), tmp_path / "s") as service:
        answer = service.post("/v1/extractions", {"text": ARTICLE, "id": "a"})
    assert (answer.status_code, answer.json()["failure"], "retry-after" in answer.headers) == expected


def test_a_busy_endpoint_says_when_to_come_again(tmp_path: Path) -> None:
    busy = Endpoint(status(429, {"retry-after": "37"}))
    once = Policy(attempts=1)
    with busy as endpoint, serving(configured(endpoint, tmp_path), tmp_path / "s", policy=once) as service:
        answer = service.post("/v1/extractions", {"text": ARTICLE})
    assert (answer.json()["failure"], answer.headers["retry-after"]) == ("rate_limited", "37")


def test_an_article_has_so_much_time_and_no_more(tmp_path: Path) -> None:
    held = threading.Event()
    with (
        Endpoint(completion(NOTHING, after=held)) as endpoint,
        serving(configured(endpoint, tmp_path), tmp_path / "s", bounds=Bounds(article=0.3)) as service,
    ):
        answer = service.post("/v1/extractions", {"text": ARTICLE})
    assert (answer.status_code, answer.json()["failure"]) == (504, "timeout")


def test_a_service_that_has_enough_says_when_to_come_again(tmp_path: Path) -> None:
    held = threading.Event()
    with (
        Endpoint(completion(NOTHING, after=held)) as endpoint,
        serving(configured(endpoint, tmp_path), tmp_path / "s", bounds=Bounds(requests=1)) as service,
    ):
        first = threading.Thread(target=service.post, args=("/v1/extractions", {"text": ARTICLE}))
        first.start()
        endpoint.await_requests(1)
        answer = service.post("/v1/extractions", {"text": ARTICLE})
        assert service.get("/healthz").json() == {"status": "ok"}
        held.set()
        first.join()
    assert (answer.status_code, answer.json()["failure"], answer.headers["retry-after"]) == (503, "busy", "10")


def test_it_is_not_ready_while_no_model_can_be_reached(tmp_path: Path) -> None:
    with Endpoint(status(401)) as endpoint, serving(configured(endpoint, tmp_path), tmp_path / "s") as service:
        assert service.get("/readyz").json() == {"status": "ready"}  # nobody has asked the model
        assert endpoint.requests == []
        service.post("/v1/extractions", {"text": ARTICLE})
        answer = service.get("/readyz?probe=1")
        assert (answer.status_code, answer.json()["failure"]) == (503, "no_model")
        assert "401" in answer.json()["detail"]
        assert 0 < int(answer.headers["retry-after"]) <= 30
        assert len(endpoint.requests) == 1
        assert service.get("/healthz").status_code == 200


def test_a_slow_sender_is_not_waited_for(tmp_path: Path) -> None:
    with serving(OFFLINE, tmp_path / "s", bounds=Bounds(receive=0.2)) as service:
        with socket.create_connection(address(service), PATIENCE) as sender:
            sender.sendall(
                b"POST /v1/extractions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                b'Content-Length: 100\r\n\r\n{"text": '
            )
            answer = http.client.HTTPResponse(sender)
            answer.begin()
            assert (answer.status, json.loads(answer.read())["failure"]) == (408, "too_slow")
        assert service.post("/v1/extractions", {"text": weather(1)}).status_code == 200


def address(service: Served) -> tuple[str, int]:
    at = urlsplit(service.server.url)
    return str(at.hostname), int(at.port or 0)


# ── who may ask ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("secret", ["", "not-a-secret-of-anybody", SECRET[:-1], f"{SECRET}x", "é" * 20])
def test_without_a_token_of_the_service_nothing_is_answered(tmp_path: Path, secret: str) -> None:
    with serving(OFFLINE, tmp_path, tokens=f"desk:{SECRET}") as service:
        headers = {"Authorization": f"Bearer {secret}".encode()} if secret else {}
        for path in ("/v1/tasks", "/metrics"):
            answer = service.get(path, headers=headers)
            assert (answer.status_code, answer.json()["failure"]) == (401, "unauthorized")
            assert answer.headers["www-authenticate"] == 'Bearer realm="mahdar"'
        assert service.post("/v1/extractions", {"text": ARTICLE}, headers=headers).status_code == 401
        assert service.get("/healthz").status_code == 200
        allowed = {"Authorization": f"bearer {SECRET}", "Host": "mahdar.example"}
        assert service.get("/v1/tasks", headers=allowed).status_code == 200


def test_each_token_has_its_own_rate(tmp_path: Path) -> None:
    tokens = f"desk:{SECRET}:per_minute=2 archive:{OTHER}"
    with serving(OFFLINE, tmp_path, tokens=tokens, secret=SECRET) as service:
        two = [{"text": weather(1)}, {"text": weather(2)}]
        assert service.post("/v1/extractions", two).status_code == 200
        answer = service.post("/v1/extractions", {"text": weather(3)})
        assert (answer.status_code, answer.json()["failure"]) == (429, "too_many")
        assert 0 < int(answer.headers["retry-after"]) <= 31
        other = {"Authorization": f"Bearer {OTHER}"}
        assert service.post("/v1/extractions", {"text": weather(3)}, headers=other).status_code == 200


def test_each_token_has_its_own_budget_that_a_restart_does_not_renew(tmp_path: Path) -> None:
    tokens = f"desk:{SECRET}:max_cost=0.05 archive:{OTHER}"
    price = Price.per_million(1, 1)
    with Endpoint(lambda _: completion(NOTHING, tokens=(20_000, 5_000))) as endpoint:
        settings = configured(endpoint, tmp_path / "cache")

        def asked(service: Served, number: int, secret: str = SECRET) -> tuple[int, str | None]:
            headers = {"Authorization": f"Bearer {secret}"}
            answer = service.post("/v1/extractions", {"text": weather(number)}, headers=headers)
            return answer.status_code, answer.json().get("failure")

        def serve() -> Any:
            return serving(settings, tmp_path / "serve", tokens=tokens, price=price)

        with serve() as service:
            spent = [asked(service, number) for number in range(3)]
            made = len(endpoint.requests)
        with serve() as service:
            assert asked(service, 9) == (402, "over_budget")
            assert len(endpoint.requests) == made
            assert asked(service, 9, OTHER) == (200, None)
            assert asked(service, 9) == (200, None)  # in the cache now, and free
    assert spent[0] == (200, None)
    assert spent[-1] == (402, "over_budget")


def test_every_call_that_a_caller_pays_for_is_held_to_its_budget(tmp_path: Path) -> None:
    mended = completion(records([{"kind": "party"}]), tokens=(3_000, 20))  # is asked again
    with Endpoint([mended, completion(NOTHING)]) as endpoint:
        settings = configured(endpoint, tmp_path / "cache")
        tokens = f"desk:{SECRET}:max_tokens={most_of_a_call(settings, ARTICLE) + 3_000} archive:{OTHER}"
        with serving(settings, tmp_path / "serve", tokens=tokens, secret=SECRET) as service:
            first = service.post("/v1/extractions", {"text": ARTICLE})
            assert len(endpoint.requests) == 1
            other = service.post("/v1/extractions", {"text": ARTICLE}, headers={"Authorization": f"Bearer {OTHER}"})
            cached = service.post("/v1/extractions", {"text": ARTICLE})
        assert len(endpoint.requests) == 2
    assert (first.status_code, first.json()["failure"]) == (402, "over_budget")
    assert "the budget of 'desk', " in first.json()["detail"]
    assert [answer.status_code for answer in (other, cached)] == [200, 200]


def test_who_can_pay_does_not_fail_for_who_cannot(tmp_path: Path) -> None:
    with Endpoint(lambda _: completion(NOTHING)) as endpoint:
        tokens = f"desk:{SECRET}:max_tokens=10 archive:{OTHER}"
        with serving(configured(endpoint, tmp_path), tmp_path / "serve", tokens=tokens, secret=SECRET) as service:

            def ask(secret: str) -> int:
                headers = {"Authorization": f"Bearer {secret}"}
                return service.post("/v1/extractions", {"text": ARTICLE}, headers=headers).status_code

            with ThreadPoolExecutor(8) as threads:
                codes = list(threads.map(ask, [SECRET, OTHER] * 4))
    assert set(codes[1::2]) == {200}
    assert set(codes[::2]) <= {200, 402}  # the cache is free
    assert len(endpoint.requests) == 1


def test_the_budget_of_the_service_is_one_for_all(tmp_path: Path) -> None:
    with (
        Endpoint(lambda _: completion(NOTHING)) as endpoint,
        serving(
            configured(endpoint, tmp_path), tmp_path / "s", budget=Budget(max_tokens=10), price=Price.per_million(1, 1)
        ) as service,
    ):
        answer = service.post("/v1/extractions", {"text": weather(1)})
        assert endpoint.requests == []
    assert (answer.status_code, answer.json()["failure"]) == (402, "over_budget")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("desk", "entry 1: secret: String should have at least 16 characters; write NAME:SECRET"),
        ("مكتب:short", "entry 1: name: String should match"),
        (f"desk:{SECRET}:rate=1", "entry 1: rate: Extra inputs are not permitted"),
        (f"desk:{SECRET}:max_cost=x", "entry 1: max_cost: "),
        (f"desk:{SECRET}:max_cost=-1", "entry 1: max_cost: "),
        (f"desk:{SECRET}:max_cost=nan", "entry 1: max_cost: "),
        (f"desk:{SECRET}:per_minute=0", "entry 1: per_minute: "),
        (f"desk:{SECRET}\ndesk:{OTHER}", "entry 2: the name 'desk' is taken"),
        (f"anybody:{SECRET}", "entry 1: the name 'anybody' is taken"),
        (f"desk:{SECRET} archive:{SECRET}", "entry 2: 'archive' has another's secret"),
        ("@nowhere.txt", "cannot be read"),
    ],
)
def test_tokens_that_do_not_hold_are_refused_and_never_shown(value: str, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        read_tokens(value)
    assert said in str(refused.value)
    assert SECRET not in str(refused.value)


def test_tokens_may_stand_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    file.write_text(f"# who may\ndesk:{SECRET}:per_minute=60:max_cost=2.5\n\narchive:{OTHER}\n", encoding="utf-8")
    desk, archive = read_tokens(f"@{file}")
    assert (desk.name, desk.per_minute, desk.purse.budget) == ("desk", 60, Budget(2.5))
    assert (archive.name, archive.per_minute, archive.purse.budget) == ("archive", None, Budget())


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "news.example"])
def test_an_address_that_others_reach_needs_tokens(host: str) -> None:
    with pytest.raises(UsageError, match="MAHDAR_TOKENS"):
        listen(host, 0, closed=False)
    ended = mahdar("serve", "--host", host, "--model", "offline")
    assert (ended.code, ended.err.count("\n")) == (2, 1)


def test_accounts_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "accounts.sqlite3").write_text("حساب " * 200, encoding="utf-8")
    ended = mahdar("serve", "--model", "offline", "--folder", str(tmp_path))
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert "accounts.sqlite3: cannot be used (file is not a database); restore it, or remove it" in ended.err


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost"])
def test_loopback_needs_none(host: str) -> None:
    listen(host, 0, closed=False).close()


# ── disconnects and the stop ───────────────────────────────────────────────────────────────────────────────────────


def test_what_a_client_that_left_asked_for_is_not_asked(tmp_path: Path) -> None:
    held = threading.Event()
    with (
        Endpoint(lambda _: completion(NOTHING, after=held)) as endpoint,
        serving(configured(endpoint, tmp_path), tmp_path / "s", bounds=Bounds(at_once=1)) as service,
    ):
        body = json.dumps([{"text": weather(number)} for number in range(10)], ensure_ascii=False).encode()
        for sent in (body, body[1 : body.index(b"}") + 1]):  # a list, and one article
            before = len(endpoint.requests)
            connection = http.client.HTTPConnection(*address(service), timeout=PATIENCE)
            connection.request("POST", "/v1/extractions", sent, JSON)
            endpoint.await_requests(before + 1)
            connection.close()
            until(lambda: under_way(service) == 0)
            assert len(endpoint.requests) == before + 1
        held.set()
        assert service.post("/v1/extractions", {"text": weather(0)}).status_code == 200


def test_a_stop_ends_what_is_under_way_and_says_what_it_did_not_begin(tmp_path: Path) -> None:
    held = threading.Event()
    with (
        Endpoint(lambda _: completion(NOTHING, after=held)) as endpoint,
        serving(configured(endpoint, tmp_path), tmp_path / "s", bounds=Bounds(at_once=2, grace=PATIENCE)) as service,
    ):
        answers: list[list[dict[str, Any]]] = []

        def ask() -> None:
            asked = [{"text": weather(number), "id": str(number)} for number in range(5)]
            answers.append(lines(service.post("/v1/extractions", asked).text))

        asking = threading.Thread(target=ask)
        asking.start()
        endpoint.await_requests(2)
        service.server.stop()
        held.set()
        asking.join()
        service.stop()
        assert len(endpoint.requests) == 2
    found = {line["document_id"]: line.get("failure") for line in answers[0]}
    assert found == {"0": None, "1": None, "2": "stopping", "3": "stopping", "4": "stopping"}


# ── what is told ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_no_word_of_an_article_is_logged(newsroom: Served, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    newsroom.post("/v1/extractions", {"text": ARTICLE, "id": "a1"})
    newsroom.post("/v1/extractions", [{"text": ARTICLE, "published_at": MET}, {"text": SAID * 3}])
    newsroom.post("/v1/extractions", {"text": ARTICLE, MET: SAID})
    newsroom.client.post("/v1/extractions", content=f'{{"text": "{ARTICLE}'.encode(), headers=JSON)
    logged = "\n".join(
        f"{record.getMessage()} {record.exc_text}" for record in caplog.records if record.name == "mahdar"
    )
    assert "POST /v1/extractions 200 in " in logged
    whole = "\n".join(map(logging.Formatter().format, caplog.records))
    assert [word for word in {*MET.split(), *SAID.split()} if len(word) > 4 and word in whole] == []


def test_metrics_count_articles_tokens_and_requests(newsroom: Served) -> None:
    newsroom.post("/v1/extractions", {"text": ARTICLE})
    newsroom.post("/v1/extractions", {"text": ""})
    told = newsroom.get("/metrics").text.splitlines()
    for line in (
        'mahdar_articles_total{caller="anybody",outcome="extracted"} 1.0',
        'mahdar_articles_total{caller="anybody",outcome="bad_input"} 1.0',
        'mahdar_tokens_total{direction="in"} 100.0',
        'mahdar_tokens_total{direction="out"} 20.0',
        'mahdar_requests_total{method="POST",route="/v1/extractions",status="422"} 1.0',
    ):
        assert line in told


@pytest.mark.parametrize(
    ("text", "presence"), [(ARTICLE, "found"), (f"{ARTICLE} ", "other"), (weather(1), "other"), (None, "absent")]
)
def test_only_the_text_that_was_extracted_is_shown_beside_its_records(
    newsroom: Served, text: str | None, presence: str
) -> None:
    extraction = newsroom.post("/v1/extractions", {"text": ARTICLE, "id": "a"}).json()
    (shown,) = newsroom.post("/v1/view", [{"extraction": extraction, "text": text}]).json()
    assert (shown["presence"], shown.get("text")) == (presence, ARTICLE if presence == "found" else None)
    evidence = [piece for record in shown["records"] for piece in record["evidence"]]
    assert ["quote" in piece for piece in evidence] == [presence != "found"] * 2


def test_tasks_and_schemas_are_told(newsroom: Served) -> None:
    tasks = newsroom.get("/v1/tasks").json()
    assert [(task["task"], task["made_by"]) for task in tasks] == [("meetings", "loopback"), ("stances", "loopback")]
    assert tasks[0]["prompt"].startswith("news@1 sha256:")
    assert {"participants", "cameo"} <= set(newsroom.get("/v1/schemas/meetings").json()["properties"])
    assert "provenance" in newsroom.get("/v1/schemas/extraction").json()["properties"]


def test_the_description_has_examples_that_the_service_takes(newsroom: Served) -> None:
    told = newsroom.get("/openapi.json").json()
    assert told["openapi"].startswith("3.1")
    example = told["components"]["schemas"]["ArticleRequest"]["examples"][0]
    assert newsroom.post("/v1/extractions", example).status_code == 200
    described = told["paths"]["/v1/extractions"]["post"]
    assert set(described["responses"]["200"]["content"]) == {"application/json", "application/x-ndjson"}
    assert described["responses"]["4XX"]["content"]["application/problem+json"]["schema"] == {
        "$ref": "#/components/schemas/ProblemDetails"
    }
    refs = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(told, ensure_ascii=False)))
    assert refs <= set(told["components"]["schemas"])
