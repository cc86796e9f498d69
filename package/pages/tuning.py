"""Tuning: what is noisy, what analysts said of it, and where one verdict or one row of a lookup helps."""

from __future__ import annotations

from pages.board import SEVERITY_COLOURS, Board, coloured, link, search_link

EDITED = {
    "Company VPN exits and proxies": "egress_ranges",
    "Functions anybody may create": "allowed_functions",
    "Scripts that may run": "script_scope",
    "People who make flows": "user_context",
    "Home regions of instances": "instance_inventory",
    "Identities to watch": "watch_list",
    "Compromised access keys": "compromised_keys",
}
"""What an analyst may want to say once for all -> the lookup that says it."""


def page() -> Board:
    board = Board("tuning", "Tuning", "What is noisy, and what to do about it.")
    board.time_range()
    found = board.search("found", "| inputlookup cba_findings | `cba_findings_in_range`")

    board.chain(
        "variations",
        found,
        """
| stats count AS findings sum(count) AS events dc(entity) AS entities count(eval(verdict="benign")) AS benign
    count(eval(verdict="malicious")) AS malicious BY detection variation severity severity_id name
| sort 0 - findings, - severity_id, detection, variation
| eval Severity=severity, Alert=name, Findings=findings, Events=events, Entities=entities, Benign=benign,
    Malicious=malicious,
    _search="| inputlookup cba_findings where detection=\\"".detection."\\" variation=\\"".variation."\\""
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
        description="A row lists its findings; pipe them into cbaverdict to judge all of them at once.",
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
        """
| where status!="closed"
| eval value=mvindex(json_array_to_mv(key), -1)
| stats count AS Findings dc(entity) AS Entities values(detection) AS Detection BY value
| sort 0 - Findings, value
| head 15
| eval Value=value, _search="| inputlookup cba_findings where status!=\\"closed\\"
| where mvindex(json_array_to_mv(key), -1)=\\"".value."\\"
| cbaverdict verdict=benign comment=\\"why\\""
| table Value Detection Findings Entities _search
""",
    )
    values = board.table(
        "values_panel",
        "values",
        "Noisiest values of open findings",
        {"Value": 170, "Detection": 230, "Findings": 80, "Entities": 80},
        texts=("Value",),
        click=search_link("$row._search.value|u$"),
        description="A row prepares the search that calls all its findings benign; read it before you run it.",
    )
    board.row(420, (entities, 6), (values, 6))

    rows = ", ".join(f'"{what}||{lookup}"' for what, lookup in EDITED.items())
    board.search(
        "lookups",
        f"""
| makeresults
| eval row=mvappend({rows})
| mvexpand row
| eval What=mvindex(split(row, "||"), 0), Lookup=mvindex(split(row, "||"), 1), _search="| inputlookup ".Lookup
| table What Lookup _search
""",
        earliest="0",
        latest="now",
    )
    lookups = board.table(
        "lookups_panel",
        "lookups",
        "Say it once for all: lookups to fill in",
        {"What": 200, "Lookup": 150},
        click=search_link("$row._search.value|u$"),
        description="A row shows what the lookup holds.",
    )
    board.search(
        "verdicts",
        """
| inputlookup cba_verdicts
| eval When=strftime(decided_time, "%Y-%m-%d %H:%M"), Verdict=verdict, Profile=profile, Entity=entity, Value=value,
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
    board.row(330, (lookups, 4), (verdicts, 8))
    # Here belongs the comparison of settings over the last 30 days: a table over the command cbabacktest.
    return board
