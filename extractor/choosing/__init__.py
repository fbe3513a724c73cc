"""Closed questions for a small model: code offers, the model chooses, code completes."""
