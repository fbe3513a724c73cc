"""The embedded model: its weights, its server, and who may use it."""
