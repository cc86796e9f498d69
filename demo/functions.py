"""Serverless functions of the organization: who deploys them on which days, and what their roles do all day.

A pipeline of the production account makes a role and a function every Wednesday and updates others in between; teams
deploy by hand now and then. So roles and functions come and go, always the same way.
"""

from __future__ import annotations

from typing import Iterator

from . import addresses
from .accounts import ANALYTICS, DATA, ML, PROD, STAGING, Account, on_aws, on_gcp
from .formats import aws, aws_functions, aws_instances, gcp_functions
from .people import Workload, office_address
from .story import Step

RUNNER = addresses.in_region("azure/eastus", "runner/0")
BUILDER = {
    ANALYTICS: addresses.in_region("gcp/europe-west1", "build"),
    ML: addresses.in_region("gcp/us-central1", "build"),
}

FUNCTIONS = {"order-mailer": "order-mailer-role", "invoice-export": "invoice-export-role"}
"""The production account's long-standing functions and their roles."""
LAMBDA_HOME = [addresses.in_region("aws/eu-west-1", f"lambda/{number}") for number in range(2)]
"""The addresses from which functions call."""


def _role(function: str) -> aws.Principal:
    return aws.lambda_role(PROD, FUNCTIONS[function], function, "eu-west-1")


def _deployer(project: str) -> Account:
    return on_gcp(project, f"deployer@{project}.iam.gserviceaccount.com")


ACCOUNTS: dict[str, Account] = {
    "order-mailer": on_aws(_role("order-mailer"), "parameter", "parameter", "queues", "denied_read"),
    "invoice-export": on_aws(_role("invoice-export"), "secret", "decrypt", "bucket_location"),
    "ci-staging": on_aws(aws.role(STAGING, "ci-deploy", "GitHubActions", aws.TERRAFORM)),
    "lambda-prod": on_aws(aws.service(PROD, "lambda.amazonaws.com")),
    f"deployer/{ANALYTICS}": _deployer(ANALYTICS),
    f"deployer/{ML}": _deployer(ML),
}


def workloads() -> list[Workload]:
    """The roles of the functions at work, from the addresses of the region they run in."""
    return [Workload(ACCOUNTS[function], LAMBDA_HOME, 4) for function in FUNCTIONS]


def steps(days: int) -> Iterator[Step]:
    """Deployments, day by day (day 0 counts as a Monday)."""
    for day in range(days):
        weekday, week = day % 7, day // 7
        for number, (function, role) in enumerate(FUNCTIONS.items()):
            took = aws_instances.deliver_role(PROD, role, function, "eu-west-1")
            yield Step(day, f"04:1{number}:07", "lambda-prod", took, "lambda.amazonaws.com")
        if weekday == 2:
            yield from _feature(day, week)
        if weekday in (0, 3):
            for number, (function, role) in enumerate(FUNCTIONS.items()):
                update = aws_functions.update_code(PROD, function, role)
                yield Step(day, f"09:3{number}:20", "ci-deploy", update, RUNNER)
        if weekday == 1:
            yield from _staging(day, week)
            yield from _google(day, week)
        if weekday == 4 and week % 2 == 0:
            report = aws_functions.create(DATA, f"report-{week}", "python3.12", "report-role")
            yield Step(day, "13:05:51", f"anouk.visser/{DATA}", report, office_address("NL"))
        if weekday in (2, 4):
            config = ("Microsoft.Web/sites/config/write", "sites/nw-loyalty/config/appsettings")
            yield Step(day, "10:20:00", "release", config, addresses.in_region("azure/westeurope", "release/0"))


def _feature(day: int, week: int) -> Iterator[Step]:
    name = f"feature-{week:02}"
    runtime = ("python3.12", "nodejs22.x")[week % 2]
    moments = (
        ("10:00:12", aws_functions.create_role(PROD, f"{name}-role")),
        ("10:00:14", aws_functions.attach_policy(f"{name}-role")),
        ("10:00:31", aws_functions.create(PROD, name, runtime, f"{name}-role")),
        ("10:04:02", aws_functions.update_configuration(PROD, name, f"{name}-role", timeout=60)),
    )
    for clock, call in moments:
        yield Step(day, clock, "ci-deploy", call, RUNNER)


def _staging(day: int, week: int) -> Iterator[Step]:
    name = f"candidate-{week:02}"
    yield Step(day, "08:15:40", "ci-staging", aws_functions.create(STAGING, name, "java21", "candidate-role"), RUNNER)
    yield Step(day, "15:41:09", "ci-staging", aws_functions.update_code(STAGING, name, "candidate-role"), RUNNER)


def _google(day: int, week: int) -> Iterator[Step]:
    for project, runtime in ((ANALYTICS, "python312"), (ML, "go122")):
        create = gcp_functions.create(project, f"batch-{week:02}", runtime, "functions")
        update = gcp_functions.update(project, "loader", "functions")
        yield Step(day, "07:30:11", f"deployer/{project}", create, BUILDER[project])
        yield Step(day, "12:02:45", f"deployer/{project}", update, BUILDER[project])
