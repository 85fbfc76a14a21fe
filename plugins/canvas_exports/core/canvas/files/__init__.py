"""Packages at Canvas: downloads, random access, uploads."""
