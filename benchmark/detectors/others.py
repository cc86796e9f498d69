"""Other detectors, each from its public description, over the same rows."""

from __future__ import annotations

import math
from collections import Counter, defaultdict, deque
from typing import Deque, Mapping

from cba.judging.rows import Row, is_judged

from ..logs import SOURCES
from ..rows import Rows
from .alert import Alert
from .terms import Seen, stream

DAY = 86_400
HOUR = 3600
MINUTE = 60


class NewTerms:
    """A term is new that was not seen in the ten days before the run (Elastic's rule type "new terms", up to three
    fields; of its prebuilt rules most have windows of five to fourteen days). Nothing waits for a history."""

    name = "new terms, 10 days"
    cited = "https://www.elastic.co/docs/solutions/security/detect-and-alert/new-terms"
    days = 10

    def alerts(self, rows: Rows) -> list[Alert]:
        last: dict[tuple[str, str, str], int] = {}
        found = []
        for seen in stream(rows):
            key = (seen.about, seen.scope, seen.value)
            second = seen.row.seconds[0]
            before = last.get(key)
            if before is None or before < second - self.days * DAY:
                found.append(_alert(seen, 1.0))
            last[key] = max(second, before or 0)
        return found


class Poisson:
    """How likely is a new entity for this scope on this day: a Poisson rate of new entities a day, where those of
    recent days weigh more (Microsoft's `detect_anomalous_new_entity_fl` with its defaults). It looks once a day."""

    name = "Poisson, new entities"
    cited = "https://learn.microsoft.com/kusto/functions-library/detect-anomalous-new-entity-fl"
    training, fewest_days, most_entities, decay, threshold = 30, 14, 60, 0.95, 0.9

    def alerts(self, rows: Rows) -> list[Alert]:
        first: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
        since: dict[tuple[str, str], int] = {}
        last: dict[tuple[str, str, str], int] = {}
        found = []
        for seen in stream(rows):
            scope, day = (seen.about, seen.scope), seen.row.day
            since.setdefault(scope, day)
            known = first[scope]
            key = (*scope, seen.value)
            fresh = seen.value not in known or last[key] < day - self.training
            if fresh:
                score = self._score([at for at in known.values() if at > day - self.training], since[scope], day)
                if score >= self.threshold and len(known) <= self.most_entities:
                    told = float((seen.row.indexed // DAY + 1) * DAY)
                    found.append(_alert(seen, score, told))
                known[seen.value] = day
            last[key] = max(day, last.get(key, 0))
        return found

    def _score(self, arrivals: list[int], since: int, day: int) -> float:
        length = min(self.training, day - since)
        if length < self.fewest_days:
            return 0.0
        # The entities of the scope's first day are those that it always had.
        added = sum(self.decay ** (day - at) for at in arrivals if at > since)
        return math.exp(-added / length)


class Rarity:
    """How rare a value is for its owner: the negative logarithm of its share of what the owner did in thirty days. An
    alert is what happens in less than one of a hundred cases, once a value and day, of owners with twenty and more."""

    name = "plain rarity"
    cited = (
        "a textbook's; as `rare` in Splunk, https://docs.splunk.com/Documentation/Splunk/latest/SearchReference/Rare"
    )
    training, share, fewest = 30, 0.01, 20

    def alerts(self, rows: Rows) -> list[Alert]:
        counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        past: Deque[tuple[int, tuple[str, str], str, int]] = deque()
        told: set[tuple[str, str, str, int]] = set()
        found = []
        for seen in stream(rows):
            day, scope = seen.row.day, (seen.about, seen.scope)
            while past and past[0][0] < day - self.training:
                _day, old, value, number = past.popleft()
                counts[old][value] -= number
            mine = counts[scope]
            total = sum(mine.values())
            share = (mine[seen.value] + 0.5) / (total + 1.0)
            key = (*scope, seen.value, day)
            if total >= self.fewest and share < self.share and key not in told:
                told.add(key)
                score = -math.log2(share)
                found.append(_alert(seen, score))
            mine[seen.value] += seen.row.events
            past.append((day, scope, seen.value, seen.row.events))
        return found


class PreviouslySeen:
    """The searches for what was not previously seen of Splunk's security content (ESCU), as they are written: hourly,
    over the events of 70 to 10 minutes before; the lookup that they ask is updated by the same events, in the same
    hour; what was first seen less than a day ago counts as new, so it is raised again by every hour that has it; and
    where nothing of an hour is known yet, nothing is raised at all, because the flag that the lookup is old enough
    comes with the known values."""

    name = "previously seen (ESCU)"
    cited = "https://github.com/splunk/security_content (detections/cloud, baselines)"
    enough_days, forgotten_days, recent = 7, 90, 24 * HOUR

    def alerts(self, rows: Rows) -> list[Alert]:
        hours: dict[int, list[tuple[str, Row]]] = defaultdict(list)
        for source in SOURCES:
            for row in rows.of.get(source, ()):
                if is_judged(row.cells):
                    hours[self._run_of(row.seconds[0])].append((source, row))
        seen: dict[str, dict[str, tuple[int, int]]] = defaultdict(dict)
        found: list[Alert] = []
        for run in sorted(hours):
            # What had not been delivered when the only run that looks at it ran is never looked at.
            mine = [(source, row) for source, row in hours[run] if row.indexed < run]
            for name, terms in self._terms(mine).items():
                found += self._search(name, terms, seen[name], run)
        return found

    @staticmethod
    def _run_of(second: int) -> int:
        """The full hour whose window (-70m@m to -10m@m) has the second."""
        return (second + 10 * MINUTE) // HOUR * HOUR + HOUR

    def _search(
        self, name: str, terms: list[tuple[str, str, Row]], known: dict[str, tuple[int, int]], run: int
    ) -> list[Alert]:
        oldest = min((first for first, _last in known.values()), default=run)
        enough = oldest <= run - self.enough_days * DAY
        kept = {key: when for key, when in known.items() if when[1] > run - self.forgotten_days * DAY}
        # eventstats max(enough_data): of the rows whose value the lookup has.
        flagged = enough and any(key in kept for key, _source, _row in terms)
        found = []
        if flagged:
            for key, source, row in terms:
                if key not in kept or kept[key][0] > run - self.recent:
                    who = (row.cells.get("identity", ""),)
                    found.append(Alert(name, source, who, row.seconds, 1.0, told=float(run + MINUTE)))
        for key, _source, row in terms:
            first, last = known.get(key, (row.seconds[0], row.seconds[-1]))
            known[key] = (min(first, row.seconds[0]), max(last, row.seconds[-1]))
        return found

    @staticmethod
    def _terms(rows: list[tuple[str, Row]]) -> Mapping[str, list[tuple[str, str, Row]]]:
        found: dict[str, list[tuple[str, str, Row]]] = defaultdict(list)
        for source, row in rows:
            cells, done = row.cells, _operations(row)
            if source in ("aws", "azure", "gcp"):
                if any(_provisions(name) for name in done):
                    if cells.get("country") and cells.get("ip_scope") == "public":
                        found["provisioning from a new country"].append((cells["country"], source, row))
                    if cells.get("src_ip"):
                        found["provisioning from a new address"].append((cells["src_ip"], source, row))
                if cells.get("compute_action") == "instance_created":
                    found["instance in a new region"].append((cells.get("compute_region", ""), source, row))
                    found["instance by a new user"].append((cells.get("identity", ""), source, row))
            if source == "aws":
                if cells.get("identity_type") in ("role", "compute", "lambda"):
                    for name in done:
                        found["API call new to a role"].append((f"{cells.get('identity')} {name}", source, row))
                if "login" in cells:
                    found["console sign-in of a new user"].append((cells.get("identity", ""), source, row))
                    place = f"{cells.get('identity')} {cells.get('country')}"
                    found["console sign-in from a new country"].append((place, source, row))
        return found


def _alert(seen: Seen, score: float, told: float = 0.0) -> Alert:
    place = seen.row.cells.get("country", "")
    return Alert(seen.about, seen.source, seen.who, seen.row.seconds, score, told=told, place=place)


def _operations(row: Row) -> list[str]:
    """What was done and succeeded."""
    return [name for name in row.listed.get("operations", "").split(" | ") if name and not name.endswith("(failed)")]


def _provisions(operation: str) -> bool:
    """Whether an operation runs or creates something (action started or created in the data model Change)."""
    name = operation.rsplit(".", 1)[-1].lower()
    return name.startswith(("run", "create", "start", "insert")) or operation.lower().endswith(
        ("/write", "/start/action")
    )


OTHERS = (NewTerms(), Poisson(), Rarity(), PreviouslySeen())
