"""The archive: copies of courses in object storage, and everything that is read from them or done with them.

Knows nothing of the Canvas API and of Airflow.

===================  =======================================================================
``layout``           the keys of packages, manifests and reports; ``key_patterns`` recognises them
``manifest``         the document beside a package; written last, it is the commit marker
``records``          later documents about a package: verifications, drills, holds
``json_documents``   reads and writes all of these, within bounds; ``schemas`` publishes them
``run_report``       the outcome of every export of a run
``publishing``       stores one package and its manifest, in the order that survives a kill
``catalog``          finds copies, and courses without one
``verification``     proves stored packages again
``retention``        deletes copies by policy, and honours holds
``probe``            checks that an archive can be written to
``sweep``            removes the leftovers of killed runs
``mirror``           copies small documents between the replicas of an archive
``compare``          compares two stored packages
===================  =======================================================================
"""
