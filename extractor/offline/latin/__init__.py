"""English and French articles read without a model: who is mentioned, who met, who takes which position."""
