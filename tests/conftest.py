"""What holds for every test: no network but loopback, and nothing of the caller's environment or cache."""

import ipaddress
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

CONNECTING: Final = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
"""Audit events whose second argument is an address."""
RESOLVING: Final = frozenset({"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"})
"""Audit events whose first argument is a host."""
CONFIGURING: Final = ("OPENAI_", "MAHDAR_", "OTEL_")
"""How the variables begin that configure mahdar."""
REROUTING: Final = ("_proxy", "columns", "no_color", "force_color")
"""How the variables end, in lower case, that send requests elsewhere or change what a terminal shows."""
QUIET: Final = (
    "--no-sandbox",  # a container's root has no other
    *("--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
"""Arguments of Chromium."""


class Guard:
    """An audit hook that refuses every address but loopback.

    It remembers what it refused, since the code under test may well handle the error. It sees this process only.
    """

    def __init__(self) -> None:
        self.refused: list[str] = []

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in CONNECTING:
            self._check(arguments[1][0] if isinstance(arguments[1], tuple) else None)  # a path is a Unix socket's
        elif event in RESOLVING:
            self._check(arguments[0])

    def _check(self, host: object) -> None:
        name = host.decode("ascii", "replace") if isinstance(host, bytes | bytearray) else host
        if isinstance(name, str) and not _is_loopback(name):
            self.refused.append(name)
            raise RuntimeError(f"{name}: a test may reach loopback only; serve what it needs with tests/loopback.py")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return host in {"", "localhost"}


GUARD: Final = Guard()
sys.addaudithook(GUARD)  # at import, so that collecting is guarded too


@pytest.fixture(autouse=True)
def no_network() -> Iterator[list[str]]:
    """The hosts that were refused; a test that leaves any behind has failed, whatever became of the error."""
    yield GUARD.refused
    refused, GUARD.refused = GUARD.refused, []
    if refused:
        pytest.fail(f"tried to reach {', '.join(refused)}: a test may reach loopback only")


@pytest.fixture(autouse=True)
def clean_environment(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is configured, and the cache is the test's own.

    A test marked `model` has the caller's cache instead: assembling a gigabyte for each run would be a waste.
    """
    cache = os.environ.get("MAHDAR_CACHE_DIR")
    for name in tuple(os.environ):
        if name.startswith(CONFIGURING) or name.lower().endswith(REROUTING):
            monkeypatch.delenv(name)
    if not request.node.get_closest_marker("model"):
        monkeypatch.setenv("MAHDAR_CACHE_DIR", str(tmp_path / "mahdar-cache"))
    elif cache:
        monkeypatch.setenv("MAHDAR_CACHE_DIR", cache)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A headless Chromium; its tests are skipped where it or Playwright is missing."""
    playwright = pytest.importorskip("playwright.sync_api", reason="no Playwright here: pip install 'mahdar[dev]'")
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("no browser here: `make debian` installs Debian's Chromium, where its user may")
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=found, args=QUIET)
        yield chromium
        chromium.close()
