"""What the settings do: the macros and alert actions that follow from them. Pure; `store.configuration` writes them.

The searches read macros, so that what is set takes effect with their next run, and a person who opens a search sees it.
Periods and thresholds are read by the commands themselves (`judge_settings`, `tuned`).
"""

from __future__ import annotations

import dataclasses
from typing import Mapping

from ..detection.model import BREAKER_SEARCH, Detection, variation_search
from ..history.history import Terms
from ..judging.stores import JudgeSettings
from ..quoting import spl_text
from ..terms import SOURCES
from .declared import egress_entries
from .kinds import TRUE_WORDS, Values

_ENABLED = "_enabled"


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
            "cba_runtime_granularity": spl_text(values["runtime_granularity"]),
            "cba_function_changes": f"in(action, {changes})",
        }
    if stanza == "enrichment":
        return {"cba_ip_database": spl_text(slashes(values["ip_database"]))}
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
    """The saved searches that raise the variations, and the one of the circuit breakers."""
    named = [variation_search(d.id, variation.id) for d in detections.values() for variation in d.all_variations]
    return [*named, BREAKER_SEARCH]


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


def detections_off(values: Values) -> frozenset[str]:
    """The detections that the stanza `detections` switches off, each by its setting `<detection>_enabled`."""
    switches = (key for key in values if key.endswith(_ENABLED))
    return frozenset(key[: -len(_ENABLED)] for key in switches if not _on(values, key))


def judge_settings(values: Mapping[str, Values]) -> JudgeSettings:
    """What a judge goes by, of the stanzas `detections` and `enrichment`; `values` has them by name."""
    detections, enrichment = values["detections"], values["enrichment"]
    return JudgeSettings(
        precedence=detections["variation_precedence"],
        failed_calls_escalate=_on(detections, "failed_calls_escalate"),
        time_window=int(detections["time_window_hours"]) * 3600,
        off=detections_off(detections),
        egress=tuple(egress_entries(enrichment["egress_ranges"])),
    )


def _on(values: Values, key: str) -> bool:
    return values[key].strip().lower() in TRUE_WORDS
