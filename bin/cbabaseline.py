"""| cbabaseline detection=<id>: the evidence of the histories for every row of "CBA - <source> - Rows". Reads only."""

from __future__ import annotations

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from cba.command.base import AnnotatingCommand, connect  # noqa: E402
from cba.command.evidence_cells import EvidenceCells  # noqa: E402
from cba.command.judges import configured, stores_of  # noqa: E402
from cba.command.reading import NAMED_TIMES, all_columns, rows_of_sources  # noqa: E402
from cba.command.sdk import Configuration, Option, dispatch  # noqa: E402
from cba.command.table import Table, columns_of  # noqa: E402
from cba.detection.catalogue import get, load  # noqa: E402
from cba.judging.looking import Looker  # noqa: E402
from cba.judging.rows import SOURCE_FIELD  # noqa: E402


@Configuration(distributed=False)
class CbaBaselineCommand(AnnotatingCommand):
    """Looks rows up in the KV store's histories. Stateful: it runs on the search head."""

    detection = Option(require=True, doc="id of the detection")

    _looker = None
    _cells = None

    def needs(self):
        return (*NAMED_TIMES, "event_times", SOURCE_FIELD, *all_columns(load(), get(self.detection).sources))

    def optional(self):
        return self.needs()

    def adds(self):
        return self.cells.names

    @property
    def cells(self):
        if self._cells is None:
            self._cells = EvidenceCells(get(self.detection), self.needs())
        return self._cells

    @property
    def looker(self):
        if self._looker is None:
            service = connect(self)
            catalogue, chosen = configured(service, load())
            detection = catalogue.detections[get(self.detection).id]
            self._looker = Looker(detection, catalogue, chosen, lambda source: stores_of(service, source, ""))
        return self._looker

    def annotate(self, table: Table):
        nothing = ("",) * len(self.cells.names)
        cells = [nothing] * len(table.rows)
        for source, rows in rows_of_sources(table, load(), get(self.detection).sources).items():
            seen = self.looker.look(source, [row for _at, row in rows])
            for (at, _row), each in zip(rows, seen):
                cells[at] = self.cells.of(each)
        return columns_of(cells, len(self.cells.names))


dispatch(CbaBaselineCommand, sys.argv, sys.stdin, sys.stdout, __name__)
