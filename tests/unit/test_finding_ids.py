"""The ids of findings: what a search in the KV store may take for a number is none."""

from __future__ import annotations

import hashlib
import itertools
import json
import re

from cba.findings.ids import identifier
from lab.spl.values import number


def like_a_number() -> str:
    """Words whose digest is all digits, or digits with one e: one finding in 25,000 has such words."""
    for n in itertools.count():
        digest = hashlib.blake2b(str(n).encode(), digest_size=12).hexdigest()
        if re.fullmatch(r"\d+(e\d+)?", digest):
            return str(n)
    raise AssertionError


def test_an_id_is_no_number() -> None:
    word = like_a_number()
    digest = hashlib.blake2b(word.encode(), digest_size=12).hexdigest()
    assert number(digest) is not None
    assert identifier(word) == f"f{digest[1:]}"
    assert number(identifier(word)) is None


def test_any_other_id_is_the_digest() -> None:
    assert identifier("a", "b") == hashlib.blake2b(b"a\nb", digest_size=12).hexdigest()
    assert re.fullmatch("[0-9a-f]{24}", identifier(json.loads('"\\ud800"')))
