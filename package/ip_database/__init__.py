"""Building the app's IP database from pinned open data (build time only; run ../build_ip_database.py)."""
