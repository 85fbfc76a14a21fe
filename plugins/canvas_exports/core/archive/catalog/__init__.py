"""What the archive holds, told from its manifests and records alone."""
