"""The app's settings: what there is to set, its defaults, and what is wrong with a value. No Splunk in here.

`declared.TABS` is the one place that names them. From it come the configuration page (package/globalConfig.json), the
shipped defaults (default/cloud_behavior_analytics_settings.conf), their README spec, and what the REST handler accepts.
"""

from __future__ import annotations

from .declared import CONF, TABS, defaults, faults, tab
from .kinds import Group, Lines, Number, OneOf, Setting, Switch, Tab, Text

__all__ = [
    "CONF", "TABS", "Group", "Lines", "Number", "OneOf", "Setting", "Switch", "Tab", "Text", "defaults", "faults",
    "tab",
]  # fmt: skip
