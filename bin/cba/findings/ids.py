"""The ids of findings."""

from __future__ import annotations

import hashlib
import re

_LIKE_A_NUMBER = re.compile(r"[0-9]+(e[0-9]+)?")


def identifier(*told: str) -> str:
    """An id that is the same for the same words, in hexadecimal digits.

    It never looks like a number (12e4…): a search that asks the KV store for it would ask for a number, where the store
    has a text."""
    digits = hashlib.blake2b("\n".join(told).encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
    return f"f{digits[1:]}" if _LIKE_A_NUMBER.fullmatch(digits) else digits
