"""Lambda functions and the roles they run with, as CloudTrail records them.

Shapes: https://docs.aws.amazon.com/lambda/latest/dg/logging-using-cloudtrail.html ,
https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html and
https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html
"""

from __future__ import annotations

import dataclasses
import json
from typing import Any, Optional

from .aws import Call

_TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    },
    separators=(",", ":"),
)
BASIC_EXECUTION = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"


def role_arn(account: str, name: str) -> str:
    return f"arn:aws:iam::{account}:role/{name}"


def function_arn(account: str, name: str, region: str = "eu-west-1") -> str:
    return f"arn:aws:lambda:{region}:{account}:function:{name}"


def create(account: str, name: str, runtime: str, role: str, error: Optional[str] = None) -> Call:
    """A function in the `runtime` (`Image`: a container image) with the named role."""
    image = runtime == "Image"
    setting: dict[str, Any] = {} if image else {"runtime": runtime, "handler": "index.handler"}
    code: dict[str, Any] = {"s3Bucket": "nordwind-artifacts", "s3Key": f"{name}.zip"}
    if image:
        code = {"imageUri": f"{account}.dkr.ecr.eu-west-1.amazonaws.com/{name}:latest"}
    common = {
        "functionName": name,
        **setting,
        "role": role_arn(account, role),
        "timeout": 30,
        "memorySize": 256,
        "packageType": "Image" if image else "Zip",
        "environment": {},
    }
    request = {**common, "code": code, "publish": False, "architectures": ["x86_64"]}
    return Call("lambda", "CreateFunction20150331", request, _answer(account, name, common, error), False, error)


def update_code(account: str, name: str, role: str) -> Call:
    """New code for a function."""
    request = {"functionName": name, "publish": True, "dryRun": False}
    common = {"functionName": name, "role": role_arn(account, role), "packageType": "Zip"}
    return Call("lambda", "UpdateFunctionCode20150331v2", request, _answer(account, name, common), False)


def update_configuration(account: str, name: str, role: str, **changes: Any) -> Call:
    """New settings of a function, e.g. `runtime="python3.13"`; its `role` is one only if it stands in `changes`."""
    asked = {key: role_arn(account, value) if key == "role" else value for key, value in changes.items()}
    common = {"functionName": name, "role": role_arn(account, role), "packageType": "Zip", **asked}
    answer = _answer(account, name, common)
    return Call("lambda", "UpdateFunctionConfiguration20150331v2", {"functionName": name, **asked}, answer, False)


def invoke(account: str, name: str) -> Call:
    """A call of a function by somebody: a data event."""
    request = {"functionName": function_arn(account, name), "invocationType": "RequestResponse"}
    resources = [{"accountId": account, "type": "AWS::Lambda::Function", "ARN": function_arn(account, name)}]
    return Call("lambda", "Invoke", request, None, False, resources=resources, data=True)


def create_user(name: str) -> Call:
    """A new user."""
    request = {"userName": name}
    return Call("iam", "CreateUser", request, {"user": {"path": "/", **request}}, False, global_service=True)


def create_role(account: str, name: str) -> Call:
    """A role for Lambda functions."""
    request = {"roleName": name, "path": "/", "assumeRolePolicyDocument": _TRUST, "maxSessionDuration": 3600}
    answer = {"role": {"path": "/", "roleName": name, "arn": role_arn(account, name)}}
    return Call("iam", "CreateRole", request, answer, False, global_service=True)


def attach_policy(role: str, policy: str = BASIC_EXECUTION) -> Call:
    """A managed policy for a role."""
    return Call("iam", "AttachRolePolicy", {"roleName": role, "policyArn": policy}, None, False, global_service=True)


def in_region(call: Call, region: str) -> Call:
    """The same call about a function of another region."""
    told = dict(call.response) if call.response else None
    if told is not None and "functionArn" in told:
        told["functionArn"] = told["functionArn"].replace(":eu-west-1:", f":{region}:")
    return dataclasses.replace(call, response=told, region=region)


def _answer(account: str, name: str, common: dict[str, Any], error: Optional[str] = None) -> Optional[dict[str, Any]]:
    if error:
        return None
    return {**common, "functionArn": function_arn(account, name), "version": "$LATEST", "state": "Active"}
