"""`compute_identity_outside_region` end to end: raw CloudTrail through the shipped search, for each way of knowing a home.

Every workload has a role of its own, which for weeks has worked from one of Amazon's addresses in the home region through
another instance. Then its credentials are used from Russia.
"""

from __future__ import annotations

import dataclasses
import datetime
import json
from pathlib import Path
from typing import Any, Iterator

import pytest

from cba.terms import time_text
from demo import lists
from lab.events import Event
from lab.ingest import Problem, read_events
from lab.replay import APP_DIR, replay
from lab.searchhead import SearchHead
from tests.replay.shipped import findings_of

DETECTION = "compute_identity_outside_region"
JUDGE = ["CBA - aws - Judge"]
ACCOUNT, HOME, AWAY = "111111111111", "us-east-1", "eu-west-1"
AMAZON = {HOME: "3.225.16.109", AWAY: "54.154.0.1"}
THIEF = "77.88.8.8"
DAYS = 16
START = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)


def record(day: int, clock: str, name: str, who: dict[str, Any], **more: Any) -> Event:
    """One event at a time of a day; `more` are fields of CloudTrail's."""
    hour, minute = map(int, clock.split(":"))
    time = START + datetime.timedelta(days=day, hours=hour, minutes=minute)
    log = {
        "eventVersion": "1.10", "eventTime": time.strftime("%Y-%m-%dT%H:%M:%SZ"), "eventSource": "ec2.amazonaws.com",
        "eventName": name, "awsRegion": HOME, "sourceIPAddress": AMAZON[HOME], "userIdentity": who,
        "eventID": f"{day}-{clock}-{name}-{json.dumps(who)}", "recipientAccountId": who.get("accountId", ACCOUNT), **more,
    }  # fmt: skip
    return Event(time.timestamp(), time.timestamp() + 300, "main", "aws:cloudtrail", "trail", "h", json.dumps(log))


def arn_of(role: str, account: str = ACCOUNT) -> str:
    return f"arn:aws:iam::{account}:role/{role}"


def session(role: str, name: str, account: str = ACCOUNT, **identity: Any) -> dict[str, Any]:
    return {
        "type": "AssumedRole", "arn": f"arn:aws:sts::{account}:assumed-role/{role}/{name}", "accountId": account,
        "sessionContext": {"sessionIssuer": {"type": "Role", "arn": arn_of(role, account), "accountId": account}}, **identity,
    }  # fmt: skip


def service(name: str) -> dict[str, Any]:
    return {"type": "AWSService", "invokedBy": f"{name}.amazonaws.com"}


DEPLOYER = session("deploy", "pipeline")
ROLES = ("hint", "ec2", "launch", "function", "agent", "inventory", "calls", "nobody", "global", "late")
INSTANCE = {role: f"i-{number:017x}" for number, role in enumerate(ROLES, 1)}
FELLOW = {role: f"i-f{number:016x}" for number, role in enumerate(ROLES, 1)}
EVE, LAST = DAYS - 1, DAYS


def taken(day: int, clock: str, by: str, role: str, name: str, **more: Any) -> Event:
    request = {"roleArn": arn_of(role), "roleSessionName": name}
    fields = {
        "eventSource": "sts.amazonaws.com",
        "sourceIPAddress": f"{by}.amazonaws.com",
        "requestParameters": request,
    }
    return record(day, clock, "AssumeRole", service(by), **{**fields, **more})


def stolen(role: str, name: str = "", **more: Any) -> Event:
    """The credentials in other hands, on the last day."""
    return record(
        LAST, "15:00", "DescribeInstances", session(role, name or INSTANCE[role]), **{"sourceIPAddress": THIEF, **more}
    )


def story() -> Iterator[Event]:
    for day in range(DAYS):
        for role in ROLES:
            yield record(day, "12:00", "DescribeTags", session(role, FELLOW[role]))
    # Each way to know a home, and the theft.
    issued = {
        "issuerType": "AWS::EC2::Instance",
        "credentialsIssuedTo": f"arn:aws:ec2:{HOME}:{ACCOUNT}:instance/{INSTANCE['hint']}",
    }
    yield record(
        LAST, "15:00", "DescribeInstances", session("hint", INSTANCE["hint"], inScopeOf=issued), sourceIPAddress=THIEF
    )
    yield taken(EVE, "10:00", "ec2", "ec2", INSTANCE["ec2"])
    yield stolen("ec2")
    items = [{"instanceId": name} for name in ("i-00000000000000a01", INSTANCE["launch"], "i-00000000000000a02")]
    yield record(EVE, "10:00", "RunInstances", DEPLOYER, responseElements={"instancesSet": {"items": items}})
    yield stolen("launch")
    request = {"functionName": "orders", "runtime": "python3.13", "role": arn_of("function")}
    yield record(
        EVE, "10:00", "CreateFunction20150331", DEPLOYER, eventSource="lambda.amazonaws.com", requestParameters=request
    )
    yield stolen("function", "orders")
    yield stolen("function", "somebody")
    yield record(
        EVE, "10:00", "UpdateInstanceInformation", session("agent", INSTANCE["agent"]), eventSource="ssm.amazonaws.com"
    )
    yield stolen("agent")
    yield stolen("inventory")
    for day in range(DAYS - 10, DAYS):
        yield from (
            record(day, clock, "DescribeVolumes", session("calls", INSTANCE["calls"])) for clock in ("09:00", "18:00")
        )
    yield stolen("calls")
    yield stolen("nobody")
    # Launched, robbed and reported late on one day; IAM is nowhere; another region is another matter.
    yield taken(LAST, "14:50", "ec2", "late", INSTANCE["late"])
    yield stolen("late")
    yield taken(EVE, "10:00", "ec2", "global", INSTANCE["global"], awsRegion=AWAY)
    at_home = {"sourceIPAddress": AMAZON[AWAY]}
    yield record(
        LAST, "15:00", "ListRoles", session("global", INSTANCE["global"]), eventSource="iam.amazonaws.com", **at_home
    )
    yield record(
        LAST,
        "15:01",
        "GetCallerIdentity",
        session("global", INSTANCE["global"]),
        eventSource="sts.amazonaws.com",
        **at_home,
    )
    yield record(LAST, "15:02", "ListBuckets", session("global", INSTANCE["global"], invokedBy="athena.amazonaws.com"))
    yield record(
        LAST,
        "15:03",
        "DescribeVpcs",
        session("global", INSTANCE["global"]),
        sourceIPAddress="10.0.0.7",
        vpcEndpointId="vpce-1",
        awsRegion=AWAY,
    )


EXPECTED = {
    "hint": ("v2", "named in the event"),
    "ec2": ("v2", "AssumeRole by EC2"),
    "launch": ("v2", "RunInstances"),
    "function": ("v2", "CreateFunction"),
    "agent": ("v2", "UpdateInstanceInformation"),
    "inventory": ("v2", "list instance_inventory"),
    "calls": ("v2", "its own calls"),
    "late": ("v2", "AssumeRole by EC2"),
}
WORKLOAD = {**INSTANCE, "function": f"{arn_of('function')}/orders"}


@pytest.fixture(scope="module", params=["1d", "1h"])
def head(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SearchHead]:
    state = tmp_path_factory.mktemp("state")
    with SearchHead(APP_DIR, state) as head:
        lists.fill(head, {"instance_inventory": [{"instance": INSTANCE["inventory"], "region": HOME}]})
        head.events.add(list(story()))
        head.enable(JUDGE)
        start, eve = START.timestamp(), START.timestamp() + EVE * 86_400
        head.scheduler.replay(start, eve, "1d", JUDGE)
        head.scheduler.replay(eve, eve + 3 * 86_400, request.param, JUDGE)
        yield head


def test_every_way_of_knowing_a_home(head: SearchHead) -> None:
    found = {f["identity"].rpartition("/")[2]: f for f in findings_of(head, DETECTION)}
    assert {role: (f["variation"], f["home_source"]) for role, f in found.items()} == EXPECTED
    for role, finding in found.items():
        told = (finding["home_region"], finding["outside"], finding["region"], finding["workload"])
        assert told == (HOME, f"came from outside {HOME}", HOME, WORKLOAD[role])
        sentence = f"Home region {HOME} ({EXPECTED[role][1]}): the call came from outside {HOME}."
        assert sentence in finding["explanation"]
        assert finding["count"] == 1


def test_the_homes_nobody_knows_are_counted(head: SearchHead) -> None:
    """The fellows, whom nothing tells but sixteen calls, and `nobody`; but not the one that only has the function's role."""
    end = START.timestamp() + (LAST + 1) * 86_400
    (row,) = head.search("| cbahealth detection=compute_identity_outside_region", latest=end, now=end).rows
    unknown = len(FELLOW) + 1
    assert (int(row["home_known"]), int(row["home_unknown"])) == (len(EXPECTED) + 1, unknown)
    assert (row["state"], row["reason"]) == (
        "active",
        f"home region unknown for {unknown} of {len(EXPECTED) + 1 + unknown} workloads, which are never judged; add them to "
        "the list instance_inventory",
    )
    (row,) = head.search(
        "| cbahealth detection=compute_identity_outside_region entities=false", latest=end, now=end
    ).rows
    assert (row.get("home_known"), row.get("reason")) == (None, None)
    spl = "| inputlookup cba_homes | where isnotnull(met_day) AND (isnull(known_day) OR known_day<met_day) | fields workload"
    listed = {item["workload"] for item in head.search(spl, latest=end, now=end).rows}
    assert listed == {*FELLOW.values(), INSTANCE["nobody"]}


@pytest.mark.parametrize(("setting", "variation"), [(None, "v6"), ("1", "v2")])
def test_failed_calls_and_their_setting(setting: str | None, variation: str, tmp_path: Path) -> None:
    history = [record(day, "12:00", "DescribeTags", session("ec2", FELLOW["ec2"])) for day in range(DAYS)]
    denied = stolen("ec2", errorCode="Client.UnauthorizedOperation")
    with SearchHead(APP_DIR, tmp_path) as head:
        if setting is not None:
            change = {"detections": {"failed_calls_escalate": setting}}
            head.splunkd.endpoints.edit("cloud_behavior_analytics_settings", change)
        head.events.add([*history, taken(EVE, "10:00", "ec2", "ec2", INSTANCE["ec2"]), denied])
        replay(head, "1d", enable=JUDGE)
        (finding,) = findings_of(head, DETECTION)
    assert finding["variation"] == variation
    assert finding["variations_matched"] == ("base v6" if variation == "v6" else "base v2 v6")


# -- real logs ------------------------------------------------------------------------------------------------------------

ATTACK = "aws/cloudtrail_invictus_stratus_2023-07-10.jsonl"
VICTIM, ROBBED = "123837392027", "i-0dbc91f429e48eeed"
OWN_ADDRESSES = ("3.225.16.109", "52.45.102.28")


def fleet(account: str, until: str, role: str = "web") -> list[Event]:
    """A generated month of one role's instances in us-east-1, working from addresses that are really Amazon's there."""
    first = (datetime.date.fromisoformat(until) - START.date()).days - 31
    return [
        record(
            day, f"{hour:02}:30", "DescribeTags", session(role, f"i-{number:017x}", account), sourceIPAddress=address
        )
        for day in range(first, first + 31)
        for hour in (3, 15)
        for number, address in enumerate(OWN_ADDRESSES)
    ]


def modified(events: list[Event], address: str) -> list[Event]:
    """The attack with the thief's address, made private before publication, replaced by a public one; each such event
    says so in additionalEventData."""
    found = []
    for event in events:
        log = json.loads(event.raw)
        if ROBBED in log["userIdentity"].get("arn", "") and log["sourceIPAddress"] == "192.168.10.20":
            log |= {"sourceIPAddress": address, "additionalEventData": {"modified": "source address replaced"}}
            event = dataclasses.replace(event, raw=json.dumps(log))
        found.append(event)
    return found


def raised(folder: Path, *logs: list[Event]) -> list[dict[str, Any]]:
    with SearchHead(APP_DIR, folder) as head:
        for log in logs:
            head.events.add(log)
        replay(head, "1d", enable=JUDGE)
        return findings_of(head, DETECTION)


def test_the_stolen_instance_credentials(shared: Any, tmp_path: Path) -> None:
    attack = list(read_events("aws", [shared(ATTACK)]))
    history = fleet(VICTIM, "2023-07-10")
    assert raised(tmp_path / "as published", history, attack) == [], "a private address has no country"
    (finding,) = raised(tmp_path / "modified", history, modified(attack, THIEF))
    role = arn_of("stratus-red-team-ec2-steal-credentials-role", VICTIM)
    assert (finding["variation"], finding["severity"], finding["identity"]) == ("v2", "high", role)
    assert (time_text(finding["first_time"]), finding["count"]) == ("2023-07-10T11:57:22Z", 2)
    assert (finding["workload"], finding["region"], finding["src_ip"]) == (ROBBED, "us-east-1", THIEF)
    assert (finding["home_region"], finding["home_source"]) == ("us-east-1", "AssumeRole by EC2")
    for words in (
        "Home region us-east-1 (AssumeRole by EC2): the call came from outside us-east-1.",
        f"Country Russia: identity {role} has no history yet; first time in 30 days for project {VICTIM}",
    ):
        assert words in finding["explanation"]


def test_the_proxy_that_gives_away_its_role(shared: Any, tmp_path: Path) -> None:
    attack = list(read_events("aws", [shared("aws/cloudtrail_otrf_ec2_proxy_s3_exfiltration.jsonl")]))
    assert raised(tmp_path / "alone", attack) == [], "nobody to compare with"
    (finding,) = raised(tmp_path / "over a history", fleet("123456789123", "2020-09-14"), attack)
    # 1.2.3.4, which stands for the operators' address: a country, and nobody announces it.
    assert (finding["variation"], finding["severity"], finding["variations_matched"]) == ("v3", "medium", "base v3")
    assert (finding["workload"], finding["src_ip"], finding["count"]) == ("i-0317f6c6b66ae9c40", "1.2.3.4", 11)
    assert (finding["home_source"], finding["outside"]) == ("AssumeRole by EC2", "came from outside us-east-1")


def test_impossible_addresses_and_regions(shared: Any, tmp_path: Path) -> None:
    """One technique a file, addresses and regions made up, over a month of the account of the stolen credentials."""
    problems: list[Problem] = []
    attack = list(read_events("aws", [shared("aws/stratus")], on_problem=problems.append))
    assert problems == []
    assert raised(tmp_path, fleet("017622104382", "2024-08-01"), attack) == []
