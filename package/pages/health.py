"""Coverage and health: what is active, what is not and why; how fresh, how large; what is covered."""

from __future__ import annotations

import attack

from cba.health import BEHIND_SECONDS
from cba.terms import SOURCES
from pages import freshness, late
from pages.board import APP, STATE_COLOURS, Board, coloured, manager_link

NOW = "now"
NAVIGATOR_LAYER = f"/static/app/{APP}/guide/attack-navigator-layer.json"
JUDGED_COLOURS = {
    "up to date": STATE_COLOURS["active"],
    "behind": STATE_COLOURS["behind"],
    "not yet": STATE_COLOURS["no data"],
}
# After Okabe and Ito, and Tol: told apart by people who do not see red and green alike. One for each detection.
SERIES_COLOURS = [
    "#0072B2", "#E69F00", "#56B4E9", "#009E73", "#CC79A7", "#D55E00", "#F0E442", "#9AA5B1",
    "#8A7FE0", "#999933", "#A06A3C", "#44AA99", "#AA4466",
]  # fmt: skip


def page() -> Board:
    board = Board("health", "Health", "Coverage and health: what raises findings, what does not yet, and why.")
    health = board.search("health", "| cbahealth", earliest="0", latest=NOW)

    board.chain("active", health, '| where state="active" | stats count')
    board.chain("waiting", health, '| where state="waiting" OR state="learning" | stats count')
    quiet = '"no data", "silent", "behind", "breaker open", "fault"'
    board.chain("quiet", health, f"| where in(state, {quiet}) | stats count")
    board.chain("off", health, '| where state="off" | stats count')
    board.chain("age", health, "| stats max(ip_database_age_days) AS age")
    board.row(
        120,
        (board.number("active_panel", "active", "Active", "detection and source"), 2),
        (board.number("waiting_panel", "waiting", "Waiting or learning", "in time they become active"), 3),
        (board.number("quiet_panel", "quiet", "Silent, behind or stopped", "see why below"), 3),
        (board.number("off_panel", "off", "Off", "see Welcome"), 2),
        (board.number("age_panel", "age", "Age of the IP data", "days"), 2),
    )
    _coverage(board, health)
    _judged(board, health)
    _too_late(board)
    _freshness_and_growth(board, health)
    _states(board, health)
    _size(board, health)
    _techniques_and_ip_data(board, health)
    return board


def _coverage(board: Board, health: str) -> None:
    """Detections × sources, a colour for each state."""
    states = " ".join(f'values(eval(if(source="{name}", state, null()))) AS {name}' for name in SOURCES)
    board.chain(
        "coverage",
        health,
        f"""
| stats {states} max(alerts_on) AS enabled max(alerts) AS alerts BY detection title
| eval Detection=detection, Alerts=coalesce(enabled, "?")." of ".alerts, _title=title
| table Detection {" ".join(SOURCES)} Alerts _title
""",
    )
    matrix = board.table(
        "coverage_panel",
        "coverage",
        "Coverage: detections and sources",
        {"Detection": 250, **dict.fromkeys(SOURCES, 100), "Alerts": 90},
        colours=[coloured(name, STATE_COLOURS) for name in SOURCES],
        click=manager_link("CBA%20-%20$row._title.value|u$%20-"),
        description="Alerts: how many variations raise one. An empty cell: the detection does not look at the source. "
        "A row opens the detection's alerts.",
        rows=50,
    )
    board.row(560, (matrix, 12))


def _judged(board: Board, health: str) -> None:
    """How far each source's search has come, and which detections a fault has stopped."""
    board.chain(
        "judged",
        health,
        f"""
| eval stopped=if(len(fault)>0, detection, null())
| stats max(behind_minutes) AS behind first(judged_until) AS until max(clock_ahead_minutes) AS ahead
    values(stopped) AS stopped count(eval(state!="off")) AS on BY source
| eval Source=source,
    Judged=case(isnull(behind), "not yet", behind<{BEHIND_SECONDS // 60}, "up to date", true(), "behind"),
    Until=coalesce(until, ""),
    Behind=case(isnull(behind), "", behind<180, behind." minutes", behind<2880, round(behind/60)." hours",
        true(), round(behind/1440)." days"),
    "Clock ahead"=if(ahead>0, ahead." minutes", ""), Stopped=coalesce(mvjoin(stopped, ", "), ""),
    place=case(Judged="behind" OR Stopped!="", 0, Judged="up to date", 1, true(), 2)
| sort 0 place, Source
| table Source Judged Until Behind "Clock ahead" Stopped
""",
    )
    judged = board.table(
        "judged_panel",
        "judged",
        "How far each source has been judged",
        {"Source": 100, "Judged": 110, "Until": 200, "Behind": 110, "Clock ahead": 110, "Stopped": 420},
        colours=[coloured("Judged", JUDGED_COLOURS)],
        texts=("Stopped",),
        click=manager_link("CBA%20-%20$row.Source.value|u$%20-"),
        description="What an outage left is caught up by itself. Clock ahead: events from the future. Stopped: by a "
        "fault. A row opens the source's searches.",
    )
    board.row(330, (judged, 12))


def _too_late(board: Board) -> None:
    """What the sources' searches do not read, counted only while somebody looks."""
    board.search("late", late.query(), earliest=late.SINCE, latest=late.UNTIL)
    table = board.table(
        "late_panel",
        "late",
        "Arrived too late to be judged",
        {"Source": 100, "Events": 110, "First": 150, "Last": 150},
        description=f"In the last 24 hours, {late.LATE_DAYS} to 30 days late: neither judged nor learned (Guide: "
        "How it works). Nothing here? Nothing came so late.",
    )
    board.row(250, (table, 12))


def _freshness_and_growth(board: Board, health: str) -> None:
    board.search("fresh", freshness.query(), earliest=freshness.SINCE, latest=NOW)
    fresh = board.table(
        "fresh_panel",
        "fresh",
        "Newest event of each source",
        {"Source": 110, "Data": 70, "Newest": 150, "Age": 110},
        colours=[coloured("Data", freshness.COLOURS)],
        description="Late: none for a day. None: see the page Configuration.",
    )
    board.chain(
        "growth",
        health,
        """
| dedup detection
| eval pair=split(values_first_seen, " ")
| mvexpand pair
| eval _time=strptime(mvindex(split(pair, "="), 0), "%Y-%m-%d"), new=tonumber(mvindex(split(pair, "="), 1))
| xyseries _time detection new
| sort 0 _time
""",
    )
    growth = board.columns(
        "growth_panel",
        "growth",
        "Growth: values first seen, day by day",
        stackMode="stacked",
        seriesColors=SERIES_COLOURS,
        legendDisplay="right",
        legendTruncation="ellipsisOff",
        xAxisTitleVisibility="hide",
        yAxisTitleVisibility="hide",
    )
    board.row(360, (fresh, 5), (growth, 7))


def _states(board: Board, health: str) -> None:
    board.chain(
        "states",
        health,
        """
| eval Detection=detection, Source=source, State=state, Why=reason, "Days left"=days_to_activation,
    "First day"=first_day, "Last day"=last_day, "Matches in 24 h"=matches_24h, fine=if(isnull(reason), 1, 0)
| sort 0 fine, Detection, Source
| table Detection Source State Why "Days left" "First day" "Last day" "Matches in 24 h"
""",
    )
    states = board.table(
        "states_panel",
        "states",
        "Why, and since when",
        {
            "Detection": 250,
            "Source": 95,
            "State": 100,
            "Why": 330,
            "Days left": 60,
            "First day": 100,
            "Last day": 100,
            "Matches in 24 h": 85,
        },
        colours=[coloured("State", STATE_COLOURS)],
        description="Why it raises nothing and what to do, or what it cannot see; those with nothing to say come last.",
        rows=50,
    )
    board.row(760, (states, 12))


def _size(board: Board, health: str) -> None:
    board.chain(
        "size",
        health,
        """
| dedup detection
| eval pair=split(values_first_seen, " ")
| mvexpand pair
| eval new=tonumber(mvindex(split(pair, "="), 1))
| stats sum(new) AS new max(history_documents) AS documents max(history_values) AS held max(history_bytes) AS bytes
    max(identity_trained) AS trained max(identity_untrained) AS untrained BY detection
| eval Detection=detection, Histories=documents, Values=held, "Size in kB"=round(bytes/1024), "New in 30 days"=new,
    "Identities compared"=trained, "Not yet"=untrained
| table Detection Histories Values "Size in kB" "New in 30 days" "Identities compared" "Not yet"
""",
    )
    size = board.table(
        "size_panel",
        "size",
        "Histories: their size",
        {
            "Detection": 260,
            "Histories": 90,
            "Values": 90,
            "Size in kB": 80,
            "New in 30 days": 80,
            "Identities compared": 100,
            "Not yet": 70,
        },
        description="Not yet: identities too young to be compared; projects and the organization answer for them.",
    )
    board.row(400, (size, 12))


def _techniques_and_ip_data(board: Board, health: str) -> None:
    board.search(
        "attack",
        f"""
| inputlookup cba_detections
| eval technique=split(attack, " ")
| mvexpand technique
| where match(technique, "^T\\d{{4}}")
| stats dc(detection) AS Detections count AS Variations BY technique
| eval Technique=technique, Name={attack.name_of("technique")}, _page=replace(technique, "\\.", "/")
| sort 0 - Detections, Technique
| table Technique Name Detections Variations _page
""",
        earliest="0",
        latest=NOW,
    )
    techniques = board.table(
        "attack_panel",
        "attack",
        "ATT&CK techniques covered",
        {"Technique": 110, "Name": 260, "Detections": 100, "Variations": 95},
        click="https://attack.mitre.org/techniques/$row._page.value$/",
        description="A row opens the technique's page.",
    )
    board.chain(
        "credits",
        health,
        """
| head 1
| eval From=split(replace(ip_attribution, "\\.$", ""), ". ")
| mvexpand From
| table From
""",
    )
    credits = board.table(
        "credits_panel",
        "credits",
        "Where countries and networks come from",
        {"From": 500},
        description="A database of your own is named on the page Configuration, under Enrichment.",
    )
    layer = board.markdown("layer_panel", f"[As a layer for the ATT&CK Navigator]({NAVIGATOR_LAYER})")
    link = board.markdown("credit_panel", "[IP Geolocation by DB-IP](https://db-ip.com)")
    board.row(400, ({techniques: 360, layer: 40}, 7), ({credits: 360, link: 40}, 5))
