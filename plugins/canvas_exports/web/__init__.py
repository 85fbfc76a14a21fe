"""Pages that Airflow's API server shows."""
