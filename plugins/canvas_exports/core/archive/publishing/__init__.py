"""Store a package and its manifest, in the order that survives a kill: see ``publish``."""
