"""AWS CloudTrail management events (record version 1.08–1.10).

Shapes: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html and
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
"""

from __future__ import annotations

import dataclasses
import hashlib
from typing import Any, Optional, Union

from .template import WHOLE_SECONDS, Stream, Template, delays

STREAM = Stream(
    source_kind="aws",
    index="aws",
    sourcetype="aws:cloudtrail",
    source="s3://nordwind-cloudtrail",
    host="cloudtrail",
    # Minutes as a rule, now and then 35 to 55 (field measurements: 45 and more).
    delays=delays(300, 0.5, late_share=0.015, late=(2100, 3300)),
    fractions=WHOLE_SECONDS,
    whole_seconds=True,
)
JAVA = "aws-sdk-java/2.29.20 Linux/6.1.119 OpenJDK_64-Bit_Server_VM/21.0.5 Java/21.0.5 exec-env/AWS_ECS_FARGATE"
BOTO = "Boto3/1.35.90 md/Botocore#1.35.90 ua/2.0 os/linux#6.8.0 md/arch#x86_64 lang/python#3.12.8 cfg/retry-mode#legacy"
TERRAFORM = "APN/1.0 HashiCorp/1.0 Terraform/1.10.3 terraform-provider-aws/5.82.2 (+https://registry.terraform.io)"
BROWSER = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
)
AGENT = "aws-sdk-go-v2/1.32.7 os/linux lang/go#1.23.4 md/GOOS#linux md/GOARCH#amd64 api/ec2#1.198.1"
LAMBDA = "Boto3/1.35.90 md/Botocore#1.35.90 ua/2.0 os/linux#5.10.230 lang/python#3.12.8 exec-env/AWS_Lambda_python3.12"
QUARANTINE_POLICY = "arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV2"


def _token(text: str, length: int, prefix: str = "") -> str:
    """An upper-case id of AWS's look, the same for equal text."""
    digest = hashlib.sha256(text.encode()).digest()
    return prefix + "".join("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[byte % 32] for byte in digest)[: length - len(prefix)]


def access_key(name: str, temporary: bool = False) -> str:
    """The access key id of a principal (`AKIA…` long-lived, `ASIA…` of a session)."""
    return _token("key/" + name, 20, "ASIA" if temporary else "AKIA")


@dataclasses.dataclass(frozen=True)
class Principal:
    """Who calls: `identity` is the app's normalised name, `user_identity` CloudTrail's element."""

    identity: str
    account: str
    user_identity: dict[str, Any]
    agent: str
    region: str = "eu-west-1"
    vpc_endpoint: Optional[str] = None


def user(account: str, name: str, agent: str = BOTO, region: str = "eu-west-1") -> Principal:
    """An IAM user with a long-lived key."""
    arn = f"arn:aws:iam::{account}:user/{name}"
    element = {
        "type": "IAMUser",
        "principalId": _token(arn, 21, "AIDA"),
        "arn": arn,
        "accountId": account,
        "accessKeyId": access_key(arn),
        "userName": name,
    }
    return Principal(arn, account, element, agent, region)


def _session(account: str, role: str, path: str, session: str, mfa: str) -> dict[str, Any]:
    arn = f"arn:aws:iam::{account}:role{path}{role}"
    role_id = _token(arn, 21, "AROA")
    return {
        "type": "AssumedRole",
        "principalId": f"{role_id}:{session}",
        "arn": f"arn:aws:sts::{account}:assumed-role/{role}/{session}",
        "accountId": account,
        "accessKeyId": access_key(arn + session, temporary=True),
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": role_id,
                "arn": arn,
                "accountId": account,
                "userName": role,
            },
            "webIdFederationData": {},
            "attributes": {"creationDate": "@@S@@", "mfaAuthenticated": mfa},
        },
    }


def role(
    account: str, name: str, session: str, agent: str = JAVA, region: str = "eu-west-1", endpoint: Optional[str] = None
) -> Principal:
    """A role assumed by a workload or pipeline; its sessions come and go, the role is the identity."""
    element = _session(account, name, "/", session, "false")
    return Principal(f"arn:aws:iam::{account}:role/{name}", account, element, agent, region, endpoint)


def instance(account: str, name: str, instance_id: str, region: str, named: bool = False) -> Principal:
    """A role's session on an EC2 instance; `named`: the event says which instance the credentials were issued to."""
    element = _session(account, name, "/", instance_id, "false")
    element["sessionContext"]["ec2RoleDelivery"] = "2.0"
    if named:
        issued_to = f"arn:aws:ec2:{region}:{account}:instance/{instance_id}"
        element["inScopeOf"] = {"issuerType": "AWS::EC2::Instance", "credentialsIssuedTo": issued_to}
    return Principal(f"arn:aws:iam::{account}:role/{name}", account, element, AGENT, region)


def lambda_role(account: str, name: str, function: str, region: str) -> Principal:
    """A role in the hands of the Lambda function it was made for: the session is named after the function."""
    issued_to = f"arn:aws:lambda:{region}:{account}:function:{function}"
    element = _session(account, name, "/", function, "false")
    element["inScopeOf"] = {"issuerType": "AWS::Lambda::Function", "credentialsIssuedTo": issued_to}
    return Principal(f"arn:aws:iam::{account}:role/{name}", account, element, LAMBDA, region)


def person(account: str, permission_set: str, email: str, agent: str = BROWSER) -> Principal:
    """A person through IAM Identity Center; `email` as they type it, the identity in lower case."""
    suffix = hashlib.sha256(f"{account}{permission_set}".encode()).hexdigest()[:16]
    path = "/aws-reserved/sso.amazonaws.com/eu-west-1/"
    element = _session(account, f"AWSReservedSSO_{permission_set}_{suffix}", path, email, "false")
    return Principal(email.lower(), account, element, agent)


def root(account: str) -> Principal:
    """The account's root user at the console."""
    arn = f"arn:aws:iam::{account}:root"
    element = {
        "type": "Root",
        "principalId": account,
        "arn": arn,
        "accountId": account,
        "accessKeyId": "",
        "sessionContext": {"attributes": {"creationDate": "@@S@@", "mfaAuthenticated": "true"}},
    }
    return Principal(arn, account, element, BROWSER, "us-east-1")


def service(account: str, invoker: str) -> Principal:
    """An AWS service acting by itself (no identity for the app)."""
    return Principal("-", account, {"type": "AWSService", "invokedBy": invoker}, invoker)


def forward_access(caller: Principal, invoker: str) -> Principal:
    """A service calling on behalf of `caller` (forward access session)."""
    return dataclasses.replace(caller, user_identity={**caller.user_identity, "invokedBy": invoker}, agent=invoker)


@dataclasses.dataclass(frozen=True)
class Call:
    """One API operation as CloudTrail logs it. `region`: where it is made, instead of in the caller's own region;
    `resources`: what the record lists; `data`: a data event, which a trail logs only when told to."""

    service: str
    name: str
    parameters: Optional[dict[str, Any]] = None
    response: Optional[dict[str, Any]] = None
    read_only: bool = True
    error: Optional[str] = None
    global_service: bool = False
    region: Optional[str] = None
    resources: Optional[list[dict[str, Any]]] = None
    data: bool = False


_BUCKET = {"bucketName": "nordwind-invoices", "Host": "nordwind-invoices.s3.eu-west-1.amazonaws.com"}
_SERVICE_EVENTS = [
    {
        "id": f"{number:08}-0000-4000-a000-000000000000",
        "message": "(service web) has started 1 tasks: (task 8f3b1c0a9d7e4f52b6a1).",
    }
    for number in range(60)
]
"""What makes a real event longer than the 5,000 bytes that Splunk extracts fields from."""
CALLS: dict[str, Call] = {
    "whoami": Call("sts", "GetCallerIdentity"),
    "instances": Call("ec2", "DescribeInstances", {"maxResults": 1000, "instancesSet": {}, "filterSet": {}}),
    "groups": Call(
        "ec2", "DescribeSecurityGroups", {"securityGroupSet": {}, "securityGroupIdSet": {}, "filterSet": {}}
    ),
    "buckets": Call("s3", "ListBuckets", {"Host": "s3.eu-west-1.amazonaws.com"}),
    "bucket_acl": Call("s3", "GetBucketAcl", {**_BUCKET, "acl": ""}),
    "bucket_location": Call("s3", "GetBucketLocation", {**_BUCKET, "location": ""}),
    "parameter": Call("ssm", "GetParameter", {"name": "/shop/prod/db/endpoint", "withDecryption": True}),
    "secret": Call("secretsmanager", "GetSecretValue", {"secretId": "prod/shop/payments"}),
    "decrypt": Call(
        "kms",
        "Decrypt",
        {"encryptionContext": {"SecretARN": "prod/shop/payments"}, "encryptionAlgorithm": "SYMMETRIC_DEFAULT"},
    ),
    "log_groups": Call("logs", "DescribeLogGroups", {"limit": 50, "logGroupNamePrefix": "/aws/ecs/shop"}),
    "alarms": Call("monitoring", "DescribeAlarms", {"maxRecords": 100, "stateValue": "ALARM"}),
    "queues": Call("sqs", "ListQueues", {"queueNamePrefix": "shop-"}),
    "topics": Call("sns", "ListTopics", {}),
    "functions": Call("lambda", "ListFunctions20150331", {"maxItems": 50}),
    "deploy": Call(
        "ecs",
        "UpdateService",
        {"cluster": "shop", "service": "web", "taskDefinition": "web:412", "forceNewDeployment": True},
        {"service": {"status": "ACTIVE", "desiredCount": 6, "runningCount": 6, "events": _SERVICE_EVENTS}},
        False,
    ),
    "token": Call("ecr", "GetAuthorizationToken", {}),
    "push": Call(
        "ecr",
        "PutImage",
        {"repositoryName": "shop/web", "imageTag": "@@H@@"},
        {"image": {"repositoryName": "shop/web"}},
        False,
    ),
    "assume": Call(
        "sts",
        "AssumeRoleWithWebIdentity",
        {"roleArn": "arn:aws:iam::210987654321:role/ci-deploy", "roleSessionName": "GitHubActions"},
    ),
    "table": Call("glue", "GetTable", {"databaseName": "sales", "name": "orders"}),
    "query": Call(
        "athena",
        "StartQueryExecution",
        {"queryString": "***OMITTED***", "workGroup": "reporting"},
        {"queryExecutionId": "@@B@@"},
        False,
    ),
    "denied": Call(
        "ec2",
        "RunInstances",
        {
            "instancesSet": {"items": [{"imageId": "ami-0a1b2c3d4e5f60718", "minCount": 1, "maxCount": 1}]},
            "instanceType": "m6i.large",
        },
        None,
        False,
        "Client.UnauthorizedOperation",
    ),
    "denied_read": Call("kms", "ListGrants", {"keyId": "alias/shop"}, None, True, "AccessDenied"),
    "missing": Call("s3", "GetBucketPolicy", {**_BUCKET, "policy": ""}, None, True, "NoSuchBucketPolicy"),
    "login": Call("signin", "ConsoleLogin", None, {"ConsoleLogin": "Success"}, False),
    "billing": Call(
        "ce", "GetCostAndUsage", {"granularity": "MONTHLY", "metrics": ["UnblendedCost"]}, global_service=True
    ),
    "users": Call("iam", "ListUsers", {"maxItems": 100}, global_service=True),
    "new_key": Call(
        "iam",
        "CreateAccessKey",
        {"userName": "svc-backup"},
        {"accessKey": {"userName": "svc-backup", "status": "Active"}},
        False,
        global_service=True,
    ),
    "share_snapshot": Call(
        "ec2",
        "ModifySnapshotAttribute",
        {
            "snapshotId": "snap-0f9e8d7c6b5a43210",
            "createVolumePermission": {"add": {"items": [{"userId": "999888777666"}]}},
        },
        {"_return": True},
        False,
    ),
    "mail_quota": Call("ses", "GetSendQuota"),
    "spot": Call(
        "ec2",
        "RequestSpotInstances",
        {"instanceCount": 20, "launchSpecification": {"instanceType": "p4d.24xlarge"}},
        None,
        False,
        "Client.UnauthorizedOperation",
    ),
    "quarantine": Call(
        "iam",
        "AttachUserPolicy",
        {"userName": "ci-publisher", "policyArn": QUARANTINE_POLICY},
        None,
        False,
        global_service=True,
    ),
}


def template(who: Principal, call: Union[str, Call]) -> Template:
    """The log line of `who` making a call, or the one of that name in `CALLS`."""
    what = CALLS[call] if isinstance(call, str) else call
    region = "us-east-1" if what.global_service else what.region or who.region
    host = f"{what.service}.amazonaws.com" if what.global_service else f"{what.service}.{region}.amazonaws.com"
    record: dict[str, Any] = {
        "eventVersion": "1.10",
        "userIdentity": who.user_identity,
        "eventTime": "@@T@@",
        "eventSource": f"{what.service}.amazonaws.com",
        "eventName": what.name,
        "awsRegion": region,
        "sourceIPAddress": "@@I@@",
        "userAgent": who.agent,
    }
    if what.error:
        record["errorCode"] = what.error
        record["errorMessage"] = (
            f"User: {who.user_identity.get('arn')} is not authorized to perform: {what.service}:{what.name}"
        )
    record["requestParameters"] = what.parameters
    record["responseElements"] = what.response
    if what.service == "s3":
        record["additionalEventData"] = {
            "SignatureVersion": "SigV4",
            "CipherSuite": "TLS_AES_128_GCM_SHA256",
            "bytesTransferredIn": 0,
            "AuthenticationMethod": "AuthHeader",
            "x-amz-id-2": "@@H@@@@H@@@@H@@@@H@@",
            "bytesTransferredOut": 481,
        }
        record["resources"] = [
            {"accountId": who.account, "type": "AWS::S3::Bucket", "ARN": "arn:aws:s3:::nordwind-invoices"}
        ]
    if what.resources is not None:
        record["resources"] = what.resources
    if what.service == "signin":
        record["additionalEventData"] = {
            "LoginTo": "https://console.aws.amazon.com/console/home",
            "MobileVersion": "No",
            "MFAUsed": "Yes",
        }
    record["requestID"] = "@@B@@"
    record["eventID"] = "@@A@@"
    record["readOnly"] = what.read_only
    record["eventType"] = "AwsConsoleSignIn" if what.service == "signin" else "AwsApiCall"
    record["managementEvent"] = not what.data
    record["recipientAccountId"] = who.account
    record["eventCategory"] = "Data" if what.data else "Management"
    if who.vpc_endpoint:
        record["vpcEndpointId"] = who.vpc_endpoint
        record["vpcEndpointAccountId"] = who.account
    record["tlsDetails"] = {
        "tlsVersion": "TLSv1.3",
        "cipherSuite": "TLS_AES_128_GCM_SHA256",
        "clientProvidedHostHeader": host,
    }
    return Template.of(STREAM, record)
