"""A published benchmark: generated organizations whose normal life is hard, attacks of every variation laid into it,
and detectors compared on the same events (ARCHITECTURE.md; results: docs/quality.md)."""
