"""Raw completions by the fingerprint of their request, on disk or a Redis server, with single flight."""
