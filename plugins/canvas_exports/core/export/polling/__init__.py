"""Poll running exports: which one next, and when."""
