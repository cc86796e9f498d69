"""The risk that a finding adds to its entity, by severity."""

from __future__ import annotations

RISK_SCORES = {"informational": 5, "low": 15, "medium": 40, "high": 65, "critical": 85}

RISK = "case(" + ", ".join(f'severity="{name}", {risk}' for name, risk in RISK_SCORES.items()) + ", true(), 0)"
"""The same in SPL, from the field severity."""
