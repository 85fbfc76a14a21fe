"""The product without Airflow and without the command line. Nothing in it imports Airflow.

From top to bottom: ``backups`` and ``reports``; ``export`` and ``restore``; ``archive``; ``canvas`` and ``packages``;
``storage``; ``model``; ``text``. An import contract holds this order.
"""
