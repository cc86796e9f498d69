"""| cbaacknowledge detection=<id>: closes the circuit breaker of a detection, so that it raises findings again."""

from __future__ import annotations

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from cba.command.base import AnsweringCommand, connect, end_of_search  # noqa: E402
from cba.command.deciding import send  # noqa: E402
from cba.command.sdk import Configuration, Option, dispatch  # noqa: E402
from cba.detection.catalogue import get  # noqa: E402


@Configuration(type="reporting")
class CbaAcknowledgeCommand(AnsweringCommand):
    """Acknowledges at the end of the search's time range, or now. Who and when are kept, as splunkd says."""

    detection = Option(require=True, doc="id of the detection")
    comment = Option(default="", doc="why it matched so often, and what was done")

    def answer(self):
        detection, service = get(self.detection), connect(self)
        if self.previewing:
            return
        until = end_of_search(self)
        yield from send(service, decide="acknowledge", detection=detection.id, until=until, comment=self.comment)


dispatch(CbaAcknowledgeCommand, sys.argv, sys.stdin, sys.stdout, __name__)
