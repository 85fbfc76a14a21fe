"""Which copies are kept, and for how long."""
