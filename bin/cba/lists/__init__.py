"""What people tell the app: its lists, how their rows are matched, and what is wrong with a row."""
