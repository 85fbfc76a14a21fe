"""The changes from one copy of a course to another, for people: as HTML and as text."""
