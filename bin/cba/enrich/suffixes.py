"""The lookup `cba_cloud_suffixes`: below which names clouds hand out names to their customers.

A row reads: below `suffix` of `provider`'s `service`, the nearest `labels` labels name a tenant. Columns and examples:
docs/cloud-resources.md. The file belongs to the user, so every fault is reported, with its row and column.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

from ..errors import GUIDE, CbaError
from . import files

SHIPPED_SUFFIXES = Path(__file__).resolve().parents[3] / "lookups" / "cba_cloud_suffixes.csv"

REQUIRED = ("suffix", "provider", "service", "kind", "labels")
OPTIONAL = ("same_as", "source", "comment")
TENANT = "tenant"
SHARED = "shared"
ALL_LABELS = 0
"""`labels` as read from "all": whatever stands below the suffix names the tenant."""

PRIVATE_LINK = "privatelink"
LEFT_OUT: Mapping[str, str] = {
    "azure": PRIVATE_LINK,
    "microsoft365": PRIVATE_LINK,
    "snowflake": PRIVATE_LINK,
    "fastly": "dualstack",
}
"""By provider, the label that says by which way a tenant is reached, and so belongs to no tenant's name.

Private endpoints: https://learn.microsoft.com/azure/private-link/private-endpoint-dns and
https://docs.snowflake.com/en/user-guide/admin-security-privatelink; IPv6:
https://www.fastly.com/documentation/guides/full-site-delivery/domains-and-origins/enabling-dualstack-connections/.
Elsewhere the same word is an ordinary name: a bucket may be called privatelink.
"""

_MOST_LABELS = 20
_FAULTS_SHOWN = 10
_LABEL = re.compile(r"[a-z0-9_*-]{1,63}", re.ASCII)
_WORD = re.compile(r"[a-z0-9][a-z0-9_.-]*", re.ASCII)
_SEGMENT = re.compile(r"[^\s/?#*]+")


class SuffixFileError(CbaError):
    """The lookup file cannot be used; the message names file, row and column of every fault."""

    def __init__(self, path: Path, faults: List[str]) -> None:
        shown = faults[:_FAULTS_SHOWN]
        if len(faults) > len(shown):
            shown.append(f"and {len(faults) - len(shown)} more")
        super().__init__(f"{path}: {'; '.join(shown)}. Columns and examples: {GUIDE}/cloud-resources.html")
        self.path = path
        self.faults = faults


@dataclass(frozen=True)
class Suffix:
    """One row. `host` is the suffix without its path, `path` the path's fixed segments (None: the row has no path)."""

    text: str
    provider: str
    service: str
    kind: str
    labels: int
    host: str
    path: Optional[Tuple[str, ...]] = None
    same_as: str = ""

    def home(self, below: Sequence[str]) -> str:
        """What the tenants of a name are reported below; `below` are the labels of the name that the suffix took.

        The `*` of same_as stand for what the last `*` of the suffix stood for: the region, as a rule.
        """
        if not self.same_as:
            return ".".join(below)
        wanted = self.same_as.count("*")
        filled = self.same_as
        for text in self._starred(below)[-wanted:] if wanted else ():
            filled = filled.replace("*", text, 1)
        return filled

    def _starred(self, below: Sequence[str]) -> List[str]:
        """What each `*` of the suffix stands for."""
        return [
            label[len(pattern.partition("*")[0]) : len(label) - len(pattern.partition("*")[2])]
            for pattern, label in zip(self.host.split("."), below)
            if "*" in pattern
        ]

    @property
    def canonical(self) -> str:
        """The suffix under which the tenants of this row are reported."""
        return self.same_as or self.text


def read_suffixes(path: Path) -> Tuple[Suffix, ...]:
    """The rows of the file. Raises SuffixFileError naming every fault."""
    rows: Dict[str, Tuple[int, Suffix]] = {}
    faults: List[str] = []
    for number, cells in _rows(path):
        try:
            suffix = _suffix(cells)
        except _CellError as error:
            faults.append(f"row {number}, column {error.column}: {error.problem}")
            continue
        if suffix.text in rows:
            faults.append(f"row {number}, column suffix: {suffix.text} stands in row {rows[suffix.text][0]} already")
        else:
            rows[suffix.text] = (number, suffix)
    for number, suffix in rows.values():
        problem = _same_as_problem(suffix, rows)
        if problem:
            faults.append(f"row {number}, column same_as: {problem}")
    if faults:
        raise SuffixFileError(path, faults)
    return tuple(suffix for _number, suffix in rows.values())


def _rows(path: Path) -> Iterator[Tuple[int, Mapping[str, str]]]:
    """(row as a spreadsheet numbers it, cells by column); empty rows are left out."""
    try:
        text = files.read(path, files.SUFFIXES).decode("utf-8-sig")
        reader = csv.reader(io.StringIO(text, newline=""))
        header = [name.strip().lower() for name in next(reader, [])]
        _check_header(path, header)
        for number, cells in enumerate(reader, 2):
            if any(cell.strip() for cell in cells):
                if len(cells) > len(header):
                    raise SuffixFileError(
                        path, [f"row {number} has {len(cells)} cells; the header has {len(header)} columns"]
                    )
                yield number, dict(zip(header, (cell.strip() for cell in cells)))
    except OSError as error:
        raise SuffixFileError(path, [f"cannot be read ({error.strerror})"]) from error
    except UnicodeDecodeError as error:
        raise SuffixFileError(path, [f"is not UTF-8 text (byte {error.start})"]) from error
    except csv.Error as error:
        raise SuffixFileError(path, [f"is not CSV ({error})"]) from error


def _check_header(path: Path, header: List[str]) -> None:
    """The header's own cells are not repeated in the message: the file may be something else entirely."""
    absent = [name for name in REQUIRED if name not in header]
    doubled = [name for name in REQUIRED + OPTIONAL if header.count(name) > 1]
    if absent:
        raise SuffixFileError(
            path, [f"row 1: no column {', '.join(absent)}; the first row names the columns, separated by commas"]
        )
    if doubled:
        raise SuffixFileError(path, [f"row 1: column {', '.join(doubled)} stands there twice"])


class _CellError(Exception):
    def __init__(self, column: str, problem: str) -> None:
        super().__init__(problem)
        self.column = column
        self.problem = problem


def _suffix(cells: Mapping[str, str]) -> Suffix:
    """Raises _CellError for the first cell that is wrong."""
    text = cells.get("suffix", "").lower().strip(".")
    host, slash, _path = text.partition("/")
    labels = host.split(".")
    if not text or not all(_LABEL.fullmatch(label) for label in labels):
        raise _CellError("suffix", f"{cells.get('suffix', '')!r} is not a domain name such as s3.*.amazonaws.com")
    if any(label.count("*") > 1 for label in labels) or "*" in labels[-1] or len(labels) < 2:
        raise _CellError(
            "suffix", f"{text}: two labels or more, at most one * in each, none in the last (s3.*.amazonaws.com)"
        )
    fixed: Optional[Tuple[str, ...]] = None
    if slash:
        fixed = _fixed_segments(cells["suffix"])
    for column in ("provider", "service"):
        if not _WORD.fullmatch(cells.get(column, "")):
            raise _CellError(
                column, f"{cells.get(column, '')!r} is not a word of lower-case letters, digits, '-', '_' or '.'"
            )
    kind = cells.get("kind", "")
    if kind not in (TENANT, SHARED):
        raise _CellError("kind", f"{kind!r} is neither {TENANT} nor {SHARED}")
    if fixed is not None and kind == SHARED:
        raise _CellError("kind", "a suffix with a path names tenants; write tenant")
    return Suffix(
        text=host + ("/" + "/".join((*fixed, "*")) if fixed is not None else ""),
        provider=cells["provider"],
        service=cells["service"],
        kind=kind,
        labels=_label_count(cells.get("labels", ""), kind, fixed is not None),
        host=host,
        path=fixed,
        same_as=cells.get("same_as", "").lower().strip("."),
    )


def _fixed_segments(written: str) -> Tuple[str, ...]:
    """The segments before the closing `*`, in the case they are written in."""
    segments = written.partition("/")[2].split("/")
    if segments[-1] != "*" or not all(_SEGMENT.fullmatch(segment) for segment in segments[:-1]):
        raise _CellError("suffix", f"{written}: a path ends in /* and has no other * (script.google.com/macros/s/*)")
    return tuple(segments[:-1])


def _label_count(text: str, kind: str, has_path: bool) -> int:
    if kind == SHARED:
        if text not in ("", "0"):
            raise _CellError("labels", f"{text!r}: a shared suffix names no tenant; leave it empty")
        return ALL_LABELS
    if text == "all" and not has_path:
        return ALL_LABELS
    if text.isascii() and text.isdigit() and 1 <= int(text[:4]) <= _MOST_LABELS:
        return int(text)
    wanted = f"a number from 1 to {_MOST_LABELS}" + ("" if has_path else " or all")
    raise _CellError("labels", f"{text!r} is not {wanted}")


def _same_as_problem(suffix: Suffix, rows: Mapping[str, Tuple[int, Suffix]]) -> str:
    if not suffix.same_as:
        return ""
    other = rows.get(suffix.same_as)
    if suffix.kind == SHARED:
        return "a shared suffix has no tenants to report elsewhere; leave it empty"
    if other is None or other[1].kind != TENANT or other[1].same_as or other[1].path is not None:
        return f"{suffix.same_as} is not the suffix of another tenant row without same_as and without a path"
    if suffix.same_as.count("*") > suffix.host.count("*"):
        return f"{suffix.same_as} has more * than the suffix, which could not fill them"
    if other[1].labels != suffix.labels and suffix.path is None:
        return f"{suffix.same_as} (row {other[0]}) has another number of labels"
    return ""
