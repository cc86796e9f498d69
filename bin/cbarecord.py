"""| cbarecord detection=<id>: turns scored rows into findings, deduplicated, counted, and written once."""

from __future__ import annotations

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from cba.command.base import AnnotatingCommand, connect, end_of_search  # noqa: E402
from cba.command.rows import read_sightings, record_fields  # noqa: E402
from cba.command.sdk import Configuration, Option, dispatch  # noqa: E402
from cba.command.table import Table, columns_of  # noqa: E402
from cba.detection.catalogue import get  # noqa: E402
from cba.findings.breaker import Breaker, message  # noqa: E402
from cba.findings.record import Recorder  # noqa: E402
from cba.store.breakers import BreakerCollection  # noqa: E402
from cba.store.findings import FindingCollection  # noqa: E402

ADDED = ("finding_id", "finding_raised")


@Configuration(distributed=False)
class CbaRecordCommand(AnnotatingCommand):
    """Writes findings to the KV store. Rows without a variation pass unchanged."""

    detection = Option(require=True, doc="id of the detection")

    _recorder = None
    _breaker = None

    def needs(self):
        return record_fields(get(self.detection))

    def optional(self):
        return self.needs()  # most rows have nothing to record; one that has must be whole

    def adds(self):
        return ADDED

    @property
    def recorder(self):
        if self._recorder is None:
            self._recorder = Recorder(get(self.detection), FindingCollection(connect(self)), end_of_search(self))
        return self._recorder

    @property
    def breaker(self):
        if self._breaker is None:
            self._breaker = Breaker(get(self.detection).breaker, BreakerCollection(connect(self), self.detection))
        return self._breaker

    def _admitted(self, sightings):
        """Those that the breaker lets pass; says so once when it opens."""
        admitted = self.breaker.admit([sighting for _at, _entity, sighting in sightings])
        opening = self.breaker.opened_now
        if opening is not None:
            self.write_warning(f"cbarecord: {message(self.detection, self.breaker.threshold, opening)}")
        return [sighting for sighting, may_raise in zip(sightings, admitted) if may_raise]

    def annotate(self, table: Table):
        cells = [("", "")] * len(table.rows)
        if not self.previewing:
            sightings = self._admitted(read_sightings(table, get(self.detection)))
            outcomes = self.recorder.record([(entity, sighting) for _at, entity, sighting in sightings])
            for (at, _entity, _sighting), outcome in zip(sightings, outcomes):
                cells[at] = (outcome.finding_id, str(int(outcome.raised)))
        return columns_of(cells, len(ADDED))


dispatch(CbaRecordCommand, sys.argv, sys.stdin, sys.stdout, __name__)
