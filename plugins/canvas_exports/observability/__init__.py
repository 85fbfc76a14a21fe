"""Metrics and traces, through Airflow's own facilities."""
