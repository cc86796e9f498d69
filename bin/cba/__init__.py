"""Cloud Behavior Analytics: day-set histories, evidence, variations and findings (pure Python 3.9+)."""
