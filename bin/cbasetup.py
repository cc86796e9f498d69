"""<sources and whether they have data> | cbasetup (start=true)?: turns on what is recommended.

Run by a person it shows how far each source has come; with start=true it turns the search CBA - Set up on, with that
person's own rights. Run by the scheduler, as that search, it does the work.
"""

from __future__ import annotations

import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from cba.command.base import SummarisingCommand, connect  # noqa: E402
from cba.command.scheduled import is_scheduled  # noqa: E402
from cba.command.sdk import Configuration, Option, dispatch  # noqa: E402
from cba.command.table import Table  # noqa: E402
from cba.detection.model import SETUP_SEARCH  # noqa: E402
from cba.enabling import carry_out, merged, plan, start  # noqa: E402
from cba.settings.effects import sources_off  # noqa: E402
from cba.store.configuration import settings  # noqa: E402
from cba.store.searches import SavedSearches, running  # noqa: E402
from cba.store.setup import SetupCollection  # noqa: E402

NONE = "none"
"""What Data says of a source without any."""


@Configuration()
class CbaSetupCommand(SummarisingCommand):
    """Answers a row for each source."""

    start = Option(default="false", doc="true: begin; false: only show")

    choices = {"start": ("true", "false")}

    def prepare(self):
        super().prepare()
        self._with_data = set()

    def needs(self):
        return ("Source", "Data")

    def adds(self):
        return ("source", "step", "progress", "next")

    def take(self, table: Table):
        pairs = zip(table.column("Source"), table.column("Data"))
        self._with_data.update(source for source, data in pairs if data and data != NONE)

    def summary(self):
        service = connect(self)
        searches, store = SavedSearches(service), SetupCollection(service)
        steps = plan(self._with_data, running(service), sources_off(settings(service, "sources")))
        if is_scheduled(self._sid):
            steps = carry_out(searches, steps, lambda step: store.save(step, int(time.time())))
        elif self.start == "true" and start(searches, steps):
            self.write_info("{}", f"{SETUP_SEARCH} begins within 5 minutes; the page Welcome shows how far it has come")
        else:
            steps = merged(steps, store.load())
        return [(step.source, step.step, step.progress, step.next) for step in steps]


dispatch(CbaSetupCommand, sys.argv, sys.stdin, sys.stdout, __name__)
