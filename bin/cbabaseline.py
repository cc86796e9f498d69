"""| cbabaseline detection=<id> learn=true|false|only: the evidence of the histories for every row; learns the rows."""

from __future__ import annotations

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from cba.command.base import AnnotatingCommand, connect  # noqa: E402
from cba.command.rows import EvidenceCells, read_rows, row_fields  # noqa: E402
from cba.command.sdk import Configuration, Option, dispatch  # noqa: E402
from cba.command.table import Table, columns_of  # noqa: E402
from cba.detection.catalogue import get  # noqa: E402
from cba.history.baseline import Baseline  # noqa: E402
from cba.store.configuration import configured  # noqa: E402
from cba.store.histories import HistoryCollection  # noqa: E402
from cba.store.statuses import StatusCollection  # noqa: E402
from cba.store.verdicts import VerdictCollection  # noqa: E402

ONLY = "only"


@Configuration(distributed=False)
class CbaBaselineCommand(AnnotatingCommand):
    """Looks rows up in the KV store's histories. Stateful: it runs on the search head, rows in day order."""

    detection = Option(require=True, doc="id of the detection")
    learn = Option(default="false", doc="true, false or only")

    choices = {"learn": ("true", "false", ONLY)}

    _baseline = None
    _cells = None

    def needs(self):
        return row_fields(get(self.detection))

    def optional(self):
        return ("skip_reason",)

    def adds(self):
        return self.cells.names

    @property
    def cells(self):
        if self._cells is None:
            self._cells = EvidenceCells(get(self.detection))
        return self._cells

    @property
    def baseline(self):
        if self._baseline is None:
            service = connect(self)
            (detection,) = configured(service, [get(self.detection)])
            self._baseline = Baseline(
                detection,
                HistoryCollection(service),
                StatusCollection(service, self.detection),
                VerdictCollection(service),
                learn=self.learn != "false" and not self.previewing,
                judge=self.learn != ONLY,
            )
        return self._baseline

    def annotate(self, table: Table):
        rows = read_rows(table, get(self.detection))
        return columns_of(self.baseline.tell(rows, self.cells.of), len(self.cells.names))


dispatch(CbaBaselineCommand, sys.argv, sys.stdin, sys.stdout, __name__)
