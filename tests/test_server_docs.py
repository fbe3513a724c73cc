"""What the service's README shows, run as it stands there."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx2
import pytest
from newsroom import configured, reads_well, weather
from serving import PATIENCE, Served, serving

from loopback import Endpoint

README: Final = Path(__file__).parents[1] / "extractor" / "server" / "README.md"
TEXT: Final = README.read_text(encoding="utf-8")
AT: Final = "http://127.0.0.1:8600"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Served]:
    with Endpoint(reads_well) as endpoint, serving(configured(endpoint, tmp_path / "c"), tmp_path / "s") as served:
        yield served


def test_the_python_of_the_readme_runs(
    service: Served, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "httpx", httpx2)  # its name in this environment
    (program,) = blocks("python")
    exec(compile(program.replace(AT, service.server.url), str(README), "exec"), {})
    assert sorted(capsys.readouterr().out.splitlines()) == ["a1 0", "a2 bad_input"]


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl here")
def test_the_commands_of_the_readme_run(service: Served, tmp_path: Path) -> None:
    rows = [{"id": str(number), "text": weather(number)} for number in range(3)]
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (tmp_path / "articles.jsonl").write_text(lines, encoding="utf-8")
    _, requests, jobs = blocks("sh")

    def run(command: str) -> Any:
        ended = subprocess.run(
            ["sh", "-c", f"MAHDAR_SERVICE={service.server.url}\n{command}"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=PATIENCE,
            check=True,
        )
        return ended.stdout

    one, several = (run(line) for line in requests.splitlines() if line.startswith("curl"))
    assert json.loads(one)["document_id"] == "a1"
    assert sorted(json.loads(line)["document_id"] for line in several.splitlines()) == ["a1", "a2"]
    begin, listed, results, tables, delete = jobs.splitlines()
    job = json.loads(run(begin))["id"]
    while json.loads(run(listed))[0]["state"] != "done":
        pass
    assert len(run(results.replace("$ID", job)).splitlines()) == 3
    run(tables.replace("$ID", job))
    assert (tmp_path / "tables.zip").read_bytes().startswith(b"PK")
    run(delete.replace("$ID", job))
    assert json.loads(run(listed)) == []
