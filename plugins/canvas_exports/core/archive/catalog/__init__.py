"""Questions about the copies in an archive, answered from its manifests, records and run reports alone."""
