"""Welcome: from an installed app to the first finding."""

from __future__ import annotations

from pages.board import STATE_COLOURS, Board, coloured, search_link

SOURCES = ("aws", "azure", "gcp", "kubernetes", "m365", "gws", "endpoint")

INTRODUCTION = """
## From here to the first finding

1. **Which sources have data?** The first table below shows what arrived in the last day. Something missing? Name your
   indexes on the page Configuration.
2. **Learn from what is already indexed.** Open *CBA - … - Backfill* of a detection under Reports and run it once, over
   the last 44 days. It learns and judges nothing. The second table shows how many days it knows.
3. **Turn it on.** Enable *CBA - … - Detect* of the detection, then the variations you want as alerts; each is a report
   of its own.
4. **Look at the page Health** until the state is *active*, then at **Findings**.
"""

EXPECTATION = """
## What to expect on which day

| day | without back-fill | with back-fill |
|---|---|---|
| 1 | waiting: histories begin | active where 14 days of logs were read |
| 2 to 13 | waiting, days left on the page Health | the first findings; give verdicts |
| 14 | active: the first findings | |
| 30 | the training period is full | travel and new offices have settled |

A detection is silent until its source has 14 days of data. A new colleague never raises a finding merely for being new.
"""


def page() -> Board:
    board = Board("welcome", "Welcome", "First steps: which sources have data, what has been learned, what comes next.")
    board.row(
        400,
        (board.markdown("introduction_panel", INTRODUCTION), 7),
        (board.markdown("expectation_panel", EXPECTATION), 5),
    )

    parts = " ".join(f'[ search `cba_base_{name}` | eval source="{name}" | fields _time source ]' for name in SOURCES)
    none = ", ".join(f'"{name}"' for name in SOURCES)
    board.search(
        "arrived",
        f"""
| multisearch {parts}
| stats count AS events max(_time) AS newest BY source
| append [ | makeresults | eval source=mvappend({none}) | mvexpand source | eval events=0 | table source events ]
| stats max(events) AS events max(newest) AS newest BY source
| eval Source=source, Events=events, Newest=strftime(newest, "%Y-%m-%d %H:%M"),
    Data=if(events>0, "arrives", "none")
| sort 0 - events, Source
| table Source Data Events Newest
""",
        earliest="-24h",
        latest="now",
    )
    arrived = board.table(
        "arrived_panel",
        "arrived",
        "Step 1: logs of the last 24 hours",
        {"Source": 100, "Data": 80, "Events": 75, "Newest": 130},
        colours=[coloured("Data", {"arrives": STATE_COLOURS["active"], "none": STATE_COLOURS["no data"]})],
        description="None where there should be some? Check indexes and source types on the page Configuration.",
    )
    health = board.search("health", "| cbahealth entities=false", earliest="0", latest="now")
    board.chain(
        "learned",
        health,
        """
| eval days=round((strptime(last_day, "%Y-%m-%d")-strptime(first_day, "%Y-%m-%d"))/86400)+1
| stats max(days) AS days min(days_to_activation) AS left values(state) AS states BY detection
| eval Detection=detection, "Days known"=coalesce(days, 0), "Days to go"=if(isnull(days), "back-fill first", left),
    State=mvjoin(states, ", "), Report="CBA - ".detection." - Backfill"
| table Detection "Days known" "Days to go" State Report
""",
    )
    learned = board.table(
        "learned_panel",
        "learned",
        "Steps 2 and 3: what has been learned",
        {"Detection": 240, "Days known": 80, "Days to go": 80, "State": 110, "Report": 290},
        click=search_link("%7C%20cbahealth%20detection%3D$row.Detection.value|u$"),
        description="Report is the one to run once. A row tells everything about its health.",
    )
    board.row(520, (arrived, 4), (learned, 8))
    return board
