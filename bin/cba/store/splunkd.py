"""Asking splunkd, patiently: what is busy or out of reach for a moment is asked again."""

from __future__ import annotations

import http.client
import json
import time
from typing import Any, Callable

from splunklib.binding import HTTPError

from ..errors import StoreError

RETRY_PAUSES = (0.2, 0.5, 1.0, 2.0)
PATIENCE = 60.0
"""Seconds after which nothing is asked again."""

_BUSY = frozenset({429, 500, 502, 503, 504})


class Refused(StoreError):
    """splunkd answered no, with an HTTP status and its own words (`said`); `problem` is both."""

    def __init__(self, message: str, status: int, problem: str, said: str) -> None:
        super().__init__(message)
        self.status = status
        self.problem = problem
        self.said = said


def ask(
    what: str, send: Callable[[], Any], pause: Callable[[float], None] = time.sleep, may_be_empty: bool = False
) -> Any:
    """The JSON of the answer to a request; None for an empty one, where it may be.

    Asks again after a pause when splunkd is busy or out of reach, or cuts its answer short. Raises StoreError, or
    Refused, that begins with `what`.
    """
    problem, status, said = "", 0, ""
    started = time.monotonic()
    for seconds in (*RETRY_PAUSES, None):
        try:
            text = send().body.read()
            return json.loads(text) if text or not may_be_empty else None
        except HTTPError as error:
            said, status = _said(error), error.status
            problem = said if said.startswith(f"HTTP {status}") else f"HTTP {status} {error.reason}: {said}"
            if status not in _BUSY:
                break
        except RecursionError:
            problem, status = "the answer is nested too deep", 0
            break
        except (OSError, http.client.HTTPException, ValueError) as error:  # ValueError: no JSON, no UTF-8, no number
            problem, status = f"{type(error).__name__}: {error}", 0
        if time.monotonic() - started > PATIENCE:
            break
        if seconds is not None:
            pause(seconds)
    again = "Nothing learned before is lost; the search can be run again over the same time range."
    message = f"{what} failed ({problem}). {again}"
    raise Refused(message, status, problem, said) if status else StoreError(message)


def _said(error: HTTPError) -> str:
    """What splunkd says of it: JSON from the KV store and from handlers, XML from all else."""
    try:
        return "; ".join(message["text"] for message in json.loads(error.body)["messages"])
    except (ValueError, LookupError, TypeError, RecursionError):
        return str(error)
