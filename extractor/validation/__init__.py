"""Validation: whether drafts fit their schema, and whether their words stand in the article."""
