"""Proving again what has been stored."""
