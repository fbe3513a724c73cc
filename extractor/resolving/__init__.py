"""Resolving: what words mean as dates, countries, places, offices and names."""
