"""Cache: completions by the fingerprint of their request, on disk or on a Redis server, with single flight."""
