"""From evidence to a variation, a severity, a score and a sentence. Pure: no I/O, no clock."""
