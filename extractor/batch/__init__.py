"""Batches: articles from files of any size, results that survive whatever ends the process."""
