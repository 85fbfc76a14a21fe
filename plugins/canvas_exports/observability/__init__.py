"""Send metrics and traces through Airflow's own facilities."""
