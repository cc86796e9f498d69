"""splunkd's REST handler that writes what analysts decide (default/restmap.conf); the library is cba.command.deciding.

splunkd hands it each request as JSON: `session` with who asks, `system_authtoken` (passSystemAuth), `payload`.
https://dev.splunk.com/enterprise/docs/devtools/customrestendpoints
"""

from __future__ import annotations

import json
import os
import sys
import time
from urllib.parse import urlsplit

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "lib")]

from splunk.persistconn.application import PersistentServerConnectionApplication  # noqa: E402
from splunklib.client import Service  # noqa: E402

from cba.command.deciding import answer, may_decide, refusal  # noqa: E402
from cba.errors import CbaError, DamagedError, OptionError, StoreError  # noqa: E402
from cba.store.connection import connected  # noqa: E402
from cba.store.rights import imported_roles, roles_of  # noqa: E402
from cba.terms import APP  # noqa: E402

MOST_BYTES = 1_000_000


class DecideHandler(PersistentServerConnectionApplication):
    """Answers POST with JSON; 403 for whoever may not decide, 400 with a sentence for what cannot be decided."""

    def __init__(self, command_line="", command_arg=""):
        super().__init__()

    def handle(self, in_string):
        try:
            status, told = self._answer(json.loads(in_string))
        except CbaError as error:
            # What is wrong with a document will be so the next time, what the store could not do may be done then.
            busy = isinstance(error, StoreError) and not isinstance(error, DamagedError)
            status, told = 503 if busy else 400, refusal(error)
        return {"status": status, "payload": told, "headers": {"Content-Type": "application/json"}}

    def _answer(self, request):
        if request.get("method") != "POST":
            return 405, refusal(CbaError("cba_decide takes POST only"))
        session = request["session"]
        own = self._service(request, session["authtoken"])
        service = self._service(request, request["system_authtoken"])
        user, roles = roles_of(own)
        if not may_decide(roles, imported_roles(service)):
            return 403, refusal(CbaError(f"{user} may not decide: that takes the role cba_analyst"))
        text = request.get("payload") or ""
        if len(text) > MOST_BYTES:
            raise OptionError(f"a request of {len(text):,} characters is too long; decide about fewer findings at once")
        try:
            asked = json.loads(text)
        except (ValueError, RecursionError):
            asked = None
        if not isinstance(asked, dict):
            raise OptionError("the request is no JSON object")
        return 200, answer(service, asked, user, int(time.time()))

    @staticmethod
    def _service(request, token):
        uri = urlsplit(request["server"]["rest_uri"])
        where = {"scheme": uri.scheme, "host": uri.hostname, "port": uri.port}
        return connected(Service(token=token, app=APP, owner="nobody", **where))
