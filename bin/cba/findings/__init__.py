"""From scored rows to findings: deduplication, counting, and break-through of a higher severity."""
