"""One error type for the whole lab: it names what is wrong, where, and what to do about it."""

from __future__ import annotations

from pathlib import Path
from typing import Optional, Union


class LabError(Exception):
    """Something the lab does not know or that Splunk would refuse.

    `str()` reads ``default/savedsearches.conf [CBA - x] at 42: unknown command 'foo'. …``.
    `position` is a character offset into the search text or a line number, as the message says.
    """

    def __init__(
        self,
        message: str,
        file: Union[Path, str, None] = None,
        stanza: Optional[str] = None,
        position: Union[int, str, None] = None,
    ) -> None:
        self.message = message
        self.file: Optional[Path] = Path(file) if file is not None else None
        self.stanza = stanza
        self.position = position
        super().__init__(message)

    def located(self, file: Union[Path, str, None], stanza: Optional[str]) -> LabError:
        """The same error with the outer place filled in where it did not know one itself."""
        if self.file is None and file is not None:
            self.file = Path(file)
        if not self.stanza and stanza:
            self.stanza = stanza
        return self

    def __str__(self) -> str:
        place = []
        if self.file is not None:
            place.append(str(self.file))
        if self.stanza:
            place.append(f"[{self.stanza}]")
        if self.position is not None:
            place.append(f"at {self.position}")
        return f"{' '.join(place)}: {self.message}" if place else self.message


class SplError(LabError):
    """An error inside a search text; `position` is the offset in the macro-expanded text."""


class RunFailed(LabError):
    """A run that would end in an error in Splunk as well: a command of the app says so, or the KV store is away."""


class RunKilled(BaseException):
    """Ends a command where it stands, as the end of its process would. No `except Exception` may keep it."""
