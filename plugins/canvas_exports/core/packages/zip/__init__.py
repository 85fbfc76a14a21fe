"""Zip files from strangers: their directory, members and bytes."""
