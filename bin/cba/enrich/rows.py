"""How rows are prepared for a population: its name in content/profiles.yml -> what makes the row's parts.

Preparations are pure. A part has the row's fields and its own; absent ones are left out. What knows the homes of
workloads ("compute") is not pure and stands with the judge.
"""

from __future__ import annotations

from typing import Callable, Mapping, Sequence

from ..lists.match import Lists
from .serverless_iaas import serverless_iaas
from .serverless_office import serverless_office
from .serverless_saas import serverless_saas

Preparation = Callable[[Mapping[str, str], Lists], Sequence[Mapping[str, str]]]


def plain(cells: Mapping[str, str], lists: Lists) -> Sequence[Mapping[str, str]]:
    """The row as it is."""
    return (cells,)


PREPARATIONS: Mapping[str, Preparation] = {
    "plain": plain,
    "serverless_iaas": serverless_iaas,
    "serverless_office": serverless_office,
    "serverless_saas": serverless_saas,
}
