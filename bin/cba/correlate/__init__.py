"""Chains: signals that belong together because they share a function, a role or a person, and come close in time."""
