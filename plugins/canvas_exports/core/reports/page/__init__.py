"""The page of a run: rows, charts, templates."""
