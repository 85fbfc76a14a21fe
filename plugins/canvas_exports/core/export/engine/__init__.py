"""The state of a batch and its transitions, without I/O."""
