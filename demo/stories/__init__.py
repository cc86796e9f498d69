"""What happens in the demo's organization beside its routine, a module for each of the larger detections and one for
the others: attacks, harmless surprises that an alert rightly reports, and decoys that must stay silent."""

from __future__ import annotations

from ..story import Story
from . import chains, countries, endpoints, flows, functions, machines, projects, scripts

_MODULES = (countries, functions, machines, endpoints, chains, flows, projects, scripts)

ATTACKS: tuple[Story, ...] = tuple(story for module in _MODULES for story in module.ATTACKS)
SURPRISES: tuple[Story, ...] = tuple(story for module in _MODULES for story in module.SURPRISES)
DECOYS: tuple[Story, ...] = tuple(story for module in _MODULES for story in module.DECOYS)
