"""Grounding: where quotes and phrases stand in an article."""
