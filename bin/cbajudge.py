"""| cbajudge source=<source> window=<start>-<end>: judges a source's rows for every detection, learns them, records
findings, and moves the source's mark. learn=only: the back-fill."""

from __future__ import annotations

import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from cba.command.base import SummarisingCommand, connect, end_of_search  # noqa: E402
from cba.command.judges import judge_of  # noqa: E402
from cba.command.reading import NAMED_TIMES, read_rows, row_columns  # noqa: E402
from cba.command.sdk import Configuration, Option, dispatch  # noqa: E402
from cba.command.table import Table  # noqa: E402
from cba.detection.catalogue import load  # noqa: E402
from cba.errors import OptionError, RowError  # noqa: E402
from cba.findings.breaker import message  # noqa: E402
from cba.judging.judge import Mode  # noqa: E402
from cba.judging.window import Window  # noqa: E402
from cba.store.faults import FaultCollection  # noqa: E402
from cba.store.marks import MarkCollection  # noqa: E402
from cba.terms import SOURCES, time_text  # noqa: E402

TOLD = ("source", "finding_id", "detection", "raised")


@Configuration()
class CbaJudgeCommand(SummarisingCommand):
    """Answers one row for each finding that the run has touched. Writes nothing in a preview; the mark comes last."""

    source = Option(require=True, doc="aws, azure, gcp, kubernetes, m365, gws or endpoint")
    window = Option(default="", doc="<start>-<end> in epoch seconds of index time, as cbawindow gives it")
    now = Option(
        default="", doc="when the run began, in epoch seconds, as cbawindow gives it; else the end of the search"
    )
    learn = Option(default=Mode.BOTH.value, doc="true, or only for a back-fill")

    choices = {"source": SOURCES, "learn": (Mode.BOTH.value, Mode.LEARN.value)}

    _judge = None

    def needs(self):
        return (*NAMED_TIMES, "event_times", *row_columns(self._shape))

    def optional(self):
        return self.needs()  # what a row must have is said when it is read

    def adds(self):
        return TOLD

    def prepare(self):
        super().prepare()
        self._reads = self._read_window()

    @property
    def _shape(self):
        return load().sources[self.source]

    def _read_window(self):
        if not self.window:
            return None
        try:
            return Window.from_text(self.window)
        except ValueError:
            self._fail(OptionError(f"window={self.window} is not two quarters of an hour, as cbawindow gives them"))

    @property
    def began(self):
        """The window's search terms move the end of the search's own time range, so that does not tell."""
        if not self.now:
            return end_of_search(self)
        if not self.now.isascii() or not self.now.isdigit() or len(self.now) > 12:
            raise OptionError(f"now={self.now} is not a time in epoch seconds")
        return int(self.now)

    @property
    def judge(self):
        if self._judge is None:
            service, self._started = connect(self), time.monotonic()
            self._judge = judge_of(service, self.source, load(), self.began, Mode(self.learn))
        return self._judge

    def take(self, table: Table):
        if not self.previewing:
            self.judge.take(self._checked(read_rows(table, self._shape)))

    def _checked(self, rows):
        for row in rows:
            if self._reads is not None and not self._reads.start <= row.indexed < self._reads.end:
                raise RowError(
                    f"a row was indexed at {time_text(row.indexed)}, outside of window={self.window}; the search must "
                    "read what cbawindow says, and nothing else"
                )
            yield row

    def summary(self):
        if self.previewing:
            return
        judge = self.judge
        judge.flush()
        self._tell(judge)
        if Mode(self.learn) is Mode.BOTH:
            self._keep(judge)
        for each in judge.detections:
            for finding_id, raised in each.raised.items():
                yield (self.source, finding_id, each.detection.id, str(int(raised)))

    def _keep(self, judge):
        """What stopped detections; and last of all, that everything in the window has been judged."""
        report, now = judge.report, self.began
        FaultCollection(self.service).save(
            self.source, report.faults, [each.detection.id for each in judge.detections], now
        )
        if self._reads is not None:
            marks = MarkCollection(self.service)
            told = {
                "rows": report.rows,
                "events": report.events,
                "seconds": round(time.monotonic() - self._started, 3),
                "ahead": report.ahead,
                "behind": report.behind,
            }
            marks.save(self.source, self._reads.moved(marks.load(self.source), now), told)

    def _tell(self, judge):
        for detection_id, fault in judge.report.faults.items():
            self.write_warning(f"cbajudge: {detection_id} stopped, the others went on: {fault}")
        for detection_id, opened in judge.report.opened:
            self.write_warning(f"cbajudge: {message(detection_id, opened)}")
        for sentence in judge.sentences():
            self.write_warning(f"cbajudge: {sentence}")


dispatch(CbaJudgeCommand, sys.argv, sys.stdin, sys.stdout, __name__)
