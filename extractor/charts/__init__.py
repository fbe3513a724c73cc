"""Figures over many extractions, as SVG, PNG and tables."""
