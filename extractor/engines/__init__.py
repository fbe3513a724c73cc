"""Engines: ways to take articles through the extractor on more than one machine."""
