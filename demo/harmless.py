"""Harmless stories: first times that an alert rightly reports, and decoys that must stay silent.

A story without steps is part of somebody's routine in `organization.py`.
"""

from __future__ import annotations

from . import addresses
from .accounts import ANALYTICS, PROD, WORKSPACE
from .stories import Story, steps_of

SURPRISES: tuple[Story, ...] = (
    Story(
        id="at-customer",
        title="Field engineer at a customer in Vienna",
        account="femke.deboer/m365",
        country="AT",
        why="a real trip to a country nobody had been in",
        variation="2",
        first=(21, "00:00"),
        last=(21, "23:59"),
    ),
    Story(
        id="workation",
        title="Works from Lisbon for a week",
        account="james.cole/m365",
        country="PT",
        why="a real trip to a country nobody had been in; silent from its third day on",
        variation="2",
        findings=2,
        first=(22, "00:00"),
        last=(26, "23:59"),
    ),
    Story(
        id="business-trip",
        title="Visits the Singapore office",
        account="priya.sharma/m365",
        country="SG",
        why="a real trip; the tenant knows SG",
        variation="3",
        findings=2,
        first=(30, "00:00"),
        last=(31, "23:59"),
    ),
    Story(
        id="runner-trial",
        title="Build runners tried in a new region on one day",
        account="ci-deploy",
        country="SE",
        why="SE is new to the account; silent when the runners move there nine days later",
        variation="5",
        steps=steps_of(
            "ci-deploy",
            addresses.in_region("aws/eu-north-1", "runner"),
            (32, "09:10:00", "assume"),
            (32, "09:12:25", "deploy"),
            (32, "10:40:18", "instances"),
        ),
    ),
    Story(
        id="holiday",
        title="Reads mail on holiday in Egypt",
        account="marek.wrona/m365",
        country="EG",
        why="a real trip to a country nobody had been in; silent from its third day on",
        variation="2",
        findings=2,
        first=(35, "00:00"),
        last=(41, "23:59"),
    ),
    Story(
        id="conference",
        title="At a conference in Brussels",
        account=f"katarzyna.lis/{ANALYTICS}",
        country="BE",
        why="a real trip; the project knows BE from its own machines",
        variation="3",
        first=(43, "00:00"),
        last=(43, "23:59"),
    ),
)

DECOYS: tuple[Story, ...] = (
    Story(
        id="second-home",
        title="Back at her Spanish holiday home",
        account="lotte.smit/m365",
        country="ES",
        why="worked from there four weeks earlier: established",
        first=(34, "00:00"),
        last=(36, "23:59"),
    ),
    Story(
        id="second-visit",
        title="Field engineer in Vienna again",
        account="femke.deboer/m365",
        country="AT",
        why="one day, two weeks ago, is enough: established",
        first=(35, "00:00"),
        last=(35, "23:59"),
    ),
    Story(
        id="new-hire",
        title="New hire in an office that exists",
        account=f"ola.wrobel/{PROD}",
        country="PL",
        why="nothing to compare her with, and her projects know PL",
        first=(21, "00:00"),
        last=(44, "23:59"),
    ),
    Story(
        id="vpn-exit",
        title="A VPN exit in Zurich opens",
        account="joost.dekker/m365",
        country="CH",
        why="in egress_ranges: counts as NL",
        first=(33, "00:00"),
        last=(44, "23:59"),
    ),
    Story(
        id="new-account",
        title="A new AWS account and its pipeline",
        account="ci-sandbox",
        country="US",
        why="account and role are new, the organization knows US",
        first=(33, "00:00"),
        last=(44, "23:59"),
    ),
    Story(
        id="mail-back-end",
        title="Microsoft moves a mailbox from a data centre in Qatar",
        account="sanne.mulder/m365",
        country="QA",
        why="Microsoft's own network in its own log has no country",
        steps=steps_of(
            "sanne.mulder/m365",
            addresses.pick(addresses.BACK_ENDS["microsoft"][1], "move"),
            (34, "04:11:00", "MailItemsAccessed"),
            (34, "04:12:00", "MailItemsAccessed"),
        ),
    ),
    Story(
        id="drive-back-end",
        title="Google renders a document from a data centre in the US",
        account=f"ines.ortega/{WORKSPACE}",
        country="US",
        why="Google's own network in its own log has no country",
        steps=steps_of(
            f"ines.ortega/{WORKSPACE}",
            addresses.pick(addresses.BACK_ENDS["google"][1], "render"),
            (36, "10:31:00", "view"),
            (36, "10:31:30", "view"),
        ),
    ),
    Story(
        id="private",
        title="Backup user from a host behind the VPN",
        account="backup-operator",
        country="-",
        why="a private address has no country",
        steps=steps_of(
            "backup-operator",
            addresses.pick(addresses.PRIVATE[0], "backup"),
            (32, "11:00:00", "buckets"),
        ),
    ),
    Story(
        id="world-wide",
        title="Monitoring probe in a fifteenth country",
        account="probes",
        country="MX",
        why="an identity with more than ten countries is at home everywhere",
        steps=steps_of(
            "probes",
            addresses.in_region("aws/mx-central-1", "probe"),
            (38, "12:00:00", "whoami"),
            (38, "12:05:00", "alarms"),
        ),
    ),
    Story(
        id="moved-runners",
        title="Build runners move to the region tried before",
        account="ci-deploy",
        country="SE",
        why="tried nine days earlier: established",
        first=(41, "00:00"),
        last=(44, "23:59"),
    ),
)
