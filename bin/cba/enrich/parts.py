"""Rows in parts: fields with several values, and what each part says."""

from __future__ import annotations

import json
from typing import Mapping

from ..terms import ABSENT


def values_of(text: str) -> list[str]:
    """The values of a list field, which travels as a JSON array; any other text is its one value, "" none."""
    if not text.startswith("["):
        return [text] if text else []
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return [text]
    if not isinstance(found, list):
        return [text]
    return [value if isinstance(value, str) else json.dumps(value) for value in found]


def changed(cells: Mapping[str, str], **fields: str) -> dict[str, str]:
    """The row's fields with these in place of its own; absent ones are left out."""
    part = {**cells, **fields}
    for name, value in fields.items():
        if value == ABSENT:
            del part[name]
    return part


def after(text: str, before: str) -> str:
    """A text with what leads to it, or nothing for an absent one."""
    return before + text if text else ABSENT
