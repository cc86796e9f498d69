"""Where workloads (instances, functions) have their home, and which calls are outside of it."""
