"""Everything known about one identity, host, project, function, role or resource."""

from __future__ import annotations

from risk import RISK

from pages import pivots
from pages.board import DAY_COLOURS, OPEN, SEVERITY_COLOURS, WHEN, Board, coloured, link, search_link
from pages.names import country_name, shown
from pages.spl import contains, quoted, token

FIELDS = ("entity", "identity", "project", "host", "function", "role", "resource", "workload", "script", "flow")
"""Fields of a finding that name an entity."""

KINDS = FIELDS[1:]
ENTITY = token("entity")
OPENS = link("entity", entity="$row.Entity.value|u$")

PROFILE = "(?<Population>.*?)_?(?<Kind>identity|host|project|organization|resource|function)_(?<Dimension>.+)"
"""How the name of a profile is read."""
DAYS = 30
"""Drawn, up to the day before today."""
READ = 10_000
"""Histories that the list of entities reads at most: a page must not wait for all of a large organization's."""
LISTED = 100


def page() -> Board:
    board = Board("entity", "Entity", "What is known about an identity, host, project, function, role or resource.")
    board.text("entity", "Entity, its whole name", "organization")
    board.text("find", "Find others by a part of it", "*")
    named = " OR ".join(f"{name}={ENTITY}" for name in FIELDS)
    known = board.search("known", f"| cbahistory entity={ENTITY}\n{_marked(named)}", earliest="0", latest="now")
    found = board.search(
        "found",
        f'| inputlookup cba_findings | where {ENTITY}="organization" OR {named} | `cba_triage`',
        earliest="0",
        latest="",
    )

    board.chain("values", known, "| stats count")
    board.chain("established", known, '| where state="established" | stats count')
    board.chain(
        "risk", found, f'| where status!="closed" | eval risk={RISK} | stats sum(risk) AS risk | fillnull value=0 risk'
    )
    board.chain("open", found, '| where status!="closed" | stats count')
    board.chain("since", known, '| stats min(first_day) AS since | eval since=coalesce(since, "never")')
    board.chain("findings", found, "| stats count")
    board.row(
        110,
        (board.number("risk_panel", "risk", "Risk of open findings"), 2),
        (board.number("open_panel", "open", "Open findings"), 2),
        (board.number("findings_panel", "findings", "Findings"), 2),
        (board.number("values_panel", "values", "Values known"), 2),
        (board.number("established_panel", "established", "Of these established"), 2),
        (board.number("since_panel", "since", "Known since", size=24), 2),
    )

    board.chain("days", known, _days())
    days = board.days(
        "days_panel",
        "days",
        "Which value on which day of the training period (UTC days)",
        ("Dimension", "Value"),
        DAYS,
        "Days of the month. Blue: established, it counts as normal. Yellow: provisional, it is new. Orange: an open "
        "finding is about it. Nothing here? Nothing was learned of this name in 30 days: find it below.",
    )
    board.row(300, (days, 12))

    board.chain("list", found, LIST)
    listed = board.table(
        "list_panel",
        "list",
        "Findings",
        {"When": 125, "Severity": 110, "Finding": 260, "Count": 80, "Status": 85},
        colours=[coloured("Severity", SEVERITY_COLOURS)],
        click=link("finding", finding="$row._finding_id.value|u$"),
        rows=10,
        description="A row opens the finding. Nothing here is good news.",
    )
    board.search("others", _others(), earliest="0", latest="now")
    others = board.table(
        "others_panel",
        "others",
        "Find an entity",
        {"Entity": 300, "Kind": 95, "Findings": 90},
        texts=("Entity",),
        click=OPENS,
        rows=10,
        description="By the part of a name written above. A row opens it.",
    )
    board.row(380, (listed, 7), (others, 5))

    board.chain("table", known, TABLE)
    table = board.table(
        "table_panel",
        "table",
        "What is known",
        {
            "Profile": 190,
            "Value": 150,
            "State": 105,
            "First": 100,
            "Last": 100,
            "Days": 70,
            "Trained": 90,
            "Verdict": 90,
        },
        texts=("Value",),
        colours=[coloured("State", {name: DAY_COLOURS[name] for name in ("provisional", OPEN)})],
        description="Of the 90 days kept; Days counts those of the training period. Nothing here? Find the name above.",
        rows=10,
    )
    board.row(360, (table, 12))

    board.chain("addresses", found, ADDRESSES)
    addresses = board.table(
        "addresses_panel",
        "addresses",
        "Addresses and operations of its findings",
        {"Last": 130, "Address": 150, "From": 240, "Did": 400},
        texts=("Address",),
        click=search_link("$row._search.value|u$", "$row._earliest.value|u$", "$row._latest.value|u$"),
        description="The latest first. A row searches for everybody who came from there in the week before. None? No "
        "finding names an address.",
        rows=10,
    )
    board.row(280, (addresses, 12))

    board.search("related", _related(named), earliest="0", latest="now")
    related = board.table(
        "related_panel",
        "related",
        "Related entities",
        {"Entity": 400, "Kind": 100, "Because": 200},
        texts=("Entity",),
        click=OPENS,
        description="Named by the same findings or histories. A row opens the entity.",
        rows=10,
    )
    board.row(260, (related, 12))
    return board


LIST = f"""
| sort 0 - first_time
| eval When=strftime(first_time, "{WHEN}"), Severity=severity, Finding=name, Count=count,
    Status=status, _finding_id=finding_id
| table When Severity Finding Count Status _finding_id
"""

TABLE = """
| sort 0 profile, - days_training, value
| eval Profile=profile, Value=shown, State=state, First=first_day,
    Last=last_day,
    Days=days_training, Trained=if(trained=1, "yes", "not yet"), Verdict=verdict
| table Profile Value State First Last Days Trained Verdict
"""


ADDRESSES = f"""
| where len(src_ip)>1
| eval place=if(country="-" OR country="private", "inside", country)
| lookup cba_countries country OUTPUT name
| stats max(last_time) AS last values(operations) AS operations values(name) AS name values(as_org) AS network
    values(place) AS place BY src_ip
| sort 0 - last
| eval Last=strftime(last, "{WHEN}"), Address=src_ip, Did=replace(mvjoin(operations, ", "), " \\\\| ", ", "),
    From=mvjoin(mvappend(coalesce(name, place), network), ", ")
| eval _search="{pivots.everywhere("src_ip", "Address")}", _earliest=last-{7 * 86_400}, _latest=last+86400
| table Last Address From Did _search _earliest _latest
"""


def _marked(named: str) -> str:
    """SPL that adds how each value is called (shown) and what it counts as (state), also that an open finding is about
    it, which is more than that: what is under suspicion is never shown as normal."""
    return f"""| rex field=profile "^{PROFILE}"
| append
    [| inputlookup cba_findings
    | where {ENTITY}="organization" OR {named}
    | `cba_triage`
    | where status!="closed"
    | eval scope=split("identity,host,project,organization", ",")
    | mvexpand scope
    | eval compared=json_extract(evidence, "scopes.".scope), dimension=json_array_to_mv(json_keys(compared))
    | where isnotnull(dimension)
    | mvexpand dimension
    | eval seen=json_extract(compared, dimension)
    | where json_extract(seen, "new")="true"
    | eval about=dimension."=".json_extract(evidence, "values.".dimension)
    | stats values(about) AS about
    | eval about=mvjoin(about, "\n")]
| eventstats values(about) AS about
| where isnotnull(profile)
| eval state=case(verdict="benign", "established", like("\n".about."\n", "%\n".Dimension."=".value."\n%"), "{OPEN}",
    established=1, "established", true(), "provisional")
{country_name('Dimension="country"')}
| eval shown={shown("Dimension")}"""


def _days() -> str:
    """SPL that gives each day of the training period two columns: the day of the month where the value was seen, and
    whether the value is established."""
    backs = range(DAYS, 0, -1)
    # Days are texts in UTC; reckoned from the text of today, the time zone of whoever looks does not matter.
    dates = ",\n    ".join(f'd{back}=strftime(relative_time(today, "-{back}d"), "%Y-%m-%d")' for back in backs)
    states = ",\n    ".join(f's{back}=if(match(days, d{back}), state, "")' for back in backs)
    numbers = ",\n    ".join(f'd{back}=if(s{back}!="", substr(d{back}, 9), "")' for back in backs)
    return f"""
| sort 0 profile, - days_training, value
| eval today=strptime(as_of, "%Y-%m-%d"), Value=shown,
    Dimension=if(len(Population)>0, Dimension." (".Population.")", Dimension),
    {dates}
| eval {states}
| eval {numbers}
| table Dimension Value {" ".join(f"d{back}" for back in backs)} {" ".join(f"s{back}" for back in backs)}
"""


def _others() -> str:
    """SPL that lists entities of findings and histories by name."""
    return f"""
| inputlookup cba_findings
{_each_named()}
| where {contains("Entity", "find")}
| stats count AS Findings values(Kind) AS Kind BY Entity
| append
    [| inputlookup cba_history
    | where {contains("entity", "find")}
    | head {READ}
    | rex field=profile "^{PROFILE}"
    | stats values(Kind) AS Kind BY entity
    | rename entity AS Entity
    | eval Findings=0]
| stats sum(Findings) AS Findings values(Kind) AS Kind BY Entity
| sort 0 - Findings, Entity
| head {LISTED}
| eval Kind=mvjoin(Kind, ", ")
| table Entity Kind Findings
"""


def _related(named: str) -> str:
    """SPL that lists who is named by the same findings, the roles of a function and the hosts of a resource, and the
    functions and resources of a role or host."""
    return f"""
| inputlookup cba_findings
| where {ENTITY}="organization" OR {named}
{_each_named()}
| where Entity!={ENTITY}
| stats count BY Entity Kind
| eval Because=if(count=1, "1 finding", count." findings")
| append
    [| cbahistory entity={ENTITY}
    | where (like(profile, "%function_role") OR like(profile, "%resource_host")) AND value!="*"
    | eval Kind=if(like(profile, "%_role"), "role", "host"), Entity=value, Because="its history", count=0]
| append
    [| inputlookup cba_history where profile="*function_role" OR profile="*resource_host"
    | where like(values, "%".{quoted(ENTITY)}."%")
    | eval Kind=if(like(profile, "%_role"), "function", "resource"), Entity=entity, Because="its history", count=0]
| stats max(count) AS count values(Because) AS Because BY Entity Kind
| sort 0 - count, Kind, Entity
| eval Because=mvjoin(Because, ", ")
| table Entity Kind Because
"""


def _each_named() -> str:
    """SPL that makes a row per entity that a finding names. A function may stand there without its project."""
    pairs = ", ".join(f'if(len({name})>1, "{name}||".{name}, null())' for name in KINDS)
    return f"""| eval function=if(like(function, project."/%"), function, project."/".function)
| eval other=mvappend({pairs})
| mvexpand other
| where isnotnull(other)
| eval Kind=mvindex(split(other, "||"), 0), Entity=mvindex(split(other, "||"), 1)"""
