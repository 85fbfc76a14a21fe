"""The proof: whether a package is whole, and whether it is the one that was requested.

====================  ===========================================================================
``proof``             the expected package, and the result of a proof
``prove_directory``   level ``directory``: reads the zip's directory and the manifest
``prove_stored``      level ``full``: reads and unpacks a stored package from first to last byte
``random_access``     reads parts of a package that is stored, or that has streamed by
``zip``               directory, members and bytes of a zip
``cartridge``         manifest and documents of a cartridge or QTI package
``digests``           digests of a package's bytes: which are made, and how they are compared
``content_digest``    a digest that is equal for equal content
``diff``              what has changed between two packages
``findings``          collects findings in bounded memory
``work_limits``       limits the work that one package may cause
====================  ===========================================================================
"""
