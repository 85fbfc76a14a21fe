"""Subcommands that help to set up an Airflow project: ``init``, ``check`` and ``doctor``.

``template`` holds the files that ``init`` writes. They are no modules of this package.
"""
