"""SPL that calls values as people do: countries by their names, networks as AS and number."""

from __future__ import annotations


def country_name(condition: str) -> str:
    """Adds country_name, the name of the field `value` where the eval condition says that it is a country."""
    return f"""\
| eval code=if({condition}, value, null())
| lookup cba_countries country AS code OUTPUT name AS country_name"""


def shown(dimension: str) -> str:
    """The eval expression for `value` as it is shown, after `country_name`; `dimension` is the field that names it."""
    return f'coalesce(country_name, if({dimension}="asn", "AS", "").value)'
