"""| cbaacknowledge detection=<id>: closes the circuit breaker of a detection, so that it raises findings again."""

from __future__ import annotations

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from cba.command.base import AnsweringCommand, connect, end_of_search  # noqa: E402
from cba.command.sdk import Configuration, Option, dispatch  # noqa: E402
from cba.detection.catalogue import get  # noqa: E402
from cba.errors import OptionError  # noqa: E402
from cba.store.breakers import BreakerCollection  # noqa: E402
from cba.terms import time_text  # noqa: E402


@Configuration(type="reporting")
class CbaAcknowledgeCommand(AnsweringCommand):
    """Acknowledges at the end of the search's time range. Who and when are kept."""

    detection = Option(require=True, doc="id of the detection")
    comment = Option(default="", doc="why it matched so often, and what was done")

    def answer(self):
        detection, service = get(self.detection), connect(self)
        stores = {source: BreakerCollection(service, detection.id, source) for source in detection.sources}
        states = {source: store.load() for source, store in stores.items()}
        opened = {source: state for source, state in states.items() if state.open is not None}
        if not opened:
            raise OptionError(f"the breaker of {detection.id} is not open; there is nothing to acknowledge")
        for source, state in opened.items():
            said = state.acknowledge(end_of_search(self), self.metadata.searchinfo.username, self.comment)
            if not self.previewing:
                stores[source].acknowledge(state, said)
            yield {
                "detection": detection.id,
                "source": source,
                "opened": time_text(state.open.time),
                "acknowledged": time_text(said.time),
                "resumes": time_text(said.resumes),
                "acknowledged_by": said.by,
                "comment": said.comment,
            }


dispatch(CbaAcknowledgeCommand, sys.argv, sys.stdin, sys.stdout, __name__)
