"""What the lab's servers ask of a request before they look at it: who it was meant for, and how long its body is.

They listen on loopback only, but a page in a browser of this machine can talk to them under a name of its own that was
made to point here (DNS rebinding). Such a request names that other host.
"""

from __future__ import annotations

from email.message import Message
from io import BufferedIOBase

HOSTS = frozenset({"127.0.0.1", "localhost", "[::1]"})


class Unread(Exception):
    """A request whose body is not read; what is left of it makes the connection useless."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def is_for_this_machine(headers: Message) -> bool:
    """Whether a request asks for this machine by one of its own names. HTTP 1.1 names a host in each request."""
    names = headers.get_all("Host") or []
    if len(names) != 1:
        return False
    host = names[0].strip().lower()
    name, colon, port = host.rpartition(":")
    return host in HOSTS or (name in HOSTS and colon == ":" and port.isascii() and port.isdigit())


def read_body(headers: Message, stream: BufferedIOBase, most_bytes: int) -> bytes:
    """The body of a request, b"" without one. Raises Unread."""
    if headers.get("Transfer-Encoding"):
        raise Unread(501, "send a body with its Content-Length")
    lengths = {text.strip() for text in headers.get_all("Content-Length") or ["0"]}
    text = lengths.pop()
    if lengths or not (text.isascii() and text.isdigit()):
        raise Unread(400, "Content-Length is not the number of bytes of the body")
    if len(text) > 15 or int(text) > most_bytes:
        raise Unread(413, f"a body has at most {most_bytes >> 20} MB")
    body = stream.read(int(text))
    if len(body) < int(text):
        raise Unread(400, "the body ends before its Content-Length")
    return body
