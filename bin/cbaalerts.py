"""| cbaalerts detection=<id> variation=<v>: findings of a variation that its alert has not raised yet, each once.
| cbaalerts variation=breaker: of all detections, that a circuit breaker has opened."""

from __future__ import annotations

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from cba.command.base import AppCommand, connect, end_of_search  # noqa: E402
from cba.command.log import log  # noqa: E402
from cba.command.scheduled import is_scheduled  # noqa: E402
from cba.command.sdk import Configuration, GeneratingCommand, Option, dispatch  # noqa: E402
from cba.detection.catalogue import get  # noqa: E402
from cba.errors import CbaError, OptionError  # noqa: E402
from cba.findings.alerts import Alert, alert_name, first_mark, found_variation  # noqa: E402
from cba.findings.flood import VARIATION as FLOOD  # noqa: E402
from cba.store.alerts import AlertCollection  # noqa: E402
from cba.store.findings import FindingCollection  # noqa: E402

PART = 500
"""Findings that are looked up at once."""


@Configuration(type="reporting")
class CbaAlertsCommand(AppCommand, GeneratingCommand):
    """Hands out its rows, and keeps what it handed out when splunkd, having taken them, asks for more: a search that
    dies before has raised nothing. Only a scheduled search writes."""

    detection = Option(default="", doc="id of the detection; none for variation=breaker")
    variation = Option(require=True, doc="id of the variation, or base; breaker for the circuit breakers that opened")

    _alert = None
    _store = None

    def generate(self):
        return iter(())  # the SDK asks for it; the rows are written in _execute_chunk_v2

    def _execute_chunk_v2(self, process, chunk):
        try:
            self._finished = self._keep() if self._alert is not None else self._hand_out()
        except (CbaError, ValueError, KeyError) as error:
            log.error('command=%s sid=%s error="%s"', self.name, self._sid, error)
            self._fail(error)
            raise SystemExit(1) from error

    def _hand_out(self):
        """Answers the rows; whether that is all there is to do."""
        detection_id, variation = self._asked()
        service, now = connect(self), end_of_search(self)
        name = alert_name(detection_id, variation)
        self._store = AlertCollection(service, name)
        known = self._store.mark()
        self._alert = Alert(name, known or first_mark(now), self._sid, now)
        for part in FindingCollection(service).raised_since(detection_id, variation, self._alert.mark.start, PART):
            self._alert.take(part, self._store.raised(finding["finding_id"] for finding in part))
        for row in self._alert.rows():
            self._record_writer.write_record(row)
        log.info("command=%s sid=%s alert=%s rows=%d", self.name, self._sid, name, len(self._alert.findings))
        if not self._writes:
            count = len(self._alert.findings)
            said = f"cbaalerts: findings that the next scheduled run would raise: {count}. Run by hand, nothing is kept"
            self.write_info("{}", said)
            return True
        if self._alert.findings:
            return False  # splunkd takes the rows and asks again
        if self._alert.raised or self._alert.mark != known:
            self._keep()
        return True

    def _asked(self):
        """Which findings: the detection, "" for all of them, and the variation."""
        if self.variation == FLOOD:
            if self.detection:
                raise OptionError(f"variation={FLOOD} is of all detections; leave detection={self.detection} out")
            return "", FLOOD
        detection = get(self.detection)
        return detection.id, found_variation((v.id for v in detection.all_variations), self.variation, detection.id)

    def _keep(self):
        self._store.save(self._alert.raised, self._alert.mark)
        return True

    @property
    def _writes(self):
        return is_scheduled(self._sid) and not getattr(self.metadata, "preview", False)

    @property
    def _sid(self):
        return str(getattr(self.metadata.searchinfo, "sid", ""))


dispatch(CbaAlertsCommand, sys.argv, sys.stdin, sys.stdout, __name__)
