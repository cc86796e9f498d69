"""EC2 instances and what happens around them, as CloudTrail records it.

Shapes: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/monitor-with-cloudtrail.html and
https://docs.aws.amazon.com/systems-manager/latest/userguide/monitoring-cloudtrail-logs.html
"""

from __future__ import annotations

from .aws import Call


def run(instance_id: str, profile: str, region: str) -> Call:
    """An instance is started with the role of an instance profile."""
    request = {
        "instancesSet": {"items": [{"imageId": "ami-0a1b2c3d4e5f60718", "minCount": 1, "maxCount": 1}]},
        "instanceType": "m6i.large",
        "iamInstanceProfile": {"name": profile},
    }
    started = {
        "instanceId": instance_id,
        "imageId": "ami-0a1b2c3d4e5f60718",
        "instanceState": {"code": 0, "name": "pending"},
        "instanceType": "m6i.large",
        "placement": {"availabilityZone": f"{region}a", "tenancy": "default"},
        "privateIpAddress": "10.20.0.17",
    }
    return Call("ec2", "RunInstances", request, {"instancesSet": {"items": [started]}}, read_only=False, region=region)


def deliver_role(account: str, role: str, session: str, region: str) -> Call:
    """A service (EC2, Lambda) takes a role for an instance or a function; the session is named after it."""
    arn = f"arn:aws:iam::{account}:role/{role}"
    return Call(
        "sts",
        "AssumeRole",
        {"roleArn": arn, "roleSessionName": session},
        {"credentials": {"accessKeyId": "ASIA@@H@@", "expiration": "Jan 1, 2027, 6:30:22 PM"}},
        region=region,
        resources=[{"accountId": account, "type": "AWS::IAM::Role", "ARN": arn}],
    )


def snapshot(region: str) -> Call:
    """A copy of a disk is made."""
    request = {"volumeId": "vol-0b7e4c1d2a3f58690", "description": "nightly"}
    made = {"snapshotId": "snap-0@@H@@", "status": "pending", "volumeSize": "200"}
    return Call("ec2", "CreateSnapshot", request, made, read_only=False, region=region)


def report_in(instance_id: str) -> Call:
    """The agent on an instance tells Systems Manager that it is there."""
    request = {
        "instanceId": instance_id,
        "agentVersion": "3.3.1345.0",
        "platformType": "Linux",
        "agentName": "amazon-ssm-agent",
    }
    return Call("ssm", "UpdateInstanceInformation", request, None, read_only=False)


def elsewhere(service: str, name: str, region: str, error: str = "") -> Call:
    """A read-only call without parameters in another region."""
    return Call(service, name, {}, None, error=error or None, region=region)
