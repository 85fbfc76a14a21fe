"""What operators share: the context of a task, its checkpoint, its asset events, the base of operators that import."""
