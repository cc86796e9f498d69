"""What the lab's HTTP servers take from whom. They listen on this machine alone, yet every page that a browser shows
here can send them requests."""

from __future__ import annotations

from email.message import Message
from urllib.parse import urlsplit

from lab.rest import RestError

HOSTS = ("127.0.0.1", "localhost", "::1")
LONGEST_BODY = 800 * 1024 * 1024
"""limits.conf [http_input] max_content_length is 838,860,800 bytes; the management port takes more."""


def check_host(headers: Message) -> None:
    """A page from elsewhere whose name was made to point to this machine asks by that name. It may know the password,
    which is the same in every lab. RestError 403."""
    host = headers.get("Host") or ""
    try:
        name = urlsplit(f"//{host}").hostname
    except ValueError:
        name = None
    if name not in HOSTS:
        raise RestError(403, f"this server answers to {', '.join(HOSTS)}, not to {host!r}", "WARN")


def body_length(headers: Message) -> int:
    """How many bytes of body follow. RestError for what cannot be told, after which the connection is to be closed."""
    if headers.get("Transfer-Encoding"):
        raise RestError(501, "Transfer-Encoding is not supported by the lab: send Content-Length")
    word = (headers.get("Content-Length") or "0").strip()
    if not (word.isascii() and word.isdigit()):
        raise RestError(400, f"Content-Length must be a whole number, not {word[:40]!r}")
    if int(word) > LONGEST_BODY:
        raise RestError(413, f"the body is longer than {LONGEST_BODY} bytes")
    return int(word)
