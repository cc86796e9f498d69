"""What is normal: the days on which an entity was seen with a value."""
