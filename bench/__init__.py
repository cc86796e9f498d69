"""How fast and how large the app is: commands beside an SDK echo, a replay, and the histories in the KV store."""
