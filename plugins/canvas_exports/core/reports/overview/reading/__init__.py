"""Read an archive into the tables of a snapshot."""
