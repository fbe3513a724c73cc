"""Pictures of many extractions: what is counted, drawn, and said in a table for those who do not see it."""
