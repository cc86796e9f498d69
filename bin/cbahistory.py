"""| cbahistory entity=<name>: what is known about an entity: values, days, and whether each counts as normal; with
finding=<id>, about the entity of a finding at that time; with peers=<id>, how common it is among others."""

from __future__ import annotations

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from cba.command.base import AnsweringCommand, connect, end_of_search  # noqa: E402
from cba.command.judges import configured  # noqa: E402
from cba.command.sdk import Configuration, Option, dispatch  # noqa: E402
from cba.detection.catalogue import load  # noqa: E402
from cba.errors import CbaError  # noqa: E402
from cba.judging.listing import list_histories, of_finding, readings_of  # noqa: E402
from cba.judging.peers import list_peers  # noqa: E402
from cba.store.findings import FindingCollection  # noqa: E402
from cba.store.histories import HistoryCollection  # noqa: E402
from cba.store.sources import SourceCollection  # noqa: E402
from cba.store.verdicts import VerdictCollection  # noqa: E402
from cba.terms import day_of  # noqa: E402

SHOWN = 60
"""Characters of an id that is none."""
MOST_SEVERE = "*"
DAYS_AFTER = 4
"""From the finding's day on: what became of it."""


@Configuration(type="reporting")
class CbaHistoryCommand(AnsweringCommand):
    """Lists histories, one row per value, as they stand at the end of the search's time range, or when a finding was
    raised."""

    entity = Option(doc="an identity, project, … as it stands in findings, or organization")
    profile = Option(doc="a profile such as identity_country")
    finding = Option(doc="id of a finding, or * for the most severe: its entity, as it was known on the finding's day")
    peers = Option(doc="id of a finding, or *: how many others were seen with what it is about")
    everybody = Option(default="false", doc="true: with peers, look at all the others, however many")
    choices = {"everybody": ("true", "false")}

    def answer(self):
        if not self.entity and not self.profile and not self.finding and not self.peers:
            raise CbaError("give entity=<name>, profile=<name> or both, finding=<id>, or peers=<id>")
        if self.entity and self.finding:
            raise CbaError("a finding names its entity; give entity=<name> or finding=<id>")
        if self.peers and (self.entity or self.profile or self.finding):
            raise CbaError("peers=<id> stands alone: the finding says of whom and of what")
        service = connect(self)
        if self.peers:
            yield from self._count_peers(service)
            return
        if not self.finding:
            histories = self._histories(service, self.entity)
            verdicts = VerdictCollection(service).load(histories)
            day = day_of(end_of_search(self))
            yield from list_histories(histories, self._readings(service, day), verdicts, day)
            return
        finding = self._asked_for(FindingCollection(service), self.finding)
        if finding is not None:
            day = day_of(int(float(finding["first_time"])))
            histories = self._histories(service, finding["entity"])
            # What analysts have said was mostly said after it.
            rows = list_histories(histories, self._readings(service, day), {}, day, DAYS_AFTER)
            yield from of_finding(rows, finding, load().detections.get(finding["detection"]))

    def _count_peers(self, service):
        finding = self._asked_for(FindingCollection(service), self.peers)
        detection = None if finding is None else load().detections.get(finding["detection"])
        if detection is not None:
            yield from list_peers(finding, detection, HistoryCollection(service), self.everybody == "true")

    def _histories(self, service, entity):
        histories = HistoryCollection(service)
        found = histories.of_entity(entity) if entity else histories.of_profile(self.profile)
        return {s: h for s, h in found.items() if not self.profile or s.profile == self.profile}

    def _readings(self, service, day):
        """How the profiles are read, under the settings."""
        catalogue, _settings = configured(service, load())
        first_days = {source: days.first_day for source, days in SourceCollection(service).all().items()}
        return readings_of(catalogue.detections.values(), first_days, day)

    def _asked_for(self, findings, finding_id):
        """The finding; None where there is none. That is no error: of no finding nothing is known, and the page of a
        finding says so in one place."""
        if finding_id == MOST_SEVERE:
            return findings.most_severe()
        found = findings.by_ids([finding_id])
        if not found:
            shown = finding_id[:SHOWN]
            self.write_warning(f"cbahistory: there is no finding {shown}; finding_id in cba_findings has the ids")
        return found.get(finding_id)


dispatch(CbaHistoryCommand, sys.argv, sys.stdin, sys.stdout, __name__)
