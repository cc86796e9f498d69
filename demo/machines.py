"""EC2 instances of the organization and their roles: where they run, what they call, and how that place gets known."""

from __future__ import annotations

import hashlib
from typing import Iterator

from . import addresses
from .accounts import PROD, Account, on_aws
from .formats import aws, aws_instances
from .people import Workload
from .story import Step


def instance_id(name: str) -> str:
    """The id of a named instance."""
    return "i-0" + hashlib.sha256(name.encode()).hexdigest()[:16]


def _instance(role: str, name: str, region: str, named: bool = False) -> aws.Principal:
    return aws.instance(PROD, role, instance_id(name), region, named=named)


_WORKERS = ("worker-1", "worker-2")
ACCOUNTS: dict[str, Account] = {
    # The events of the workers say themselves where they run; the others' homes come from what happened around them.
    **{
        name: on_aws(
            _instance("shop-worker", name, "eu-west-1", named=True), "parameter", "queues", "queues", "log_groups",
            "users",
        )
        for name in _WORKERS
    },
    "resizer": on_aws(_instance("image-resizer", "resizer", "eu-west-1"), "queues", "bucket_acl", "bucket_location"),
    "resizer-far": on_aws(
        _instance("image-resizer", "resizer", "eu-west-1"),
        aws_instances.elsewhere("sqs", "ListQueues", "eu-central-1"),
        aws_instances.elsewhere("monitoring", "DescribeAlarms", "eu-central-1"),
    ),
    "reporter": on_aws(_instance("report-builder", "reporter", "eu-central-1"), "alarms", "log_groups", "queues"),
    "renderer": on_aws(_instance("video-renderer", "renderer", "eu-west-1"), "queues", "parameter"),
    "stray": on_aws(_instance("legacy-batch", "stray", "eu-west-1"), "queues"),
    "snapshots": on_aws(aws.role(PROD, "nightly-snapshots", "backup", aws.BOTO)),
    "ec2-prod": on_aws(aws.service(PROD, "ec2.amazonaws.com")),
}  # fmt: skip


def _elastic(region: str, name: str) -> list[str]:
    """The public address of an instance."""
    return [addresses.in_region(f"aws/{region}", f"instance/{name}")]


HOME = {
    **dict.fromkeys(_WORKERS, ("shop-worker", "eu-west-1")),
    "resizer": ("image-resizer", "eu-west-1"),
    "reporter": ("report-builder", "eu-central-1"),
    "renderer": ("video-renderer", "eu-west-1"),
}
"""Instance -> (its role, its region)."""
ADDRESS = {name: _elastic(region, name)[0] for name, (_role, region) in HOME.items()}
NEW_INSTANCE_DAY = 35
"""The day on which the renderer's instance is started."""


def workloads() -> list[Workload]:
    """The instances at work, from their own addresses."""
    places = {**ADDRESS, "resizer-far": ADDRESS["resizer"]}
    starts = {"renderer": NEW_INSTANCE_DAY}
    return [Workload(ACCOUNTS[name], [place], 3, starts=starts.get(name, 0)) for name, place in places.items()]


def steps(days: int) -> Iterator[Step]:
    """Every day the instances get their roles' credentials and report in, and disks are copied; once one is started."""
    for day in range(days):
        place = addresses.in_region("aws/eu-west-1", "snapshots")
        yield Step(day, "01:30:00", "snapshots", aws_instances.snapshot("eu-west-1"), place)
        for number, (name, (role, region)) in enumerate(HOME.items()):
            if name == "renderer" and day < NEW_INSTANCE_DAY:
                continue
            if name == "renderer" and day == NEW_INSTANCE_DAY:
                run = aws_instances.run(instance_id(name), role, region)
                yield Step(day, "00:00:02", "ci-deploy", run, addresses.in_region("azure/eastus", "runner/0"))
            took = aws_instances.deliver_role(PROD, role, instance_id(name), region)
            yield Step(day, f"00:00:1{number}", "ec2-prod", took, "ec2.amazonaws.com")
            if name == "reporter":
                report = aws_instances.report_in(instance_id(name))
                yield Step(day, "00:05:20", name, report, ADDRESS[name])
