"""Triggers: wait in Airflow's triggerer, without a worker."""
