"""From drafts to records: grounded, resolved, merged, numbered."""
