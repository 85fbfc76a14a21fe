"""Object storage: the interface ``store.Store`` and its backends. Knows nothing of Canvas and of an archive's layout."""
