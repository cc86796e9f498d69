"""| cbawindow source=<source>: which events a run of the source's search is to read: those indexed since the mark."""

from __future__ import annotations

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from cba.command.base import AnsweringCommand, connect, end_of_search  # noqa: E402
from cba.command.sdk import Configuration, Option, dispatch  # noqa: E402
from cba.judging.window import planned  # noqa: E402
from cba.store.marks import MarkCollection  # noqa: E402
from cba.terms import SOURCES, time_text  # noqa: E402


@Configuration(type="reporting")
class CbaWindowCommand(AnsweringCommand):
    """One row: `search`, the window as search terms, for a subsearch; `options`, those of cbajudge; and both ends in
    words."""

    source = Option(require=True, doc="aws, azure, gcp, kubernetes, m365, gws or endpoint")

    choices = {"source": SOURCES}

    def answer(self):
        marks = MarkCollection(connect(self))
        known = marks.plan(self.source)
        plan = planned(known, marks.load(self.source), end_of_search(self))
        if plan != known and not self.previewing:
            marks.save_plan(self.source, plan)
        window = plan.window
        yield {
            "search": window.terms,
            "options": f"window={window.text} now={plan.made}",
            "source": self.source,
            "start": time_text(window.start),
            "end": time_text(window.end),
        }


dispatch(CbaWindowCommand, sys.argv, sys.stdin, sys.stdout, __name__)
