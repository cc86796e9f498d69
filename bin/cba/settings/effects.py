"""What the settings do: the macros and alert actions that follow from them. Pure; `store.configuration` writes them.

The searches read macros, so that what is set takes effect with their next run, and a person who opens a search sees it.
Periods and thresholds are read by the commands themselves (`store.configuration.terms`).
"""

from __future__ import annotations

import dataclasses
from typing import Mapping

from ..detection.model import SOURCES, Detection, variation_search
from ..history.history import Terms
from ..quoting import spl_text
from .declared import egress_entries
from .kinds import TRUE_WORDS, Values


def macros(stanza: str, values: Values) -> dict[str, str]:
    """macro -> definition, for the values of a whole stanza; every one that the stanza has a say in.

    The values are without fault (`faults`); what of them stands in quotes is quoted all the same.
    """
    values = {key: value.strip() for key, value in values.items()}
    if stanza == "sources":
        return {name: text for source in SOURCES for name, text in _source(source, values).items()}
    if stanza == "detections":
        created = "function_created"
        changes = f'"{created}", "function_updated"' if _on(values, "include_updates") else f'"{created}"'
        return {
            "cba_precedence": values["variation_precedence"],
            "cba_failed_calls_escalate": '"true"' if _on(values, "failed_calls_escalate") else '"false"',
            "cba_runtime_granularity": spl_text(values["runtime_granularity"]),
            "cba_function_changes": f"in(action, {changes})",
        }
    if stanza == "enrichment":
        cases = (
            f"cidrmatch({spl_text(network)}, src_ip), {spl_text(name)}"
            for network, name in egress_entries(values["egress_ranges"])
        )
        listed = ", ".join(cases)
        return {
            "cba_ip_database": spl_text(slashes(values["ip_database"])),
            "cba_egress_setting": f"case({listed})" if listed else "null()",
        }
    return {}


def _source(source: str, values: Values) -> dict[str, str]:
    return {
        f"cba_index_{source}": _any_of("index", values[f"{source}_index"]) or "`cba_indexes`",
        f"cba_chosen_types_{source}": _any_of("sourcetype", values[f"{source}_sourcetype"]) or f"`cba_types_{source}`",
        f"cba_filter_{source}": _filter(values[f"{source}_filter"]) if _on(values, f"{source}_enabled") else "NOT *",
    }


def slashes(path: str) -> str:
    """A path as a search names it: Windows takes / for its backslash, which is an escape in SPL."""
    return path.replace("\\", "/")


def _any_of(field: str, names: str) -> str:
    """`index="a" OR index="b*"`; "" for no names."""
    return " OR ".join(f"{field}={spl_text(name.strip())}" for name in names.split(",") if name.strip())


def _filter(terms: str) -> str:
    return f"({terms})" if terms else "*"


def sources_off(values: Values) -> frozenset[str]:
    """The sources that the stanza `sources` switches off."""
    return frozenset(source for source in SOURCES if not _on(values, f"{source}_enabled"))


def actions(stanza: str, values: Values) -> dict[str, str]:
    """What every variation's saved search is told, setting -> value."""
    if stanza != "enterprise_security":
        return {}
    return {f"action.{name}": "1" if _on(values, name) else "0" for name in ("notable", "risk")}


def alerts(detections: Mapping[str, Detection]) -> list[str]:
    """The saved searches that raise the variations."""
    return [variation_search(d.id, variation.id) for d in detections.values() for variation in d.all_variations]


TERM_SETTINGS = {
    "training_days": "training",
    "trained_days": "trained_days",
    "established_days": "established_days",
    "established_age_days": "established_age",
    "activation_days": "activation",
}
"""setting -> the term that it sets"""


def terms(own: Terms, values: Mapping[str, str]) -> Terms:
    """A detection's own terms with those of the settings that say something."""
    said = {term: int(values[key]) for key, term in TERM_SETTINGS.items() if values.get(key)}
    if "activation" in said:
        said["trained_age"] = said["activation"]
    return dataclasses.replace(own, **said)


def tuned(detection: Detection, values: Mapping[str, str]) -> Detection:
    """The detection with the periods and thresholds of the settings."""
    found = terms(detection.terms, values)
    periods = dataclasses.replace(detection.periods, training=found.training, activation=found.activation)
    return dataclasses.replace(detection, terms=found, periods=periods)


def _on(values: Values, key: str) -> bool:
    return values[key].strip().lower() in TRUE_WORDS
