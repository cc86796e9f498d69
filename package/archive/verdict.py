"""AppInspect's report against the warnings that are allowed, each with a reason (package/appinspect-allow.yml)."""

from __future__ import annotations

import collections
import dataclasses
from typing import Any, Iterable, Mapping, Sequence

from archive import PackageError

WARNING = "warning"
# Results that stop the build whatever the allow-list says.
FATAL = ("error", "failure", "future_failure")
COUNTED = (*FATAL, WARNING)


@dataclasses.dataclass(frozen=True)
class Message:
    """One line of a report. `file` is relative to the app, empty where a check is about the app as a whole."""

    check: str
    result: str
    text: str
    file: str = ""

    def __str__(self) -> str:
        return f"{self.result} {self.check}{f' [{self.file}]' if self.file else ''}: {self.text}"


@dataclasses.dataclass(frozen=True)
class Allowed:
    """A check whose warnings are allowed; where `within` is given only those about files below these paths."""

    check: str
    reason: str
    within: tuple[str, ...] = ()

    def covers(self, message: Message) -> bool:
        if message.check != self.check:
            return False
        return not self.within or any(message.file.startswith(prefix) for prefix in self.within)


def allow_list(document: Any) -> list[Allowed]:
    """The allow-list from its YAML content. Raises PackageError with every fault."""
    if not isinstance(document, Sequence) or isinstance(document, str):
        raise PackageError("the allow-list is a list of entries with check, reason and, where it helps, within")
    found, faults = [], []
    for number, entry in enumerate(document, 1):
        if not isinstance(entry, Mapping):
            faults.append(f"entry {number} is not a mapping of check, reason, within")
            continue
        unknown = sorted(set(entry) - {"check", "reason", "within"})
        faults += [f"entry {number}: unknown key {key}" for key in unknown]
        faults += [
            f"entry {number}: {key} is missing or no text"
            for key in ("check", "reason")
            if not isinstance(entry.get(key), str) or not entry[key].strip()
        ]
        within = entry.get("within", [])
        if not isinstance(within, list) or not all(isinstance(path, str) and path for path in within):
            faults.append(f"entry {number}: within is a list of paths")
        found.append(Allowed(str(entry.get("check")), str(entry.get("reason")), tuple(within)))
    if faults:
        raise PackageError(*faults)
    return found


def messages(report: Mapping[str, Any]) -> list[Message]:
    """The errors, failures, future failures and warnings of one JSON report, in its order."""
    found = []
    for inspected in report["reports"]:
        app = inspected["app_name"]
        for group in inspected["groups"]:
            for check in group["checks"]:
                said = check.get("messages") or [{"result": check["result"], "message": check.get("description", "")}]
                for message in said:
                    if message["result"] in COUNTED:
                        file = str(message.get("message_filename"))
                        file = "" if file == "None" else file.removeprefix(f"{app}/")
                        found.append(Message(check["name"], message["result"], message["message"].strip(), file))
    return found


def unacceptable(found: Iterable[Message], allowed: Sequence[Allowed]) -> list[Message]:
    """What must not be: everything fatal, and every warning that no entry covers."""
    return [m for m in found if m.result in FATAL or not any(entry.covers(m) for entry in allowed)]


def unused(found: Sequence[Message], allowed: Sequence[Allowed]) -> list[Allowed]:
    """Entries that nothing needs any more."""
    return [entry for entry in allowed if not any(m.result == WARNING and entry.covers(m) for m in found)]


def counts(report: Mapping[str, Any], tag: str = "") -> collections.Counter[str]:
    """result -> number of checks of one JSON report, of those with this tag."""
    return collections.Counter(
        check["result"]
        for one in report["reports"]
        for group in one["groups"]
        for check in group["checks"]
        if not tag or tag in check["tags"]
    )
