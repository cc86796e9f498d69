"""Welcome: from an installed app to the first finding, step by step, and how far each step has come."""

from __future__ import annotations

from urllib.parse import quote

from cba.detection.model import START_SEARCH
from pages import freshness
from pages.board import APP, STATE_COLOURS, Board, coloured, manager_link, report_link, search_link

START_LINK = f"/app/{APP}/search?s=" + quote(f"/servicesNS/nobody/{APP}/saved/searches/{quote(START_SEARCH)}", safe="")
INTRODUCTION = f"""
## From here to the first finding

**[Enable what is recommended]({START_LINK})**: run this report once. Each source that has data learns what is indexed,
one after the other, and is turned on when it has learned; the upkeep too. Alerts stay off. That takes minutes to hours;
the panels below say how far it has come, and on which day each detection speaks. They look again every minute.

Or go step by step: each panel is a step, and a row leads to what it needs. Indexes, source types and thresholds are set
on the page [Configuration](/app/{APP}/configuration).
"""

EXPECTATION = """
#### What happens when

All detections of a source learn and judge in one search. A detection is silent until its source has **14 days** of
data; it then compares with the **30 days** before.
With a back-fill of 44 days both are there at once. Without, the table below says the day.

In the first weeks give verdicts: trips and new offices become normal. A new colleague never raises a finding merely
for being new.

#### When a step does not move

- **1** Nothing at all: may your role search those indexes?
- **2** Stays at 0: the report still runs (Activity > Jobs), or its role may not write histories (`cba_admin` may).
  Failed: run *Enable what is recommended* again; it shows why, and tries again.
- **3** Off though enabled: the source, or each of its detections, is switched off on the page Configuration.
- **4** Not active: the page Health says why.

[The user guide](/static/app/cloud_behavior_analytics/guide/user-guide.html) goes on from here.
"""

ON_COLOURS = {"on": STATE_COLOURS["active"], "off": STATE_COLOURS["off"]}
BAR = 11
"""Characters of a bar of days: one for four of the 44."""


def page() -> Board:
    board = Board("welcome", "Welcome", "First steps: which sources have data, what has been learned, what comes next.")
    board.row(130, (board.markdown("introduction_panel", INTRODUCTION), 12))
    board.search("arrived", freshness.query(), earliest=freshness.SINCE, latest="now")
    health = board.search("health", "| cbahealth entities=false", earliest="0", latest="now", refresh="1m")
    _progress(board, health)
    _data_and_back_fill(board, health)
    _turning_on(board, health)
    return board


def _progress(board: Board, health: str) -> None:
    """A number for each step."""
    board.chain(
        "with_data", "arrived", '| stats count(eval(Data!="none")) AS n count AS all | eval n=n." of ".all | table n'
    )
    board.chain(
        "learned",
        health,
        """
| stats min(days_to_activation) AS left BY source
| stats count(eval(left=0)) AS n count AS all
| eval n=n." of ".all
| table n
""",
    )
    board.chain(
        "turned_on",
        health,
        """
| stats count(eval(state!="off")) AS enabled BY source
| stats count(eval(enabled>0)) AS n count AS all
| eval n=n." of ".all
| table n
""",
    )
    board.chain(
        "raising", health, '| stats count(eval(state="active")) AS n count AS all | eval n=n." of ".all | table n'
    )
    board.row(
        120,
        (board.number("with_data_panel", "with_data", "Step 1: logs arrive", "sources with data"), 3),
        (board.number("learned_panel", "learned", "Step 2: learned", "sources with enough days"), 3),
        (board.number("turned_on_panel", "turned_on", "Step 3: turned on", "sources"), 3),
        (board.number("raising_panel", "raising", "Step 4: active", "detection and source"), 3),
    )


def _data_and_back_fill(board: Board, health: str) -> None:
    arrived = board.table(
        "arrived_panel",
        "arrived",
        "Step 1: which sources have data",
        {"Source": 100, "Data": 70, "Newest": 150, "Age": 100},
        colours=[coloured("Data", freshness.COLOURS)],
        click=search_link("search%20%60cba_base_$row.Source.value|u$%60", "-24h", "now"),
        description="None? Name its indexes on the page Configuration.",
    )
    expectation = board.markdown("expectation_panel", EXPECTATION)
    board.chain(
        "back_fill",
        health,
        f"""
| stats max(days_learned) AS days max(days_looked_at) AS Of BY source
| lookup cba_setup source OUTPUT step progress
| eval Source=source, Days=coalesce(days, 0),
    Doing=case(step="learning", "learns: ".progress." %", step="failed", "failed: see the report", true(), ""),
    filled=floor(Days*{BAR}/Of), bar=if(filled>0, substr("{"█" * BAR}", 1, filled), ""),
    Learned=bar.if(filled<{BAR}, substr("{"░" * BAR}", 1, {BAR}-filled), ""),
    _report="/servicesNS/nobody/{APP}/saved/searches/CBA%20-%20".source."%20-%20Backfill"
| sort 0 - Days, Source
| table Source Days Of Learned Doing _report
""",
    )
    back_fill = board.table(
        "back_fill_panel",
        "back_fill",
        "Step 2: learn from what is already indexed",
        {"Source": 100, "Days": 60, "Of": 50, "Learned": 160, "Doing": 140},
        click=report_link("_report"),
        description="A row opens the source's Backfill report. It only learns, for all detections. Doing: what goes on "
        "by itself.",
        rows=50,
    )
    board.row(750, ({arrived: 370, expectation: 380}, 5), (back_fill, 7))


def _turning_on(board: Board, health: str) -> None:
    board.chain(
        "next",
        health,
        """
| eval known=if(isnull(first_day), null(), 1), seen=if(isnull(first_day), null(), active_from),
    full=if(isnull(first_day), null(), training_full)
| stats count(eval(state!="off")) AS enabled count(eval(state="active")) AS active
    count(eval(state="waiting")) AS waiting count(known) AS known min(seen) AS seen min(full) AS full
    min(active_from) AS earliest count AS all BY source
| eval Source=source, Search=if(enabled>0, "on", "off"), Active=active." of ".all,
    today=strftime(now(), "%Y-%m-%d"), begins=coalesce(seen, earliest),
    "Active from"=if(known>0 OR enabled>0, begins, null()), "Settled from"=if(known>0, full, null()),
    Next=case(enabled=0 AND known=0,
            "back-fill it (step 2), then turn it on; without a back-fill it is active from ".earliest,
        enabled=0 AND seen<=today, "turn it on: it is active at once",
        enabled=0, "turn it on: it is active from ".seen,
        known=0, "no event yet: check step 1, or back-fill it; else active from ".earliest." at the earliest",
        active=0 AND waiting>0, "wait: first findings from ".seen.", or back-fill it",
        active=0, "see why on the page Health",
        full>today, "read the findings; it settles until ".full,
        true(), "read the findings"),
    place=case(known>0 AND enabled=0, 0, known>0, 1, true(), 2)
| sort 0 place, Source
| table Source Search Active "Active from" "Settled from" Next
""",
    )
    turning_on = board.table(
        "next_panel",
        "next",
        "Step 3: turn sources on, and what to expect",
        {"Source": 100, "Search": 65, "Active": 85, "Active from": 105, "Settled from": 105, "Next": 400},
        colours=[coloured("Search", ON_COLOURS)],
        click=manager_link("CBA%20-%20$row.Source.value|u$%20-"),
        description="A row opens the source's searches: enable Judge. Active: so many of its detections.",
    )
    board.row(370, (turning_on, 12))
    board.chain(
        "alerts",
        health,
        """
| eval day=if(isnull(first_day), null(), active_from)
| stats max(alerts_on) AS on max(alerts) AS all values(state) AS states min(day) AS speaks BY detection title
| eval Detection=title, State=mvjoin(states, ", "), Alerts=coalesce(on, "?")." of ".all,
    "Speaks from"=coalesce(speaks, ""),
    Next=case(on=0 AND match(State, "active"), "read its findings for a week, then enable the alerts you want",
        on=0, "", true(), "raises alerts")
| sort 0 - on, Detection
| table Detection State "Speaks from" Alerts Next
""",
    )
    alerts = board.table(
        "alerts_panel",
        "alerts",
        "Step 4: enable the alerts you want",
        {"Detection": 300, "State": 190, "Speaks from": 105, "Alerts": 80, "Next": 330},
        click=manager_link("CBA%20-%20$row.Detection.value|u$%20-"),
        description="A row opens the detection's alerts, one for each variation. Then save Configuration > Alerts once:"
        " it says where they go. Findings are shown without them, too.",
        rows=50,
    )
    board.row(600, (alerts, 12))
