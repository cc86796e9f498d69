"""What can go wrong with an IP database."""

from __future__ import annotations

from pathlib import Path

from ..errors import CbaError


class GeoDatabaseError(CbaError):
    """An IP database is missing, damaged or of an unknown kind. The message names the file and what to do."""

    def __init__(self, path: Path, problem: str, remedy: str) -> None:
        super().__init__(f"{path}: {problem}. {remedy}")
        self.path = path
        self.problem = problem
        self.remedy = remedy
