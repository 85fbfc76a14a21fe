"""From a stream to a published copy, in the order that survives a kill."""
