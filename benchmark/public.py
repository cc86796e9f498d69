"""The same detectors on the one public log that is long enough: a Google Workspace of 2022, judged by hand.

https://github.com/invictus-ir/gws_dataset; the judgements and their reasons are those of docs/quality.md. What an alert
is about that does not stand here is what somebody did every day, from where they always were.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path
from typing import Sequence

from cba.terms import date_text, day_of
from lab.ingest import read_events
from lab.replay import APP_DIR
from lab.searchhead import SearchHead

from . import rows as rows_of
from .detectors import ours
from .detectors.alert import Alert
from .detectors.others import OTHERS
from .run import OURS

ATTACK, HARMLESS, UNKNOWN, NOTHING = "attack", "harmless", "unknown", "nothing"
JUDGED: dict[tuple[str, str, str], str] = {
    ("workspace", "FR", "2022-07-27"): ATTACK,
    ("workspace", "GB", "2022-07-27"): ATTACK,
    ("admin", "GB", "2022-07-27"): HARMLESS,
    ("admin", "FR", "2022-07-27"): HARMLESS,
    ("workspace", "AL", "2022-08-02"): ATTACK,
    ("workspace", "KH", "2022-08-02"): ATTACK,
    ("workspace", "CY", "2022-08-02"): ATTACK,
    ("admin", "SE", "2022-08-02"): ATTACK,
    ("admin", "SG", "2022-08-02"): ATTACK,
    ("admin", "TH", "2022-08-02"): ATTACK,
    ("workspace", "TH", "2022-08-02"): ATTACK,
    ("admin", "US", "2022-08-14"): UNKNOWN,
    ("admin", "US", "2022-08-15"): UNKNOWN,
    ("greg", "US", "2022-03-14"): UNKNOWN,
    ("greg", "US", "2022-03-19"): UNKNOWN,
}
"""(who, from where, on which day) -> what it was."""
WARM_DAYS = 14


def table(log: Path) -> str:
    """What each detector says of the log, from its fifteenth day on."""
    problems: list[object] = []
    events = list(read_events("gws", [log], None, None, problems.append))
    with tempfile.TemporaryDirectory(prefix="cba-public-") as folder, SearchHead(APP_DIR, Path(folder)) as head:
        head.events.add(events)
        ours.run(head)
        found = [ours.alert_of(each) for each in head.kv.collection("cba_findings").find()]
        rows = rows_of.read(head)
    since = min(event.time for event in events) + WARM_DAYS * 86_400
    lines = ["| detector | alerts | attacks found, of 9 | about attacks | harmless | unknown | about nothing |"]
    lines.append("|---|---|---|---|---|---|---|")
    for name, alerts in [(OURS, found), *((other.name, other.alerts(rows)) for other in OTHERS)]:
        lines.append(_line(name, [alert for alert in alerts if alert.second >= since]))
    return "\n".join(lines)


def _line(name: str, alerts: Sequence[Alert]) -> str:
    counts = Counter(judgement_of(alert) for alert in alerts)
    attacks = {_about(alert) for alert in alerts if judgement_of(alert) == ATTACK}
    cells = (len(alerts), len(attacks), counts[ATTACK], counts[HARMLESS], counts[UNKNOWN], counts[NOTHING])
    return f"| {name} | " + " | ".join(map(str, cells)) + " |"


def judgement_of(alert: Alert) -> str:
    """What an alert is about."""
    return JUDGED.get(_about(alert), NOTHING)


def _about(alert: Alert) -> tuple[str, str, str]:
    who = next(iter(alert.who), "").split("@")[0]
    return who, alert.place, date_text(day_of(alert.second)) or ""
