"""| cbabacktest detection=<id> changed="<setting>=<value>, …": what other settings would raise, beside today's."""

from __future__ import annotations

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from cba.backtest.compare import (  # noqa: E402
    COMPARED,
    STANZA,
    compare,
    judged_in_full_since,
    read_changes,
    with_changes,
)
from cba.backtest.trial import Trial  # noqa: E402
from cba.command.base import SummarisingCommand, connect, end_of_search  # noqa: E402
from cba.command.judges import stores_of, tuned_catalogue  # noqa: E402
from cba.command.reading import NAMED_TIMES, all_columns, rows_of_sources  # noqa: E402
from cba.command.sdk import Configuration, Option, dispatch  # noqa: E402
from cba.command.table import Table  # noqa: E402
from cba.detection.catalogue import get, load  # noqa: E402
from cba.judging.rows import SOURCE_FIELD  # noqa: E402
from cba.settings.effects import judge_settings  # noqa: E402
from cba.store.configuration import settings  # noqa: E402
from cba.terms import date_text, day_of, time_text  # noqa: E402


@Configuration()
class CbaBacktestCommand(SummarisingCommand):
    """Judges the rows of a detection twice, under the settings as they are and as they might be. Writes nothing."""

    detection = Option(require=True, doc="id of the detection")
    changed = Option(default="", doc="settings to try: training_days=20, established_days=3; now stands for as set")
    _trials = None
    _oldest = None

    def needs(self):
        return (*NAMED_TIMES, "event_times", SOURCE_FIELD, *all_columns(load(), get(self.detection).sources))

    def optional(self):
        return self.needs()  # what a row must have is said when it is judged

    def adds(self):
        return COMPARED

    @property
    def trials(self):
        """The one of today's settings, and the one of the changed."""
        if self._trials is None:
            changes = read_changes(self.changed)
            service = connect(self)
            values, enrichment = settings(service, STANZA), settings(service, "enrichment")
            self._trials = tuple(
                self._trial(service, side, enrichment) for side in (values, with_changes(values, changes))
            )
        return self._trials

    def _trial(self, service, values, enrichment):
        catalogue = tuned_catalogue(load(), values)
        return Trial(
            catalogue.detections[get(self.detection).id],
            catalogue,
            judge_settings({STANZA: values, "enrichment": enrichment}),
            lambda source: stores_of(service, source, ""),
            end_of_search(self),
        )

    def take(self, table: Table):
        of_sources = rows_of_sources(table, load(), get(self.detection).sources)
        rows = [(source, row) for source, found in of_sources.items() for _at, row in found]
        for trial in self.trials:
            trial.take(rows)

    def summary(self):
        now, changed = self.trials
        for trial, words in ((now, "today's settings"), (changed, "the changed settings")):
            if trial.fault:
                self.write_warning(f"cbabacktest: under {words} the detection stopped: {trial.fault}")
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
