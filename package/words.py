"""Conditions of detections in words, for the docs and the pages."""

from __future__ import annotations

import re
from typing import Mapping, Union

from cba.detection.condition import Call, Compare, Junction, Literal, Node, Not
from cba.detection.model import Detection, Variation

Pair = tuple[str, str]
"""What holds where a condition is true, and where it is not."""

NAMES = {
    "api_client": "application and API method",
    "asn": "network (ASN)",
    "pod_exec": "command or shell in a pod",
    "pod_namespace": "namespace of pods",
    "secret_namespace": "namespace of secrets",
    "secret_operation": "operation on secrets",
    "deployment": "deployment of functions",
    "function_write": "change of functions",
    "invocation": "invocation of functions",
    "outside_use": "use from outside the region",
    "privilege": "change of privileges",
    "sensitive_use": "sensitive call",
    "tool": "pair of process and kind of cloud",
}
"""Dimensions that are not called what they are."""

LEAVES: Mapping[str, Pair] = {
    "present(allowed)": ("the function is listed in `allowed_functions`", "the function is not in `allowed_functions`"),
    "present(browser)": ("the process is a browser", "the process is no browser"),
    "present(client_scope)": (
        "the application and method are in `script_scope`",
        "the application and method are not in `script_scope`",
    ),
    "present(compromised_reason)": (
        "the access key is known to be compromised",
        "the access key is not known to be compromised",
    ),
    "present(connector)": ("it is about one of the flow's connectors", "it is about the flow itself"),
    "present(deployment)": ("a function is deployed", "no function is deployed"),
    "present(flow_action)": (
        "one of the flow's connectors is in `flow_actions`",
        "none of the flow's connectors is in `flow_actions`",
    ),
    "present(outside)": (
        "the call is outside of its workload's home region, by where it went to or where it came from",
        "the call is within its workload's home region",
    ),
    "present(script_scope)": ("the script's id is in `script_scope`", "the script's id is not in `script_scope`"),
    "present(title_scope)": ("its title is in `script_scope`", "its title is not in `script_scope`"),
    "present(trigger)": ("the scope or method is in `trigger_types`", "the scope or method is not in `trigger_types`"),
    "present(user_context)": ("the identity is in `user_context`", "the identity is not in `user_context`"),
    "present(watch_reason)": ("the identity is on the watch list", "the identity is not on the watch list"),
    "suspicious(identity)": (
        "the identity has another finding of Low or more in the 24 hours before",
        "the identity has no other finding of Low or more in the 24 hours before",
    ),
    'source_kind == "aws"': ("the source is AWS", "the source is not AWS"),
    'source_kind == "kubernetes"': ("the source is Kubernetes", "the source is not Kubernetes"),
    'compute_action == "instance_created"': ("an instance is created", "no instance is created"),
    'ip_scope == "public"': ("the call came from the Internet", "the call came from inside"),
    "present(home_region)": ("the home of its workload is known", "it is of no workload whose home is known"),
    "present(egress)": (
        "the address is one of the organization's own exits (`egress_ranges`)",
        "the address is none of the organization's own exits (`egress_ranges`)",
    ),
    'identity_type in ("user", "root")': ("the identity is a user", "the identity is no user"),
    'workload_type == "function"': ("the workload is a function", "the workload is no function"),
    'outcome == "success"': ("the call succeeded", "the call failed"),
    'outcome == "failure"': ("the call failed", "the call succeeded"),
    'judged_outcome == "success"': ("the call succeeded (or failed calls escalate, a setting)", "the call failed"),
    'package_type == "Image"': ("the function is a container image", "the function is no container image"),
    'runtime starts with "provided"': ("it brings its runtime along (`provided…`)", "its runtime is the cloud's"),
    'runtime starts with "osonly"': ("its runtime is a bare system (`osonly…`)", "its runtime is a language's"),
    'action == "function_updated"': ("an existing function is changed", "no existing function is changed"),
    'action == "flow_changed"': ("a flow is created or edited", "it is something else than a change of a flow"),
    'action == "flow_shared"': ("a flow is shared", "no flow is shared"),
    'action in ("mail_forwarded", "anonymous_link", "external_call")': (
        "mail is forwarded, an anonymous link is made, or an outside address is called",
        "nothing is forwarded, linked to or called",
    ),
    'destination_scope == "external"': ("it leads out of the organization", "it stays in the organization"),
    'action == "script_changed"': ("a script is created or changed", "no script is created or changed"),
    'action in ("app_authorized", "api_call")': (
        "a script or application is authorized or calls an API",
        "nothing is authorized, and no API called",
    ),
    'action == "app_authorized"': ("a script or application is authorized", "nothing is authorized"),
    'action == "api_call"': ("an API is called", "no API is called"),
    'action == "download"': ("files are downloaded", "no files are downloaded"),
    'action == "external_share"': ("a file is opened to somebody outside", "no file is opened to anybody outside"),
    'access == "https://www.googleapis.com/auth/script.external_request"': (
        "the scope lets it call any address (`script.external_request`)",
        "the scope is another than `script.external_request`",
    ),
}
"""What a condition about a row's own fields means, by its text."""

OPPOSITE = {"==": "!=", "!=": "==", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}
AMOUNT = {
    "==": "exactly {0}",
    "!=": "not {0}",
    "<": "fewer than {0}",
    "<=": "at most {0}",
    ">": "more than {0}",
    ">=": "at least {0}",
}


def in_words(node: Node, signals: Mapping[str, str], holds: bool = True) -> str:
    """A condition as a clause, with holds=False that of its opposite. `signals`: id -> name of a chain's steps."""
    if isinstance(node, Not):
        return in_words(node.inner, signals, not holds)
    if isinstance(node, Junction):
        word = node.word if holds else {"and": "or", "or": "and"}[node.word]
        parts = [_bracketed(part, in_words(part, signals, holds)) for part in node.parts]
        return f", {word} ".join(parts) if len(parts) > 2 else f" {word} ".join(parts)
    if isinstance(node, Compare) and node.operator == "!=":
        return in_words(Compare(node.left, "==", node.right), signals, not holds)
    if pair := LEAVES.get(str(node)):
        return pair[0 if holds else 1]
    if isinstance(node, Compare) and isinstance(node.left, Call) and isinstance(node.right, Literal):
        return _counted(node.left, node.operator if holds else OPPOSITE[node.operator], node.right.value)
    if isinstance(node, Call):
        return _said(node, signals)[0 if holds else 1]
    return f"`{node}`" if holds else f"not `{node}`"


def because(detection: Detection, variation: Variation) -> str:
    """Why a finding has the severity of its variation, as a sentence that needs no markup."""
    names = {signal.id: signal.name for signal in detection.signals}
    condition = variation.when if variation.when is not None else detection.when
    return re.sub(r"[`*]", "", in_words(condition, names))


def _bracketed(part: Node, words: str) -> str:
    """Within `and` and `or` another of them stands in parentheses."""
    while isinstance(part, Not):
        part = part.inner
    return f"({words})" if isinstance(part, Junction) else words


def _said(call: Call, signals: Mapping[str, str]) -> Pair:
    scope, dimension = call.argument("scope"), name(call.argument("dimension"))
    if call.name == "new":
        return f"the {dimension} is new to the {scope}", f"the {dimension} is known to the {scope}"
    if call.name == "trained":
        return f"the {scope} is trained", f"the {scope} is not yet trained"
    if call.name == "familiar":
        return f"the {scope} itself is established", f"the {scope} itself is not established"
    if call.name == "chained":
        step = signals[call.argument("signal")]
        return f"the chain has *{step}*", f"the chain lacks *{step}*"
    return f"`{call}`", f"not `{call}`"


def _counted(call: Call, operator: str, count: Union[int, str]) -> str:
    scope, dimension = call.argument("scope"), name(call.argument("dimension"))
    if call.name == "days" and (operator, count) in (("==", 0), ("<=", 0), ("<", 1)):
        return f"the {scope} had no such {dimension} in the training period"
    amount = AMOUNT[operator].format(count)
    days = f"{amount} {'day' if count == 1 else 'days'} of the training period"
    return {
        "seen": f"the {scope} has {amount} established {_several(dimension)}",
        "days": f"the {scope} had the same {dimension} on {days}",
        "busy": f"the {scope} was seen with any {dimension} on {days}",
        "spread": f"the {scope} was seen with {amount} different {_several(dimension)} in the training period",
    }.get(call.name, f"`{call} {operator} {count}`")


def name(dimension: str) -> str:
    return NAMES.get(dimension, dimension.replace("_", " "))


def _several(dimension: str) -> str:
    return f"{dimension[:-1]}ies" if dimension.endswith("y") else f"{dimension}s"
