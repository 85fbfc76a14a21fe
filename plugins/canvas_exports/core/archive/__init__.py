"""Object storage and the proof. Knows nothing of Canvas's API, of the engine or of Airflow.

A package flows through one pipeline into a ``Store``, is proven from what is held of it while it passes, and only
then becomes visible; its manifest, written last, is the commit marker.

=====================  =====================================================================
``store``              the interface every backend implements
``stores``             the backends
``capabilities``       what one of them can do and another cannot
``protection``         encryption, storage class, locks and tags
``opening``            from a root URI to a ``Store``
``credentials``        what a backend needs to be let in
``blocks``             the memory all packages of a task share
``pipeline``           count, digest, keep what the proof needs, prove, and only then end
``proof``              whole, incomplete or empty; corrupt and wrong packages raise
``proving``            the same once more, of what has been stored
``manifest``           the document beside a package
``keys``               where things lie
``delivery``           a package's way from its source to whoever stores it; ``tee``: to several at once
``unchanged``          what a stored package already holds is not stored again; ``comparing``: what differs
``publish``            all of it, in the one order that survives being killed; ``several``: into several archives
``records``            what is learnt of a package later, in documents of their own
``ownership``          which keys are ours; ``sweeping``: removing what killed runs left
``report``             what became of every context of a run
=====================  =====================================================================
"""
