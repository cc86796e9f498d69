"""Rows in; evidence, findings and histories out: the one way that the scheduled searches, backtests and tests go."""
