"""How the detections are doing: one row per detection and source, for `cbahealth`."""

from __future__ import annotations

import dataclasses
from typing import Iterable, Iterator, Mapping, Optional

from .detection.model import SCOPES, Detection, source_search, variation_search
from .findings.breaker import BreakerState, silenced_text
from .history.history import CROWD, MOST_CHARACTERS, MOST_VALUES, History, ScopeView, Subject, view
from .home.homes import INVENTORY, Tally
from .judging.evidence import SourceDays
from .judging.window import Mark, behind_seconds
from .newcomers import SHOWN, Newcomers
from .terms import date_text, day_of, time_text

OFF = "off"
FAULT = "fault"
BEHIND = "behind"
BREAKER_OPEN = "breaker open"
NO_DATA = "no data"
SILENT = "silent"
WAITING = "waiting"
LEARNING = "learning"
ACTIVE = "active"
STATES = (OFF, FAULT, BREAKER_OPEN, NO_DATA, BEHIND, SILENT, WAITING, LEARNING, ACTIVE)
"""The first that holds is what a source is said to be in."""

SILENT_AFTER_DAYS = 3
BEHIND_SECONDS = 3600
"""From how much unjudged index time on a source is said to be behind: several runs in a row have failed."""

Row = dict[str, object]


@dataclasses.dataclass
class Census:
    """A detection's histories: how many are trained per scope, what the widest scope is like per dimension, how much
    room all of them take, how many of their values were first seen on which of the last days, and which histories are
    `full` (the first of them, and how many). An entity counts once per dimension it is compared in."""

    trained: dict[str, int]
    untrained: dict[str, int]
    widest: dict[str, ScopeView]
    newcomers: Newcomers
    documents: int = 0
    values: int = 0
    bytes: int = 0
    full: int = 0
    first_full: Optional[Subject] = None


@dataclasses.dataclass(frozen=True)
class Switches:
    """What is switched on. `searches` says of a saved search why it does not run and what to do, "" where it does;
    those that the user may not read are missing, and taken to run. `sources_off` and `detections_off` are switched off
    in the settings."""

    searches: Mapping[str, str]
    sources_off: frozenset[str]
    detections_off: frozenset[str] = frozenset()

    def knows(self, source: str) -> bool:
        """Whether it can be said if the source's search runs."""
        return source_search(source, "Judge") in self.searches

    def off(self, detection: Detection, source: str) -> str:
        """Why the detection does nothing with the source and what to do; "" when nothing of it is switched off."""
        search = source_search(source, "Judge")
        why = [f"the search {search} {self.searches[search]}"] if self.searches.get(search) else []
        if detection.id in self.detections_off:
            why.append("the detection is switched off: change that on the page Configuration")
        if source in self.sources_off:
            why.append(f"source {source} is switched off: change that on the page Configuration")
        return "; ".join(why)

    def alerts_on(self, detection: Detection) -> Optional[int]:
        """How many of its variations are enabled as alerts; None when that cannot be said."""
        names = [variation_search(detection, variation) for variation in detection.all_variations]
        known = [self.searches[name] for name in names if name in self.searches]
        return known.count("") if known else None


@dataclasses.dataclass(frozen=True)
class IpData:
    """The IP database in use: the date of its data, its age in days, and the text its licences ask to show."""

    date: str
    age_days: int
    attribution: str


@dataclasses.dataclass(frozen=True)
class Judged:
    """How a source's search is doing for a detection: how far it has come, what stopped the detection in its last run,
    its breaker, and by how many seconds event times were ahead of the time at which they were indexed."""

    mark: Optional[Mark] = None
    fault: str = ""
    breaker: BreakerState = dataclasses.field(default_factory=BreakerState)
    ahead: int = 0


def asks_for_homes(detection: Detection) -> bool:
    """Whether the detection judges by the home regions of workloads."""
    return detection.population == "compute"


def compared(detection: Detection) -> tuple[str, ...]:
    """The dimensions in which the detection compares: those its widest scope observes."""
    return tuple(dict.fromkeys(p.dimension for p in detection.asked if p.scope == detection.scopes[-1]))


def activation_day(detection: Detection, statuses: Mapping[str, SourceDays], day: int) -> int:
    """From when the earliest of its sources is active; histories do not know which source fed them."""
    return min((status.first_day for status in statuses.values()), default=day) + detection.terms.activation


def take_census(
    detection: Detection, histories: Iterable[tuple[Subject, History, int]], day: int, active_from: int
) -> Census:
    """Counts (subject, history, bytes) of the detection's profiles as they stand at the start of `day`.

    Costs one look at every history and value, some 25 µs each beside reading it, and holds none of them.
    """
    dimensions = compared(detection)
    asked = {profile.scope for profile in detection.asked if profile.dimension in dimensions}
    scopes = [scope for scope in detection.scopes if scope in asked]
    census = Census(dict.fromkeys(scopes, 0), dict.fromkeys(scopes, 0), {}, Newcomers(day, active_from))
    place = {profile.name: (profile.scope, profile.dimension) for profile in detection.asked}
    for subject, history, size in histories:
        census.documents += 1
        census.bytes += size
        scope, dimension = place[subject.profile]
        # A thing beside the scopes, such as a resource, is what is new; who brought it is the value.
        beside = scope not in detection.scopes
        for value, days in history.values.items():
            if value != CROWD:
                census.values += 1
                census.newcomers.meet(days.first, value if beside else subject.entity)
        if history.is_full:
            census.full += 1
            census.first_full = census.first_full or subject
        if dimension not in dimensions or scope not in scopes:
            continue
        seen = view(history, day, active_from, detection.terms, {})
        if seen.since is None:
            continue
        counts = census.trained if seen.trained else census.untrained
        counts[scope] += 1
        if scope == detection.scopes[-1]:
            census.widest[dimension] = seen
    return census


def rows(
    detection: Detection,
    statuses: Mapping[str, SourceDays],
    census: Census,
    judged: Mapping[str, Judged],
    ip: IpData,
    switches: Switches,
    now: int,
    silent_after: int = SILENT_AFTER_DAYS,
    counted: bool = True,
    homes: Optional[Tally] = None,
) -> Iterator[Row]:
    """One row per source of the detection, as of `now` (epoch seconds). `judged` says per source how its search is
    doing. `counted` False: the census is of the widest scope only, so its numbers are left empty. `homes`: of a
    detection that asks for them."""
    day = day_of(now)
    learned_over = detection.terms.activation + detection.terms.training
    alerts_on = switches.alerts_on(detection)
    for source in detection.sources:
        status, run = statuses.get(source), judged.get(source, Judged())
        opening = run.breaker.open
        off = switches.off(detection, source)
        state, reason = (OFF, off) if off else _state(detection, source, status, census, run, now, silent_after)
        if state == ACTIVE:
            reason = "; ".join(_notices(census if counted else None, homes))
        first_day = status.first_day if status else None
        wait = max(0, first_day + detection.terms.activation - day) if first_day is not None else ""
        start = day if first_day is None else first_day
        yield {
            "detection": detection.id,
            "title": detection.title,
            "source": source,
            "state": state,
            "reason": reason,
            "first_day": date_text(first_day) or "",
            "last_day": date_text(status.last_day if status else None) or "",
            "days_silent": max(0, day - status.last_day) if status else "",
            "days_to_activation": wait,
            "active_from": date_text(start + detection.terms.activation),
            "training_full": date_text(start + detection.terms.training),
            "days_learned": status.days.days_seen(day - learned_over, day - 1) if status else "",
            "days_looked_at": learned_over,
            "alerts_on": "" if alerts_on is None else alerts_on,
            "alerts": len(detection.all_variations),
            **_counts(census if counted else None),
            "home_known": homes.known if homes is not None else "",
            "home_unknown": homes.unknown if homes is not None else "",
            "judged_until": time_text(run.mark.judged_until) if run.mark else "",
            "behind_minutes": behind_seconds(run.mark, now) // 60 if run.mark else "",
            "fault": run.fault,
            "clock_ahead_minutes": run.ahead // 60,
            "breaker": "open" if opening else "closed",
            "breaker_opened": time_text(opening.time) if opening else "",
            "breaker_threshold": detection.breaker,
            "matches_24h": run.breaker.count(now),
            "history_documents": census.documents if counted else "",
            "history_values": census.values if counted else "",
            "history_bytes": census.bytes if counted else "",
            "values_first_seen": _growth(census.newcomers) if counted else "",
            "ip_database_date": ip.date,
            "ip_database_age_days": ip.age_days,
            "ip_attribution": ip.attribution,
        }


def _growth(newcomers: Newcomers) -> str:
    """`2026-01-20=3 2026-01-21=0 …`: values first seen, for each of the last days, oldest first."""
    return " ".join(f"{date_text(day)}={newcomers.first_seen[day]}" for day in newcomers.days())


def _notices(census: Optional[Census], homes: Optional[Tally]) -> Iterator[str]:
    """What whoever looks after the app should know of a detection that is active."""
    if homes is not None and homes.unknown:
        yield _homeless(homes)
    if census is None:
        return
    flood = census.newcomers.flood()
    if flood is not None:
        yield flood.sentence()
    if census.first_full is not None:
        more = f" (and of {census.full - 1} more)" if census.full > 1 else ""
        yield (
            f"the history of {census.first_full.entity[:SHOWN]}{more} is full: beyond {MOST_VALUES:,} values, or "
            f"{MOST_CHARACTERS:,} characters of them, those that were seen on the fewest days are let go and would be "
            "new again. Nothing real has so many; look at who makes them"
        )


def _homeless(homes: Tally) -> str:
    return (
        f"home region unknown for {homes.unknown} of {homes.known + homes.unknown} workloads, which are never judged; "
        f"add them to the {INVENTORY}"
    )


def _counts(census: Optional[Census]) -> Row:
    found: Row = {}
    for scope in SCOPES:
        found[f"{scope}_trained"] = census.trained.get(scope, "") if census else ""
        found[f"{scope}_untrained"] = census.untrained.get(scope, "") if census else ""
    return found


def _state(
    detection: Detection,
    source: str,
    status: Optional[SourceDays],
    census: Census,
    run: Judged,
    now: int,
    silent_after: int,
) -> tuple[str, str]:
    """The state of a source and, unless it is active, why nothing is raised and what would change that."""
    day, opening = day_of(now), run.breaker.open
    if run.fault:
        return FAULT, f"stopped by a fault in the last run, the other detections went on: {run.fault}"
    if opening is not None:
        return BREAKER_OPEN, (
            f"{detection.breaker} matches within the 24 hours to {time_text(opening.time)}; raises nothing of severity "
            f"{silenced_text(opening)} until | cbaacknowledge detection={detection.id}"
        )
    if status is None or status.first_day > day:
        return NO_DATA, f"no event has been learned; are there events of it? Run the search CBA - {source} - Backfill"
    if run.mark is not None and behind_seconds(run.mark, now) >= BEHIND_SECONDS:
        return BEHIND, (
            f"judged up to {time_text(run.mark.judged_until)} of index time; the runs since then have failed or been "
            "skipped (index=_internal sourcetype=scheduler says why). Nothing is lost: the next run goes on from there"
        )
    if day - status.last_day >= silent_after:
        return SILENT, f"no event since {date_text(status.last_day)}, for {day - status.last_day} days"
    active_from = status.first_day + detection.terms.activation
    if day < active_from:
        return (
            WAITING,
            f"source inactive: first event {date_text(status.first_day)}, active from {date_text(active_from)}",
        )
    untrained = _silencing(detection, census)
    return (LEARNING, "; ".join(untrained)) if untrained else (ACTIVE, "")


def _silencing(detection: Detection, census: Census) -> list[str]:
    """Why the detection has nothing to compare with, if so (as `Evidence.answerable` has it): for one of its
    dimensions, or for all of them where each may be absent."""
    if detection.untrained_is_new:
        return []
    said = {name: list(_untrained(detection, name, census.widest.get(name))) for name in compared(detection)}
    needed = [name for name in said if name not in detection.optional]
    if not needed and not all(said.values()):
        return []
    return [text for name in needed or said for text in said[name]]


def _untrained(detection: Detection, dimension: str, widest: Optional[ScopeView]) -> Iterator[str]:
    """Why the widest scope has nothing to compare with in a dimension, if so."""
    scope, terms = detection.scopes[-1], detection.terms
    if widest is None or widest.since is None:
        yield f"{scope} untrained: no {dimension} has been seen"
    elif not widest.trained:
        yield (
            f"{scope} untrained: {dimension} seen on {widest.active_days} days since {date_text(widest.since)}; needs "
            f"{terms.trained_days} days, the first {terms.trained_age} days ago, and an established value"
        )
