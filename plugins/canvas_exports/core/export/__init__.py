"""The engine: from contexts to outcomes.

``engine`` is a pure state machine fed by events and the clock; ``checkpoint`` is everything it needs after a crash.
``batch`` carries out its decisions on a worker, ``watch`` looks at running exports from a triggerer. ``contexts`` turns
course lists into batches, ``policy`` decides whether a run has failed. Nothing here imports Airflow.
"""
