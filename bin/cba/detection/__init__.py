"""Detections as data: the model of the YAML, its conditions, and the choice of one variation."""
