"""The command ``canvas-archive``, which reads an archive without Airflow: a module a subcommand."""
