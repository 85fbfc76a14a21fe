"""Bringing a stored package back into a course."""
