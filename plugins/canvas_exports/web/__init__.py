"""What Airflow's API server shows of ours."""
