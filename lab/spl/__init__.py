"""A small row engine for the SPL the app ships, with Splunk's documented semantics."""
