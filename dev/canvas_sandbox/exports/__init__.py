"""Content exports: their jobs, and the packages that they build."""
