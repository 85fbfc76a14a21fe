"""Operators for DAG authors: list courses, export, report, verify, restore."""
