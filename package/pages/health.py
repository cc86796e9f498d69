"""Coverage and health: what is active, what is not and why; how fresh, how large; what is covered."""

from __future__ import annotations

from pages.board import STATE_COLOURS, Board, coloured, search_link

NOW = "now"


def page() -> Board:
    board = Board("health", "Health", "Coverage and health: what raises findings, what does not yet, and why.")
    health = board.search("health", "| cbahealth", earliest="0", latest=NOW)

    board.chain("active", health, '| where state="active" | stats count')
    board.chain("waiting", health, '| where state="waiting" OR state="learning" | stats count')
    board.chain("quiet", health, '| where in(state, "no data", "silent", "breaker open") | stats count')
    board.chain("age", health, "| stats max(ip_database_age_days) AS age")
    board.row(
        120,
        (board.number("active_panel", "active", "Active", "detection and source"), 3),
        (board.number("waiting_panel", "waiting", "Waiting or learning", "in time they become active"), 3),
        (board.number("quiet_panel", "quiet", "Silent, without data, or stopped", "see why below"), 3),
        (board.number("age_panel", "age", "Age of the IP data", "days; renew it every few months"), 3),
    )

    board.chain(
        "states",
        health,
        """
| eval Detection=detection, Source=source, State=state, Why=reason, "Days left"=days_to_activation,
    "First day"=first_day, "Last day"=last_day, "Days silent"=days_silent,
    "Matches in 24 h"=matches_24h." of ".breaker_threshold
| table Detection Source State Why "Days left" "First day" "Last day" "Days silent" "Matches in 24 h"
""",
    )
    states = board.table(
        "states_panel",
        "states",
        "Detections and sources",
        {
            "Detection": 220,
            "Source": 95,
            "State": 100,
            "Why": 330,
            "Days left": 70,
            "First day": 100,
            "Last day": 100,
            "Days silent": 75,
            "Matches in 24 h": 95,
        },
        colours=[coloured("State", STATE_COLOURS)],
        description="“No data” is also what a detection says whose search is not enabled: see Welcome.",
        rows=30,
    )
    board.row(760, (states, 12))

    board.chain(
        "size",
        health,
        """
| stats max(history_documents) AS documents max(history_bytes) AS bytes max(identity_trained) AS trained
    max(identity_untrained) AS untrained BY detection
| eval Detection=detection, Histories=documents, "Size in MB"=round(bytes/1048576, 2),
    "Identities compared"=trained, "Not yet"=untrained
| table Detection Histories "Size in MB" "Identities compared" "Not yet"
""",
    )
    size = board.table(
        "size_panel",
        "size",
        "What has been learned",
        {"Detection": 260, "Histories": 90, "Size in MB": 80, "Identities compared": 100, "Not yet": 70},
    )
    board.search(
        "attack",
        """
| inputlookup cba_detections
| eval technique=split(attack, " ")
| mvexpand technique
| where match(technique, "^T\\d{4}")
| stats dc(detection) AS Detections count AS Variations BY technique
| eval Technique=technique, _page=replace(technique, "\\.", "/")
| sort 0 - Detections, Technique
| table Technique Detections Variations _page
""",
        earliest="0",
        latest=NOW,
    )
    attack = board.table(
        "attack_panel",
        "attack",
        "ATT&CK techniques covered",
        {"Technique": 120, "Detections": 100, "Variations": 100},
        click="https://attack.mitre.org/techniques/$row._page.value$/",
        description="A row opens the technique's page.",
    )
    board.row(330, (size, 7), (attack, 5))

    board.chain(
        "data",
        health,
        """
| head 1
| eval "IP data of"=ip_database_date, "Age in days"=ip_database_age_days, Sources=ip_attribution
| table "IP data of" "Age in days" Sources
""",
    )
    data = board.table(
        "data_panel",
        "data",
        "Where countries and networks come from",
        {"IP data of": 110, "Age in days": 90, "Sources": 500},
        click=search_link("%7C%20cbahealth%20entities%3Dfalse"),
    )
    credit = board.markdown(
        "credit_panel",
        "[IP Geolocation by DB-IP](https://db-ip.com), licensed under "
        "[CC BY 4.0](https://creativecommons.org/licenses/by/4.0/). How to renew it: package/ip_data.md.",
    )
    board.row(140, (data, 8), (credit, 4))
    return board
