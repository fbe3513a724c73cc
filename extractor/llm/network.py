"""Check the proxies and certificates that the environment names, before anything is sent."""

import os
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from mahdar.errors import UsageError

CERTIFICATES: Final = "SSL_CERT_FILE"
PROXIES: Final = ("ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY")
"""In capitals or small letters."""


def check_network(environment: Mapping[str, str] = os.environ) -> None:
    """Check that connections can be made with the proxies and certificates of the environment.

    Raises:
        UsageError: a variable's value cannot be used. It is not shown: a proxy's URL may hold a password.
    """
    names = [name for name in environment if name.upper() in PROXIES or name == CERTIFICATES]
    for name in filter(environment.get, names):
        wrong = _certificate_problem() if name == CERTIFICATES else _proxy_problem(environment[name])
        if wrong is not None:
            raise UsageError(f"{name}: {wrong}; correct it, or unset it")


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
        urlsplit(url).port  # noqa: B018  # raises for an invalid port
        httpx2.AsyncHTTPTransport(verify=False, proxy=httpx2.Proxy(url))  # nothing is sent by it
    except ImportError:
        return "a SOCKS proxy takes a package that is not installed: pip install socksio"
    except (ValueError, httpx2.InvalidURL):
        return "is no URL of a proxy; write it like http://host:3128"
    return None
