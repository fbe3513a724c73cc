"""Figures over many extractions, drawn as SVG and told as tables."""
