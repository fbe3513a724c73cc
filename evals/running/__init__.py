"""Corpora, recordings, and runs over a corpus."""
