"""Validation: whether drafts fit their schema, and whether the article has their words."""
