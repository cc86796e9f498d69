"""The demo's organization: raw logs with attacks hidden in them, the truth about them, and the report."""

from .attacks import BenignSurprise, Decoy, HiddenAttack, benign_surprises, decoys, hidden_attacks
from .generate import events, source_kind, write_files
from .organization import Organization

__all__ = [
    "BenignSurprise", "Decoy", "HiddenAttack", "Organization", "benign_surprises", "decoys", "events", "hidden_attacks",
    "source_kind", "write_files",
]  # fmt: skip
