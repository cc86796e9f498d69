"""Which files a search may name, and reading one: regular files of a kind, in a few folders, up to a size.

A search names files as text, and whoever may search may do that. So what is asked for is compared with the folders
before anything is looked at, and every refusal is the same sentence: neither tells which files there are.

| folder | whose |
|---|---|
| lookups, local of the app | the app's, where it is installed and where it runs: on an indexer, out of a bundle |
| share of Splunk (IP databases only) | where Splunk keeps its own IP database |

Beside these there is the one file that the setting names (`ip_database`): that is the administrators' word.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, List

from ..errors import CbaError
from ..terms import APP

APP_DIR = Path(__file__).resolve().parents[3]
_MEGABYTE = 1 << 20
_SHOWN = 200


@dataclass(frozen=True)
class Kind:
    """A kind of file that a search may name with the option `option`."""

    option: str
    suffix: str
    most_bytes: int
    in_share: bool = False
    setting: str = ""

    @property
    def rule(self) -> str:
        """What such a file must be, in words."""
        share = ", or in Splunk's folder share" if self.in_share else ""
        setting = f", or be the one that the setting {self.setting} names" if self.setting else ""
        return (
            f"it must be a readable {self.suffix} file of at most {self.most_bytes // _MEGABYTE} MB and lie in the "
            f"app's folders lookups or local{share}{setting}"
        )


IP_DATABASE = Kind("database", ".mmdb", 512 * _MEGABYTE, in_share=True, setting="IP database")
SUFFIXES = Kind("suffixes", ".csv", 8 * _MEGABYTE)


class FileError(CbaError):
    """A file that a search may not name, or that is none of its kind: which of them is not said."""

    def __init__(self, kind: Kind, asked: str) -> None:
        super().__init__(f"{kind.option}={asked[:_SHOWN]!r} cannot be used: {kind.rule}")


def find(kind: Kind, asked: str, configured: Callable[[], str] = lambda: "") -> Path:
    """The file that a search asks for. A relative path starts in the app's folder lookups. `configured` tells the file
    that the setting names, and is asked only for one outside of the folders. Raises FileError."""
    try:
        return _find(kind, asked, configured)
    except (OSError, ValueError, RuntimeError) as error:  # a NUL or half a character in the name, links in a circle
        raise FileError(kind, asked) from error


def _find(kind: Kind, asked: str, configured: Callable[[], str]) -> Path:
    if not asked.lower().endswith(kind.suffix):
        raise FileError(kind, asked)
    path = os.path.normpath(os.path.join(APP_DIR / "lookups", asked))
    folders = _folders(kind)
    if any(_below(folder, path) for folder in folders):
        # Links inside a folder may lead elsewhere in it, or in another; not out.
        true = os.path.realpath(path)
        allowed = any(_below(os.path.realpath(folder), true) for folder in folders)
    else:
        allowed = bool(kind.setting) and _slashes(asked) == _slashes(configured().strip())
        true = os.path.realpath(path) if allowed else ""
    if not allowed or not _is_readable(kind, true):
        raise FileError(kind, asked)
    return Path(true)


def _slashes(path: str) -> str:
    """A path of Windows, which has both, as searches have it."""
    return path.replace("\\", "/")


def _folders(kind: Kind) -> List[str]:
    home = os.environ.get("SPLUNK_HOME")
    apps = [str(APP_DIR), *([os.path.join(home, "etc", "apps", APP)] if home else [])]
    folders = [os.path.join(app, name) for app in apps for name in ("lookups", "local")]
    if home and kind.in_share:
        folders.append(os.path.join(home, "share"))
    return [os.path.normpath(folder) for folder in folders]


def _below(folder: str, path: str) -> bool:
    return os.path.normcase(path).startswith(os.path.join(os.path.normcase(folder), ""))


def _is_readable(kind: Kind, path: str) -> bool:
    status = os.stat(path)
    return (
        path.lower().endswith(kind.suffix)
        and stat.S_ISREG(status.st_mode)
        and status.st_size <= kind.most_bytes
        and os.access(path, os.R_OK)
    )


def read(path: Path, kind: Kind) -> bytes:
    """The content of a regular file. Raises OSError, also for what is none or is too large: what it was when it was
    found says nothing about what it is now."""
    # Not to wait for the other end of a pipe; on Windows not to change line ends.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    with open(os.open(path, flags), "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise OSError(0, "it is no regular file")
        content = file.read(kind.most_bytes + 1)
    if len(content) > kind.most_bytes:
        raise OSError(0, f"it is larger than {kind.most_bytes // _MEGABYTE} MB")
    return content
