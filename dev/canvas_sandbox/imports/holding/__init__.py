"""Imported content of a course: merging imports, editing it, and exporting it again."""
