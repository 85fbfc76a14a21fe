"""The command ``canvas-archive``, which reads an archive without Airflow. ``commands`` has a module a subcommand."""
