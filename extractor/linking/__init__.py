"""Linking: the same actor, and the same meeting, across articles."""
