"""Examples of the operators. ``canvas-archive init`` writes the DAGs for real use."""
