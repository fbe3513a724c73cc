"""Check the proxies, certificates and headers that the environment names, before anything is sent."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from mahdar.errors import UsageError

CERTIFICATES: Final = "SSL_CERT_FILE"
KEY_LOG: Final = "SSLKEYLOGFILE"
"""The file that Python's TLS writes keys to, for debugging."""
PROXIES: Final = ("ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY")
"""In capitals or small letters."""

HEADERS: Final = ("OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_CUSTOM_HEADERS")
"""Variables that openai's client sends as headers; the last holds several, one a line."""
_NO_PROXY: Final = "is no URL of a proxy; write it like http://host:3128"


def check_network(environment: Mapping[str, str] = os.environ) -> None:
    """Check that calls can be made with the proxies, certificates, log of keys and headers of the environment.

    Raises:
        UsageError: a variable's value cannot be used. It is not shown: a proxy's URL may hold a password.
    """
    names = [KEY_LOG, CERTIFICATES, *(name for name in environment if name.upper() in PROXIES)]
    for name in filter(environment.get, (*HEADERS, *names)):
        problem: str | None
        if name in HEADERS:
            problem = _header_problem(environment[name].splitlines() if name == HEADERS[-1] else [environment[name]])
        elif name == KEY_LOG:
            problem = _key_log_problem(environment[name])
        else:
            problem = _certificate_problem() if name == CERTIFICATES else _proxy_problem(environment[name])
        if problem is not None:
            raise UsageError(f"{name}: {problem}; correct it, or unset it")


def _header_problem(values: Iterable[str]) -> str | None:
    """Return what is wrong with the values of headers; None where nothing is."""
    if all(value.isascii() and value.replace("\t", " ").isprintable() for value in values):
        return None
    return "has a character that cannot be sent"


def _key_log_problem(path: str) -> str | None:
    """Return what is wrong with the file for TLS keys; None where nothing is."""
    try:
        with Path(path).open("ab"):
            return None
    except OSError as error:
        return f"cannot be written ({error.strerror})"


def _certificate_problem() -> str | None:
    """Return what is wrong with the certificates that HTTP clients would load; None where nothing is."""
    import httpx2

    try:
        httpx2.create_ssl_context()
    except OSError as error:
        return f"no certificates can be read there ({error.strerror})"
    return None


def _proxy_problem(url: str) -> str | None:
    """Return what is wrong with a proxy's URL; None where nothing is."""
    import httpx2

    url = url if "://" in url else f"http://{url}"
    try:
        parts = urlsplit(url)
        if not parts.hostname or parts.port == 0 or " " in url:  # `port` raises where it is no number
            return _NO_PROXY
        httpx2.AsyncHTTPTransport(verify=False, proxy=httpx2.Proxy(url))  # nothing is sent by it
    except ImportError:
        return "a SOCKS proxy takes a package that is not installed: pip install socksio"
    except (ValueError, httpx2.InvalidURL):
        return _NO_PROXY
    return None
