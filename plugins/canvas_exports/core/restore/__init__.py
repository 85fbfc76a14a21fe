"""Bringing a stored package back into a course. Knows nothing of Airflow.

=================  =====================================================================
``request``        what a person asks for
``labels``         what the form calls it
``choosing``       which copy that is
``package``        proven first, and checked against its digest on its way out
``safeguards``     which courses are refused
``job``            all of it, once, whatever happens on the way
``state``          what survives a crash
``waiting``        looking at Canvas until it is done
``result``         what a restore came to
``drawing``        which copies are tried in drills
``rooms``          which courses they are restored into
``drill``          a restore for trial
``comparing``      whether what came back is what was stored
``drill_record``   what a drill leaves in the archive
=================  =====================================================================
"""
