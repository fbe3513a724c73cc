"""What the environment says of proxies and certificates, tried before anything is asked."""

import os
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from mahdar.errors import UsageError

CERTIFICATES: Final = "SSL_CERT_FILE"
PROXIES: Final = ("ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY")
"""Written in capitals or small letters."""


def check_network(environment: Mapping[str, str] = os.environ) -> None:
    """Refuse proxies and certificates that no connection could be made with.

    Values are not shown: a proxy's URL may hold a password.

    Raises:
        UsageError: a variable names what cannot be used; says which, and why.
    """
    names = [name for name in environment if name.upper() in PROXIES or name == CERTIFICATES]
    for name in filter(environment.get, names):
        wrong = _certificates() if name == CERTIFICATES else _proxy(environment[name])
        if wrong is not None:
            raise UsageError(f"{name}: {wrong}; correct it, or unset it")


def _certificates() -> str | None:
    """What is wrong with the certificates that HTTP clients would load."""
    import httpx2

    try:
        httpx2.create_ssl_context()
    except OSError as error:
        return f"no certificates can be read there ({error.strerror})"
    return None


def _proxy(url: str) -> str | None:
    """What is wrong with a proxy's URL."""
    import httpx2

    url = url if "://" in url else f"http://{url}"
    try:
        urlsplit(url).port  # noqa: B018  # raises for one that is none
        httpx2.AsyncHTTPTransport(verify=False, proxy=httpx2.Proxy(url))  # nothing is sent by it
    except ImportError:
        return "a SOCKS proxy takes a package that is not installed: pip install socksio"
    except (ValueError, httpx2.InvalidURL):
        return "is no URL of a proxy; write it like http://host:3128"
    return None
