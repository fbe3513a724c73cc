"""Assembling: from drafts to records, resolved, merged and numbered."""
