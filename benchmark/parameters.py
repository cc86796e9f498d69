"""The numbers of normal life, each with where it comes from. None is chosen by what the detections ask.

Where a public number exists it stands there, with its publisher. Where none does, `because` says so, and the number is
taken at the noisy end: more travel, more people than machines, more firsts than most organizations see, so that the
false alerts that are reported are rather too many than too few.
"""

from __future__ import annotations

import dataclasses
from typing import Iterator

YEAR, MONTH, QUARTER = 365.0, 30.0, 90.0


@dataclasses.dataclass(frozen=True)
class Number:
    """A number of normal life: what it is of, and why it is that."""

    value: float
    about: str
    because: str


PEOPLE = Number(
    0.7,
    "share of people among the identities; the others are roles, keys, service accounts and applications",
    "Reports count 45 to 82 machine identities for each person (CyberArk, Identity Security Landscape 2022, 2025); "
    "machines are the quieter ones, so far fewer of them make more alerts per identity.",
)
HIRES = Number(
    0.035,
    "new people a month, of those there are",
    "BLS, Job Openings and Labor Turnover, September 2024: hires 3.5 % of employment.",
)
LEAVERS = Number(
    0.033,
    "people who leave a month",
    "BLS, the same: separations about 3.1 to 3.3 % of employment in 2024.",
)
TRIPS = Number(
    1.0,
    "journeys abroad a year during which somebody works or reads mail",
    "Eurostat (tour_dem): some 1.1 thousand million trips of EU residents in 2022, 27 % of trips abroad (2017), 9 % of "
    "trips for work: 0.7 a year and person. Those with an office job travel more, and not all of them work meanwhile.",
)
TRIP_DAYS = Number(
    5.0,
    "days of a journey, on average",
    "Eurostat, tourism trips: 5.1 nights on average (2016, 2017).",
)
CONTRACTORS = Number(
    0.04,
    "share of people who work from a country without an office",
    "No public number; employers of record exist because there are many.",
)
ROAMERS = Number(
    0.03,
    "share of people who are on the road every week, in five countries in turn",
    "No public number; service engineers and sales.",
)
PERSONAL_VPN = Number(
    0.06,
    "share of people who now and then come through a VPN of their own, with exits in three countries",
    "No public number for working hours; surveys of private use say a quarter to a third of internet users.",
)
PERSONAL_VPN_DAYS = Number(0.1, "of their days on which they do", "No public number: twice a month on working days.")
COMPANY_VPN = Number(0.25, "share of people who work through the company's VPN on two days a week", "No public number.")
VPN_MOVES = Number(
    1.0,
    "exits of the company's VPN that move to an unlisted place, in ninety days",
    "Providers of secure web gateways publish changed egress addresses several times a year.",
)
MOBILE = Number(
    0.3,
    "share of working days on which mail is also read through a mobile carrier",
    "StatCounter: more than half of web traffic is mobile; of office work it is less.",
)
GEO_ERRORS = Number(
    0.02,
    "share of people a month whose address is for some days taken for one of another country",
    "MaxMind gives 99.8 % as the accuracy of countries of its GeoIP2 database; mobile and newly traded networks are "
    "worse, and people's addresses change.",
)
ATTEMPTS = Number(
    0.6,
    "refused sign-ins from anywhere in the world a person and day",
    "Microsoft Digital Defense Report 2024: 600 million identity attacks a day, 99 % on passwords; one thousand "
    "million accounts active a month (Microsoft at RSA 2020).",
)
MISTYPED = Number(
    0.06,
    "share of sign-ins before which a password was mistyped",
    "Chatterjee et al., pASSWORD tYPOS (IEEE S&P 2016), find typing mistakes in a few per cent of attempts.",
)
ON_DUTY = Number(0.9, "share of working days on which somebody is at work", "Eurostat and OECD: leave and sickness.")
WEEKEND = Number(0.08, "share of week-end days on which somebody reads mail", "No public number.")
NEW_DUTIES = Number(
    0.05,
    "share of engineers a month who begin to work in one more project",
    "No public number; a team's reorganisation every year and a half.",
)
FIRST_LOGINS = Number(
    0.5,
    "sign-ins a month to a cloud console by keys and roots of which it is not usual, in each account",
    "No public number; break-glass exercises and billing once a quarter to once a month.",
)
SECRET_ERRANDS = Number(
    0.1,
    "share of engineers a month who once look into the store of secrets",
    "No public number: a password is looked up, a key is rotated by hand.",
)
SHELLS = Number(
    1.0,
    "shells a month that an engineer with a cluster opens in a pod",
    "No public number; an incident a month.",
)
NEW_REGIONS = Number(
    0.15, "regions a quarter that an AWS account takes up", "No public number: roll-outs and disaster recovery."
)
NEW_ACCOUNTS = Number(
    0.1,
    "new accounts a quarter, of those there are, with a pipeline and people",
    "AWS advises an account for each workload and stage (Organizing Your AWS Environment Using Multiple Accounts).",
)
MIGRATIONS = Number(
    0.05, "workloads a quarter that move to another region or cloud, of those there are", "No public number."
)
NEW_RUNTIMES = Number(
    0.4,
    "languages a quarter that a platform team brings to an account's functions",
    "AWS Lambda's page on runtimes: a few are added and retired each year; most are versions, which do not count.",
)
FUNCTIONS = Number(
    1.0,
    "functions a week that a pipeline makes with a role of its own",
    "No public number; a team's feature a week.",
)
RUNNER_ELSEWHERE = Number(
    0.04,
    "share of a pipeline's days on which its hosted runner stands in another region",
    "GitHub's hosted runners run in Azure, without a promise where (its documentation, About GitHub-hosted runners).",
)
FLOWS = Number(
    0.03,
    "share of people a month who make or change a flow",
    "Microsoft: hundreds of thousands of organizations, few makers.",
)
SCRIPTS = Number(0.03, "share of people a month who write a script bound to a form or sheet", "No public number.")
VENDORS = Number(
    0.6, "pages of a vendor's tenant that a computer's user opens a month and nobody else does", "No public number."
)
NEW_TOOLS = Number(
    1.0, "tools a month that are rolled out to computers in waves", "No public number: patch days and onboarding."
)
GAPS = Number(
    2.0, "hours-long gaps in a source's delivery in ninety days, half of them lost for good", "No public number."
)
BURSTS = Number(2.0, "days of much work in ninety days: an incident, a release", "No public number.")

ARRIVALS = {
    "FR": 100, "ES": 85, "US": 66, "IT": 57, "TR": 55, "MX": 42, "GB": 37, "DE": 35, "GR": 33, "AT": 31, "TH": 28,
    "AE": 28, "JP": 25, "PT": 26, "NL": 20, "PL": 19, "CA": 18, "MY": 20, "HR": 19, "ID": 12, "IN": 9, "CZ": 10,
    "SG": 14, "VN": 13, "CH": 12, "KR": 11, "SA": 27, "DK": 12, "SE": 7, "NO": 6, "BE": 9, "IE": 7, "HU": 13,
    "EG": 15, "MA": 15, "ZA": 8, "BR": 6, "AR": 7, "AU": 7, "CN": 35, "BG": 8, "RO": 2, "TN": 9, "CY": 4, "FI": 3,
    "IL": 3, "KE": 2, "LK": 1, "PE": 3, "CO": 6, "CL": 4, "CR": 2, "NZ": 3, "PH": 5, "TW": 6, "IS": 2, "GE": 5,
    "RS": 2, "LT": 1, "EE": 1, "LV": 1, "SK": 2, "SI": 5, "MT": 3, "LU": 1, "KZ": 5, "NG": 1, "GH": 1, "PK": 1,
}  # fmt: skip
"""Where people travel: arrivals of 2023 in round millions (UN Tourism, World Tourism Barometer)."""

OFFICES = ("NL", "DE", "GB", "PL", "IN", "US", "FR", "ES", "SG", "BR", "IE", "JP", "CA", "AU", "IT", "SE")
"""Countries of offices, in the order in which an organization opens them: one for every forty people or so."""


def all_numbers() -> Iterator[tuple[str, Number]]:
    """Every number by its name, in the order of this file."""
    return ((name, value) for name, value in globals().items() if isinstance(value, Number))
