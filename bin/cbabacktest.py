"""| cbabacktest detection=<id> changed="<setting>=<value>, …": what other settings would raise, beside today's."""

from __future__ import annotations

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from cba.backtest.compare import (  # noqa: E402
    COMPARED,
    PRECEDENCE,
    STANZA,
    compare,
    judged_in_full_since,
    read_changes,
    with_changes,
)
from cba.backtest.trial import Setup, Stores, Trial, trial_fields  # noqa: E402
from cba.command.base import SummarisingCommand, connect, end_of_search  # noqa: E402
from cba.command.sdk import Configuration, Option, dispatch  # noqa: E402
from cba.command.table import Table  # noqa: E402
from cba.detection.catalogue import get  # noqa: E402
from cba.errors import OptionError  # noqa: E402
from cba.history.days import date_text, day_of, time_text  # noqa: E402
from cba.settings.effects import tuned  # noqa: E402
from cba.store.configuration import settings  # noqa: E402
from cba.store.findings import FindingCollection  # noqa: E402
from cba.store.histories import HistoryCollection  # noqa: E402
from cba.store.statuses import StatusCollection  # noqa: E402
from cba.store.verdicts import VerdictCollection  # noqa: E402


@Configuration()
class CbaBacktestCommand(SummarisingCommand):
    """Judges the rows of a detection twice, under the settings as they are and as they might be. Writes nothing."""

    detection = Option(require=True, doc="id of the detection")
    changed = Option(default="", doc="settings to try: training_days=20, established_days=3; now stands for as set")
    window = Option(default="86400", doc="TimeWindow of chains, in seconds")

    _trials = None
    _oldest = None

    def needs(self):
        return trial_fields(get(self.detection))

    def optional(self):
        return self.needs()  # what a row must have is said when it is judged

    def adds(self):
        return COMPARED

    @property
    def trials(self):
        """The one of today's settings, and the one of the changed."""
        if self._trials is None:
            if not self.window.isdigit():
                raise OptionError(f"window={self.window} is not a whole number of seconds")
            changes = read_changes(self.changed)
            service = connect(self)
            values = settings(service, STANZA)
            stores = Stores(
                HistoryCollection(service),
                StatusCollection(service, self.detection),
                VerdictCollection(service),
                FindingCollection(service),
            )
            sides = values, with_changes(values, changes)
            self._trials = tuple(
                Trial(
                    Setup(tuned(get(self.detection), side), side[PRECEDENCE], int(self.window)),
                    stores,
                    end_of_search(self),
                )
                for side in sides
            )
        return self._trials

    def take(self, table: Table):
        for trial in self.trials:
            trial.take(table)

    def summary(self):
        now, changed = self.trials
        for trial, words in ((now, "today's settings"), (changed, "the changed settings")):
            if trial.opening is not None:
                self.write_warning(
                    f"cbabacktest: under {words} the breaker opens at {time_text(trial.opening.time)}; what matched "
                    "after that is not listed"
                )
            since = judged_in_full_since(trial.training, day_of(end_of_search(self)))
            if trial.first_day is not None and trial.first_day < since:
                self.write_warning(
                    f"cbabacktest: histories go back 100 days, which {words} ask for in full only from "
                    f"{date_text(since)} on; before that, values may seem newer than they were"
                )
        return compare(get(self.detection), now.findings, changed.findings)


dispatch(CbaBacktestCommand, sys.argv, sys.stdin, sys.stdout, __name__)
