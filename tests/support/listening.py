"""A server of raw bytes, for answers that no HTTP server gives."""

from __future__ import annotations

import socket
import threading
from typing import Callable


class Listening:
    """Hands each connection that is made to `serve`, in a thread of its own; `opened` counts them."""

    def __init__(self, serve: Callable[[socket.socket], None]) -> None:
        self.opened = 0
        self._serve = serve
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                line, _address = self._socket.accept()
            except OSError:
                return
            self.opened += 1
            threading.Thread(target=self._serve, args=(line,), daemon=True).start()

    def close(self) -> None:
        self._socket.close()
