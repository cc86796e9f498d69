"""What a row says about the homes of workloads, and whose call it is."""

from __future__ import annotations

import re
from typing import Callable, Mapping, NamedTuple

from ..enrich.address import PUBLIC
from ..enrich.place import FOREIGN_ENDPOINT
from ..errors import RowError
from ..terms import ABSENT, PLACELESS, SECONDS_PER_DAY
from .homes import HOWS

ROLE = "role"
LAMBDA = "lambda"
_REGION = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)+", re.ASCII)
_REGION_LENGTH = 40


class Call(NamedTuple):
    """A row of one quarter of an hour; absent texts are "".

    Who called: `identity`, `identity_type`, `workload` ("" for nobody's workload, and for events that are never
    judged). Where: `region`, "" for a service that has none; `public`, `source_region` and `foreign` as in
    `homes.outside`. What it says of homes: `hint`, of the caller's; `home_of`, `home_in`, `home_how`: workloads, the
    region that is theirs, and one of `homes.HOWS`. `inventory`: the region in the list instance_inventory.
    """

    bucket: int
    identity: str
    identity_type: str
    workload: str
    region: str
    public: bool
    source_region: str
    foreign: bool
    hint: str
    home_of: tuple[str, ...]
    home_in: str
    home_how: str
    inventory: str

    @property
    def day(self) -> int:
        return self.bucket // SECONDS_PER_DAY

    @property
    def by_a_role(self) -> bool:
        """Whether it is a role's session: a function's only if a function of that name is known to have that role."""
        return self.identity_type == ROLE

    @property
    def hinted(self) -> tuple[str, ...]:
        """Whose home the hint tells: the caller's, and as with all functions its role's."""
        if not self.hint:
            return ()
        return (self.workload, self.identity) if self.identity_type == LAMBDA else (self.workload,)


def concerns_homes(cells: Mapping[str, str]) -> bool:
    """Whether a row is a workload's call, or says where one is at home."""
    return bool(cells.get("workload") or cells.get("home_in"))


def read_call(
    cells: Mapping[str, str], bucket: int, inventory: Callable[[str], str], passed_over: dict[str, str]
) -> Call:
    """The call of a row. `inventory` tells the region of a workload by the list instance_inventory.

    What stands for a region and is none is passed over: the first such value of each field goes into `passed_over`.
    Raises RowError for an unknown home_how.
    """
    skip_reason = cells.get("skip_reason", ABSENT)
    judged = not skip_reason or skip_reason in PLACELESS
    workload = cells.get("workload", ABSENT) if judged else ABSENT
    home_in = _region(cells, "home_in", passed_over)
    home_how = cells.get("home_how", ABSENT)
    if home_in and home_how not in HOWS:
        raise RowError(f"field home_how is {home_how!r}; one of {', '.join(HOWS)} is needed: the source sets it")
    listed = inventory(workload) if workload else ABSENT
    return Call(
        bucket=bucket,
        identity=cells.get("identity", ABSENT),
        identity_type=cells.get("identity_type", ABSENT),
        workload=workload,
        region=_region(cells, "region", passed_over),
        public=cells.get("ip_scope") == PUBLIC,
        source_region=cells.get("cloud_region", ABSENT) if cells.get("cloud_provider") == "aws" else ABSENT,
        foreign=bool(cells.get(FOREIGN_ENDPOINT)),
        hint=_region(cells, "home_hint", passed_over),
        home_of=tuple(cells.get("home_of", ABSENT).split()),
        home_in=home_in,
        home_how=home_how,
        inventory=_region({"inventory_region": listed}, "inventory_region", passed_over),
    )


def _region(cells: Mapping[str, str], name: str, passed_over: dict[str, str]) -> str:
    region = cells.get(name, ABSENT)
    if region and (len(region) > _REGION_LENGTH or not _REGION.fullmatch(region)):
        passed_over.setdefault(name, region)
        return ABSENT
    return region


def passed_over_sentences(passed_over: Mapping[str, str]) -> list[str]:
    """What stood for a region and was none, in sentences."""
    return [
        f"{value[:60]!r} in the field {name} is no region (such as eu-central-1) and was passed over"
        + ("; see the list instance_inventory" if name == "inventory_region" else "")
        for name, value in passed_over.items()
    ]
