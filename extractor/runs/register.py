"""The register of a run: which articles there are, and what has become of each, in 24 bytes an article.

A set of a million ids would take Python some 150 MB. This is a hash table with open addressing in one block of memory:
16 bytes of digest of the id, 7 of the text, and one of flags.
"""

import datetime as dt
from hashlib import blake2b
from typing import Final

DONE: Final = 1
FAILED: Final = 2
SEEN: Final = 4
"""Met in this run."""

_KEY: Final = 16
_TEXT: Final = 7
_FLAGS: Final = _KEY + _TEXT
_SLOT: Final = _FLAGS + 1
_FIRST: Final = 1024
"""Slots to begin with; a power of two, as it stays."""
_FULL: Final = 0.6
"""Of the slots: fuller tables are slow to search."""


def text_digest(sha256: str, published_at: dt.date | str | None) -> bytes:
    """What tells an article from a later version of it: another text, or another day to count «yesterday» from."""
    return blake2b(f"{sha256} {published_at or ''}".encode(), digest_size=_TEXT).digest()


class Register:
    """Flags and text digests by article id."""

    def __init__(self) -> None:
        self._slots = bytearray(_SLOT * _FIRST)
        self._room = _FIRST
        self._used = 0

    def __len__(self) -> int:
        return self._used

    def get(self, article: str) -> tuple[int, bytes]:
        """The article's flags, 0 for one that is not there, and its text's digest."""
        at = self._find(_key(article))
        return self._slots[at + _FLAGS], bytes(self._slots[at + _KEY : at + _FLAGS])

    def put(self, article: str, flags: int, text: bytes) -> None:
        """Set the article's flags and text."""
        if self._used >= self._room * _FULL:
            self._grow()
        key = _key(article)
        at = self._find(key)
        self._used += not self._slots[at + _FLAGS]
        self._slots[at : at + _SLOT] = key + text + bytes((flags,))

    def _find(self, key: bytes) -> int:
        """Where the key's slot begins, or the empty one where it belongs."""
        number = int.from_bytes(key[:8], "little") & (self._room - 1)
        while True:
            at = number * _SLOT
            if not self._slots[at + _FLAGS] or self._slots.startswith(key, at):
                return at
            number = (number + 1) & (self._room - 1)

    def _grow(self) -> None:
        old = self._slots
        self._room *= 2
        self._slots = bytearray(_SLOT * self._room)
        for at in range(0, len(old), _SLOT):
            if old[at + _FLAGS]:
                slot = old[at : at + _SLOT]
                new = self._find(bytes(slot[:_KEY]))
                self._slots[new : new + _SLOT] = slot


def _key(article: str) -> bytes:
    return blake2b(article.encode("utf-8", "surrogatepass"), digest_size=_KEY).digest()
