"""Jobs of the service: long runs that survive it, and the tables of what was extracted."""

import csv
import gzip
import io
import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import httpx2
import pytest
from newsroom import ARTICLE, NOTHING, configured, reads_well, weather
from serving import PATIENCE, Served, most_of_a_call, serving, until

from mahdar import Price, Settings
from mahdar.server.service import Bounds

from loopback import Endpoint, completion

NDJSON: Final = {"Content-Type": "application/x-ndjson"}
OFFLINE: Final = Settings(model="offline")
SECRET: Final = "a-secret-of-the-desk"
OTHER: Final = "a-secret-of-the-archive"


def rows(count: int) -> bytes:
    """Articles as JSON lines: the first with news, one that is none."""
    articles = [{"id": "news", "text": ARTICLE}, {"id": "none", "text": " "}]
    articles += [{"id": f"w{number}", "text": weather(number)} for number in range(count - 2)]
    return "".join(json.dumps(article, ensure_ascii=False) + "\n" for article in articles).encode()


def begun(service: Served, body: bytes, headers: dict[str, str] = NDJSON, **more: Any) -> dict[str, Any]:
    answer = service.client.post("/v1/jobs", content=body, headers=headers, **more)
    assert (answer.status_code, answer.headers["location"]) == (202, f"/v1/jobs/{answer.json()['id']}")
    return dict(answer.json())


def status(service: Served, job: dict[str, Any]) -> dict[str, Any]:
    return dict(service.get(f"/v1/jobs/{job['id']}").json())


def ended(service: Served, job: dict[str, Any], state: str = "done") -> dict[str, Any]:
    until(lambda: status(service, job)["state"] not in {"waiting", "running"})
    told = status(service, job)
    assert (told["state"], told["reason"]) == (state, told["reason"] if state != "done" else "")
    return told


def results(service: Served, job: dict[str, Any]) -> list[dict[str, Any]]:
    answer = service.get(f"/v1/jobs/{job['id']}/results")
    assert answer.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in answer.text.splitlines()]


def tables(archive: bytes) -> dict[str, list[dict[str, str]]]:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        texts = {name: opened.read(name).decode() for name in opened.namelist() if name.endswith(".csv")}
    return {name.removesuffix(".csv"): list(csv.DictReader(io.StringIO(text))) for name, text in texts.items()}


@pytest.fixture
def newsroom(tmp_path: Path) -> Iterator[Served]:
    with Endpoint(reads_well) as endpoint, serving(configured(endpoint, tmp_path / "cache"), tmp_path / "serve") as one:
        yield one


def test_a_job_is_taken_done_and_told(newsroom: Served) -> None:
    job = begun(newsroom, rows(6))
    told = ended(newsroom, job)
    assert (told["total"], told["done"], told["failed"], told["records"]) == (6, 5, {"bad_input": 1}, 2)
    assert told["tokens"] == 5 * 120
    found = results(newsroom, job)
    assert sorted(line["document_id"] for line in found) == ["news", "none", "w0", "w1", "w2", "w3"]
    assert found[-1]["failure"] == "bad_input"  # failures come last
    assert [one["id"] for one in newsroom.get("/v1/jobs").json()] == [job["id"]]
    made = tables(newsroom.get(f"/v1/jobs/{job['id']}/tables.zip").content)
    assert [row["article_id"] for row in made["meetings"]] == ["news"]
    assert len(made["articles"]) == 5


def test_no_answer_names_a_folder_of_the_service(tmp_path: Path) -> None:
    articles = ({"id": "a", "body": "x"}, {"id": "b", "text": ARTICLE}, {"id": "b", "text": weather(1)})
    lines = "".join(f"{json.dumps(article, ensure_ascii=False)}\n" for article in articles).encode()
    with serving(OFFLINE, tmp_path) as service:
        job = begun(service, lines)
        ended(service, job)
        failed = [line for line in results(service, job) if "failure" in line]
        assert [line["message"].split(" has")[0] for line in failed] == ["articles.jsonl:1", "articles.jsonl:3"]
        answer = service.client.post("/v1/tables", content=b"[1]\n", headers=NDJSON)
        assert (answer.status_code, answer.json()["detail"].split(": ")[0]) == (422, "extractions.jsonl:1")
        assert str(tmp_path) not in f"{failed} {answer.text}"


def test_a_job_looks_for_the_tasks_that_it_names(tmp_path: Path) -> None:
    with Endpoint(reads_well) as model, serving(configured(model, tmp_path / "c"), tmp_path / "s") as service:
        job = begun(service, rows(3), params={"tasks": ["stances"]})
        assert ended(service, job)["records"] == 1
        assert {asked.lists for asked in model.requests} == {("stances",)}
        found = next(line for line in results(service, job) if line["document_id"] == "news")
        assert (found["meetings"], len(found["stances"])) == ([], 1)
        unknown = service.client.post("/v1/jobs?tasks=agreements", content=rows(3), headers=NDJSON)
        assert (unknown.status_code, "meetings, stances" in unknown.json()["detail"]) == (422, True)
    with Endpoint(reads_well) as model, serving(configured(model, tmp_path / "c"), tmp_path / "s") as service:
        assert status(service, job)["state"] == "done"  # and the options are those that were given
        assert [one["id"] for one in service.get("/v1/jobs").json()] == [job["id"]]


@pytest.mark.parametrize(
    ("body", "headers", "options"),
    [
        (f"id,text\na,{weather(1)}".encode(), {"Content-Type": "text/csv"}, {}),
        (
            f"key\tbody\na\t{weather(1)}".encode(),
            {"Content-Type": "text/tab-separated-values; charset=utf-8"},
            {"text_column": "body", "id_column": "key"},
        ),
        (gzip.compress(rows(3), mtime=0), {**NDJSON, "Content-Encoding": "gzip"}, {"published_at": "2024-02-05"}),
        (b"", NDJSON, {}),
    ],
    ids=["CSV", "TSV", "gzip", "empty"],
)
def test_tables_of_every_form_are_taken(
    newsroom: Served, body: bytes, headers: dict[str, str], options: dict[str, str]
) -> None:
    job = begun(newsroom, body, headers, params=options)
    told = ended(newsroom, job)
    assert told["done"] + sum(told["failed"].values()) == told["total"] == {b"": 0}.get(body, told["total"])
    days = {line["published_at"] for line in results(newsroom, job) if "failure" not in line}
    assert days <= {options.get("published_at")}


@pytest.mark.parametrize(
    ("body", "headers", "options", "code", "said"),
    [
        (b"{}", {"Content-Type": "text/plain"}, {}, 415, "application/x-ndjson"),
        (b"{}", {**NDJSON, "Content-Encoding": "br"}, {}, 415, "gzip"),
        (b"a,b\n1,2\n", {"Content-Type": "text/csv"}, {}, 422, "'text'"),
        (b"{}", NDJSON, {"published_at": "gestern"}, 422, "'gestern'"),
    ],
)
def test_what_is_no_table_of_articles_is_refused(  # noqa: PLR0917  # a table has columns
    newsroom: Served, body: bytes, headers: dict[str, str], options: dict[str, str], code: int, said: str
) -> None:
    answer = newsroom.client.post("/v1/jobs", content=body, headers=headers, params=options)
    assert (answer.status_code, said in answer.json()["detail"]) == (code, True)
    assert "serve" not in answer.json()["detail"]  # no folder of the machine
    assert newsroom.get("/v1/jobs").json() == []


@pytest.mark.parametrize(
    ("body", "kind", "encoding", "said"),
    [
        (rows(3), "application/x-ndjson", "gzip", "Not a gzipped file"),
        (gzip.compress(rows(3), mtime=0)[:40], "application/x-ndjson", "gzip", "end-of-stream"),
        (gzip.compress(b"id,text\n", mtime=0)[:20], "text/csv", "gzip", "end-of-stream"),
        (rows(3), "application/x-ndjson", "zstd", "articles.jsonl.zst cannot be read: "),
        (rows(3), "application/vnd.apache.parquet", "identity", "Parquet magic bytes not found"),
    ],
    ids=["no gzip", "cut gzip", "cut CSV", "no zstd", "no Parquet"],
)
def test_a_job_whose_file_cannot_be_read_has_failed(  # noqa: PLR0917  # a table has columns
    newsroom: Served, tmp_path: Path, body: bytes, kind: str, encoding: str, said: str
) -> None:
    job = begun(newsroom, body, {"Content-Type": kind, "Content-Encoding": encoding})
    told = ended(newsroom, job, "failed")
    assert "cannot be read: " in told["reason"]
    assert said in told["reason"]
    assert str(tmp_path) not in told["reason"]


def test_jobs_wait_in_order_can_be_looked_into_and_cancelled(tmp_path: Path) -> None:
    held = threading.Event()
    with (
        Endpoint(
            lambda asked: reads_well(asked) if "مرزوك" in asked.article else completion(NOTHING, after=held)
        ) as model,
        serving(configured(model, tmp_path / "c"), tmp_path / "s", concurrency=2) as service,
    ):
        first, second, third = (begun(service, rows(20)) for _ in range(3))
        until(lambda: len(results(service, first)) == 2)  # the news, and what is none; the others are held
        assert [status(service, job)["state"] for job in (first, second, third)] == ["running", "waiting", "waiting"]
        assert [status(service, job)["ahead"] for job in (first, second, third)] == [0, 1, 2]
        assert len(tables(service.get(f"/v1/jobs/{first['id']}/tables.zip").content)["meetings"]) == 1
        assert 'mahdar_jobs{state="waiting"} 2.0' in service.get("/metrics").text
        for job in (first, second):
            assert service.client.delete(f"/v1/jobs/{job['id']}").status_code == 204
        asked = len(model.requests)
        held.set()
        ended(service, third)
        assert status(service, second)["done"] == 0
        assert status(service, first)["state"] == "cancelled"
        assert status(service, first)["done"] == asked  # what was under way came to its end
        assert service.client.delete(f"/v1/jobs/{first['id']}").status_code == 204
        assert service.get(f"/v1/jobs/{first['id']}").status_code == 404
        assert [job["id"] for job in service.get("/v1/jobs").json()] == [second["id"], third["id"]]


def test_a_job_belongs_to_its_token(tmp_path: Path) -> None:
    tokens = f"desk:{SECRET} archive:{OTHER}"
    with serving(OFFLINE, tmp_path, tokens=tokens, secret=SECRET) as service:
        job = begun(service, rows(2))
        ended(service, job)
        other = {"Authorization": f"Bearer {OTHER}"}
        for path in (f"/v1/jobs/{job['id']}", f"/v1/jobs/{job['id']}/results", f"/v1/jobs/{job['id']}/tables.zip"):
            assert service.get(path, headers=other).status_code == 404
        assert service.client.delete(f"/v1/jobs/{job['id']}", headers=other).status_code == 404
        assert service.get("/v1/jobs", headers=other).json() == []


def test_a_caller_has_so_many_jobs(tmp_path: Path) -> None:
    held = threading.Event()
    with (
        Endpoint(lambda _: completion(NOTHING, after=held)) as model,
        serving(configured(model, tmp_path / "c"), tmp_path / "s", bounds=Bounds(waiting=2, grace=PATIENCE)) as service,
    ):
        for _ in range(2):
            begun(service, rows(3))
        answer = service.client.post("/v1/jobs", content=rows(3), headers=NDJSON)
        assert (answer.status_code, answer.json()["failure"]) == (503, "busy")
        held.set()


def test_an_upload_takes_the_place_of_its_job(tmp_path: Path) -> None:
    with serving(OFFLINE, tmp_path, bounds=Bounds(waiting=1, grace=PATIENCE)) as service:
        held = threading.Event()
        answers: list[httpx2.Response] = []

        def pieces() -> Iterator[bytes]:
            yield rows(3)
            held.wait(PATIENCE)

        def upload() -> None:
            answers.append(service.client.post("/v1/jobs", content=pieces(), headers=NDJSON))

        uploading = threading.Thread(target=upload)
        uploading.start()
        until(lambda: any((tmp_path / "jobs").glob(".new-*")))
        answer = service.client.post("/v1/jobs", content=rows(3), headers=NDJSON)
        assert (answer.status_code, answer.json()["failure"]) == (503, "busy")
        held.set()
        uploading.join()
        ended(service, answers[0].json())
        ended(service, begun(service, rows(3)))  # the place is free again


def test_a_job_that_a_stop_interrupts_goes_on_where_it_was(tmp_path: Path) -> None:
    held = threading.Event()
    with Endpoint(lambda _: completion(NOTHING, after=held)) as model:
        settings = configured(model, tmp_path / "cache")
        with serving(settings, tmp_path / "serve", concurrency=3) as service:
            job = begun(service, rows(30))
            model.await_requests(3)
            service.server.stop()
            held.set()
        made = len(model.requests)
        assert made < 10
        with serving(settings, tmp_path / "serve", concurrency=3) as service:
            told = ended(service, job)
            found = results(service, job)
        assert len(model.requests) == 29
    assert (told["done"], told["failed"], told["tokens"]) == (29, {"bad_input": 1}, 29 * 120)
    assert Counter(line["document_id"] for line in found).most_common(1)[0][1] == 1


def test_a_job_stops_at_the_budget_of_its_token_and_goes_on_with_a_larger_one(tmp_path: Path) -> None:
    with Endpoint(lambda _: completion(NOTHING, tokens=(20_000, 5_000))) as model:

        def serve(budget: str) -> Any:
            return serving(
                configured(model, tmp_path / "cache"),
                tmp_path / "serve",
                tokens=f"desk:{SECRET}:max_cost={budget}",
                secret=SECRET,
                price=Price.per_million(1, 1),
                concurrency=1,
            )

        with serve("0.2") as service:
            job = begun(service, rows(12))
            told = ended(service, job, "stopped")
            assert "budget of 'desk'" in told["reason"]
            assert 0 < told["cost"] <= 0.2
        with serve("9") as service:
            assert ended(service, job)["done"] == 11
    assert len(model.requests) == 11


def test_a_token_that_is_gone_leaves_its_jobs(tmp_path: Path) -> None:
    held = threading.Event()
    with Endpoint(lambda _: completion(NOTHING, after=held)) as model:
        settings = configured(model, tmp_path / "cache")
        with serving(settings, tmp_path / "s", tokens=f"desk:{SECRET}", secret=SECRET) as service:
            begun(service, rows(30))
            model.await_requests(1)
            service.server.stop()
            held.set()
        with serving(settings, tmp_path / "s", tokens=f"archive:{OTHER}", secret=OTHER) as service:
            assert service.get("/v1/jobs").json() == []
        with serving(settings, tmp_path / "s", tokens=f"desk:{SECRET}", secret=SECRET) as service:
            ended(service, service.get("/v1/jobs").json()[0])


def test_tables_are_made_of_any_extractions(newsroom: Served) -> None:
    answer = newsroom.post("/v1/extractions", [{"text": ARTICLE, "id": "a"}, {"text": " ", "id": "b"}])
    made = newsroom.client.post("/v1/tables", content=answer.content, headers=NDJSON)
    assert made.headers["content-type"] == "application/zip"
    assert [row["article_id"] for row in tables(made.content)["articles"]] == ["a"]
    workbook = newsroom.client.post("/v1/tables?format=xlsx", content=answer.content, headers=NDJSON)
    assert zipfile.ZipFile(io.BytesIO(workbook.content)).namelist() == ["mahdar.xlsx"]
    for body in (b"{}\n", b"\xff\n", ARTICLE.encode()):
        refused = newsroom.client.post("/v1/tables", content=body, headers=NDJSON)
        assert (refused.status_code, refused.json()["failure"]) == (422, "invalid_request")


# ── the process ────────────────────────────────────────────────────────────────────────────────────────────────────


class Process:
    """`mahdar serve` in a process of its own, on a free port."""

    def __init__(self, environment: dict[str, str], *options: str) -> None:
        command = [sys.executable, "-m", "mahdar.cli.app", "serve", "--port", "0", *options]
        self.process = subprocess.Popen(
            command, env={**os.environ, **environment}, stderr=subprocess.PIPE, text=True, encoding="utf-8"
        )
        assert self.process.stderr is not None
        said = ""
        while "serving on" not in said:
            line = self.process.stderr.readline()
            assert line, said  # it has ended
            said += line
        self.said = said
        self.url = re.findall(r"serving on (\S+)", said)[0]

    def end(self, number: int) -> tuple[int, str]:
        """Send a signal, and wait for the end: the exit code, and what was said meanwhile."""
        self.process.send_signal(number)
        said = self.process.communicate(timeout=PATIENCE)[1]
        return self.process.returncode, said


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_process_cleanly(tmp_path: Path, number: int) -> None:
    process = Process({}, "--model", "offline", "--folder", str(tmp_path / "serve"))
    answer = httpx2.post(f"{process.url}/v1/extractions", json={"text": ARTICLE}, timeout=PATIENCE)
    assert answer.status_code == 200
    refused = subprocess.run(
        [
            sys.executable,
            "-m",
            "mahdar.cli.app",
            "serve",
            "--port",
            "0",
            "--model",
            "offline",
            "--folder",
            str(tmp_path / "serve"),
        ],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert (refused.returncode, "another mahdar serve uses it" in refused.stderr) == (2, True)
    assert process.end(number) == (0, "")


def test_a_stop_says_what_it_could_not_wait_for(tmp_path: Path) -> None:
    held = threading.Event()
    with Endpoint(lambda _: completion(NOTHING, after=held)) as model:
        named = {"OPENAI_BASE_URL": model.url, "OPENAI_API_KEY": "k", "MAHDAR_MODEL": "loopback"}
        process = Process({**named, "MAHDAR_CACHE_DIR": str(tmp_path)}, "--grace", "0")
        job = httpx2.post(f"{process.url}/v1/jobs", content=rows(3), headers=NDJSON, timeout=PATIENCE).json()
        model.await_requests(2)

        def ask() -> None:
            asked = {"text": weather(9), "id": "w9"}
            answers.append(httpx2.post(f"{process.url}/v1/extractions", json=asked, timeout=PATIENCE).json())

        answers: list[dict[str, Any]] = []
        asking = threading.Thread(target=ask)
        asking.start()
        model.await_requests(3)
        code, said = process.end(signal.SIGTERM)
        asking.join()
        assert (code, answers[0]["failure"]) == (0, "stopping")
        assert "stopped; 1 article under way given up: w9" in said
        assert "Traceback" not in said
        held.set()
        process = Process({**named, "MAHDAR_CACHE_DIR": str(tmp_path)})
        at = f"{process.url}/v1/jobs/{job['id']}"
        until(lambda: httpx2.get(at, timeout=PATIENCE).json()["state"] == "done")
        assert process.end(signal.SIGTERM)[0] == 0


def test_a_kill_leaves_nothing_of_a_budget_uncounted(tmp_path: Path) -> None:
    counted = "the service was killed during calls of desk"
    held = threading.Event()
    headers = {"Authorization": f"Bearer {SECRET}"}
    with Endpoint(lambda _: completion(NOTHING, after=held)) as model:
        settings = configured(model, tmp_path)
        most = most_of_a_call(settings, weather(0))
        environment = {
            "OPENAI_BASE_URL": model.url,
            "OPENAI_API_KEY": "k",
            "MAHDAR_MODEL": "loopback",
            "MAHDAR_CACHE_DIR": str(tmp_path),
        }

        def serve(times: float) -> Process:
            tokens = f"desk:{SECRET}:max_tokens={int(times * most)}"
            return Process({**environment, "MAHDAR_TOKENS": tokens}, "--folder", str(tmp_path / "serve"))

        def ask(process: Process, number: int) -> dict[str, Any]:
            asked = {"text": weather(number), "id": str(number)}
            at = f"{process.url}/v1/extractions"
            return dict(httpx2.post(at, json=asked, headers=headers, timeout=PATIENCE).json())

        def killed(process: Process, number: int) -> None:
            """Kill the service while the model reads an article."""

            def given_up() -> None:
                with suppress(httpx2.HTTPError):
                    ask(process, number)

            asking, before = threading.Thread(target=given_up), len(model.requests)
            asking.start()
            model.await_requests(before + 1)
            process.process.kill()
            process.process.communicate(timeout=PATIENCE)
            asking.join()

        killed(serve(2.5), 1)
        process = serve(2.5)
        assert counted in process.said
        killed(process, 2)
        process = serve(2.5)  # two articles are spent, a third could exceed the budget
        assert counted in process.said
        assert ask(process, 3)["failure"] == "over_budget"
        assert len(model.requests) == 2
        assert process.end(signal.SIGTERM)[0] == 0
        held.set()
        process = serve(4)
        assert counted not in process.said  # it is said once
        assert ask(process, 3)["document_id"] == "3"
        process.process.kill()
        process.process.communicate(timeout=PATIENCE)
        process = serve(4)
        assert counted not in process.said  # no call was under way
        assert ask(process, 4)["document_id"] == "4"  # and the article before cost what it cost, not its most
        assert process.end(signal.SIGTERM)[0] == 0


@pytest.mark.soak
def test_kills_lose_nothing_and_pay_nothing_twice(tmp_path: Path) -> None:
    count, kills, chance = 2_000, 20, random.Random(7)
    with Endpoint(lambda _: completion(NOTHING)) as model:
        environment = {
            "OPENAI_BASE_URL": model.url,
            "OPENAI_API_KEY": "k",
            "MAHDAR_MODEL": "loopback",
            "MAHDAR_CACHE_DIR": str(tmp_path / "cache"),
        }
        process = Process(environment)
        job = httpx2.post(f"{process.url}/v1/jobs", content=rows(count), headers=NDJSON, timeout=PATIENCE).json()
        for _ in range(kills):
            goal = len(model.requests) + chance.randint(1, count // kills - 20)
            model.await_requests(min(goal, count - 1))
            process.process.kill()
            process.process.communicate(timeout=PATIENCE)
            process = Process(environment)
        at = f"{process.url}/v1/jobs/{job['id']}"
        until(lambda: httpx2.get(at, timeout=PATIENCE).json()["state"] == "done")
        told = httpx2.get(at, timeout=PATIENCE).json()
        lines = [json.loads(line) for line in httpx2.get(f"{at}/results", timeout=PATIENCE).text.splitlines()]
        assert process.end(signal.SIGTERM)[0] == 0
    ids = Counter(line["document_id"] for line in lines)
    assert (len(ids), max(ids.values())) == (count, 1)
    assert (told["done"], told["failed"]) == (count - 1, {"bad_input": 1})
    # only calls that were under way when the process was killed were made again
    assert len(model.requests) <= count - 1 + kills * 8
