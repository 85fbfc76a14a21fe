"""Content migrations: their rows and jobs, uploaded packages, reading packages, and imported content."""
