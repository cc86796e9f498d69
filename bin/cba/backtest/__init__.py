"""What a detection would have raised under other settings: the same steps as its search, in memory, writing nothing."""
