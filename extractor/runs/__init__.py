"""A run over files: sources, rows, ledger, results, tables."""
