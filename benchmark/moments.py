"""What happens: one event of one account, why it happens, and which attack it belongs to."""

from __future__ import annotations

from typing import Any, NamedTuple, Optional

from demo.accounts import Account

ROUTINE = "routine"
MISTYPED = "mistyped password"
ATTEMPT = "attempts from everywhere"
TRAVEL = "travel"
OWN_VPN = "VPN of one's own"
VPN_MOVED = "company VPN moved"
MOBILE = "mobile carrier"
GEO = "GeoIP error"
HIRE = "new hire"
CONTRACTOR = "contractor abroad"
RUNNER = "CI runner elsewhere"
REGION = "new region"
ACCOUNT = "new account"
MIGRATION = "migration"
RUNTIME = "new runtime"
FEATURE = "functions deployed"
AUTOSCALING = "autoscaling"
NAT = "NAT moved"
BACK_END = "provider's back end"
DUTIES = "new duties"
CONSOLE = "rare console sign-in"
ERRAND = "look into the store of secrets"
SHELL = "shell on call"
FLOW = "new flow"
SCRIPT = "new script"
VENDOR = "new vendor"
TOOL = "new tool"
BURST = "incident or release"
GAP = "gap in the logs"


class Moment(NamedTuple):
    """One event. `second` of the day; `cause` is what a false alert about it is put down to; `attack` the id of the
    attack that it belongs to; `delay` seconds until delivery, where that is not as usual."""

    second: int
    account: Account
    operation: Any
    address: str
    cause: str = ROUTINE
    attack: str = ""
    delay: Optional[float] = None
