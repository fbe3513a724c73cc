"""Linking, measured: labels that say which mentions are one actor and which meetings one event, and scores for them."""
