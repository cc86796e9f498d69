"""What the search commands share: reading and writing chunks as tables, options, and the KV store service."""
