"""| cbacorrelate detection=<id> window=<seconds>: joins signals to chains; adds a row for every moment of a chain."""

from __future__ import annotations

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from cba.command.base import AppendingCommand, connect  # noqa: E402
from cba.command.chains import CHAIN_FIELDS, moment_rows, read_signals, signal_fields  # noqa: E402
from cba.command.sdk import Configuration, Option, dispatch  # noqa: E402
from cba.command.table import Table, columns_of  # noqa: E402
from cba.correlate.correlator import Correlator  # noqa: E402
from cba.detection.catalogue import get  # noqa: E402
from cba.errors import OptionError  # noqa: E402
from cba.store.signals import SignalCollection  # noqa: E402


@Configuration()
class CbaCorrelateCommand(AppendingCommand):
    """Keeps signals in the KV store. Rows pass unchanged; the moments of the chains they belong to come after them."""

    detection = Option(require=True, doc="id of the detection")
    window = Option(default="86400", doc="TimeWindow: how far from the opening signal others may lie, in seconds")

    _correlator = None

    def needs(self):
        return signal_fields(get(self.detection))

    def optional(self):
        return self.needs()  # most rows are no signal; one that is must be whole

    def adds(self):
        return CHAIN_FIELDS

    @property
    def correlator(self):
        if self._correlator is None:
            detection = get(self.detection)
            if not detection.signals:
                raise OptionError(f"detection={self.detection} has no signals to correlate")
            if not self.window.isdigit():
                raise OptionError(f"window={self.window} is not a whole number of seconds")
            store = SignalCollection(connect(self), detection)
            self._correlator = Correlator(detection, store, int(self.window))
        return self._correlator

    def annotate(self, table: Table):
        return columns_of(([""] * len(CHAIN_FIELDS) for _row in table.rows), len(CHAIN_FIELDS))

    def appended(self, table: Table):
        detection = get(self.detection)
        moments = self.correlator.correlate(read_signals(table, detection), save=not self.previewing)
        return list(moment_rows(moments, (*table.names, *CHAIN_FIELDS)))


dispatch(CbaCorrelateCommand, sys.argv, sys.stdin, sys.stdout, __name__)
