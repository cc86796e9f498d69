"""Tuning: settings tried before they are changed; what is noisy, and where one verdict or one row of a list helps."""

from __future__ import annotations

from typing import Callable, Mapping

from cba.detection.model import AllowList, Detection, source_search
from cba.lists.declared import LISTS
from cba.terms import SOURCES
from pages.board import ACCENT, MOST_AT_ONCE, SEVERITY_COLOURS, VERDICT, WHEN, Board, coloured, link, search_link
from pages.names import country_name
from pages.spl import inner, part, quoted, token

EDITED = {
    "Company VPN exits and proxies": "egress_ranges",
    "Functions anybody may create": "allowed_functions",
    "Scripts that may run": "script_scope",
    "People who make flows": "user_context",
    "Home regions of instances": "instance_inventory",
    "Identities to watch": "watch_list",
    "Compromised access keys": "compromised_keys",
}
"""What an analyst may want to say once for all -> the list that says it."""


SHOWN = 150
"""Characters of an explanation in a list."""
CHOICES = {
    "training_days": ("Training period", (10, 14, 30, 45, 60), "days"),
    "established_days": ("Days of a normal value", (1, 2, 3, 5, 10), "days"),
    "established_age_days": ("Age of a normal value", (3, 7, 14, 21), "days"),
    "trained_days": ("Days to be trained", (1, 3, 5, 10, 20), "days"),
    "activation_days": ("Activation period", (7, 14, 30), "days"),
    "variation_precedence": ("Precedence", ("severity", "listed"), "first"),
}
"""Setting -> its name on the page, values to try, their unit."""
UNCHANGED = "training_days=now"
CHANGES = {
    "nothing": UNCHANGED,
    **{
        f"{title}: {value} {unit}": f"{key}={value}"
        for key, (title, values, unit) in CHOICES.items()
        for value in values
    },
}
"""What may be changed, as cbabacktest is told."""

NOTHING = "now"
PERIODS = {"choose": NOTHING, "7 days": "-7d@d", "14 days": "-14d@d", "30 days": "-30d@d"}
"""How far back settings are tried: nothing is searched until it is chosen."""


def page(detections: Mapping[str, Detection]) -> Board:
    board = Board("tuning", "Tuning", "Settings tried before they are changed; what is noisy, and what to do about it.")
    board.time_range()
    _backtest(board, detections)
    found = board.search("found", "| inputlookup cba_findings | `cba_findings_in_range` | `cba_triage`")

    board.chain(
        "variations",
        found,
        f"""
| stats count AS findings sum(count) AS events dc(entity) AS entities count(eval(verdict="benign")) AS benign
    count(eval(verdict="malicious")) AS malicious BY detection variation severity severity_id name
| sort 0 - findings, - severity_id, detection, variation
| eval Severity=severity, Alert=name, Findings=findings, Events=events, Entities=entities, Benign=benign,
    Malicious=malicious,
    _search="| inputlookup cba_findings where detection=".{quoted("detection")}." variation=".{quoted("variation")}
| table Severity Alert Findings Events Entities Benign Malicious _search
""",
    )
    variations = board.table(
        "variations_panel",
        "variations",
        "Findings per variation",
        {
            "Severity": 110,
            "Alert": 520,
            "Findings": 80,
            "Events": 80,
            "Entities": 80,
            "Benign": 80,
            "Malicious": 85,
        },
        colours=[coloured("Severity", SEVERITY_COLOURS)],
        click=search_link("$row._search.value|u$"),
        description="A row lists its findings.",
        rows=25,
    )
    board.row(640, (variations, 12))

    board.chain(
        "entities",
        found,
        """
| stats count AS Findings sum(count) AS Events dc(variation) AS Variations BY entity
| sort 0 - Findings, - Events, entity
| head 15
| eval Entity=entity
| table Entity Findings Events Variations
""",
    )
    entities = board.table(
        "entities_panel",
        "entities",
        "Noisiest entities",
        {"Entity": 270, "Findings": 80, "Events": 75, "Variations": 85},
        texts=("Entity",),
        click=link("entity", entity="$row.Entity.value|u$"),
        description="A row opens the entity.",
    )
    board.chain(
        "values",
        found,
        f"""
| where status!="closed"
| eval value=mvindex(json_array_to_mv(key), -1)
{country_name("value=country")}
| eval value=coalesce(country_name, value), base="base"
| lookup cba_detections detection, variation AS base OUTPUT name AS detection_name
| eval detection=coalesce(detection_name, detection)
| sort 0 - severity_id, - anomaly_score
| stats count AS Findings count(eval(severity_id>=4)) AS Severe dc(entity) AS Entities list(finding_id) AS ids
    BY value detection
| sort 0 - Findings, value
| head 15
| eval Value=value, Detection=detection, _ids=mvjoin(mvindex(ids, 0, min({MOST_AT_ONCE}, Findings)-1), ",")
| table Value Detection Findings Severe Entities _ids
""",
    )
    values = board.table(
        "values_panel",
        "values",
        "Noisiest values of open findings",
        {"Value": 150, "Detection": 330, "Findings": 80, "Severe": 70, "Entities": 80},
        texts=("Value",),
        click=f"{VERDICT}?findings=$row._ids.value|u$&verdict=benign&back=tuning",
        description="A row lists its findings, for you to choose those that are the same. Severe: high or critical.",
    )
    board.row(420, (entities, 6), (values, 6))

    board.chain("allowable", found, _allowable(detections))
    allowable = board.table(
        "allowable_panel",
        "allowable",
        "Expected from now on: put it on its list",
        {"What": 300, "List": 150, "Findings": 85},
        texts=("What",),
        click=search_link("$row._search.value|u$"),
        description="Open findings of detections with an allow-list. A row prepares the search: say why, and run it.",
    )

    rows = ", ".join(f'"{what}||{LISTS[name].collection}"' for what, name in EDITED.items())
    board.search(
        "lists",
        f"""
| makeresults
| eval row=mvappend({rows})
| mvexpand row
| eval What=mvindex(split(row, "||"), 0), List=mvindex(split(row, "||"), 1), _search="| inputlookup ".List
| table What List _search
""",
        earliest="0",
        latest="now",
    )
    lists = board.table(
        "lists_panel",
        "lists",
        "Say it once for all: lists to fill in",
        {"What": 200, "List": 150},
        click=search_link("$row._search.value|u$"),
        description="A row shows what the list holds.",
    )
    board.search(
        "verdicts",
        f"""
| inputlookup cba_verdicts
{country_name('like(profile, "%_country")')}
| eval When=strftime(decided_time, "{WHEN}"), Verdict=verdict, Profile=profile, Entity=entity,
    Value=coalesce(country_name, value),
    By=decided_by, Comment=comment
| sort 0 - decided_time
| table When Verdict Profile Entity Value By Comment
""",
        earliest="0",
        latest="now",
    )
    verdicts = board.table(
        "verdicts_panel",
        "verdicts",
        "Verdicts given",
        {"When": 105, "Verdict": 85, "Profile": 130, "Entity": 180, "Value": 120, "By": 70, "Comment": 150},
        texts=("Entity", "Value"),
        click=link("entity", entity="$row.Entity.value|u$"),
        description="Nothing here? Nobody has given a verdict yet: open a finding to give the first.",
    )
    board.row(330, (allowable, 6), (lists, 6))
    board.row(260, (verdicts, 12))
    return board


def _allowable(detections: Mapping[str, Detection]) -> str:
    """SPL that lists what the open findings are about, and the search that puts it on its detection's allow-list."""
    lists = {name: detection.allow for name, detection in detections.items() if detection.allow is not None}
    names = ", ".join(f'"{name}"' for name in lists)

    def each(text: Callable[[AllowList], str]) -> str:
        return ", ".join(f'detection="{name}", {text(allow)}' for name, allow in lists.items())

    def search(allow: AllowList) -> str:
        text = allow.search.replace("\\", "\\\\").replace('"', '\\"')
        return '"' + text.replace("$finding_id$", f'".{inner("finding")}."') + '"'

    return f"""
| where status!="closed" AND in(detection, {names})
| eval What=case({each(lambda allow: '." ".'.join(allow.row.values()))}),
    List=case({each(lambda allow: f'"{allow.lookup}"')})
| stats count AS Findings first(finding_id) AS finding BY detection What List
| sort 0 - Findings, What
| eval _search=case({each(search)})
| table What List Findings _search
"""


def _backtest(board: Board, detections: Mapping[str, Detection]) -> None:
    """What a detection would have raised under other settings, beside what it raises under today's."""
    names = list(detections)
    board.choice("backtest", "Try settings of", {name: name for name in names}, names[0])
    # One source at a time: a subsearch, which would add others, ends at 50,000 rows.
    # https://docs.splunk.com/Documentation/Splunk/latest/SearchReference/Append
    # Whatever the page's address says, it names one of the app's searches for rows: those write nothing.
    board.choice("logs", "In the logs of", {source: source for source in SOURCES}, SOURCES[0])
    board.choice("since", "Of the last", PERIODS, NOTHING)
    board.choice("changed", "Change", CHANGES, UNCHANGED)
    tried = board.search(
        "backtest",
        f"""
| savedsearch "{source_search(part("logs"), "Rows")}"
| cbabacktest detection={token("backtest")} changed={token("changed")}
""",
        earliest="$since$",
        latest="now",
    )

    board.chain(
        "compared",
        tried,
        """
| stats sum(now) AS now sum(changed) AS changed BY severity_id severity name
| sort 0 - severity_id, name
| eval Severity=severity, Alert=name, Now=coalesce(now, "-"), Changed=coalesce(changed, "-"),
    Difference=coalesce(changed-now, "-")
| table Severity Alert Now Changed Difference
""",
    )
    compared = board.table(
        "compared_panel",
        "compared",
        "Try settings: findings per variation, now and under the changed settings",
        {"Severity": 110, "Alert": 330, "Now": 70, "Changed": 90, "Difference": 100},
        colours=[coloured("Severity", SEVERITY_COLOURS)],
        description="Judged again from the histories; nothing is written. Nothing here? Choose days, and logs that the "
        "detection looks at.",
    )
    board.chain(
        "compared_days",
        tried,
        """
| where finding_id!=""
| eval _time=first_time
| bin _time span=1d
| stats sum(now) AS now sum(changed) AS changed BY _time
| sort 0 _time
""",
    )
    days = board.columns(
        "compared_days_panel",
        "compared_days",
        "The same per day",
        legendDisplay="bottom",
        seriesColorsByField={"now": SEVERITY_COLOURS["informational"], "changed": ACCENT},
        xAxisTitleVisibility="hide",
        yAxisTitleVisibility="hide",
    )
    board.row(330, (compared, 7), (days, 5))
    board.chain(
        "differing",
        tried,
        f"""
| where finding_id!="" AND now!=changed
| sort 0 first_time
| eval What=if(changed=1, "would come", "would go"), Finding=name, Entity=entity,
    When=strftime(first_time, "{WHEN}"), Severity=severity, Events=count,
    Explanation=if(len(explanation)>{SHOWN}, substr(explanation, 1, {SHOWN})." …", explanation)
| table What When Severity Finding Entity Explanation Events
""",
    )
    differing = board.table(
        "differing_panel",
        "differing",
        "Findings that would come or go",
        {"What": 100, "When": 105, "Severity": 110, "Finding": 210, "Entity": 190, "Explanation": 330, "Events": 80},
        texts=("Entity",),
        colours=[coloured("Severity", SEVERITY_COLOURS)],
        click=link("entity", entity="$row.Entity.value|u$"),
        description="Nothing here? Nothing is chosen yet, or the same findings are raised. A row opens the entity.",
        rows=10,
    )
    board.row(260, (differing, 12))
