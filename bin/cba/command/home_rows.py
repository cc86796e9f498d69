"""Between cells and the library: rows for `cbahome`."""

from __future__ import annotations

import re
from typing import Sequence

from ..enrich.address import PUBLIC
from ..errors import RowError
from ..findings.windows import BUCKET_SECONDS
from ..history.baseline import ABSENT
from ..history.days import SECONDS_PER_DAY
from ..home.finder import Row
from ..home.homes import HOWS
from .rows import LAST_DAY
from .table import Table, whole_number

HOME_FIELDS = (
    "bucket", "skip_reason", "identity", "identity_type", "workload", "region", "ip_scope", "cloud_provider",
    "cloud_region", "home_hint", "home_of", "home_in", "home_how", "inventory_region",
)  # fmt: skip
"""The fields `cbahome` reads."""
REGION_FIELDS = ("region", "home_hint", "home_in", "inventory_region")

_REGION = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)+", re.ASCII)
_REGION_LENGTH = 40


def read_home_rows(table: Table, odd: dict[str, str]) -> list[Row]:
    """The chunk's rows. Raises RowError naming field, value and row for a bucket that is none, or an unknown home_how.

    What stands for a region and is none is passed over: the first such value of each field goes into `odd`.
    """
    columns = [table.column(name) for name in HOME_FIELDS]
    return [_row(dict(zip(HOME_FIELDS, cells)), at, odd) for at, cells in enumerate(zip(*columns), 1)]


def _row(given: dict[str, str], position: int, odd: dict[str, str]) -> Row:
    cells = {name: "" if cell in ABSENT else cell for name, cell in given.items()}
    for name in REGION_FIELDS:
        region = cells[name]
        if region and (len(region) > _REGION_LENGTH or not _REGION.fullmatch(region)):
            odd.setdefault(name, region)
            cells[name] = ""
    if cells["home_in"] and cells["home_how"] not in HOWS:
        raise RowError(
            f"field home_how of row {position} is {cells['home_how']!r}; one of {', '.join(HOWS)} is needed: the macro "
            "cba_compute sets it"
        )
    return Row(
        bucket=_bucket(cells["bucket"], position),
        skipped=bool(cells["skip_reason"]),
        identity=cells["identity"],
        identity_type=cells["identity_type"],
        workload=cells["workload"],
        region=cells["region"],
        public=cells["ip_scope"] == PUBLIC,
        source_region=cells["cloud_region"] if cells["cloud_provider"] == "aws" else "",
        hint=cells["home_hint"],
        home_of=tuple(cells["home_of"].split()),
        home_in=cells["home_in"],
        home_how=cells["home_how"],
        inventory=cells["inventory_region"],
    )


def _bucket(text: str, position: int) -> int:
    bucket = whole_number(text, "bucket", position)
    if not 0 <= bucket <= LAST_DAY * SECONDS_PER_DAY or bucket % BUCKET_SECONDS:
        raise RowError(f"field bucket of row {position} is {text!r}; floor(_time/900)*900 is needed")
    return bucket


def odd_regions(odd: dict[str, str]) -> Sequence[str]:
    """Sentences about what stood for a region and was none."""
    return [
        f"{value[:60]!r} in the field {name} is no region (such as eu-central-1) and was passed over"
        + ("; see the lookup instance_inventory" if name == "inventory_region" else "")
        for name, value in odd.items()
    ]
