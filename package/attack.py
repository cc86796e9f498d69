"""The names of the ATT&CK tactics and techniques that detections name: https://attack.mitre.org."""

from __future__ import annotations

TECHNIQUES = {
    "T1021.007": "Remote Services: Cloud Services",
    "T1059": "Command and Scripting Interpreter",
    "T1059.009": "Command and Scripting Interpreter: Cloud API",
    "T1071.001": "Application Layer Protocol: Web Protocols",
    "T1078": "Valid Accounts",
    "T1078.004": "Valid Accounts: Cloud Accounts",
    "T1098.001": "Account Manipulation: Additional Cloud Credentials",
    "T1199": "Trusted Relationship",
    "T1528": "Steal Application Access Token",
    "T1535": "Unused/Unsupported Cloud Regions",
    "T1552": "Unsecured Credentials",
    "T1552.007": "Unsecured Credentials: Container API",
    "T1555.006": "Credentials from Password Stores: Cloud Secrets Management Stores",
    "T1609": "Container Administration Command",
    "T1648": "Serverless Execution",
}


TACTICS = {
    "TA0001": "Initial Access",
    "TA0002": "Execution",
    "TA0003": "Persistence",
    "TA0005": "Defense Evasion",
    "TA0006": "Credential Access",
    "TA0008": "Lateral Movement",
    "TA0011": "Command and Control",
}
NAMES = {**TACTICS, **TECHNIQUES}


def name_of(field: str) -> str:
    """The eval expression for the name of the technique in a field; null where it is not known here."""
    return "case(" + ", ".join(f'{field}="{key}", "{name}"' for key, name in TECHNIQUES.items()) + ")"
