"""Everything that is neither Airflow's nor a terminal's. Imports no Airflow."""
