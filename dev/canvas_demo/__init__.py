"""The demo: a sandbox Canvas, a real Airflow, and one nightly backup of 40 courses."""
