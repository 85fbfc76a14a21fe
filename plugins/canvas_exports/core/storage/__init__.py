"""Object storage: one law for every store, and the stores. Knows no Canvas and no layout of an archive."""
