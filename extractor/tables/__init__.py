"""Tables of the records: one row a thing, one meaning a column, no cell with a list."""
