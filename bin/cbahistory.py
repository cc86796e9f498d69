"""| cbahistory entity=<name>: what is known about an entity: values, days, and whether each counts as normal."""

from __future__ import annotations

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from splunklib.searchcommands import Configuration, GeneratingCommand, Option, dispatch  # noqa: E402

from cba.command.base import PlainMessages, connect, end_of_search  # noqa: E402
from cba.detection.catalogue import load  # noqa: E402
from cba.errors import CbaError  # noqa: E402
from cba.history.days import day_of  # noqa: E402
from cba.history.listing import list_histories  # noqa: E402
from cba.store.configuration import configured  # noqa: E402
from cba.store.histories import HistoryCollection  # noqa: E402
from cba.store.statuses import StatusCollection  # noqa: E402
from cba.store.verdicts import VerdictCollection  # noqa: E402


@Configuration(type="reporting")
class CbaHistoryCommand(PlainMessages, GeneratingCommand):
    """Lists histories, one row per value, as they stand at the end of the search's time range."""

    entity = Option(doc="an identity, project, … as it stands in findings, or organization")
    profile = Option(doc="a profile such as identity_country")

    def generate(self):
        try:
            yield from self._rows()
        except CbaError as error:
            self.write_error(f"cbahistory: {error}")

    def _rows(self):
        if not self.entity and not self.profile:
            raise CbaError("give entity=<name>, profile=<name> or both")
        service = connect(self)
        histories = HistoryCollection(service)
        found = histories.of_entity(self.entity) if self.entity else histories.of_profile(self.profile)
        wanted = {s: h for s, h in found.items() if not self.profile or s.profile == self.profile}
        detections = {detection.id: detection for detection in configured(service, load().values())}
        statuses = {name: StatusCollection(service, name).load() for name in detections}
        verdicts = VerdictCollection(service).load(wanted)
        yield from list_histories(wanted, detections, statuses, verdicts, day_of(end_of_search(self)))


dispatch(CbaHistoryCommand, sys.argv, sys.stdin, sys.stdout, __name__)
