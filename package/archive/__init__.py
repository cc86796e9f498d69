"""The parts of building the archive: what goes in, how confs are merged, how it is packed, what AppInspect says."""

from __future__ import annotations


class PackageError(Exception):
    """The archive cannot be built: every fault found, one a line."""

    def __init__(self, *faults: str) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults
