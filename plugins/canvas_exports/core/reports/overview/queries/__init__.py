"""Ask the tables of a snapshot."""
