"""Stories of `compute_identity_outside_region`: credentials of instances and functions at work where those are not."""

from __future__ import annotations

from .. import addresses
from ..formats.aws_instances import elsewhere
from ..functions import LAMBDA_HOME
from ..machines import ADDRESS, NEW_INSTANCE_DAY
from ..story import ANY, Alert, Story, steps_of

_KZ = addresses.in_country("KZ", "intruder/ssrf")
_SEOUL = addresses.in_region("aws/ap-northeast-2", "intruder/rented")
_DE = addresses.in_country("DE", "intruder/home")


def outside(variation: str, region: str) -> Alert:
    """The alert about calls that are made to a region, or from elsewhere while working in it."""
    return Alert("compute_identity_outside_region", variation, {"region": region})


ATTACKS: tuple[Story, ...] = (
    Story(
        id="look-around",
        title="Malicious code in the report builder lists what runs in the account's other region",
        account="reporter",
        alerts=(outside("base", "eu-west-1"),),
        why="new to this role, although other instances of the account work there; called from the instance itself",
        steps=steps_of(
            "reporter",
            ADDRESS["reporter"],
            (32, "13:40:11", elsewhere("ec2", "DescribeInstances", "eu-west-1")),
            (32, "13:40:15", elsewhere("ec2", "DescribeVolumes", "eu-west-1")),
        ),
    ),
    Story(
        id="leaky-function",
        title="Code smuggled into the order mailer looks for queues in Oregon",
        account="order-mailer",
        alerts=(outside("v1", "us-west-2"),),
        why="the role of a function that runs in Ireland, and has never called anything else",
        steps=steps_of(
            "order-mailer",
            LAMBDA_HOME[0],
            (34, "02:17:30", elsewhere("sqs", "ListQueues", "us-west-2")),
            (34, "02:17:44", elsewhere("sns", "ListTopics", "us-west-2")),
        ),
    ),
    Story(
        id="metadata-theft",
        title="Credentials of a shop worker, read through a request forgery, used at a desk in Kazakhstan",
        account="worker-2",
        alerts=(outside("v2", "eu-west-1"),),
        why="the instance has an address in Ireland; nobody in the organization has ever been in KZ",
        steps=steps_of(
            "worker-2",
            _KZ,
            (39, "01:10:07", "whoami"),
            (39, "01:10:40", "buckets"),
            (39, "01:12:26", "parameter"),
            (39, "01:20:03", "log_groups"),
        ),
    ),
    Story(
        id="rented-machine",
        title="Credentials of the image resizer, used on a machine that was rented in Seoul",
        account="resizer",
        alerts=(outside("v3", "eu-west-1"),),
        why="the network is the same cloud's, the country is new to the account; only the probes have been there",
        steps=steps_of(
            "resizer",
            _SEOUL,
            (41, "05:31:12", "whoami"),
            (41, "05:32:50", "queues"),
            (41, "05:36:02", "bucket_acl"),
        ),
    ),
    Story(
        id="insider",
        title="Somebody takes the report builder's credentials home",
        account="reporter",
        alerts=(outside("v4", "eu-central-1"),),
        why="the instance runs in the same country, so only the network is new",
        steps=steps_of("reporter", _DE, (42, "20:05:33", "queues"), (42, "20:06:10", "log_groups")),
    ),
    Story(
        id="far-region",
        title="A hijacked worker counts machines in Singapore",
        account="worker-1",
        alerts=(outside("v5", "ap-southeast-1"),),
        why="no instance or function of the account has ever called there; country and network are its own",
        steps=steps_of(
            "worker-1",
            ADDRESS["worker-1"],
            (36, "03:50:00", elsewhere("ec2", "DescribeInstances", "ap-southeast-1")),
            (36, "03:50:21", elsewhere("ec2", "DescribeInstanceTypeOfferings", "ap-southeast-1")),
        ),
    ),
    Story(
        id="refused-region",
        title="A hijacked ETL job tries to start machines in Oregon",
        account="etl",
        alerts=(outside("v6", "us-west-2"),),
        why="refused; that it belongs in Ireland is known from its own calls",
        steps=steps_of(
            "etl",
            addresses.in_region("aws/eu-west-1", "etl/0"),
            (37, "04:44:18", elsewhere("ec2", "RequestSpotInstances", "us-west-2", "Client.UnauthorizedOperation")),
            (37, "04:44:59", elsewhere("ec2", "RunInstances", "us-west-2", "Client.UnauthorizedOperation")),
        ),
    ),
)

SURPRISES: tuple[Story, ...] = ()

DECOYS: tuple[Story, ...] = (
    Story(
        id="two-regions",
        title="The image resizer works in two regions",
        account="resizer",
        alerts=(outside("", "eu-central-1"),),
        why="it has done so every day: established",
        first=(31, "00:00"),
        last=(44, "23:59"),
    ),
    Story(
        id="global-service",
        title="The shop workers list the account's users, which AWS logs in Virginia",
        account="worker-1",
        alerts=(outside("", "us-east-1"),),
        why="IAM has no region (global_services)",
        first=(31, "00:00"),
        last=(44, "23:59"),
    ),
    Story(
        id="new-instance",
        title="An instance is started and begins to work",
        account="renderer",
        alerts=(outside("", "eu-west-1"),),
        why="where it was started is its home from that second on",
        first=(NEW_INSTANCE_DAY, "00:00"),
        last=(44, "23:59"),
    ),
    Story(
        id="unknown-home",
        title="A machine of which nobody saw the start makes a few calls to two regions",
        account="stray",
        alerts=(outside("", ANY),),
        why="its home region is unknown, which is counted and never raised",
        steps=steps_of(
            "stray",
            addresses.in_region("aws/eu-west-1", "instance/stray"),
            (38, "11:00:00", "queues"),
            (38, "11:01:00", elsewhere("sqs", "ListQueues", "us-west-2")),
        ),
    ),
)
