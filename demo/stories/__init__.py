"""What happens in the demo's organization beside its routine, one module per detection: attacks, harmless surprises
that an alert rightly reports, and decoys that must stay silent."""

from __future__ import annotations

from ..story import Story
from . import chains, countries, endpoints, flows, functions, machines, scripts

_MODULES = (countries, functions, machines, endpoints, chains, flows, scripts)

ATTACKS: tuple[Story, ...] = tuple(story for module in _MODULES for story in module.ATTACKS)
SURPRISES: tuple[Story, ...] = tuple(story for module in _MODULES for story in module.SURPRISES)
DECOYS: tuple[Story, ...] = tuple(story for module in _MODULES for story in module.DECOYS)
