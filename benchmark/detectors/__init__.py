"""Detectors behind one interface: each says, of the same events, what it would have alerted on."""
