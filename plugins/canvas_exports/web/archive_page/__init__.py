"""The page *Canvas archive*: what the archives that an administrator named hold, in Airflow's navigation."""
