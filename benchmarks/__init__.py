"""Measurements, each of which prints the table that the docs quote. See README.md."""
