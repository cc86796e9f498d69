"""| cbarecord detection=<id>: turns scored rows into findings, deduplicated, counted, and written once."""

from __future__ import annotations

import math
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from splunklib.searchcommands import Configuration, Option, dispatch  # noqa: E402

from cba.command.base import AnnotatingCommand, connect  # noqa: E402
from cba.command.rows import optional_fields, read_sightings, record_fields  # noqa: E402
from cba.command.table import Table, columns_of  # noqa: E402
from cba.detection.catalogue import get  # noqa: E402
from cba.findings.record import Recorder  # noqa: E402
from cba.store.findings import FindingCollection  # noqa: E402

ADDED = ("finding_id", "finding_raised")


@Configuration(distributed=False)
class CbaRecordCommand(AnnotatingCommand):
    """Writes findings to the KV store. Rows without a variation pass unchanged."""

    detection = Option(require=True, doc="id of the detection")

    _recorder = None

    def needs(self):
        return record_fields(get(self.detection))

    def optional(self):
        return optional_fields(get(self.detection))

    def adds(self):
        return ADDED

    @property
    def recorder(self):
        if self._recorder is None:
            self._recorder = Recorder(get(self.detection), FindingCollection(connect(self)), self._now())
        return self._recorder

    def _now(self):
        """The search's own latest time, so that a re-run stamps as the scheduled run would; else the clock."""
        latest = self.metadata.searchinfo.latest_time
        return int(latest) if latest and math.isfinite(latest) else int(time.time())

    def annotate(self, table: Table):
        cells = [("", "")] * len(table.rows)
        if not self.previewing:
            sightings = read_sightings(table, get(self.detection))
            outcomes = self.recorder.record([(entity, sighting) for _at, entity, sighting in sightings])
            for (at, _entity, _sighting), outcome in zip(sightings, outcomes):
                cells[at] = (outcome.finding_id, str(int(outcome.raised)))
        return columns_of(cells, len(ADDED))


dispatch(CbaRecordCommand, sys.argv, sys.stdin, sys.stdout, __name__)
