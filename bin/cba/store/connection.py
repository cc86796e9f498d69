"""How requests reach splunkd: over a connection that stays open, and with a time limit.

splunk-sdk opens a connection for each request and waits for ever. Splunkd speaks TLS, so most of what a small request
costs is the handshake. HTTP/1.1 keeps a connection open unless one side says otherwise; where splunkd does, each
request has a connection of its own, as before.
"""

from __future__ import annotations

import http.client
import io
import ssl
import weakref
from typing import Any, Mapping, Optional
from urllib.parse import urlsplit

from splunklib.binding import ResponseReader
from splunklib.client import Service

TIMEOUT = 30.0
"""Seconds that splunkd may take to connect, and to say the next word of an answer."""


def connected(service: Service) -> Service:
    """The service, whose connection now stays open as long as it is there, and which waits for no answer longer than
    TIMEOUT. Requests raise what splunk-sdk's own do: OSError, or HTTPException of http.client."""
    line = _Line()
    service.http.handler = line.request
    weakref.finalize(service, line.close)
    return service


class _Line:
    """A connection to one splunkd, opened when it is needed."""

    def __init__(self) -> None:
        self._connection: Optional[http.client.HTTPConnection] = None

    def request(self, url: str, message: Mapping[str, Any], **_options: Any) -> dict[str, Any]:
        """What `splunklib.binding.HttpLib` asks of a handler."""
        kept = self._connection is not None
        try:
            return self._answer(url, message)
        except (http.client.RemoteDisconnected, ConnectionError):
            if not kept:
                raise
            # Splunkd closes what was idle for a while. Every request of the app may be repeated.
            return self._answer(url, message)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _answer(self, url: str, message: Mapping[str, Any]) -> dict[str, Any]:
        where = urlsplit(url)
        if self._connection is None:
            self._connection = _opened(where.scheme, str(where.hostname), where.port)
        target = f"{where.path}?{where.query}" if where.query else where.path
        try:
            self._connection.request(
                message.get("method", "GET"), target, message.get("body"), dict(message["headers"])
            )
            answer = self._connection.getresponse()
            body = answer.read()
        except BaseException:  # what is left of an answer is none of the next request's
            self.close()
            raise
        if answer.will_close:
            self.close()
        return {
            "status": answer.status,
            "reason": answer.reason,
            "headers": answer.getheaders(),
            "body": ResponseReader(io.BytesIO(body)),
        }


def _opened(scheme: str, host: str, port: Optional[int]) -> http.client.HTTPConnection:
    if scheme == "http":
        return http.client.HTTPConnection(host, port, timeout=TIMEOUT)
    # As splunk-sdk does: splunkd's certificate is its own, and it is asked on its own machine.
    trusting = ssl.create_default_context()
    trusting.check_hostname = False
    trusting.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection(host, port, timeout=TIMEOUT, context=trusting)
