"""What a DAG author writes: list courses, export them, report."""
