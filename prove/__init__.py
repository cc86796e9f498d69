"""Proofs from outside: the shipped searches under faults, and everything that reads foreign bytes under fuzzing."""
