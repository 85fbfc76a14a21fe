"""Export courses from Canvas into an archive, in batches.

``engine`` is a state machine without I/O, and its checkpoint. ``batch`` carries out its decisions on a worker: ``creation``
asks Canvas for exports, ``transfer`` moves packages into ``replicas``. ``polling`` waits for Canvas, in a triggerer or a
worker. ``planning`` turns course lists into batches. ``options`` declares what an administrator may set, ``failure_policy``
decides whether a run has failed.
"""
